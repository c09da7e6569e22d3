#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A domain that refuses our mail by policy: no run goes on mailing it, whether it says so at once or by mail.
. "$(dirname "$0")/lib.sh"
plan 16

cp "$FIXTURES/2026-03-02.json" days.json
{
	echo 'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test"  operator = "op@here.test" }'
	echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }  mailbox { maildir = "in" }'
	echo 'source "days" { type = file  path = "days.json" }  filter "all" { match = "*" }'
	for i in $(seq 22); do echo "subscriber \"r$i@far.test\" { filter \"all\" {} empty = note }"; done
	echo 'subscriber "ada@near.test" { filter "all" {} empty = note }'
} >digest.conf
mkdir -p in/new in/cur in/tmp

d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T${hour:-08}:00:00Z" "$@"
}
# back PERIOD READER...: digests of these readers came back.
back() {
	of=$1
	shift
	for reader in "$@"; do python3 "$E2E/returned.py" dsn in "$reader" "$of" 5.7.1 --text 'not from here' >/dev/null; done
}
mailed() {
	cat Mail/new/* 2>/dev/null | grep -c "^To: .*$1"
}

# The newest to the operator, decoded.
letter() {
	f=$(grep -l '^To: op@here.test' Mail/new/* | xargs ls -t | head -n 1)
	python3 -c 'import email, email.policy, sys
print(email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default).get_content())' <"$f"
}

day=3
d run
# 19, one that arrived, and one more: no row of twenty.
back 2026-03-03 $(seq 19) 21
day=4
check 'nineteen in a row are no row'             'silent 0 d run && test "$(mailed @far.test)" = 44'
rm -rf Mail
back 2026-03-04 $(seq 2 21)
day=5
check 'twenty are: no mail leaves for it'        'says 75 "no mail leaves for far.test: 20 digests in a row .*550 5.7.1 not from here" d run; rc=$?; test "$(mailed @far.test)" = 0 && test $rc = 0'
check 'others are mailed'                        'test "$(mailed @near.test)" = 1'
check 'nobody has a point for it'                'test "$(sql "SELECT count(*) FROM suppression")" = 0 && d mailbox scores r2@far.test | grep -q "0 of 2"'
check 'the report counts them'                   'd status --json | python3 -c "import json, sys; v = json.load(sys.stdin); assert v[\"last_report\"][\"reasons\"][\"refusing\"] == 22 and v[\"mailbox\"][\"refusing\"] == [\"far.test\"]"'
check 'status says it, and needs a person'       'says 75 "" d status --check; d status --check >out; grep -q "no mail leaves for far.test" out'
check 'a preview says why'                       'd --dry-run --offline >out 2>&1; cat out; grep -q "the domain refuses our mail" out'
check 'the operator is told'                     'letter | grep -q "^- No mail leaves for far.test: 20 digests in a row"'
hour=20
check 'nor later on that day'                    'd run 2>/dev/null; test "$(mailed @far.test)" = 0'
day=6 hour=09
check 'a day later it is tried again'            'silent 0 d run && test "$(mailed @far.test)" = 22'
check '... of which the operator hears'          'letter | grep -q "^- Mail leaves for far.test again"'
check 'and all is well'                          'd status --check | grep -q "^ok"'

rm -rf Mail
back 2026-03-06 $(seq 3 22)
day=7
check 'a person who has mended it need not wait' 'says 75 "once .digest mailbox thaw. says that it is mended" d run; hour=10; d mailbox thaw >/dev/null && silent 0 d run && test "$(mailed @far.test)" = 22'

# --- a relay that says so at once
echo '[{"expect": ".", "reply": "554 5.6.0 we do not like what you write", "times": 0}]' >script
start_smtp box --script script
sed -i "s|smtp \"box\" .*maildir:Mail\" }|smtp \"relay\" { url = \"smtp://127.0.0.1:$PORT\"  tls = none  helo = c.digest.test  connections = 1 }|; s/far.test/away.test/" digest.conf
rm -f digest.db*
day=3 hour=08
d run >out 2>&1
check 'for the content: twenty are tried'        'cat out; test "$(grep -c "RCPT TO:<r" box.log)" = 20'
check 'the others wait'                          'test "$(d outbox --json | grep -c "not tried: mails there got this answer before")" = 2'
check 'the readers have no point'                'test "$(sql "SELECT count(*) FROM incoming")" = 0'
