#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Papers in and out by hand: import of lines and saved answers, export, and nothing lost between the two.
. "$(dirname "$0")/lib.sh"
plan 27

write_config <<'X'
source "days" { type = file  path = "in/*.json" }
defaults { outside = 0 }
subscriber "ada@digest.test" { when = always  filter "all" { match = "*"  limit = 100 } }
X
now=2026-03-04T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
fresh() {
	rm -rf Mail digest.db* digest.key
}

cat >papers.jsonl <<'X'
{"id": "2603.00001", "title": "Old and Known", "listed": "2025-01-07"}
{"id": "2603.00002", "title": 7}

not a paper
{"id": "10.9999/ABC", "title": "By DOI", "published": "2025-06-01"}
{"id": "note-1", "title": "Without any Day"}
X
check 'lines are counted, broken ones named'  'd import papers.jsonl >out 2>err; test $? = 65 && grep -qx "3 papers read: 3 new, 0 changed" out && grep -qx "digest: papers.jsonl:2: title: expected a string; 1 more are left out" err'
check 'again: nothing new'                    'd import papers.jsonl 2>/dev/null | grep -qx "3 papers read: 0 new, 0 changed"'
check 'they are there'                        'd show 2603.00001 | grep -q "Old and Known" && d show 10.9999/abc | grep -q "By DOI" && d show import:note-1 | grep -q "Without any Day"'
check 'and mailed to nobody'                  'silent 0 d run && test "$(mails_sent)" = 0'
check 'standard input is -'                   'fresh; head -n 1 papers.jsonl | d import - | grep -qx "1 paper read: 1 new, 0 changed"'
check '... and is named so'                   'echo "{}" | d import - 2>err; grep -q "^digest: -: no line is a paper; line 1: " err'
check 'a saved answer of Hugging Face'        'fresh; d import "$FIXTURES/2026-03-02.json" | grep -qx "4 papers read: 4 new, 0 changed" && d show 2603.90001 | grep -q "import on 2026-03-02 (new)"'
check 'several files, one of them missing'    'fresh; d import papers.jsonl none.jsonl "$FIXTURES/2026-03-03.json" >out 2>err; test $? = 74 && grep -q "^digest: none.jsonl: No such file" err && grep -q "papers.jsonl:2: " err && d show 2603.90005 >/dev/null && d show 2603.00001 >/dev/null'
check 'several files, one of them broken'     'fresh; echo "[{]" >bad.json; says 65 "bad.json: expected a JSON array of daily papers: JSON line 1, column 3" d import bad.json papers.jsonl && d show 2603.00001 >/dev/null'
check 'an empty file has no papers'           ': >empty; d import empty | grep -qx "0 papers read: 0 new, 0 changed"'
check 'a packed file says so'                 'gzip -c papers.jsonl >papers.jsonl.gz; says 65 "papers.jsonl.gz: is packed; expected JSON lines" d import papers.jsonl.gz'
check 'a page is no list of papers'           'echo "<html><body>Sign in</body></html>" >page; says 65 "page: " d import page'
check 'a folder'                              'mkdir -p folder; says 74 "folder: is a directory" d import folder'
check '-q counts nothing'                     'fresh; silent 0 d -q import "$FIXTURES/2026-03-02.json"'
check 'without a file it says how'            'says 64 "usage: digest import FILE" d import'

# --- a new store out of an old one
fresh
mkdir in
cp "$FIXTURES"/2026-03-0?.json in
d run
printf '%s\n' '{"id":"x","title":"Listed $5 \\ twice","source":"lab","listed":"2026-03-03","votes":3,"authors":["A","B"],"kind":"cross"}' |
	d -q import -
