#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A relay says at once what others send back by mail: the same points, the same end, and nothing twice.
. "$(dirname "$0")/lib.sh"
plan 23

cp "$FIXTURES/2026-03-02.json" days.json
mkdir -p in/new in/cur in/tmp
write() {
	cat <<X
list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }
store { path = "$1" }  smtp "relay" { url = "smtp://127.0.0.1:$PORT"  tls = none  helo = client.digest.test }
$2
source "days" { type = file  path = "days.json" }
filter "all" { match = "*" }
X
	for reader in $3; do echo "subscriber \"$reader@digest.test\" { filter \"all\" {} empty = note }"; done
}
d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T${hour:-08}:00:00Z" "$@"
}
state() {
	d subscribers --all | sed -n "s/^$1@digest.test *\([a-z]*\) .*/\1/p"
}
points() {
	d mailbox scores "$1@digest.test" --json | sed 's/.*"points":"\([^"]*\)".*/\1/'
}

cat >script <<'X'
[{"expect": "RCPT TO:<dead", "reply": "550 5.1.1 <dead@digest.test>: no such user", "times": 0},
 {"expect": "RCPT TO:<full", "reply": "452 4.2.2 mailbox full", "times": 0},
 {"expect": "RCPT TO:<slow", "reply": "451 4.3.0 come back later", "times": 0},
 {"expect": "RCPT TO:<grey", "reply": "450 4.7.1 greylisted", "times": 0},
 {"expect": "RCPT TO:<vague", "reply": "550 no", "times": 0}]
X
start_smtp box --script script
write digest.db '' 'dead full slow grey vague well' >digest.conf

day=3
d run 2>/dev/null
check 'no such user: a point, without a mailbox'  'test "$(points dead)" = 1 && test "$(state dead)" = active'
check 'the history says what was refused and why' 'd history dead@digest.test >out; cat out; grep -q "^came in .* refusal of 2026-03-03: dead; 1 of 2 points (550 5.1.1 <dead@digest.test>: no such user)$" out'
check 'so do the scores'                          'd mailbox scores dead@digest.test >out; cat out; grep -q "^dead@digest.test *1 of 2 *2026-04-02$" out && grep -q "^  next *one more day on which nobody is there ends it$" out && grep -q "^  Tue .* refusal of 2026-03-03: dead; 1 of 2 points" out'
check 'a 550 that says no more: a quarter'        'test "$(points vague)" = 0.25'
check 'what is still being tried has none'        'test "$(points full)$(points slow)$(points grey)" = 000'
hour=20 d run 2>/dev/null
check 'trying again on that day adds nothing'     'test "$(points dead)" = 1'
sql "UPDATE incoming SET counted = 0, decided = 'waits'"
hour=21 d run 2>/dev/null
check 'what a killed run left is scored by the next' 'test "$(sql "SELECT count(*) FROM incoming WHERE counted = 0")" = 0 && test "$(points dead)" = 1'
day=4
d run 2>/dev/null
check 'on the second day it ends'                 'test "$(state dead)" = left && d history dead@digest.test | grep -q "refusal of 2026-03-04: not mailed any more: dead; 2 of 2 points"'
check 'status names it, also without a mailbox'   'd status | grep -q "dead@digest.test, bounced on 2026-03-04" && d status | grep -q "^mailbox *none is read; not mailed any more: 1 bounced, 0 complained"'
check 'full to the end of all tries: a quarter'   'test "$(points full)" = 0.25 && d history full@digest.test | grep -q "refusal of 2026-03-03: temporary; 0.25 of 2 points (452 4.2.2"'
check 'trouble of the relay is none of theirs'    'test "$(points slow)$(points grey)" = 00 && ! d history slow@digest.test | grep -q "refusal of"'
check 'vague again: no more than that'            'test "$(points vague)" = 0.25'
: >box.log
day=5
d run 2>/dev/null
check 'the next run is silent there'              '! grep -q "RCPT TO:<dead" box.log && grep -q "RCPT TO:<vague" box.log'
check 'a consent begins without points'           'd subscribers resume dead@digest.test --consent "by phone" >/dev/null && test "$(state dead)" = active && test "$(points dead)" = 0'
for day in 5 6 7 8 9; do d run 2>/dev/null; done
check 'full on seven days: left alone for two weeks' 'day=10 && d run 2>/dev/null; test "$(points full)" = 1.75 && test "$(state full)" = paused && d history full@digest.test | grep -q "paused until 2026-03-24: full or out of reach for days"'

# --- on a screen
fits() {
	for columns in 80 40 20; do
		python3 "$E2E/terminal.py" $columns "$DIGEST" --now 2026-03-10T09:00:00Z "$@" >out || return 1
		cat out
		widest=$(sed -n '$s/.* widest //p' out)
		[ "$widest" -le $columns ] || { echo "$widest of $columns"; return 1; }
	done
}
check 'scores fit every screen'                   'fits mailbox scores'
check 'points are never cut'                      'd mailbox scores | grep -q "^full@digest.test *1.75 of 2 "'

# --- both ways for one digest: a copy that may have left is refused the second time, and its report comes later
kill "$smtp_pid"
cat >script <<'X'
[{"expect": ".", "reply": "", "close": true},
 {"expect": "RCPT TO:<twice", "skip": 1, "reply": "550 5.1.1 no such user", "times": 0}]
X
start_smtp two --script script
write two.db 'mailbox { maildir = "in" }' twice >digest.conf
day=3
hour=08 d run 2>/dev/null
hour=09 d run 2>/dev/null
check 'refused the second time: a point'          'test "$(points twice)" = 1'
python3 "$E2E/returned.py" dsn in 1 2026-03-03 5.1.1 >name
check 'the report of the first copy is the same'  'day=4 && hour=07 && d mailbox --json | grep -q "\"repeated\":1" && test "$(points twice)" = 1 && test "$(state twice)" = active'

# --- a relay that is out of its mind
kill "$smtp_pid"
echo '[{"expect": "RCPT", "reply": "550 5.1.1 no such user", "times": 0}]' >script
start_smtp mad --script script
STORE=mad.db
write mad.db '' "$(seq -f 'r%.0f' -s ' ' 20)" >digest.conf
day=3
says 0 'proved undeliverable' d run && rc=0 || rc=1
check 'all are dead at once: nothing is scored'   'test $rc = 0 && test "$(points r1)" = 0 && d status --check >out; grep -q "nobody is taken off for bounces until" out'
day=4
d run 2>/dev/null
check 'nor on the next day'                       'test "$(state r1)" = active && test "$(sql "SELECT count(*) FROM suppression")" = 0'
check 'a person says that it means nothing'       'd mailbox thaw --forget | grep -q "^40 bounces will never count" && test "$(points r1)" = 0'
check 'then a run goes on'                        'day=5 && d run 2>/dev/null; test "$(state r20)" = active'
