#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Mail comes back without a token in its address: the header of the digest in it says whose it was and which.
. "$(dirname "$0")/lib.sh"
plan 17

cp "$FIXTURES/2026-03-02.json" days.json
mkdir -p in/new in/cur in/tmp
start_smtp box
cat >digest.conf <<X
list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test"  verp = no }
store { path = "digest.db" }  smtp "relay" { url = "smtp://127.0.0.1:$PORT"  tls = none  helo = client.digest.test }
mailbox { maildir = "in" }
source "days" { type = file  path = "days.json" }
filter "all" { match = "*" }
subscriber "ada@digest.test" { filter "all" {} empty = note }
subscriber "bob@digest.test" { filter "all" {} empty = note }
X
d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T${hour:-08}:00:00Z" "$@"
}
points() {
	d mailbox scores "$1@digest.test" --json | sed 's/.*"points":"\([^"]*\)".*/\1/'
}
# digest ADDRESS: the newest that went there, without what the server of the tests put before it.
digest_of() {
	f=$(grep -l "^X-Recipient: $1@" box/* | tail -n 1)
	sed '/^X-Sender/d; /^X-Recipient/d' "$f"
}
fresh() {
	rm -f in/new/*
	python3 "$E2E/returned.py" "$@" >name
}
marked() {
	[ -e "in/cur/$(cat name):2,S" ]
}

day=3
check 'the sender has no token'                  'silent 0 d run && grep -h "^X-Sender" box/* | tr -d "\r" | sort -u | grep -qx "X-Sender: <*bounce@digest.test>*"'
check 'check says how digests leave'             'd check --offline --json >out; d check --offline | grep "mailbox" | grep -q "digests leave as bounce@digest.test"'
digest_of ada >ada.3
digest_of bob >bob.3
fresh dsn in 1 0 5.1.1 --plain ada.3
check 'explain tells by which'                   'd mailbox --explain "in/new/$(cat name)" >out; cat out; grep -q "^candidate *returned List-Unsubscribe: [a-z2-7]*, a valid token: unsubscribe$" out && grep -q "^would *dead: userunknown; waits to be scored" out'
check 'it counts for its reader and edition'     'd mailbox --json | grep -q "\"bounced\":1" && test "$(points ada)" = 1 && marked && d history ada@digest.test | grep -q "bounce of 2026-03-03: dead; 1 of 2 points"'
fresh dsn in 1 0 5.1.1 --plain ada.3
check 'once'                                     'day=4 && d mailbox --json | grep -q "\"repeated\":1" && test "$(points ada)" = 1'
fresh dsn in 1 2026-03-03 5.1.1
check 'also when the token comes, too'           'day=4 && hour=09 && d mailbox --json | grep -q "\"repeated\":1" && test "$(points ada)" = 1'

# --- what names nobody, or nothing that was sent
sed '/^List-Unsubscribe/,/^[^ ]/{/^List-Unsubscribe/d; /^ /d}' bob.3 >no-token
fresh dsn in 2 0 5.1.1 --plain no-token
check 'a Message-ID alone proves nothing'        'd mailbox --json | grep -q "\"no_effect\":1" && test "$(points bob)" = 0 && ! marked'
sed 's/^Message-ID: </Message-ID: <0/' bob.3 >other-id
fresh dsn in 2 0 5.1.1 --plain other-id
check 'a token with another Message-ID: not which' 'd mailbox --explain "in/new/$(cat name)" | grep -q "^would *it does not say which digest came back" && d mailbox --json | grep -q "\"no_effect\":1" && test "$(points bob)" = 0'
{ grep '^Message-ID' ada.3; sed '/^Message-ID/d' bob.3; } >mixed
fresh dsn in 2 0 5.1.1 --plain mixed
check 'one of somebody else'                     'd mailbox --json | grep -q "\"no_effect\":1" && test "$(points bob)" = 0 && test "$(points ada)" = 1'
sed 's/unsubscribe%20\(.\)/unsubscribe%20b\1/; s/unsubscribe%20b\(.\{50\}\)./unsubscribe%20b\1/' bob.3 >forged
fresh dsn in 2 0 5.1.1 --plain forged
check 'a token that was altered'                 '! cmp -s forged bob.3 && d mailbox --json | grep -q "\"no_effect\":1" && test "$(points bob)" = 0'
fresh dsn in 2 0 4.4.1 --action delayed --plain bob.3
check 'one that is late is done with'            'd mailbox --json | grep -q "\"no_effect\":1" && marked && test "$(points bob)" = 0'
fresh dsn in 2 0 5.1.1 --plain bob.3
check 'long after it left'                       'day=31 && d mailbox --json >out 2>&1; python3 "$E2E/returned.py" dsn in 2 0 5.1.1 --plain bob.3 >name; "$DIGEST" --now 2026-04-09T08:00:00Z mailbox --explain "in/new/$(cat name)" | grep -q "^would *that digest left over 30 days ago"'
sql "DELETE FROM incoming WHERE reader = 2"

day=4
d run
digest_of ada >ada.4
check 'the second day is another digest'         'test "$(grep -c "^Message-ID" ada.3 ada.4 | wc -l)" = 2 && ! cmp -s ada.3 ada.4'
fresh dsn in 1 0 5.1.1 --plain ada.4
check 'and ends it'                              'd mailbox --json | grep -q "\"suppressed\":1" && d subscribers --all | grep "^ada@" | grep -q left'
check 'nobody else'                              'd subscribers --all | grep "^bob@" | grep -q active'

# --- a long local part has no room for a token, which nobody asks for
sed -i 's/bounce-address = "bounce@/bounce-address = "returned-mail-of-papers@/' digest.conf
check 'a long bounce-address is fine'            'd check --offline | grep -q "digests leave as returned-mail-of-papers@digest.test"'
sed -i 's/  verp = no//' digest.conf
check 'with tokens it is told, with the cure'    'says 78 "too long to carry a token beside it; .*or verp = no" d check --offline; says 78 "" d check --offline'
