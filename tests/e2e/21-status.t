#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# How things stand: for a person, for a program, and as one line with an exit code for a monitor.
. "$(dirname "$0")/lib.sh"
plan 34

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
X
at() {
	now=2026-03-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
# one CODE PATTERN COMMAND...: exactly one line on standard output that matches, nothing on standard error.
one() {
	want=$1
	pattern=$2
	shift 2
	"$@" >line 2>err </dev/null
	rc=$?
	cat line err
	[ $rc -eq "$want" ] && [ "$(wc -l <line)" -eq 1 ] && [ ! -s err ] && grep -Eq "$pattern" line
}

# --- before the first run
check 'no store yet: says where it will be, makes none' 'at 03T08:00:00 status >out && grep -q "^store .*digest.db (made by the first run)" out && grep -q "^holds  *1 reader in the file$" out && grep -q "^source *days: not read yet" out && test ! -e digest.db'
check '... which a monitor hears'                   'one 75 "^no run has finished yet$" at 03T08:00:00 status --check'

check '... or reads'                                'one 75 "^{\"ok\":false,\"text\":\"no run has finished yet\"}$" at 03T08:00:00 status --check --json'

# --- all is well
at 03T07:50:00 run
at 03T08:00:00 run
check 'begins with what is in use'                  'sha256sum digest.db >a && at 03T08:05:00 status >out && sha256sum digest.db | cmp - a && head -n 1 out | grep -q "^config .*/digest.conf$" && sed -n 2p out | grep -q "^store .*/digest.db$"'
check 'tells the last run and what went out'        'grep -Eq "^last run Tue 3 Mar 08:00 UTC \(5 min ago\): 0 new papers, " out && grep -q "^went out 1 mail in the last 24 h, 0 refused for good" out'
check '... what waits, and who is next'             'grep -q "^waits *nothing" out && grep -q "^next *ada@digest.test, Wed 4 Mar 07:00 UTC (in 22 h)" out'
check '... and each source'                         'grep -q "^source *days: last read .* newest day 2026-03-02$" out'
check 'sources alone'                            'at 03T08:05:00 status sources >out && test "$(grep -c "^days" out)" = 1 && grep -q "two weeks" out && grep -q "has listed nothing since 2026-03-02$" out'
check 'also long afterwards'                        '"$DIGEST" --now 2026-08-03T08:05:00Z status sources >out && grep -q "has listed nothing since 2026-03-02$" out'
check 'no other word'                               'says 64 "status: .source.; expected sources" at 03T08:05:00 status source'
check 'a monitor hears ok'                          'one 0 "^ok: last run Tue 3 Mar 08:00 UTC \(5 min ago\), 1 sent in 24 h$" at 03T08:05:00 status --check'
check '... or reads'                                'one 0 "^{\"ok\":true,\"text\":\"ok: last run " at 03T08:05:00 status --check --json'
check 'one reader is due, not are'                  'at 04T08:00:00 status | grep -q "^next *1 of 1 reader is due now"'
check 'a clock that went back hides no silence'     'one 74 "^the last run lies in the future .in 65 min.; is the clock right\?$" at 03T06:55:00 status --check'
check 'JSON has it all'                             'at 03T08:05:00 status --json | python3 -c "
import json, sys
v = json.load(sys.stdin)
assert v[\"store_exists\"] and v[\"last_run\"] == 1772524800 and v[\"run_gap\"] == 600 and v[\"sent_day\"] == 1, v
assert v[\"unsettled\"] == {} and v[\"on_hold_since\"] == 0 and v[\"next_reader\"] == \"ada@digest.test\", v
assert v[\"sources\"][0][\"newest_day\"] == \"2026-03-02\" and v[\"sources\"][0][\"failing_since\"] == 0, v"'
members() {
	python3 "$E2E/members.py" "$ROOT/man/digest.1" "$1"
}
check '... and the members of the manual, as have those of others' '
	at 03T08:05:00 status --json | members status && at 03T08:05:00 status sources --json | members "status sources" &&
	at 03T08:05:00 --json | members "without a command" && at 03T08:05:00 history --json | members history &&
	at 03T08:05:00 check --json | members check && at 03T08:05:00 subscribers --json | members subscribers &&
	at 03T08:05:00 config --json | members config && at 03T08:05:00 status --check --json | grep -qx "{\"ok\":true,\"text\":\".*\"}"'
check '... also before the first run'               '
	sed "s/digest.db/other.db/" digest.conf >other.conf && at 03T08:05:00 -c other.conf status --json | members status &&
	at 03T08:05:00 -c other.conf status sources --json | members "status sources" && at 03T08:05:00 -c other.conf --json | members "without a command"'
check '... of the sources, one a line'              'at 03T08:05:00 status sources --json | python3 -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert [r[\"name\"] for r in rows] == [\"days\"], rows"'

# --- who gets nothing any more
at 03T08:05:00 subscribe bob@digest.test -q && at 03T08:05:00 unsubscribe bob@digest.test -q
at 03T08:06:00 subscribe eve@digest.test -q && at 03T08:06:00 unsubscribe eve@digest.test -q
check 'who has left is named, the newest first'     'at 03T08:07:00 status >out && grep -A1 "^stopped" out | head -n 1 | grep -qx "stopped  eve@digest.test, unsubscribed on 2026-03-03" && grep -qx "         bob@digest.test, unsubscribed on 2026-03-03" out'
check '... of who was erased only the number is known' 'at 03T08:07:00 subscribers erase eve@digest.test && at 03T08:08:00 status >out && ! grep -q eve@ out && grep -qx "         and 1 more" out'
check '... and in JSON'                             'at 03T08:08:00 status --json | python3 -c "
import json, sys
v = json.load(sys.stdin)
assert v[\"suppressed\"] == 2 and v[\"stopped\"] == [{\"address\": \"bob@digest.test\", \"reason\": \"unsubscribed\", \"since\": 1772525100}], v"'

# --- cron that sleeps
check 'no word of a cron job that comes every 15 minutes' '! at 03T08:05:00 status | grep -q "waited for a run"'
check 'no run for 26 hours'                         'one 75 "^the last run finished 28 h ago; does cron call" at 04T12:00:00 status --check'
check '... is told a person, too'                   'at 04T12:00:00 status | grep -q "^the last run finished 28 h ago"'
check '25 hours are not so many'                    'one 0 "^ok: " at 04T09:00:00 status --check'
at 03T12:00:00 run
check 'a cron job that comes hours after the hour of a reader' '! at 03T12:05:00 status | grep -q "waited for a run" && at 04T12:00:00 status | grep -q "^1 reader waited for a run after the hour chosen, up to 5 h; let cron call .digest run. every 15 minutes$" && at 04T12:00:00 status --json | grep -q "\"waited\":1,\"longest_wait\":18000"'

# --- mail that waits
sql 'UPDATE edition SET state = 6'
check 'a mail is held'                              'one 75 "^1 mail is held$" at 03T12:05:00 status --check && at 03T12:05:00 status | grep -q "^waits *1 held; see"'
sql 'UPDATE edition SET state = 4'
check 'a mail waits for an hour: fine'              'one 0 "^ok: " at 03T12:05:00 status --check'
at 04T11:00:00 fetch -q
sql 'UPDATE run SET finished_utc = finished_utc + 86400'
check '... for a day: not'                          'one 75 "^1 mail waits for more than a day$" at 04T12:05:00 status --check'
sql 'UPDATE edition SET state = 2'
at 04T12:05:00 outbox hold --all -q
check 'all mail is on hold'                         'one 75 "^all mail is on hold; .digest outbox release --all. ends that$" at 04T12:05:00 status --check'
at 04T12:05:00 outbox release --all -q

# --- sources that fail
mv days.json away.json
at 04T13:00:00 run 2>/dev/null
check 'a source that fails is named with its reason' 'at 04T13:05:00 status >out && grep -q "days cannot be read since Wed 4 Mar 13:00 UTC: .*days.json.*; asked again Wed 4 Mar 13:0[456]" out && one 0 "^ok: " at 04T13:05:00 status --check'
at 07T13:30:00 run 2>/dev/null
check '... every one for three days'                'one 69 "^every source fails for three days or more: days: .*days.json" at 07T13:35:00 status --check'

# --- a store that is none
printf 'not a database, but longer than its header would be: %0200d' 0 >digest.db
rm -f digest.db-wal digest.db-shm
check 'a damaged store'                             'one 74 "digest.db" at 07T13:35:00 status --check'
check 'a configuration with errors'                 'echo "zebra {" >>digest.conf; at 07T13:35:00 status --check >out 2>err; test $? = 78 && test -s out'
