#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What a filter would have brought, before it is saved.
. "$(dirname "$0")/lib.sh"
plan 20

cp "$FIXTURES/2026-03-02.json" "$FIXTURES/2026-03-03.json" .
config() {
	write_config <<X
source "days" { type = file  path = "2026-03-*.json" }
filter "shared" { match = '*' }
subscriber "ada@digest.test" {
    filter "mine" { match = '$1' }
    filter "theirs" { match = 'title:the' }
}
X
}
config 'votes>=0'
now=2026-03-04T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
# The number a JSON member has.
number() {
	python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())[sys.argv[1]])' "$1"
}
d run
papers=$(sql 'SELECT count(*) FROM paper')

check 'every paper is found by *'                'test "$(d try --json "*" | number matched)" = "$papers"'
check 'the days add up to the papers'            'd try --json "*" | python3 -c "
import json, sys
v = json.loads(sys.stdin.readline())
assert len(v[\"days\"]) == 30, len(v[\"days\"])
assert sum(d[\"matched\"] for d in v[\"days\"]) == sum(d[\"papers\"] for d in v[\"days\"]) == v[\"papers\"] > 0"'
check 'each clause is counted'                   'd try --json "votes>=0 OR zzzz" | python3 -c "
import json, sys
v = json.loads(sys.stdin.readline())
assert [c[\"clause\"] for c in v[\"clauses\"]] == [\"votes>=0 OR zzzz\", \"votes>=0\", \"zzzz\"], v[\"clauses\"]
assert v[\"clauses\"][2][\"matched\"] == 0 and v[\"clauses\"][0][\"matched\"] == v[\"matched\"]"'
check 'a person sees a rate, a chart and papers' 'd try "*" >out && grep -q "papers of the last 30 days match: about" out && grep -q "2026-03-04" out && grep -q "^The best" out'
check 'what it does not find is named'           'd try zzzz >out && grep -q "match: none" out && grep -q "^Popular, and not found" out'
check '--days limits the window'                 'test "$(d try --days 1 --json "*" | number papers)" -lt "$papers"'
check '--limit and --sort choose the best'       'test "$(d try --limit 2 --sort votes --json "*" | python3 -c "
import json, sys
b = json.loads(sys.stdin.readline())[\"best\"]
print(len(b), b[0][\"votes\"] >= b[1][\"votes\"])")" = "2 True"'
check 'overlap with the filters of a reader'     'd -u ada@digest.test try "*" >out && grep -q "found by .mine. too" out'
check '@names of the reader are known'           'test "$(d -u ada@digest.test try --json @mine | number matched)" -gt 0'
check 'of nobody, only shared ones'              'd try @shared >/dev/null && says 65 "mine" d try @mine'
check 'gained and lost against a filter'         'test "$(d -u ada@digest.test try --instead-of mine --json zzzz | number nlost)" -gt 0 && test "$(d try --instead-of shared --json zzzz | number nlost)" = "$papers"'
check 'an unknown filter is an error'            'says 64 "no filter is called .nix." d -u ada@digest.test try --instead-of nix zzzz'
check 'a bad query shows its place'              'says 65 "title:" d try "(titel:x" && d try "a AND (" 2>&1 | grep -q "^ *^"'
check 'bad numbers are refused'                  'says 64 "from 1 to 400" d try --days 0 x && says 64 "expected best" d try --sort x x'
check 'nothing was edited yet'                   'd try | grep -q "No filter was edited"'
config 'votes>=0 -zzzz'
check 'an edited filter is compared with itself' 'd try >out && grep -q "ada@digest.test: mine" out && grep -q "^Gained: 0" out && grep -q "^Lost: 0" out'
d run
check 'after a run it is no longer edited'       'd try | grep -q "No filter was edited"'

# --- before the first run
rm -f digest.db*
config 'title:zzzz OR votes>=0'
d fetch -q
check 'papers that were only fetched count'      'test "$(d try --json "*" | number matched)" = "$papers"'
check '... and readers of the file are known'    'test "$(d -u ada@digest.test try --json @mine | number matched)" -gt 0'
check '... also to a search'                     'd -u ada@digest.test search --json @mine >out && test -s out'
