#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# After the day papers were new: votes grow, new versions come, some are taken back, a weekly section looks back; and what is kept
# of filters from run to run.
. "$(dirname "$0")/lib.sh"
plan 29

write_config <<'X'
source "club" { type = file  path = "papers.jsonl"  interval = 1h }
defaults { outside = 0  when = "daily 12:00" }
subscriber "ada@digest.test" { filter "liked" { match = "votes>=30" } }
subscriber "bob@digest.test" { filter "tea" { match = "tea" } filter "liked tea" { match = "tea votes>=30 age<20d" } }
subscriber "cleo@digest.test" { filter "quiet" { match = "NOT votes>=30" } }
X
# paper ID DAY VOTES TITLE: a line of the list.
paper() {
	printf '{"id": "2603.0000%s", "title": "%s", "abstract": "About it.", "listed": "2026-03-%02d", "votes": %s}\n' "$1" "$4" "$2" "$3"
}
run_on() {
	"$DIGEST" --now "2026-03-$1T13:00:00Z" run
}
# mail_of NAME DAY: the text of the mail a reader got on a day, if there is one.
mail_of() {
	python3 - "$1@digest.test" "2026-03-$2" <<'P'
import email, email.policy, email.utils, pathlib, sys
for file in pathlib.Path("Mail/new").iterdir():
    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    date = email.utils.parsedate_to_datetime(mail["Date"]).strftime("%Y-%m-%d")
    if mail["To"].addresses[0].addr_spec == sys.argv[1] and date == sys.argv[2]:
        print(next(mail.iter_parts()).get_content())
P
}
# gets NAME DAY PATTERN: that mail has a line that matches.
gets() {
	mail_of "$1" "$2" >mail && grep -Eq "$3" mail || { cat mail; return 1; }
}
lacks() {
	mail_of "$1" "$2" >mail && ! grep -Eq "$3" mail || { cat mail; return 1; }
}

{ paper 1 2 10 'Slow Tea'; paper 2 2 40 'Fast Coffee'; paper 3 2 12 'Late Cake'; } >papers.jsonl
check 'the first day: what has its votes already' 'silent 0 run_on 02 && gets ada 02 "Fast Coffee" && lacks ada 02 "Slow Tea|risen" && gets bob 02 "Slow Tea"'
{ paper 1 2 35 'Slow Tea'; paper 2 2 90 'Fast Coffee'; paper 3 2 12 'Late Cake'; paper 4 3 50 'New Jam'; } >papers.jsonl
check 'a paper whose votes have grown comes, and says so' 'silent 0 run_on 03 && gets ada 03 "Slow Tea" && gets ada 03 "risen since your last digest · in liked: votes>=30"'
check '... a new one does not say so, and what was sent does not come again' 'test "$(grep -c risen mail)" = 1 && grep -q "New Jam" mail && ! grep -q "Fast Coffee" mail'
check 'nor does a paper come that another filter brought' 'test -z "$(mail_of bob 03)"'
{ paper 1 2 80 'Slow Tea'; paper 3 2 30 'Late Cake'; paper 4 3 51 'New Jam'; } >papers.jsonl
run_on 09
check 'eleven days on it still rises'          '{ paper 1 2 80 "Slow Tea"; paper 3 2 99 "Late Cake"; } >papers.jsonl && silent 0 run_on 13 && gets ada 09 "risen since"'
check '... and is sent once'                   'test "$(for day in 02 03 09 13; do mail_of ada $day; done | grep -c "^ *[0-9]*\. Late Cake")" = 1'
{ paper 5 10 3 'Old Bread'; } >papers.jsonl
run_on 14
run_on 24
{ paper 5 10 70 'Old Bread'; } >papers.jsonl
check 'past two weeks a paper rises no more'    'silent 0 run_on 25 && test -z "$(mail_of ada 25)"'

