#!/bin/sh
# A real Postfix takes the digests of fifty readers and delivers them into Maildirs; a second run sends nothing.
# shellcheck source=lib.sh disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"
command -v postfix >/dev/null || skip_all "postfix is missing"
[ "$(id -u)" -eq 0 ] || skip_all "postfix wants root to start"
# shellcheck source=relays.sh
. "$E2E/relays.sh"
plan 12

trap 'stop_relay; clean_up' EXIT
if ! start_postfix; then
	sed 's/^/# /' "$R/starting"
	echo "Bail out! Postfix does not start"
	exit 1
fi

cp "$FIXTURES/2026-03-02.json" day.json
{
	cat <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "relay" { url = "smtp://127.0.0.1:$PORT"  tls = none  helo = client.digest.test }
source "day" { type = file  path = "day.json" }
X
	seq -f 'subscriber "reader%g@digest.test" { filter "all" { match = "*" } }' 1 50
} >digest.conf

into_a_maildir() {
	mkdir other && cp day.json digest.key other && sed 's,^smtp.*,smtp "box" { url = "maildir:Mail" },' digest.conf >other/digest.conf &&
		(cd other && "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run)
}

check 'fifty readers are mailed in silence'  'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run'
check 'Postfix delivers each of them'        'all_there 50'
check 'one for each address'                 'test "$(cat "$BOX"/new/* | grep -c "^To: reader[0-9]*@digest.test")" = 50 && test "$(cat "$BOX"/new/* | grep "^To: " | sort -u | wc -l)" = 50'
check 'the lint has nothing to say'          'python3 "$E2E/mail_lint.py" --lf --delivered "$BOX"/new/*'
check 'Postfix has changed no byte'          'into_a_maildir && python3 "$E2E/relayed.py" "$BOX" other/Mail | grep -qx 50'
check '... which would be seen'              'cp -r "$BOX" changed && for f in changed/new/*; do sed -i "\$s/.\$/&./" "$f" && break; done && ! python3 "$E2E/relayed.py" changed other/Mail'
check "the store knows Postfix's answer"     'sql "SELECT count(*) FROM edition WHERE reply LIKE \"250 2.0.0 Ok: queued as %\"" | grep -qx 50'
check 'a second run sends nothing'           'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:15:00Z run && sleep 1 && test "$(delivered)" = 50'
check 'nobody but the readers was mailed'    '! grep -v "to=<reader[0-9]*@digest.test>" "$R/log" | grep -q "status="'

# One in the middle of a group is refused: Postfix then refuses DATA, with the next mail behind it already.
sed 's/subscriber "reader\(17\|33\)@/subscriber "gone@digest.test" { filter "all" { match = "*" } }\n&/; s/digest\.db/other.db/; s/tls = none/& connections = 1/' digest.conf |
	awk '!/gone@/ || !seen++' >other.conf
check 'a refused reader holds up nobody'     '"$DIGEST" -c other.conf --now 2026-03-03T08:00:00Z run; all_there 100'
check 'and is told of'                       'test "$("$DIGEST" -c other.conf history gone@digest.test --json | grep -c "\"state\":\"failed\"")" = 1'
said_goodbye() {
	[ "$(sed -n 's/.*disconnect from .* mail=51 rcpt=50\/51 data=50\/51 rset=1 quit=1 .*/x/p' "$R/log" | wc -l)" = 1 ]
}
check 'Postfix finds no fault with the pipelining' 'until_true said_goodbye && ! grep -iq "pipelining\|non-SMTP\|out of order\|lost connection\|timeout\|too many errors" "$R/log"'
