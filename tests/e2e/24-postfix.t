#!/bin/sh
# A real Postfix takes the digests of fifty readers and delivers them into Maildirs; a second run sends nothing.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
command -v postfix >/dev/null || skip_all "postfix is missing"
[ "$(id -u)" -eq 0 ] || skip_all "postfix wants root to start"
plan 10

# Postfix wants a folder that its own user can walk to, with long queue names: not the test's, which is closed.
P=$(mktemp -d /tmp/digest-postfix.XXXXXX) && chmod 755 "$P" || exit 1
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$P/conf" "$P/queue" "$P/data" "$P/mail" && chown postfix "$P/data" "$P/mail"
cat >"$P/conf/main.cf" <<X
compatibility_level = 3.6
queue_directory = $P/queue
data_directory = $P/data
maillog_file = $P/log
maillog_file_prefixes = $P
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.digest.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_forbid_bare_newline = yes
smtpd_client_restrictions = reject_unauth_pipelining
smtpd_data_restrictions = reject_unauth_pipelining
smtpd_recipient_restrictions = check_recipient_access inline:{{gone@digest.test = 550 5.1.1 gone}}, permit_mynetworks, reject
virtual_mailbox_domains = digest.test
virtual_mailbox_base = $P/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:$(id -u postfix)
virtual_gid_maps = static:$(id -g postfix)
virtual_minimum_uid = 1
default_transport = error:5.1.2 no route
X
{
	echo "127.0.0.1:$PORT inet n - n - - smtpd"
	sed '/^smtp *inet/d; s/^\([a-z]*  *[a-z]*  *[-ny]  *[-ny]  *\)y/\1n/' /etc/postfix/master.cf
} >"$P/conf/master.cf"

stop_postfix() {
	postfix -c "$P/conf" stop >/dev/null 2>&1
	rm -rf "$P"
}
trap 'stop_postfix; clean_up' EXIT
if ! postfix -c "$P/conf" start >"$T/postfix.log" 2>&1; then
	sed 's/^/# /' "$T/postfix.log"
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

delivered() {
	find "$P/mail" -path '*/new/*' -type f | wc -l
}
# Postfix accepts at once and delivers a moment later.
all_there() {
	for _ in $(seq 1 100); do
		[ "$(delivered)" -ge "$1" ] && break
		sleep 0.1
	done
	[ "$(delivered)" = "$1" ]
}

check 'fifty readers are mailed in silence'  'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run'
check 'Postfix delivers each of them'        'all_there 50'
check 'one for each address'                 'test "$(cat "$P"/mail/all/new/* | grep -c "^To: reader[0-9]*@digest.test")" = 50 && test "$(cat "$P"/mail/all/new/* | grep "^To: " | sort -u | wc -l)" = 50'
check 'the lint has nothing to say'          'python3 "$E2E/mail_lint.py" --lf --delivered "$P"/mail/all/new/*'
check "the store knows Postfix's answer"     'sql "SELECT count(*) FROM edition WHERE reply LIKE \"250 2.0.0 Ok: queued as %\"" | grep -qx 50'
check 'a second run sends nothing'           'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:15:00Z run && sleep 1 && test "$(delivered)" = 50'
check 'nobody but the readers was mailed'    '! grep -v "to=<reader[0-9]*@digest.test>" "$P/log" | grep -q "status="'

# One in the middle of a group is refused: Postfix then refuses DATA, with the next mail behind it already.
sed 's/subscriber "reader\(17\|33\)@/subscriber "gone@digest.test" { filter "all" { match = "*" } }\n&/; s/digest\.db/other.db/; s/tls = none/& connections = 1/' digest.conf |
	awk '!/gone@/ || !seen++' >other.conf
check 'a refused reader holds up nobody'     '"$DIGEST" -c other.conf --now 2026-03-03T08:00:00Z run; all_there 100'
check 'and is told of'                       'test "$("$DIGEST" -c other.conf history gone@digest.test --json | grep -c "\"state\":\"failed\"")" = 1'
check 'Postfix finds no fault with the pipelining' '! grep -iq "pipelining\|non-SMTP\|out of order\|lost connection\|timeout\|too many errors" "$P/log" && test "$(sed -n "s/.*disconnect from .* mail=51 rcpt=50\/51 data=50\/51 rset=1 quit=1 .*/x/p" "$P/log" | wc -l)" = 1'