# --- updates on what was sent
mkdir updates
cd updates || exit 1
export DIGEST_CONFIG=$PWD/digest.conf
write_config <<'X'
source "club" { type = file  path = "papers.jsonl"  interval = 1h }
defaults { outside = 0  when = "daily 12:00" }
subscriber "ada@digest.test"  { filter "tea" { match = "tea" } }
subscriber "bob@digest.test"  { updates = all  filter "tea" { match = "tea" } }
subscriber "cleo@digest.test" { updates = off  filter "tea" { match = "tea" } }
subscriber "dan@digest.test"  { updates = all  filter "jam" { match = "jam" }  filter "new" { match = "is:replaced tea" } }
X
# paper ID DAY VERSION TITLE [MORE]
paper() {
	printf '{"id": "2603.0000%s", "title": "%s", "abstract": "About it.", "listed": "2026-03-%02d", "version": %s%s}\n' "$1" "$4" "$2" "$3" "${5:-}"
}
{ paper 1 2 1 'Tea One'; paper 2 2 1 'Tea Two'; paper 3 2 1 'Tea Three'; paper 4 2 1 'First Jam'; } >papers.jsonl
run_on 02
{ paper 1 2 1 'Tea One' ', "withdrawn": "2026-03-03"'; paper 2 2 3 'Tea Two'; paper 3 2 1 'Tea Three'; } >papers.jsonl
check 'an update alone makes no mail'           'silent 0 run_on 03 && test -z "$(mail_of ada 03)$(mail_of bob 03)$(mail_of cleo 03)" && "$DIGEST" history ada@digest.test | grep -q empty'
{ paper 5 4 1 'Tea Five'; paper 6 4 1 'More Jam'; } >papers.jsonl
check 'words that matched are marked in both parts' 'python3 "$E2E/mails.py" html Mail bob@digest.test | grep -q "<mark class=.k.[^>]*>Tea</mark> One"'
check 'it closes the next digest: what was taken back' 'silent 0 run_on 04 && gets ada 04 "Papers you were sent before" && gets ada 04 "Withdrawn: Tea One" && lacks ada 04 "Tea Two"'
check '... and new versions, if asked for'      'gets bob 04 "New version 3: Tea Two" && gets bob 04 "Withdrawn: Tea One" && lacks bob 04 "Tea Three"'
check '... or nothing'                          'gets cleo 04 "Tea Five" && lacks cleo 04 "Tea One|Tea Two|sent before"'
check 'nobody hears of what was never sent to them' 'gets dan 04 "More Jam" && lacks dan 04 "Tea One|Tea Two|sent before"'
check 'the mail is as it should be'             'python3 "$E2E/mail_lint.py" --lf Mail'
{ paper 7 5 1 'Tea Seven'; paper 2 2 4 'Tea Two'; paper 1 2 1 'Tea One' ', "withdrawn": "2026-03-03"'; } >papers.jsonl
check 'each is told once'                       'silent 0 run_on 05 && gets ada 05 "Tea Seven" && lacks ada 05 "Tea One" && gets bob 05 "New version 4: Tea Two" && lacks bob 05 "Tea One"'
check 'history counts the papers, not the news' 'test "$("$DIGEST" history bob@digest.test --json | grep -c "\"papers\":1,")" = 2 || { "$DIGEST" history bob@digest.test --json; false; }'

