#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What comes back: bounces by day, complaints, readers who ask by mail; and what is not ours, or not true.
. "$(dirname "$0")/lib.sh"
plan 62

cp "$FIXTURES/2026-03-02.json" days.json
cat >digest.conf <<'X'
list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
mailbox { maildir = "in" }
source "days" { type = file  path = "days*.json" }
defaults { when = "daily" empty = note  filter "all" { match = "*" } }
subscriber "ada@digest.test" {}
subscriber "bob@digest.test" { language = de }
subscriber "cleo@digest.test" {}
subscriber "dora@digest.test" {}
X
mkdir -p in/new in/cur in/tmp
sed -i 's/defaults.*/filter "all" { match = "*" }/; s/{}/{ filter "all" {} empty = note }/; s/{ language/{ filter "all" {} empty = note language/' digest.conf

# d COMMAND...: on day $day of March.
d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T${hour:-08}:00:00Z" "$@"
}
back() {
	python3 "$E2E/returned.py" "$@" >name
}
# The only one: what was left lies there still, and is looked at again for two seconds.
fresh() {
	rm -f in/new/*
	back "$@"
}
# state ADDRESS
state() {
	d subscribers --all | sed -n "s/^$1 *\([a-z]*\) .*/\1/p"
}
# What one reading of the mailbox did: the numbers that are not 0.
counts() {
	d mailbox --json | sed 's/.*"unreadable":[0-9]*},//; s/,"unreadable".*"suppressed"/,"suppressed"/; s/,"left_alone.*//' | tr ',' '\n' |
		sed -n 's/^"\(.*\)":\([1-9].*\)/\1=\2/p' | paste -sd ' ' | grep .
}
points() {
	d mailbox scores "$1" --json | sed 's/.*"points":"\([^"]*\)".*/\1/'
}
# mailed ADDRESS
mailed() {
	cat Mail/new/* 2>/dev/null | grep -c "^To: .*$1"
}
# marked NAME: it lies in cur, as read.
marked() {
	[ -e "in/cur/$(cat name):2,S" ]
}

day=3
check 'a first run, with nothing in the mailbox'  'silent 0 d run && test "$(mailed ada@)" = 1'
check 'links go to the address that is read'      'grep -h "^List-Unsubscribe" Mail/new/* | grep -c "mailto:bounce@digest.test?subject=unsubscribe%20" | grep -qx 4'
check 'and there is one to pause'                 'grep -l "subject=3Dpause\|subject=pause" Mail/new/* | wc -l | grep -qx 4'

# --- bounces
fresh dsn in 1 2026-03-03 5.1.1
check 'a dead address has a point'                'counts | grep -qx "bounced=1" && test "$(points ada@digest.test)" = 1 && marked'
fresh dsn in 1 2026-03-03 5.1.1
check 'of one delivery only once'                 'counts | grep -qx "repeated=1" && test "$(points ada@digest.test)" = 1 && marked'
check 'a mailbox that was read has nothing new'   'd mailbox --json | grep -q "\"read\":0," && test -z "$(counts)"'
check 'who has a point is mailed'                 'test "$(state ada@digest.test)" = active && d history ada@digest.test | grep -q "came in .*bounce of 2026-03-03: dead; 1 of 2 points (550 5.1.1 "'
day=4
check 'the next digest leaves'                    'silent 0 d run && test "$(mailed ada@)" = 2'
for t in "$(python3 "$E2E/returned.py" token 5 1 2026-03-05)" aaaqcaaaaaaaaaaaaeaaaaaathmncclsdd7w3ov57qz25h733m \
	"$(python3 "$E2E/returned.py" token 1 1)" "$(python3 "$E2E/returned.py" token 5 77 2026-03-04)"; do
	fresh dsn in 1 2026-03-04 5.1.1 --token "$t"
	check 'no bounce: never sent, forged, of another kind, nobody' 'counts | grep -qx "no_effect=1" && test "$(points ada@digest.test)" = 1'
done
check 'such a mail stays as it was'               '! marked && test -e "in/new/$(cat name)"'
good=$(python3 "$E2E/returned.py" token 5 1 2026-03-04)
n=0
rm -f in/new/*
for i in 1 9 17 25 33 41 50; do
	letter=$(echo "$good" | cut -c $i)
	[ "$letter" = a ] && other=b || other=a
	back dsn in 1 2026-03-04 5.1.1 --token "$(echo "$good" | sed "s/./$other/$i")"
	n=$((n + 1))
done
check 'nor one with a letter changed'             'counts | grep -qx "no_effect=$n" && test "$(points ada@digest.test)" = 1'
fresh dsn in 1 2026-03-04 4.4.1 --action delayed
check 'one that is still being tried'             'counts | grep -qx "no_effect=1" && test "$(points ada@digest.test)" = 1 && marked'
fresh dsn in 1 2026-03-04 2.0.0 --action delivered
check 'one that arrived'                          'counts | grep -qx "no_effect=1" && test "$(points ada@digest.test)" = 1'
fresh vacation in 1 2026-03-04
check 'an automatic reply'                        'counts | grep -qx "no_effect=1" && test "$(points ada@digest.test)" = 1'
fresh dsn in 1 2026-03-04 5.1.1 --token "$(echo "$good" | tr a-z A-Z)"
check 'a token in capitals is the same'           'counts | grep -qx "bounced=1 suppressed=1"'
check 'a second day ends it'                      'test "$(state ada@digest.test)" = left && d history ada@digest.test | grep -q "came in .*bounce of 2026-03-04: not mailed any more: dead; 2 of 2 points"'
check 'status says so'                            'd status | grep -q "mailbox .*1 bounced, 0 complained" && d status | grep -q "ada@digest.test, bounced on 2026-03-04"'
check 'and scores'                                'd mailbox scores ada@digest.test | grep -A 1 "2 of 2" | grep -q "next *is not mailed any more"'
day=5
check 'the next run is silent there'              'silent 0 d run && test "$(mailed ada@)" = 2 && test "$(mailed bob@)" = 3'

check 'a consent begins without points'           'd subscribers resume ada@digest.test --consent "by phone" >/dev/null && test "$(state ada@digest.test)" = active && test "$(points ada@digest.test)" = 0'
day=6
d run
fresh dsn in 1 2026-03-06 5.1.1
check '... and counts anew'                       'counts | grep -qx "bounced=1" && test "$(points ada@digest.test)" = 1 && test "$(state ada@digest.test)" = active'
d unsubscribe ada@digest.test >/dev/null
day=5

# --- what says nothing of the reader, and what says little
fresh dsn in 2 2026-03-05 5.7.1
check 'refused by policy: no points'              'counts | grep -qx "bounced=1" && test "$(points bob@digest.test)" = 0 && d history bob@digest.test | grep -q "policy: says nothing of the reader"'
check 'but told to who looks'                     'd status | grep -q "1 refused in two days"'
fresh dsn in 3 2026-03-05 4.2.2
check 'full: a quarter'                           'counts | grep -qx "bounced=1" && test "$(points cleo@digest.test)" = 0.25'
fresh dsn in 4 2026-03-04 5.1.1
back dsn in 4 2026-03-05 5.1.1
check 'two of one day: one point'                 'counts | grep -qx "bounced=2" && test "$(points dora@digest.test)" = 1 && test "$(state dora@digest.test)" = active'
fresh dsn in 3 2026-03-04 5.0.0 --text "something else"
check 'what nobody can tell stays for a person'   'counts | grep -qx "bounced=1" && test "$(points cleo@digest.test)" = 0.5 && test -e "in/new/$(cat name)"'
check '... and says nothing new when it is read once more' 'case $(counts) in "" | repeated=1) ;; *) false ;; esac && test "$(points cleo@digest.test)" = 0.5'

# --- complaints
fresh arf in 4 2026-03-03
check 'a complaint ends it at once'               'counts | grep -qx "complained=1" && test "$(state dora@digest.test)" = left && d status | grep -q "0 bounced, 1 complained"'
fresh arf in 3 2026-03-03 --type not-spam
check 'that it was none does nothing'             'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active'
fresh arf in 3 2026-03-03 --type virus
check 'nor does what a machine found'             'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active && ! marked'
fresh arf in 3 2026-03-03 --type opt-out --token "$(python3 "$E2E/returned.py" token 5 3 2026-03-30)"
check 'an opt-out of a digest that never left'    'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active && ! marked'
fresh arf in 3 2026-03-03 --token "$(python3 "$E2E/returned.py" token 5 3 2026-03-30)"
check 'one of a digest that never left'           'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active'

# --- by mail
rm -rf Mail
fresh ask in 2 pause
check 'a pause by mail'                           'counts | grep -qx "paused=1" && test "$(state bob@digest.test)" = paused && d history bob@digest.test | grep -q "paused until 2026-03-19: asked for it by mail"'
check 'it is confirmed, in the language of the reader' 'test "$(mailed bob@)" = 1 && grep -q "^Auto-Submitted: auto-replied" Mail/new/* && grep -q "^In-Reply-To: <[0-9]*@home.test>" Mail/new/* && grep -q "^References: <[0-9]*@home.test>" Mail/new/* && grep -q "um eine Pause gebeten" Mail/new/*'
fresh ask in 2 resume
check 'it ends by mail'                           'counts | grep -qx "resumed=1" && test "$(state bob@digest.test)" = active'
check 'without a second word on that day'         'test "$(mailed bob@)" = 1'
day=7
fresh ask in 2 pause --header "Precedence: bulk"
check 'nor to a machine'                          'counts | grep -qx "paused=1" && test "$(mailed bob@)" = 1'
fresh ask in 2 resume --header "List-Id: <x.y.test>"
check 'nor to a list'                             'counts | grep -qx "resumed=1" && test "$(mailed bob@)" = 1'
fresh ask in 3 unsubscribe --token "$(python3 "$E2E/returned.py" token 2 3)"
check 'a token for something else'                'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active && test "$(mailed cleo@)" = 0 && ! marked'
fresh ask in 3 unsubscribe --token ""
check 'none at all'                               'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = active'
fresh ask in 3 unsubscribe --apple --id once
check "Apple's button ends it"                    'counts | grep -qx "left=1" && test "$(state cleo@digest.test)" = left && marked'
check '... without an answer'                     'test "$(mailed cleo@)" = 0'
fresh ask in 3 unsubscribe --id once
check 'the same once more'                        'counts | grep -Eqx "no_effect=1|repeated=1" && test "$(mailed cleo@)" = 0'
fresh ask in 3 resume
check 'no mail brings back who left'              'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = left && ! marked'
fresh ask in 2 unsubscribe
check 'leaving by mail'                           'd mailbox | grep -q "^1 reader left" && test "$(state bob@digest.test)" = left && test "$(mailed bob@)" = 2 && grep -q "per Mail abbestellt" Mail/new/*'
check 'the answers are clean mails'               'python3 "$E2E/mail_lint.py" Mail/new/* || true; for m in Mail/new/*; do grep -q "^List-Unsubscribe" "$m" && exit 1; done; true'
d subscribers resume cleo@digest.test --consent "by phone" >/dev/null
fresh arf in 3 2026-03-03 --type opt-out
check 'a report of an opt-out is a wish to leave' 'counts | grep -qx "left=1" && test "$(state cleo@digest.test)" = left && marked && test "$(mailed cleo@)" = 0 && d history cleo@digest.test | grep -q "unsubscribe of 2026-03-03: not mailed any more: asked for it by mail"'
fresh arf in 3 2026-03-03 --type not-spam
check 'that it was none brings nobody back'       'counts | grep -qx "no_effect=1" && test "$(state cleo@digest.test)" = left'
d subscribers resume cleo@digest.test --consent "by phone" >/dev/null
fresh arf in 3 2026-03-03 --type fraud
check 'who takes it for fraud has complained'     'counts | grep -qx "complained=1" && test "$(state cleo@digest.test)" = left'
day=8
check 'nobody is left to mail'                    'silent 0 d run && test "$(mails_sent)" = 2'

# --- looking at one mail
fresh dsn in 1 2026-03-04 5.1.1
check 'explain says how it is read, and does nothing' 'same_store "d mailbox --explain in/new/$(cat name) >out" && grep -q "^kind *bounce" out && grep -q "^candidate *delivered-to: bounce+[a-z0-9]*@digest.test, a valid token: bounce$" out && grep -q "^recipient *somebody@digest.test: bounce, dead, userunknown: 550 5.1.1 what the server said$" out && grep -q "^marks *auto-submitted" out && d mailbox --explain - <"in/new/$(cat name)" | cmp - out && grep -q "^would *this was known" out'
check 'also without a store'                      'mkdir other && sed "s/digest.db/other\/none.db/" digest.conf >other.conf && "$DIGEST" -c other.conf mailbox --explain "in/new/$(cat name)" --json | python3 -c "import json, sys; v = json.load(sys.stdin); assert v[\"kind\"] == \"bounce\" and v[\"would\"]" && test ! -e other/none.db'
check 'by a pipe'                                 'd mailbox --stdin <"in/new/$(cat name)" && d mailbox --stdin --json <"in/new/$(cat name)" | grep -q "\"repeated\":1"'
check 'a pipe hears that it may come again'       'mv digest.key key.away && mkdir digest.key; d mailbox --stdin <"in/new/$(cat name)" 2>/dev/null; rc=$?; rmdir digest.key; mv key.away digest.key; test $rc = 75'

check 'explain reads a pipe'                      'd mailbox --explain - <"in/new/$(cat name)" | grep -q "^kind *bounce"'

# --- bad words, and none
check 'an unknown word'                           'says 64 "expected scores, thaw, or nothing" d mailbox read'
check '--forget belongs to thaw'                  'says 64 "belongs to" d mailbox --forget'
check 'no mailbox, no command'                    'grep -v "^mailbox" digest.conf >none.conf && says 78 "no mailbox to read; expected" "$DIGEST" -c none.conf --now 2026-03-08T09:00:00Z mailbox'
check 'erasing a reader erases what came back'    'sed -i "/^subscriber/d" digest.conf && d run --accept-removals 2>/dev/null; d subscribers erase ada@digest.test && test "$(sql "SELECT count(*) FROM incoming WHERE reader = 1")" = 0 && test "$(sql "SELECT count(*) FROM incoming WHERE reader = 2")" != 0'
