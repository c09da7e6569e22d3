#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Each source by itself.
. "$(dirname "$0")/lib.sh"
plan 14

now=2026-03-06T08:00:00Z
d() {
	LC_ALL=C "$DIGEST" --now "$now" "$@"
}
lines() {
	for i in $(seq "$2"); do
		printf '{"id":"2603.9%s0%02d","title":"Paper %s of %s","listed":"%s","votes":1}\n' "$3" "$i" "$i" "$1" "$1"
	done
}
{ lines 2026-03-04 3 4 && lines 2026-03-05 9 5; } >own.jsonl
start_replay --script "$T/script.json" --log "$T/requests"
echo '{"*": {"status": 503, "headers": {"Retry-After": "7200"}, "body": ""}}' >script.json
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "own" { type = file  path = "own.jsonl" }
source "site" { type = feed  url = "http://127.0.0.1:$PORT/feed" }
subscriber "ada@digest.test" {}
X

check 'before the first run nothing is claimed'   'd status sources >out && test "$(grep -c "not asked yet" out)" = 2 && test ! -e digest.db'
d run
d status sources >out
check 'the number of papers'                      'grep -q "^own (file): 12 papers" out'
check 'two weeks, today last'                     'grep -q "two weeks 2026-02-21 \.\.\.\.\.\.\.\.\.\.\.39\. 2026-03-06   12 papers, at most 9 a day" out'
check 'the newest paper with its day'             'grep -q "newest    arxiv:2603.9500., listed on 2026-03-05" out && grep -q "Paper . of 2026-03-05" out'
check 'what was read'                             'grep -q "read      Fri 6 Mar 08:00 .*(now)" out'
check 'a fault with its beginning'                'grep -q "fails     since Fri 6 Mar 08:00 .*, 1 time in a row" out && grep -q "status 503" out'
check 'and when it is asked again'                'sed -n "/^site/,\$p" out | grep -q "next      not before Fri 6 Mar 10:00 .*(in 2 h)"'
check 'never read with success says so'           'grep -q "never yet with success" out'
check 'no line is wider than 80 columns'          'test "$(LC_ALL=C.UTF-8 awk "length > 80" out | grep -vc "status 503")" = 0'
check 'bars where the locale has them'            'LC_ALL=C.UTF-8 "$DIGEST" --now "$now" status sources | grep -q "···········▃█·"'
check 'JSON counts the same'                      'd status sources --json | python3 -c "
import json, sys
own, site = map(json.loads, sys.stdin)
assert own[\"papers\"] == 12 and len(own[\"days\"]) == 14 and own[\"days\"][-2] == {\"day\": \"2026-03-05\", \"papers\": 9}, own
assert own[\"newest\"].startswith(\"arxiv:2603.95\") and own[\"next\"] == 0, own
assert site[\"papers\"] == 0 and site[\"next\"] > site[\"failing_since\"] > 0 and site[\"newest\"] == \"\", site"'
now=2026-03-06T10:30:00Z
echo '{"*": {"headers": {"Content-Type": "application/rss+xml"}, "body": "<rss><channel><item><title>A</title><link>/1</link></item></channel></rss>"}}' >script.json
d run
check 'a source that is back has no fault'        'd status sources >out && ! grep -q fails out && grep -q "^site (feed): 1 paper$" out'
check 'and waits for its interval'                'sed -n "/^site/,\$p" out | grep -q "not before Fri 6 Mar 11:30 .*(in 60 min)"'
check 'any other word is an error'                'says 64 "expected sources" d status nix'
