#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Why a reader got a paper, or did not.
. "$(dirname "$0")/lib.sh"
plan 14

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
print(v["paper"], v["verdict"], v.get("section", ""))' 2>/dev/null
	done
}

# The readers are known before there is any paper.
"$DIGEST" --now 2026-03-02T08:00:00Z run
cp "$FIXTURES/2026-03-02.json" .
d fetch -f
check 'before the first digest: it comes with the next'  'verdicts ada@digest.test | grep -q " next "'
check 'the next is named with its time'                  'd explain ada@digest.test $(verdicts ada@digest.test | sed -n "/ next /{s/ .*//p;q;}") >out && grep -q "in the next digest, which is due now" out'
d run
check 'two were picked under the filter'                 'test "$(verdicts ada@digest.test | grep -c "picked voted")" = 2'
check 'what explain says is what was sent'               '
	for key in $(verdicts ada@digest.test | sed -n "s/ picked voted//p"); do
		d show --json "$key" | python3 -c "import json, sys; print(json.loads(sys.stdin.readline())[\"title\"])" >title
		grep -rqF "$(cut -c1-30 title)" Mail/new || echo "$key" >>missing
	done
	test ! -e missing'
check 'others were cut'                                  'verdicts ada@digest.test | grep -q " cut voted"'
check 'a reader without a match is told so'              'test "$(verdicts bob@digest.test | grep -vc no-match)" = 0'
key=$(verdicts ada@digest.test | sed -n '/picked/{s/ .*//p;q;}')
check 'a person sees score and clauses'                  'd explain ada@digest.test "$key" >out && grep -q "under .voted." out && grep -q "^score .* = text" out && grep -q "yes votes>=1" out && grep -q " no zzzz" out && grep -q "no author:zzzz" out'
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
