#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# How long it will take and what a day's limit leaves over: said before it begins, where somebody looks, and nowhere else.
. "$(dirname "$0")/lib.sh"
plan 10

cp "$FIXTURES/2026-03-02.json" days.json
config() {
	write_config <<'X'
source "days" { type = file  path = "days.json" }
X
	sed -i "s|url = \"maildir:Mail\"|url = \"maildir:Mail\"  $1|" digest.conf
	seq 20 | sed 's/.*/subscriber "r&@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }/' >>digest.conf
	rm -rf digest.db* Mail
}
at() {
	now=2026-03-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
config 'daily-limit = 15'
check 'the dry run says it'                       'at 03T08:00:00 -n >out 2>err; grep -q "^mails: 15; daily-limit leaves 5 over$" err || { cat err; false; }'
check '-v says it, and it is so'                  'at 03T08:00:00 run -v 2>err; test $? = 75 && grep -q "^digest: mails: 15; daily-limit leaves 5 over$" err && test "$(mails_sent)" = 15 || { cat err; false; }'
check 'the report has it'                         'at 03T08:10:00 run --json >out 2>err; python3 -c "import json; v = json.load(open(\"out\")); assert v[\"left_over\"] == 5 and v[\"expected_seconds\"] == 0 and v[\"sent\"] == 0, v"'
check 'status: for all readers, on a whole day'   'at 03T08:15:00 status | grep -q "^all mail *15; daily-limit leaves 5 over$" && at 03T08:15:00 status --json | grep -q "\"full_run_left\":5"'
check 'cron hears of the rest alone'              'rm -rf digest.db* Mail; at 03T08:00:00 run 2>err; ! grep -q "^digest: mails:" err'
config 'rate = "10/min"'
check 'a rate: how long'                          'at 03T08:00:00 -n >out 2>err; grep -q "^mails: 20 at 10/min = 2 min$" err && at 03T08:00:00 status --json | grep -q "\"full_run_seconds\":0"'
config ''
check 'without limits there is nothing to say'    'at 03T08:00:00 -n >out 2>err; ! grep "^mails:" err && at 03T08:00:00 run -v 2>err; ! grep "mails: " err && ! at 03T08:01:00 status | grep "^all mail"'
config 'daily-limit = 15'
check 'a terminal is told before the first mail'  'python3 "$E2E/terminal.py" 100 "$DIGEST" --now 2026-03-03T08:00:00Z run -y >out 2>&1; grep -q "15; daily-limit leaves 5 over" out || { cat out; false; }'
config 'rate = "6000/min"'
check 'nor when a limit does not matter'          'at 03T08:00:00 -n >out 2>err; ! grep "^mails:" err && ! at 03T08:01:00 status | grep "^all mail"'
config 'daily-limit = 15  domains = {"digest.test"} } smtp "b" { url = "maildir:Other"'
check 'mails are counted over all ways out'       'echo "subscriber \"x@else.test\" { when = \"daily 07:00\"  filter \"all\" { match = \"*\" } }" >>digest.conf; at 03T08:00:00 -n >out 2>err; grep -q "^mails: 16; daily-limit leaves 5 over$" err || { cat err; false; }'
