#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What a run tells of itself: as JSON with the members of the manual, as a line, and later by the status.
. "$(dirname "$0")/lib.sh"
plan 18

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
source "gone" { type = file  path = "missing.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
subscriber "bob@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
subscriber "cyd@digest.test" { paused-until = 2026-05-01 }
subscriber "dan@digest.test" { when = "daily 07:00"  filter "none" { match = "zebra" } }
X
at() {
	now=2026-03-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
members() {
	python3 "$E2E/members.py" "$ROOT/man/digest.1" "$@"
}
# holds CONDITION <OBJECT: of v, in Python
holds() {
	python3 -c 'import json, sys
v = json.load(sys.stdin)
assert eval(sys.argv[1]), v' "$1"
}

# --- as JSON
check 'run --json has the members of the manual'   'at 03T08:00:00 run --json >out; members "run , send , fetch" <out'
check '... counts each reader once'                'holds "v[\"readers\"] == 4 and v[\"due\"] == 3 and v[\"planned\"] == v[\"sent\"] == 2 and v[\"skipped\"] == 2" <out'
check '... and says why who got nothing'           'holds "v[\"reasons\"] == {\"paused\": 1, \"source\": 1}" <out && at 03T08:04:00 send --json | holds "v[\"reasons\"] == {\"not-due\": 2, \"paused\": 1, \"source\": 1} and v[\"skipped\"] == 4 and v[\"sent\"] == 0"'
check '... when, how long, and how it ended'       'holds "v[\"start\"] == v[\"end\"] == 1772524800 and 0 <= v[\"milliseconds\"] < 60000 and v[\"exit\"] == 0" <out'
check '... each source'                            'holds "[(s[\"name\"], s[\"failed\"], s[\"new\"]) for s in v[\"sources\"]] == [(\"days\", False, 4), (\"gone\", True, 0)]" <out'
check 'status has it later'                        'at 03T08:05:00 status --json >later; members status <later && holds "v[\"last_report\"][\"sent\"] == 0 and v[\"last_report\"][\"reasons\"][\"not-due\"] == 2" <later'
check 'send --json and fetch --json have the same' 'at 03T08:10:00 send --json | members "run , send , fetch" && at 03T08:10:00 fetch --json | members "run , send , fetch"'

# --- in a line
check '-v tells it in a line'                      'rm -rf Mail digest.db*; at 03T08:00:00 run -v 2>err; grep -Eq "^digest: 3 of 4 readers due, 2 planned, 2 sent, 2 skipped \(1 source, 1 paused\); [0-9]+\.[0-9] s, exit code 0$" err || { cat err; false; }'

# --- what went wrong is counted, told, and its exit code kept
make_relay() {
	printf '%s\n' "$1" >script.json
	start_smtp "$2" --script script.json
	sed "s|smtp .box. {[^}]*}|smtp \"main\" { url = \"smtp://127.0.0.1:$PORT\"  tls = none  connections = 1 }|" digest.conf >relay.conf
	rm -rf digest.db*
}
make_relay '[{"expect": "RCPT TO:<ada", "reply": "550 5.1.1 no such user"}, {"expect": "RCPT TO:<bob", "reply": "451 4.3.0 later"}]' one
check 'deferred and refused for good are told apart' 'at 03T08:00:00 -c relay.conf run --json >out 2>err; test $? = 75 && holds "v[\"deferred\"] == 1 and v[\"failed\"] == 1 and v[\"sent\"] == 0 and v[\"exit\"] == 75" <out'
make_relay '[{"expect": "RCPT TO:<ada", "reply": "550 5.1.1 no such user"}]' two
check 'one refused for good is no error of the run' 'at 03T08:00:00 -c relay.conf run --json >out 2>err; test $? = 0 && test ! -s err && holds "v[\"failed\"] == 1 and v[\"sent\"] == 1 and v[\"exit\"] == 0" <out'
check '... and stays in the status and the history' 'at 03T08:05:00 -c relay.conf status --json | holds "v[\"last_report\"][\"failed\"] == 1" && at 03T08:05:00 -c relay.conf history ada@digest.test | grep -q "failed .*550 5.1.1 no such user"'
make_relay '[{"expect": "MAIL", "reply": "553 5.1.8 who are you", "times": 0}]' three
check 'a way out that stopped is named, with its cure' 'at 03T08:00:00 -c relay.conf run --json >out 2>err; test $? = 78 && members "run , send , fetch" <out && holds "v[\"stopped\"][0][\"account\"] == \"main\" and \"553 5.1.8\" in v[\"stopped\"][0][\"message\"] and \"list.from\" in v[\"stopped\"][0][\"message\"]" <out'
check '... no reader is blamed for it'             'holds "v[\"failed\"] == 0 and v[\"deferred\"] >= 1" <out'
sed "s|127.0.0.1:[0-9]*|127.0.0.1:1|" relay.conf >dead.conf
check '... and whose mail it did not come to'      'rm -f digest.db*; at 03T08:00:00 -c dead.conf run --json >out 2>err; holds "v[\"planned\"] == 2 and v[\"deferred\"] == v[\"untried\"] == 1" <out'
make_relay '[{"expect": ".", "reply": "", "close": true}]' four
check 'what may have arrived is unknown'           'at 03T08:00:00 -c relay.conf run --json >out 2>err; test $? = 75 && holds "v[\"unknown\"] == 1 and v[\"exit\"] == 75" <out'
check '... and the status says so at a glance'     'at 03T08:01:00 -c relay.conf status | grep -Eq "^last run Tue 3 Mar 08:00 UTC \(1 min ago\): 4 new papers, 3 due, 1 sent, 0 empty, 0 deferred, 1 unknown$"'

# --- another one is sending
hold digest.db.sender.lock
echo 4711 >digest.db.sender.lock
check 'the report names the run that is sending'   'at 03T08:20:00 -c relay.conf run --json >out && members "run , send , fetch" <out && holds "v[\"other_run\"] == 4711 and v[\"exit\"] == 0" <out'
check 'a terminal is told, and of no readers'      'python3 "$E2E/terminal.py" 100 "$DIGEST" --now 2026-03-03T08:20:00Z -c relay.conf run >out 2>&1; grep -q "another run (process 4711) is sending; nothing to do" out && ! grep -q "readers due" out || { cat out; false; }'
