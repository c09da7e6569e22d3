#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# When a digest goes out: clock changes, newcomers, downtime, pauses, zones that are gone, clocks that ran ahead.
. "$(dirname "$0")/lib.sh"
plan 59

at() {
	now=$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
# papers DAY COUNT: as many, listed that day, under numbers of that day.
papers() {
	python3 - "$@" >"days-$1.json" <<'P'
import json, sys
day, n = sys.argv[1], int(sys.argv[2])
number = (int(day[5:7]) * 31 + int(day[8:])) * 10
print(json.dumps([{"paper": {"id": f"2603.{number + i:05}", "title": f"Kettle {day} {i}", "summary": "Words.", "upvotes": i,
    "publishedAt": day + "T00:00:00.000Z", "authors": [{"name": "Ada Bee"}]}, "publishedAt": day + "T00:00:00.000Z"} for i in range(n)]))
P
}
text() { python3 "$E2E/mails.py" text Mail "$1@digest.test" | tr '\n' ' ' | tr -s ' '; }
mails_to() { grep -lE "^To: .*$1@digest.test" Mail/new/* 2>/dev/null | wc -l | tr -d ' '; }
subject() { python3 -c '
import email, email.policy, glob, sys
found = [m for m in (email.message_from_binary_file(open(f, "rb"), policy=email.policy.default) for f in glob.glob("Mail/new/*"))
         if sys.argv[1] in m["To"]]
print(max(found, key=lambda m: m["Date"].datetime)["Subject"])' "$1@digest.test"; }
# afresh: nothing was ever mailed.
afresh() { rm -rf Mail digest.db* home/.cache days-*.json; }

# --- the days on which the clocks change, each quarter of an hour
around() {
	afresh
	papers "$1" 3
	python3 "$E2E/quarters.py" "$2" "$3"
}
spring() {
	write_config <<'X'
source "days" { type = file  path = "days-*.json" }
defaults { empty = note }
subscriber "gap@digest.test" { timezone = "Europe/London"  when = "daily 01:30"  filter "a" { match = "*" } }
subscriber "edge@digest.test" { timezone = "Europe/London"  when = "daily 02:00"  filter "a" { match = "*" } }
subscriber "midnight@digest.test" { timezone = "Asia/Beirut"  when = "daily 00:15"  filter "a" { match = "*" } }
subscriber "early@digest.test" { timezone = "Asia/Beirut"  when = "daily 00:00"  filter "a" { match = "*" } }
subscriber "lord@digest.test" { timezone = "Australia/Lord_Howe"  when = "daily 01:45"  filter "a" { match = "*" } }
subscriber "lady@digest.test" { timezone = "Australia/Lord_Howe"  when = "daily 02:15"  filter "a" { match = "*" } }
subscriber "chile@digest.test" { timezone = "America/Santiago"  when = "daily 23:30"  filter "a" { match = "*" } }
subscriber "andes@digest.test" { timezone = "America/Santiago"  when = "daily 00:15"  filter "a" { match = "*" } }
subscriber "half@digest.test" { timezone = "Asia/Kolkata"  when = "daily 05:30"  filter "a" { match = "*" } }
subscriber "east@digest.test" { timezone = "Pacific/Kiritimati"  when = "daily 12:00"  filter "a" { match = "*" } }
X
}
spring
check 'London and Beirut, forward'               'around 2026-03-27 2026-03-28T20:00 2026-03-29T06:00'
check 'Lord Howe and Santiago, back'             'around 2026-04-03 2026-04-04T13:00 2026-04-05T06:00'
check 'Santiago, forward'                        'around 2026-09-04 2026-09-06T01:00 2026-09-06T06:00'
check 'Lord Howe, forward'                       'around 2026-10-02 2026-10-03T13:00 2026-10-03T18:00'
check 'London and Beirut, back'                  'around 2026-10-23 2026-10-24T19:00 2026-10-25T05:00'

# --- newcomers
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0 }
subscriber "ada@digest.test"    { when = "daily 05:00"  filter "a" { match = "kettle" } }
X
for day in 02 03 04 05 06; do papers 2026-03-$day 3; done
at 2026-03-06T06:00:00 run
at 2026-03-07T06:00:00 run
cat >>digest.conf <<'X'
subscriber "soon@digest.test"   { when = "daily 07:30"  filter "a" { match = "kettle" } }
subscriber "week@digest.test"   { when = "mon 08:00"  filter "a" { match = "kettle" } }
subscriber "papers@digest.test" { when = "monthly 1"  filter "a" { match = "kettle" } }
subscriber "none@digest.test"   { filter "a" { match = "zebra" } }
X
at 2026-03-07T06:30:00 run
check 'a newcomer waits for the hour of that day' 'test "$(mails_to soon)" = 0 && test "$(mails_to ada)" = 1'
check 'another is welcomed at once'              'test "$(mails_to week)" = 1'
check '... with the week, whatever the store looked at before' 'text week >mail && grep -q "15 papers read" mail && grep -q "Kettle 2026-03-02" mail && grep -q "Saturday 7 Mar 2026" mail'
check '... and is told whom to ask'              'grep -q "Welcome\. This first digest looks back over the last 7 days\. To change filters, days or hour, write to papers@digest.test\." mail'
check 'who runs the list is told the file'       'text papers | grep -q "edit the block of papers@digest.test in .*digest.conf\."'
at 2026-03-07T07:30:00 run
check 'at that hour it comes, once'              'test "$(mails_to soon)" = 1 && text soon | grep -q "Welcome"'
at 2026-03-08T07:30:00 run
papers 2026-03-09 2
sed -i 's/Kettle 2026-03-09 1/Zebra/' days-2026-03-09.json
check 'the next digest welcomes nobody'          'at 2026-03-09T09:00:00 run && test "$(mails_to soon)" = 2 && ! text soon | grep -q Welcome'
check 'the first mail does, however late'        'test "$(mails_to none)" = 1 && text none | grep -q "Welcome.*Zebra"'
check 'a weekly reader has the day of the schedule from then on' 'test "$(mails_to week)" = 2 && sql "SELECT period FROM edition WHERE reader = 3 ORDER BY period" | tr "\n" " " | grep -q "^20514 20521 $"'
check 'by command: the command'                  'at 2026-03-09T09:00:00 subscribe me@digest.test -q --filter "a=kettle" && sed -i "s/<papers@/<me@/" digest.conf && at 2026-03-09T09:05:00 run && text me | grep -q "digest subscribe me@digest.test --filter NAME=QUERY"'
check 'cron once a day, before the hour: nobody waits for ever' 'afresh; papers 2026-03-02 2; at 2026-03-03T06:00:00 run && at 2026-03-04T06:00:00 run && test "$(mails_to soon)" = 1'

# --- downtime
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0 }
subscriber "ada@digest.test"  { when = "daily 07:00"  limit = 2  filter "a" { match = "kettle" } }
subscriber "week@digest.test" { when = "mon 07:00"  limit = 2  filter "a" { match = "kettle" } }
subscriber "all@digest.test"  { when = "always"  limit = 50  filter "a" { match = "kettle" } }
X
papers 2026-03-02 1
at 2026-03-02T08:00:00 run
for day in 03 04 05 06; do papers 2026-03-$day 3; done
at 2026-03-06T08:00:00 run
check 'missed days come in one mail, with their label' 'test "$(mails_to ada)" = 2 && subject ada | grep -q "^Since 3 Mar: "'
check '... and with room for all of them'        'text ada >mail && grep -q "8 papers since 3 Mar" mail && grep -q "Kettle 2026-03-03" mail'
check 'the next is an ordinary one'              'papers 2026-03-07 3; at 2026-03-07T08:00:00 run && ! subject ada | grep -q Since && text ada | grep -q "Saturday 7 Mar 2026 · 2 papers "'
at 2026-03-09T08:00:00 run
for day in 10 25; do papers 2026-03-$day 3; done
for day in 08 18; do papers 2026-04-$day 3; done
at 2026-04-18T08:00:00 run
check 'forty days: a mail of one month'          'test "$(mails_to ada)" = 4 && subject ada | grep -q "^Since 18 Mar: " && text ada >mail && grep -q "Kettle 2026-03-25" mail && ! grep -q "Kettle 2026-03-10" mail'
check '... for who reads weekly, too'            'test "$(mails_to week)" = 3 && subject week | grep -q "^Since 13 Mar: \|^Since 16 Mar: "'
check '... and for who has one with each run'    'text all | grep -q "Kettle 2026-03-25"'
check 'nothing is said of the days in between'   'sql "SELECT count(*) FROM edition WHERE reader = 1" | grep -q "^5$"'

# --- an edition that never left
afresh
papers 2026-03-02 1
at 2026-03-02T08:00:00 run
papers 2026-03-03 3
at 2026-03-03T08:00:00 run
# As if a relay had put it off: it waits, and none of its papers was sent.
sql "UPDATE edition SET state = 4, copies = 0, next_utc = 1e10 WHERE period = 20515 AND reader = 1"
sql "UPDATE cursor SET open_period = 20515, last_edition_utc = 1772438400 WHERE reader = 1 AND slot = 0"
sql "DELETE FROM sent WHERE reader = 1"
rm -rf Mail
check 'what waits is part of the next digest'    'at 2026-03-04T08:00:00 run && subject ada | grep -q "^Since 3 Mar: " && text ada | grep -q "Kettle 2026-03-03"'
check '... as the history tells'                 'at 2026-03-04T08:00:00 history ada@digest.test >out && grep -q "2026-03-03 *merged" out'

# A weekly one that a relay put off for too long, in the same way.
afresh
sed -i '/"ada@/d; /"all@/d' digest.conf
papers 2026-03-01 1
at 2026-03-02T08:00:00 run
papers 2026-03-09 2
at 2026-03-09T08:00:00 run
sql "UPDATE edition SET state = 4, copies = 0, next_utc = 1e10 WHERE period = 20521 AND reader = 1"
sql "UPDATE cursor SET open_period = 20521, last_edition_utc = 1772438400 WHERE reader = 1 AND slot = 0"
sql "DELETE FROM sent WHERE reader = 1"
rm -rf Mail
at 2026-03-10T08:00:00 run
check 'a weekly digest waits within max-age'     'test "$(mails_sent)" = 0'
check '... and is made anew behind it, not a week later' 'says 0 "too old to send; its papers come with the next digest" at 2026-03-11T08:00:00 run && test "$(mails_to week)" = 1 && subject week | grep -q "^Since 9 Mar: " && text week | grep -q "Kettle 2026-03-09"'
check '... which the history tells'              'at 2026-03-11T08:00:00 history week@digest.test >out && grep -q "2026-03-09 *expired" out && grep -q "2026-03-11 *sent" out'

# --- pauses
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0 }
subscriber "la@digest.test"  { timezone = "America/Los_Angeles"  when = "daily 07:00"  filter "a" { match = "kettle" } }
subscriber "nz@digest.test"  { timezone = "Pacific/Auckland"  when = "daily 07:00"  filter "a" { match = "kettle" } }
X
papers 2026-03-02 1
at 2026-03-02T18:00:00 run
sed -i 's/when = /paused-until = 2026-03-28  when = /' digest.conf
for day in 03 10 20 24; do papers 2026-03-$day 2; done
for day in 03 10 20; do at 2026-03-${day}T18:00:00 run; done
check 'nothing while the pause lasts'            'test "$(mails_sent)" = 2'
at 2026-03-27T17:00:00 run
at 2026-03-27T17:59:00 run
check '... by the clock of the reader'           'test "$(mails_sent)" = 2'
at 2026-03-27T18:00:00 run
check 'the first day brings the digest at its hour' 'test "$(mails_to nz)" = 2 && test "$(mails_to la)" = 1'
at 2026-03-28T13:45:00 run
check '... elsewhere later'                      'test "$(mails_to la)" = 1 && at 2026-03-28T14:00:00 run && test "$(mails_to la)" = 2'
check '... of the last week only, no flood'      '! subject nz | grep -q Since && text nz >mail && grep -q "Kettle 2026-03-24" mail && ! grep -q "Kettle 2026-03-1" mail'
check '... and one a day from then on'           'at 2026-03-28T18:00:00 run && at 2026-03-28T20:00:00 run && at 2026-03-29T16:00:00 run && test "$(mails_to nz)" = 2 && papers 2026-03-29 1 && at 2026-03-29T19:00:00 run && test "$(mails_to nz)" = 3'
at 2026-03-29T20:00:00 subscribe bob@digest.test -q --filter 'a=kettle'
at 2026-03-29T20:00:00 run
at 2026-03-29T20:00:00 subscribers pause bob@digest.test --until 2026-06-01
papers 2026-03-30 1
papers 2026-04-05 1
papers 2026-04-19 1
at 2026-04-01T08:00:00 run
check 'a pause that is ended early is one all the same' 'test "$(mails_to bob)" = 1 && at 2026-04-20T08:00:00 subscribers resume bob@digest.test && at 2026-04-20T08:05:00 run && test "$(mails_to bob)" = 2 && ! subject bob | grep -q Since && ! text bob | grep -q "Kettle 2026-04-05"'

afresh
sed -i 's/paused-until = 2026-03-28 //; s/^defaults {/defaults { updates = all /' digest.conf
papers 2026-03-02 1
at 2026-03-02T18:00:00 run
sql "UPDATE edition SET state = 4, copies = 0, next_utc = 1 WHERE reader = 2"
sql "UPDATE cursor SET open_period = last_period WHERE reader = 2 AND slot = 0"
rm -rf Mail
sed -i '/nz@/s/when = /paused-until = 2026-03-04  when = /' digest.conf
at 2026-03-02T19:00:00 run -v 2>err
at 2026-03-03T10:59:00 run
check 'a mail that waits waits until the end of the pause' 'test "$(mails_to nz)" = 0 && sql "SELECT state, attempts FROM edition WHERE reader = 2" | grep -q "^4|"'
check '... and goes then'                        'at 2026-03-03T11:00:00 run && test "$(mails_to nz)" = 1 && sql "SELECT state FROM edition WHERE reader = 2" | grep -q "^2$"'

# --- zones that are gone
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0  empty = note }
subscriber "gone@digest.test"  { timezone = "Europe/London"  when = "daily 07:00"  filter "a" { match = "*" } }
subscriber "cut@digest.test"   { timezone = "Asia/Beirut"  when = "daily 07:00"  filter "a" { match = "*" } }
subscriber "here@digest.test"  { timezone = "Asia/Tokyo"  when = "daily 07:00"  filter "a" { match = "*" } }
X
papers 2026-03-02 1
at 2026-03-03T08:00:00 subscribe cmd@digest.test -q --filter 'a=*'
mkdir -p zones/Europe zones/Asia
for zone in Europe/London Asia/Beirut Asia/Tokyo; do cp -L /usr/share/zoneinfo/$zone zones/$zone; done
at 2026-03-03T08:00:00 run
export TZDIR="$T/zones"
rm zones/Europe/London
head -c 100 /usr/share/zoneinfo/Asia/Beirut >zones/Asia/Beirut
check 'a zone that is gone is told with its place' 'says 78 "^digest: .*digest.conf:5:[0-9]+: timezone: no time zone \"Europe/London\"" at 2026-03-04T08:00:00 run'
check '... and one that is cut off'              'grep -q "digest.conf:6:[0-9]*: timezone: .*Asia/Beirut.*not a usable TZif file" .err'
check '... nobody is left without a mail'        'for who in gone cut here cmd; do test "$(mails_to $who)" = 2 || { echo $who; exit 1; }; done'
check '... and it is said what stands in'        'test "$(grep -c "no time zone .Europe/London.*; until it is there, UTC stands in" .err)" = 1'
check 'back again, all is as before'             'cp -L /usr/share/zoneinfo/Europe/London zones/Europe && cp -L /usr/share/zoneinfo/Asia/Beirut zones/Asia && silent 0 at 2026-03-05T08:00:00 run && test "$(mails_to gone)" = 3'
cat >>digest.conf <<'X'
defaults { timezone = "Asia/Tokyo" }
X
sed -i '/^defaults { outside/d; /subscriber/d' digest.conf
for who in gone cut here; do echo "subscriber \"$who@digest.test\" { outside = 0  empty = note  when = \"daily 07:00\"  filter \"a\" { match = \"*\" } }"; done >>digest.conf
at 2026-03-06T08:00:00 run
rm zones/Asia/Tokyo
echo 'subscriber "new@digest.test" { filter "a" { match = "*" } }' >>digest.conf
check 'a zone of the defaults that is gone is told with its place' 'says 78 "^digest: .*digest.conf:4:23: timezone: no time zone \"Asia/Tokyo\"" at 2026-03-07T08:00:00 run'
check '... nobody is left without a mail'        'for who in gone cut here; do test "$(mails_to $who)" = 5 || { echo $who; exit 1; }; done; test "$(mails_to new)" = 1'
check '... readers keep it, until it is back'    'at 2026-03-07T08:00:00 subscribers --json 2>/dev/null | grep -c "\"timezone\":\"Asia/Tokyo\"" | grep -qx 3'
sed -i 's|Asia/Tokyo|Asia/Beirut|' digest.conf
at 2026-03-08T08:00:00 run
sed -i 's|Asia/Beirut|Asia/Bairut|' digest.conf
check '... or have the one they had before a slip of the pen' 'says 78 "did you mean" at 2026-03-08T08:00:00 run; at 2026-03-08T08:00:00 subscribers --json 2>/dev/null | grep -c "\"timezone\":\"Asia/Beirut\"" | grep -qx 4'
check '... and check names it with the cure'     'at 2026-03-08T08:00:00 check --offline >out 2>/dev/null; grep -A2 "^fail zone *Asia/Bairut, the timezone of the defaults" out | tr "\n" " " | grep -q "name another"'
check '... as the first screen does'             'at 2026-03-08T08:00:00 2>/dev/null | grep -q "the time zone of the defaults is gone"'
check 'right again, all is as before'            'sed -i "s|Asia/Bairut|Asia/Beirut|" digest.conf; silent 0 at 2026-03-09T08:00:00 run'
unset TZDIR

# --- a clock that is not set
afresh
check 'a clock before this program sends nothing' 'says 78 "the clock says 1970-01-01T00:10:00Z, which is long ago; nothing is sent" at 1970-01-01T00:10:00 run && test "$(mails_sent)" = 0'
check '... as the preview says'                  'says 0 "a run would send nothing: the clock says 1970-01-01" at 1970-01-01T00:10:00 -n'

# --- a clock that ran ahead
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1h }
subscriber "ada@digest.test" { when = "daily 07:00"  empty = note  filter "a" { match = "kettle" }  filter "w" { match = "kettle"  when = "mon" } }
X
papers 2026-03-02 2
at 2026-03-03T08:00:00 run
at 2027-03-04T08:00:00 run
check 'a clock that ran ahead and was set right stops the run' 'says 78 "the clock says 2026-03-04T08:00:00Z, but the last run was at 2027-03-04T08:00:00Z; nothing is sent" at 2026-03-04T08:00:00 run'
papers 2026-03-04 2
rm -rf Mail
check '... and when a person says so, all goes on' 'at 2026-03-04T08:10:00 restore --adopt -q && at 2026-03-04T08:15:00 run && test "$(mails_to ada)" = 1 && text ada | grep -q "Kettle 2026-03-04"'
check '... day by day'                           'at 2026-03-05T08:00:00 run && at 2026-03-05T09:00:00 run && test "$(mails_to ada)" = 2'
check '... also when that day comes'             'at 2027-03-04T08:00:00 run && test "$(mails_to ada)" = 3'

# --- the best of the week
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0  limit = 1 }
subscriber "week@digest.test" { when = "mon 08:00"  filter "a" { match = "kettle"  sort = votes } }
subscriber "days@digest.test" { when = "daily 08:00"  filter "a" { match = "nothing at all" }  filter "w" { match = "kettle"  sort = votes  when = "mon 08:00" } }
X
papers 2026-03-02 1
at 2026-03-02T09:00:00 run
papers 2026-03-03 4
papers 2026-03-07 2
for day in 03 04 05 06 07 08; do at 2026-03-${day}T09:00:00 run; done
sed -i 's/"title": "Kettle 2026-03-03 0", "summary": "Words.", "upvotes": 0/"title": "Kettle 2026-03-03 0", "summary": "Words.", "upvotes": 90/' days-2026-03-03.json
at 2026-03-09T09:00:00 run
check 'a weekly digest goes by the votes of its day' 'text week >mail && grep -q "1\. Kettle 2026-03-03 0" mail'
check '... so does a weekly section'             'text days >mail && grep -q "1\. Kettle 2026-03-03 0" mail'

# --- who has one with each run is not told each time that there is none
afresh
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
subscriber "ada@digest.test" { when = always  empty = note  outside = 0  filter "a" { match = "zebra" } }
X
papers 2026-03-03 2
for hour in 08 09 10; do at 2026-03-03T$hour:00:00 run; done
at 2026-03-04T08:00:00 run
check 'always and empty = note: one a day'       'test "$(mails_to ada)" = 2'

# --- the blocks between two runs
write_config <<'X'
source "days" { type = file  path = "days-*.json"  interval = 1m }
defaults { outside = 0  limit = 1 }
subscriber "week@digest.test" { when = "mon 08:00"  filter "a" { match = "kettle"  sort = votes } }
subscriber "days@digest.test" { when = "daily 08:00"  filter "w" { match = "kettle" } }
X
afresh
papers 2026-03-09 2
at 2026-03-10T09:00:00 run
sed -i 's/when = "mon 08:00"  filter "a"/when = "mon 25:00"  filter "a"/' digest.conf
papers 2026-03-16 2
check 'a block that breaks: the last good one counts' 'rm -rf Mail; says 78 "digest.conf:5:[0-9]+: when: .*25:00" at 2026-03-16T09:00:00 run && test "$(mails_to week)" = 1 && test "$(mails_to days)" = 1'
