#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The reading of a mailbox is killed, the mailbox is away, two programs answer each other, a flood comes in.
. "$(dirname "$0")/lib.sh"
KILLSHIM=${KILLSHIM:-$ROOT/build/bench/killshim.so}
export KILLSHIM
plan 20

if [ ! -e "$KILLSHIM" ]; then
	skip 6 'killshim.so is not built: make bench-programs'
elif ldd "$DIGEST" | grep -q asan; then
	skip 6 'the sanitizers want to be loaded first'
else
	few=$([ -n "${DIGEST_FULL:-}" ] || echo "-n 20")
	check 'killed anywhere, nothing is lost and nothing counts twice' 'python3 "$E2E/mailbox_kills.py" $few'
	check 'nor by IMAP'                              'python3 "$E2E/mailbox_kills.py" --imap $few'

	# --- mails of which the parser dies, as if it had a fault
	mkdir -p poison/in/new poison/in/cur poison/in/tmp
	cp "$FIXTURES/2026-03-02.json" poison/days.json
	cat >poison/digest.conf <<-'X'
		list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }
		store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }  mailbox { maildir = "in" }
		source "days" { type = file  path = "days.json" }
		subscriber "ada@digest.test" { filter "all" { match = "*" } empty = note }
	X
	p() (
		cd poison || exit
		export KILLSHIM_WORD="$1" LD_PRELOAD="$KILLSHIM" DIGEST_CONFIG=digest.conf
		shift
		exec "$DIGEST" --now 2026-03-03T08:00:00Z "$@"
	)
	p never-said run
	for i in 1 2 3 4 5 6 7; do
		printf 'Subject: deadly %s\n\n' $i >poison/in/new/1.$i
	done
	sleep 2.1
	(cd poison && python3 "$E2E/returned.py" ask in 1 pause) >/dev/null
	check 'a mail of which the parser dies is told and left' 'printf "Subject: deadly\n\n" | p deadly mailbox --stdin 2>err; test $? = 0 && grep -q "the mail stdin is left alone: the parser ended" err'
	check 'after five of them the others wait'       'p deadly mailbox >out 2>err && cat out err && grep -q "^5 mails read: 5 unreadable; 3 wait for the next time" out && grep -q "the first of 5 like it, and what lies behind them waits" err && test "$(ls poison/in/new | wc -l)" = 8'
	check '... and are read the next time'           'p deadly mailbox >out 2>err; cat out; grep -q "^3 mails read: 1 request, 2 unreadable" out && grep -qx "2 ended the parser, and are left alone" out && grep -qx "1 reader pauses" out'
	check 'where no mail can be read none is passed over' '
		printf "Subject: hello\n\n" >poison/in/new/2.1; p "nothing in it that we act on" mailbox 2>err; test $? = 74 && grep -q "no mail can be read here: the parser ended" err && p never-said mailbox --json | grep -q "\"other\":[1-9]"'
fi

# --- a mailbox that is away
cp "$FIXTURES/2026-03-02.json" days.json
config() {
	echo 'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }'
	echo "store { path = \"digest.db\" }  smtp \"box\" { url = \"maildir:Mail\" }  mailbox { $1 }"
	echo 'source "days" { type = file  path = "days*.json" }  filter "all" { match = "*" }'
	echo 'subscriber "ada@digest.test" { filter "all" {} empty = note }'
}
d() {
	"$DIGEST" --now "2026-03-0${day}T08:00:00Z" "$@"
}
config 'url = "imap://127.0.0.1:1"  tls = none  user = "me"  password-command = "echo x"' >digest.conf
day=3
check 'a server that is away is a warning, and digests leave' 'silent 0 d run && test "$(mails_sent)" = 1'
check '... which status tells'                   'd status | grep -q "mailbox.*last read never" && d status --check | grep -q ^ok'
check 'digest mailbox says it at once'           'says 69 "127.0.0.1" d mailbox'
day=5
check '... also two days later'                  'silent 0 d run'
day=6
check 'after three days it is an error'          'says 69 "127.0.0.1" d run && d status --check >out; grep -q "the mailbox cannot be read for three days or more" out'
config 'maildir = "none"' >digest.conf
day=7
check 'a Maildir that is not there is for a person' 'd run 2>err; test $? != 0 && grep -q "none" err'
check 'a dry run reads none'                     'd -n >out 2>err; ! grep -q "mailbox\|none" err'
mkdir -p in/new in/cur in/tmp
config 'maildir = "in"' >digest.conf
check 'it is well again'                         'silent 0 d run && d status --check | grep -q ^ok'

# --- two programs, each a reader of the other: what one sends the other reads
for me in a b; do
	mkdir -p $me/in/new $me/in/cur $me/in/tmp
	[ $me = a ] && you=b || you=a
	cp days.json $me
	cat >$me/digest.conf <<-X
		list { from = "Papers <papers@$me.test>" }
		store { path = "$me.db" }  smtp "box" { url = "maildir:../$you/in" }  mailbox { maildir = "in" }
		source "days" { type = file  path = "days.json" }
		subscriber "papers@$you.test" { filter "all" { match = "*" } }
	X
done
pump() {
	for me in a b a b a b; do (cd $me && DIGEST_CONFIG=digest.conf d "$@"); done
}
day=3
pump run
(cd a && python3 "$E2E/returned.py" ask in 1 unsubscribe --from "papers@b.test" >/dev/null)
check 'one asks the other to leave, and is answered' '(cd a && DIGEST_CONFIG=digest.conf d mailbox | grep -qx "1 answer sent") && grep -rl "^Auto-Submitted: auto-replied" b/in | wc -l | grep -qx 1'
find a/in b/in -type f | wc -l >before
check 'that is all that is ever said'            'pump mailbox && pump run && pump mailbox; find a/in b/in -type f | wc -l | diff before -'

# --- a flood
cat >flood.py <<'X'
import sys
for i in range(int(sys.argv[1])):
    with open(f"in/new/{i}.flood", "w") as f:
        f.write(f"From: x{i}@spam.test\nTo: bounce@digest.test\nSubject: unsubscribe {'a' * 50}\nMessage-ID: <{i}@spam.test>\n\nbuy\n")
X
day=7
python3 flood.py 1100
# What has just come is looked at once more.
sleep 2.1
check 'a thousand of a flood are read at once'   'd mailbox --json >out && cat out && grep -q "\"found\":1100,\"read\":1000,\"marked\":0" out && grep -q "\"no_effect\":1000" out'
check '... and the others the next time'         'python3 "$E2E/returned.py" ask in 1 pause >/dev/null; d mailbox >out; cat out; grep -q "^101 mails read" out'
check 'who asks is heard behind it'              'grep -qx "1 reader pauses" out'
check 'nobody was answered but that one'         'test "$(grep -l "^Auto-Submitted: auto-replied" Mail/new/* | wc -l)" = 1'