d export papers >first.jsonl
store=digest.db
sed 's/digest.db/other.db/' digest.conf >other.conf
o() {
	"$DIGEST" -c other.conf --now $now "$@"
}
check 'export is one paper a line'            'test "$(wc -l <first.jsonl)" -gt 8 && python3 -c "
import json
for line in open(\"first.jsonl\", encoding=\"utf-8\"):
    paper = json.loads(line)
    assert paper[\"type\"] == \"paper\" and paper[\"listed\"] and paper[\"source\"] and paper[\"key\"], line"'
npapers=$(sql 'SELECT count(*) FROM paper')
nlistings=$(sql 'SELECT count(*) FROM listing')
check 'import gives the same papers back'     'test "$nlistings" -gt "$npapers" && o import first.jsonl | grep -qx "$nlistings papers read: $npapers new, $((nlistings - npapers)) changed"'
rm -f in/*
o export papers >second.jsonl
check '... and another export the same lines' 'cmp first.jsonl second.jsonl'
check 'listed by the same sources'            'o show 2603.90001 >there && d show 2603.90001 >here && grep "^listed" here | sed "s/, place.*//" >a; grep "^listed" there | sed "s/, place.*//" >b; test -s a && cmp a b'
check 'what was new is new for new readers'   'o -q run; grep -q "Agents That Ask" Mail/new/*'
check 'a source that lists them again adds none' 'fresh; rm -f other.db*; cp "$FIXTURES"/2026-03-0?.json in; d -q import first.jsonl; d fetch --json | python3 -c "
import json, sys
source = json.load(sys.stdin)[\"sources\"][0]
assert source[\"read\"] > 8 and source[\"new\"] == 0, source"'

# Votes of today do not count yet; the listing is not forgotten for that.
fresh
rm -f in/*
cat >unsettled.conf <<'X'
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
source "lab" { type = file  path = "lab.jsonl"  settle = 2d }
X
echo '{"id": "2603.00009", "title": "Fresh", "listed": "2026-03-04", "kind": "replace"}' >lab.jsonl
"$DIGEST" -c unsettled.conf --now $now -q run
check 'a listing that does not count yet is exported' '"$DIGEST" -c unsettled.conf export papers | grep -q "\"source\":\"lab\",\"kind\":\"replace\",\"listed\":\"2026-03-04\"}$"'
check 'export of subscribers and of all'      'test "$(d export subscribers | wc -l)" = 0; d -q run; d export subscribers | grep -q "\"type\":\"subscriber\"" && test "$(d export all | wc -l)" = 2 && test "$(d export | wc -l)" = 2'

# --- the example of digest-source(7)
pubmed=$ROOT/etc/examples/pubmed.sh
check 'the manual shows the program as it is' 'python3 - "$ROOT/man/digest-source.7" "$pubmed" <<P
import re, sys
page, program = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
text = page[page.index(".Bd -literal\nset \\\\-eu"):].split("\n", 1)[1].split("\n.Ed")[0]
for roff, char in (("\\\\-", "-"), ("\\\\(aq", chr(39)), ("\\\\(ha", "^"), ("\\\\(ti", "~"), ("\\\\(ga", chr(96)), ("\\\\e", chr(92))):
    text = text.replace(roff, char)
assert text.strip() == program[program.index("set -eu"):].expandtabs(4).replace("\t", "    ").strip() or \
    re.sub(r"\s+", " ", text).strip() == re.sub(r"\s+", " ", program[program.index("set -eu"):]).strip(), text
P'
if command -v jq >/dev/null && command -v curl >/dev/null; then
	cat >script <<X
{"/esearch.fcgi": {"body": {"header": {"type": "esearch"}, "esearchresult": {"count": "2", "idlist": ["49000001", "49000002"]}}},
 "/efetch.fcgi": {"file": "$FIXTURES/pubmed-medline.txt", "headers": {"Content-Type": "text/plain"}}}
X
	start_replay --script "$T/script" --log "$T/requests"
	export PUBMED_URL="http://127.0.0.1:$PORT"
	search() {
		DIGEST_SINCE=2026-08-20 sh "$pubmed" 'sheep AND "night vision"'
	}
	fresh
	check 'PubMed: two papers of a search'    'search >lines && d import lines | grep -qx "2 papers read: 2 new, 0 changed" && grep -q "mindate=2026/08/20&" requests && d show 10.9999/sheep.2026.7 --json | python3 -c "
import json, sys
p = json.load(sys.stdin)
assert p[\"title\"] == \"Counting sheep by radar: a study of \$5 sensors & <night> vision in 12 pastures.\", p
assert p[\"authors\"] == [\"Ada Q Shepherd\", \"Wool\"] and p[\"venue\"] == \"Journal of sheep\" and p[\"keywords\"] == [\"radar\", \"pasture\"], p
assert p[\"listed\"] == \"2026-08-21\" and p[\"published\"].startswith(\"2026-08-20\") and \"42.\" in p[\"abstract\"], p"'
	echo '{"/esearch.fcgi": {"body": {"esearchresult": {"idlist": []}}}}' >script
	check 'PubMed: nothing new is no error'   'search >lines && test ! -s lines'
	echo '{"/esearch.fcgi": {"body": {"esearchresult": {"idlist": ["1"]}}}, "/efetch.fcgi": {"body": "Service unavailable"}}' >script
	check 'PubMed: an answer without papers is one' '! search >lines 2>err && test ! -s lines && grep -q "PubMed sends no papers" err'
else
	skip 3 'jq or curl is missing'
fi
