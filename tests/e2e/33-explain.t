#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Why a reader got a paper, or did not.
. "$(dirname "$0")/lib.sh"
plan 35

write_config <<'X'
source "days" { type = file  path = "2026-03-*.json" }
subscriber "ada@digest.test" { limit = 2  outside = 1
    filter "voted" { match = 'votes>=1' limit = 2 }
    filter "none" { match = 'zzzz OR author:zzzz' }
}
subscriber "bob@digest.test" { outside = 0  filter "none" { match = 'zzzz' } }
X
now=2026-03-03T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
# The verdicts on every paper for one reader, with what the stored digest says, as "key verdict".
verdicts() {
	for key in $(sql 'SELECT key FROM paper ORDER BY id'); do
		d explain --json -u "$1" "$key" | python3 -c '
import json, sys
v = json.loads(sys.stdin.readline())
print(v["paper"], v["verdict"], v.get("section", ""), v.get("place", ""), "cut" if v.get("cut") else "")' 2>/dev/null
	done
}

# The readers are known before there is any paper.
"$DIGEST" --now 2026-03-02T08:00:00Z run
cp "$FIXTURES/2026-03-02.json" .
d fetch -f
check 'before the first digest: it comes with the next'  'verdicts ada@digest.test | grep -q " next "'
check 'the next is named with its time'                  'd explain ada@digest.test $(verdicts ada@digest.test | sed -n "/ next /{s/ .*//p;q;}") >out && grep -q "in the next digest, which is due now" out'
check '... with its section, place and score'            'grep -Eq "(under .voted.|as popular outside the filters)$" out && grep -q "^place [1-3] of" out && grep -q "^score .* = text" out'
check '... or that it is over a limit'                   'd explain ada@digest.test $(verdicts ada@digest.test | sed -n "/ next .* cut$/{s/ .*//p;q;}") | grep -q "^ada@digest.test: as things stand, matched for the next digest, which is due now, under .voted., but over a limit and only named$"'
verdicts ada@digest.test | sed -n 's/ next \(.*\) cut$/ cut \1 /p; s/ next \(voted .*\)/ picked \1/p; s/ next \( .*\)/ outside \1/p' >next
d run
check 'it comes as it was said'                          'test -s next && verdicts ada@digest.test | grep -E " (picked|outside|cut) " | cmp - next'
check 'two were picked under the filter'                 'test "$(verdicts ada@digest.test | grep -c "picked voted")" = 2'
check 'what explain says is what was sent'               '
	for key in $(verdicts ada@digest.test | sed -n "s/ picked voted.*//p"); do
		d show --json "$key" | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"title\"])" >title
		grep -rqF "$(cut -c1-30 title)" Mail/new || echo "$key" >>missing
	done
	test ! -e missing'
