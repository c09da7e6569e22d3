#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What happens to papers after the day they were new: votes grow.
. "$(dirname "$0")/lib.sh"
plan 7

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
check 'a paper whose votes have grown comes, and says so' 'silent 0 run_on 03 && gets ada 03 "Slow Tea" && gets ada 03 "risen since your last digest · matches votes>=30"'
check '... a new one does not say so, and what was sent does not come again' 'test "$(grep -c risen mail)" = 1 && grep -q "New Jam" mail && ! grep -q "Fast Coffee" mail'
check 'nor does a paper come that another filter brought' 'test -z "$(mail_of bob 03)"'
{ paper 1 2 80 'Slow Tea'; paper 3 2 30 'Late Cake'; paper 4 3 51 'New Jam'; } >papers.jsonl
run_on 09
check 'eleven days on it still rises'          '{ paper 1 2 80 "Slow Tea"; paper 3 2 99 "Late Cake"; } >papers.jsonl && silent 0 run_on 13 && gets ada 09 "risen since"'
check '... and is sent once'                   'test "$(python3 "$E2E/mails.py" text Mail ada@digest.test | grep -c "Late Cake")" = 1'
{ paper 5 10 3 'Old Bread'; } >papers.jsonl
run_on 14
run_on 24
{ paper 5 10 70 'Old Bread'; } >papers.jsonl
check 'past two weeks a paper rises no more'    'silent 0 run_on 25 && test -z "$(mail_of ada 25)"'