# --- a filter with days of its own
mkdir ../weekly
cd ../weekly || exit 1
export DIGEST_CONFIG=$PWD/digest.conf
write_config <<'C'
source "club" { type = file  path = "papers.jsonl"  interval = 1h }
defaults { outside = 0  when = "daily 12:00" }
subscriber "ada@digest.test" { filter "tea" { match = "tea" } filter "best of the week" { match = "*"  sort = votes  limit = 2  when = "mon 12:00" } }
subscriber "bob@digest.test" { when = "mon,fri 12:00"  filter "tea" { match = "tea" } filter "month" { match = "jam"  when = "monthly 31" } }
C
paper() {
	printf '{"id": "2603.0000%s", "title": "%s", "abstract": "About it.", "listed": "2026-03-%02d", "votes": %s}\n' "$1" "$4" "$2" "$3"
}
# Monday is the 2nd, the 9th and the 16th.
paper 1 2 10 'Tea One' >papers.jsonl
check 'the first mail has both sections'        'silent 0 run_on 02 && gets ada 02 "== tea ==" && gets ada 02 "also in best of the week"'
{ paper 2 3 5 'Cake Two'; paper 3 4 50 'Tea Three'; paper 4 4 70 'Cake Four'; paper 5 5 3 'Last Jam'; } >papers.jsonl
for day in 03 04 05 06; do run_on $day; done
check 'on other days it is left out'            'gets ada 04 "Tea Three" && test -z "$(mail_of ada 03)$(mail_of ada 05)" && lacks ada 04 "best of the week|Cake"'
{ paper 2 3 90 'Cake Two'; paper 6 7 1 'Cake Six'; } >papers.jsonl
for day in 07 08; do run_on $day; done
check 'on its day it chooses from its whole period, by the votes of that day' 'silent 0 run_on 09 && gets ada 09 "== best of the week ==" && grep -o "Cake [A-Z][a-z]*" mail | head -n 2 | tr "\n" " " | grep -qx "Cake Two Cake Four "'
check '... and repeats nothing'                 '! grep -q "Tea Three\|Tea One" mail'
for day in 10 11 12 13 14 15; do run_on $day; done
{ paper 7 15 1 'Cake Seven'; } >papers.jsonl
check 'the next week begins where it ended'     'silent 0 run_on 16 && gets ada 16 "Cake Seven" && lacks ada 16 "Cake Two|Cake Four"'
paper 8 29 2 'New Jam' >papers.jsonl
for day in 17 20 23 27 30; do run_on $day; done
check 'a preview shows what is next, and when'  '"$DIGEST" --now 2026-03-30T14:00:00Z --dry-run -u bob@digest.test >out 2>err && grep -q "^To bob@digest.test *due Tue 31 Mar 00:00" err && grep -q "New Jam" out || { cat out err; false; }'
check 'a day between gets a digest of its own'  'test -z "$(mail_of bob 30)" && silent 0 run_on 31 && gets bob 31 "== month ==" && gets bob 31 "New Jam"'
check 'the mails are as they should be'         'python3 "$E2E/mail_lint.py" --lf Mail'

# --- compiled filters are kept
mkdir ../kept
cd ../kept || exit 1
export DIGEST_CONFIG=$PWD/digest.conf
with_shared() {
	write_config <<C
source "club" { type = file  path = "papers.jsonl"  interval = 1h }
defaults { outside = 0  when = "daily 12:00" }
filter "drinks" { match = '$1' }
subscriber "ada@digest.test" { filter "mine" { match = '@drinks OR cake' } }
C
}
with_shared tea
{ paper 1 2 1 'Tea One'; paper 2 2 1 'Milk Two'; } >papers.jsonl
check 'after a run the store has them'          'silent 0 run_on 02 && gets ada 02 "Tea One" && test "$(sql "SELECT length(programs) > 3 FROM reader")" = 1 && test "$(sql "SELECT count(*) FROM literal")" = 2 && sql "SELECT text FROM note WHERE name = '"'programs'"'" >before'
{ paper 3 3 1 'Tea Three'; paper 4 3 1 'Cake Four'; } >papers.jsonl
check 'the next run takes them as they are'     'silent 0 run_on 03 && gets ada 03 "Tea Three" && gets ada 03 "Cake Four" && sql "SELECT text FROM note WHERE name = '"'programs'"'" | cmp - before'
with_shared milk
{ paper 5 4 1 'Tea Five'; paper 6 4 1 'Milk Six'; } >papers.jsonl
check 'when a shared filter changes, they do'   'silent 0 run_on 04 && gets ada 04 "Milk Six" && lacks ada 04 "Tea Five" && ! sql "SELECT text FROM note WHERE name = '"'programs'"'" | cmp -s - before'
sql "UPDATE reader SET programs = substr(programs, 1, 2) || x'ffff'" >/dev/null
{ paper 7 5 1 'Milk Seven'; } >papers.jsonl
check 'damaged ones are made again'             'silent 0 run_on 05 && gets ada 05 "Milk Seven"'
sql "DELETE FROM literal WHERE number = 0" >/dev/null
{ paper 8 6 1 'Milk Eight'; } >papers.jsonl
check '... and so is what they refer to'        'silent 0 run_on 06 && gets ada 06 "Milk Eight" && test "$(sql "SELECT count(*) FROM literal")" = 2'