check 'others were cut'                                  'verdicts ada@digest.test | grep -q " cut voted"'
check 'a reader without a match is told so'              'test "$(verdicts bob@digest.test | grep -vc no-match)" = 0'
key=$(verdicts ada@digest.test | sed -n '/picked/{s/ .*//p;q;}')
check 'a person sees score and clauses'                  'd explain ada@digest.test "$key" >out && grep -q "under .voted." out && grep -q "^place [12] of [0-9]*; the filter.s limit is 2, the digest.s 25" out && grep -q "^score .* = text" out && grep -q "yes votes>=1" out && grep -q " no zzzz" out && grep -q "no author:zzzz" out'
check 'a cut one is told its place'                      'd explain ada@digest.test "$(verdicts ada@digest.test | sed -n "/ cut /{s/ .*//p;q;}")" | grep -Eq "^place ([3-9]|[1-9][0-9]) of"'
check 'with the votes of then'                           'grep -q "when it had [0-9]* votes" out'
check 'the place of a hit is shown'                      'd subscribe eve@digest.test --filter "w=title:$(d show --json "$key" | python3 -c "
import json, re, sys
print(max(re.findall(r\"[A-Za-z]{4,}\", json.loads(sys.stdin.readline())[\"title\"]), key=len))")" && d explain eve@digest.test "$key" | grep -q "title: .*\["'
check 'all readers, a line each'                         'test "$(d explain "$key" | grep -c "@digest.test")" = 3'
check 'votes that came later change nothing'             '
	sed "s/\"upvotes\": *[0-9]*/\"upvotes\": 0/g" 2026-03-02.json >x && mv x 2026-03-02.json &&
	"$DIGEST" --now 2026-03-03T20:00:00Z fetch -f && d explain --json ada@digest.test "$key" | grep -q "\"clause\":\"votes>=1\",\"depth\":0,\"holds\":true"'
check 'a stranger is an error'                           'says 64 "is not a reader" d explain nobody@digest.test "$key"'
check 'a paper that is unknown is one'                   'says 65 "no paper of the store" d explain ada@digest.test nix'
check 'and so is no paper at all'                        'says 64 "" d explain'

# --- a paper that the store does not have
echo 2026-03-03 >today
start_replay --arxiv "$FIXTURES/arxiv-2026-03.json" --today "$T/today" --log "$T/requests" --script "$T/script"
echo '{}' >script
write_config <<C
fetch { allow-private = {"127.0.0.0/8"} }
source "ax" { type = arxiv  url = "http://127.0.0.1:$PORT"  categories = {cs.CV}  request-gap = 0s }
source "days" { type = file  path = "2026-03-*.json" }
C
d subscribe gus@digest.test --filter 'scarfs=scarf OR zzzz' --filter none=zzzz >/dev/null
check 'a paper that no source has is asked for'          'd explain gus@digest.test https://arxiv.org/abs/2603.91001v1 >out && grep -q "^Knitting as Sequence Modelling" out && grep -q "does not have this paper, which was published on 2026-03-02 in cs.LG, cs.CL" out && grep -q "^GET /api/query.id_list=2603.91001" requests'
check '... with what each source reads'                  'grep -q "source \"ax\" reads cs.CV, which brings nothing that was announced as it was" out && grep -q "source \"days\" has not listed it" out'
check '... and what the filters say of it'               'grep -q "though a filter would find it" out && grep -q "yes scarf .*A \[scarf\] is" out && grep -q "^none: false" out'
sed -i 's/{cs.CV}/{cs}/' digest.conf
check '... or who would have brought it'                 'd explain gus@digest.test 2603.91001 | grep -q "source \"ax\" reads what it was announced as, and would have"'
check 'who is asked once is not asked again'             'test "$(grep -c id_list requests)" = 1'
sed -i 's/{cs}/{cs.CL} announce = {new}/' digest.conf
check 'a cross-list is nothing for who reads new papers' 'd explain gus@digest.test 2603.91001 | grep -q "source \"ax\" reads cs.CL, which brings nothing"'
sed -i 's/announce = {new}/announce = {replace}/' digest.conf
check '... nor for who reads new versions'               'd explain gus@digest.test 2603.91001 | grep -q "source \"ax\" reads cs.CL, which brings nothing"'
sed -i 's/{cs.CL} announce = {replace}/{cs}/' digest.conf
check 'JSON says so, too'                                'd explain gus@digest.test 2603.91001 --json | grep -q "\"verdict\":\"unknown\".*\"brings\":true"'
check 'it is not stored'                                 'test "$(sql "SELECT count(*) FROM paper WHERE key LIKE '"'%91001'"'")" = 0'
: >requests
check 'offline nobody is asked'                          'says 65 "no paper of the store; expected" d explain --offline gus@digest.test 2603.91001 && test ! -s requests'
check 'an id that arXiv does not have'                   'says 65 "no paper of the store, nor of arXiv" d explain gus@digest.test 2603.99999'
rm -rf "$XDG_CACHE_HOME"
echo '{"/api/query": {"status": 503, "body": "later"}}' >script
check 'a service that is down'                           'says 69 "503" d explain gus@digest.test 2603.91001'
cat >script <<'C'
{"/api/query": {"headers": {"Content-Type": "application/atom+xml"}, "body": "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:arxiv='http://arxiv.org/schemas/atom'><entry><id>http://arxiv.org/abs/2603.91009v1</id><title>Another</title><summary>Scarf.</summary><published>2026-03-02T10:00:00Z</published><author><name>X</name></author></entry></feed>"}}
C
check 'another paper than asked for is not believed'     'says 65 "nor of arXiv" d explain gus@digest.test 2603.91001'

# --- a filter with days of its own
write_config <<'C'
store { path = "week.db" }
source "club" { type = file  path = "papers.jsonl" }
defaults { outside = 0  when = "daily 12:00" }
subscriber "ada@digest.test" { filter "tea" { match = "tea" }  filter "best" { match = "cake"  when = "mon 12:00" } }
C
sed -i '/path = "digest.db"/s/store { path = "digest.db" }//' digest.conf
echo '{"id": "2603.00001", "title": "Tea One", "abstract": "x", "listed": "2026-03-02"}' >papers.jsonl
"$DIGEST" --now 2026-03-02T13:00:00Z run
echo '{"id": "2603.00002", "title": "Cake Two", "abstract": "x", "listed": "2026-03-04"}' >>papers.jsonl
"$DIGEST" --now 2026-03-04T13:00:00Z run
check 'a paper may wait for the turn of a weekly section' '"$DIGEST" --now 2026-03-04T14:00:00Z explain ada@digest.test 2603.00002 | grep -q "not yet: \"best\" holds, and has its turn Mon 9 Mar 12:00"'
"$DIGEST" --now 2026-03-09T13:00:00Z run
check '... and then it stands there'                     '"$DIGEST" --now 2026-03-09T14:00:00Z explain ada@digest.test 2603.00002 | grep -q "in the digest of 2026-03-09, under .best."'

# --- before the first run
rm -f week.db*
"$DIGEST" --now 2026-03-09T13:00:00Z fetch -q
check 'a reader of the file is explained'                '"$DIGEST" --now 2026-03-09T14:00:00Z explain ada@digest.test 2603.00002 >out && grep -q "best" out'
check '... among all'                                    'test "$("$DIGEST" --now 2026-03-09T14:00:00Z explain 2603.00002 | grep -c "@digest.test")" = 1'
