#!/bin/sh
# A real Postfix takes the digests, and returns those that nobody takes from it, into a Maildir and by a pipe; a real Dovecot
# shows them by IMAPS.
# shellcheck source=lib.sh disable=SC2016,SC2034,SC2154
. "$(dirname "$0")/lib.sh"
command -v postfix >/dev/null || skip_all 'postfix is missing'
[ "$(id -u)" -eq 0 ] || skip_all 'postfix wants root to start'
# shellcheck source=relays.sh
. "$E2E/relays.sh"
# shellcheck source=dovecot.sh
. "$E2E/dovecot.sh"
plan 23

trap 'stop_relay; stop_dovecot; clean_up' EXIT
if ! start_postfix; then
	sed 's/^/# /' "$R/starting"
	echo "Bail out! Postfix does not start"
	exit 1
fi
# What comes back lies apart; two readers are taken at the door and returned later.
echo '/^bounce/ bounces/
/./ all/' >"$R/conf/boxes"
postconf -c "$R/conf" -e "virtual_mailbox_maps = regexp:$R/conf/boxes" 'smtpd_reject_unlisted_recipient = no' \
	'transport_maps = inline:{{dead@digest.test = error:5.1.1 nobody of that name}, {full@digest.test = error:5.2.2 mailbox is full}}'
reload_postfix
IN=$R/mail/bounces
mkdir -p "$IN/new" "$IN/cur" "$IN/tmp" && chown -R postfix "$IN"

cp "$FIXTURES/2026-03-02.json" day.json
config() {
	cat <<X
list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test"  key-file = "digest.key" }
store { path = "$1" }
smtp "relay" { url = "smtp://127.0.0.1:$PORT"  tls = none  helo = client.digest.test }
mailbox { $2 }
source "day" { type = file  path = "day.json" }
filter "all" { match = "*" }
subscriber "well@digest.test" { filter "all" {} empty = note }
subscriber "dead@digest.test" { filter "all" {} empty = note }
subscriber "full@digest.test" { filter "all" {} empty = note }
subscriber "tired@digest.test" { filter "all" {} empty = note }
X
}
config digest.db "maildir = \"$IN\"" >digest.conf

d() {
	"$DIGEST" --now "2026-03-0${day}T08:00:00Z" "$@"
}
# returned N: so many lie there.
returned() {
	until_true '[ "$(find "$IN/new" -type f | wc -l)" -ge "'"$1"'" ]' && [ "$(find "$IN/new" -type f | wc -l)" = "$1" ]
}
state() {
	d subscribers --all | awk -v a="$1" '$1 == a { print $2 }'
}
to() {
	cat "$BOX"/new/* | grep -c "^To: .*$1@"
}

day=3
check 'four readers are mailed'                  'silent 0 d run && all_there 2'
check 'Postfix returns two'                      'returned 2 && cp -r "$IN" first'
check 'they say which delivery they are about'   'cat "$IN"/new/* | grep "^Delivered-To: bounce+[a-z2-7]*@digest.test" | sort -u | wc -l | grep -qx 2'
check 'the sender of a digest has its token'     'cat "$BOX"/new/* | grep -h "^Return-Path: <bounce+[a-z2-7]\{50\}@digest.test>" | sort -u | wc -l | grep -qx 2'
check 'they are read, scored and marked'         'd mailbox | grep -qx "2 bounces of digests" && d mailbox scores dead@digest.test | grep -q "1 of 2" && d mailbox scores full@digest.test | grep -q "0.25 of 2" && returned 0'
day=4
check 'the next digest goes to all'              'silent 0 d run && all_there 4 && returned 2 && cp -r "$IN" second'
day=5
check 'a run reads it first, and is silent there' 'silent 0 d run && test "$(state dead@digest.test)" = left && all_there 6 && returned 1'
check 'the full one is mailed still'             'test "$(state full@digest.test)" = active && d mailbox >/dev/null && d mailbox scores full@digest.test | grep -q "0.5 of 2"'

# --- a reader writes: what the link of the digest says
link() {
	cat "$BOX"/new/* | tr -d "\r" | awk -v RS= '/To: .*tired@/' | sed -n 's/^List-Unsubscribe: <mailto:\(.*\)>$/\1/p' | head -n 1
}
leave() {
	python3 -c 'import smtplib, sys, urllib.parse
to, subject = sys.argv[2].split("?subject=")
mail = f"From: tired@digest.test\r\nTo: {to}\r\nSubject: {urllib.parse.unquote(subject)}\r\nMessage-ID: <leave-1@home.test>\r\n\r\n"
smtplib.SMTP("127.0.0.1", int(sys.argv[1])).sendmail("tired@digest.test", to, mail)' "$PORT" "$(link)"
}
check 'a reader leaves by mail'                  'leave && returned 1 && before=$(to tired) && d mailbox >out && cat out && grep -qx "1 reader left" out && test "$(state tired@digest.test)" = left'
check 'and is told, without a return path'       'all_there 7 && f=$(grep -l "^Auto-Submitted: auto-replied" "$BOX"/new/*) && grep -q "^Return-Path: <>" "$f" && grep -q "^To: tired@digest.test" "$f" && grep -q "^In-Reply-To: <leave-1@home.test>" "$f"'
day=6
check 'the next run is silent there, too'        'silent 0 d run && all_there 8 && test "$(cat "$BOX"/new/* | grep "^To:" | tail -n 1 | wc -l)" = 1 && d status | grep -q "1 bounced, 0 complained"'

# --- what comes back goes into a pipe, which somebody runs who owns nothing but the store
mkdir "$R/pipe" && cp "$DIGEST" day.json "$R/pipe" && chown -R nobody "$R/pipe"
sed 's/@digest.test/@pipe.test/; s/bounce-address = "[^"]*"/bounce-address = "bounce@pipe.test"/; s/^mailbox.*/mailbox { stdin = yes }/; /^subscriber "[wft]/d' \
	digest.conf >"$R/pipe/digest.conf"
echo 'subscriber "dead@digest.test" { filter "all" {} empty = note }' >>"$R/pipe/digest.conf"
sed -i '/^subscriber "dead@pipe/d' "$R/pipe/digest.conf"
echo "digest unix - n n - 1 pipe flags=DR user=nobody directory=$R/pipe argv=./digest -c digest.conf --now 2026-03-03T09:00:00Z mailbox --stdin" >>"$R/conf/master.cf"
postconf -c "$R/conf" -e recipient_delimiter=+ \
	'transport_maps = inline:{{dead@digest.test = error:5.1.1 nobody of that name}, {bounce@pipe.test = digest:}}'
reload_postfix
p() {
	(cd "$R/pipe" && setpriv --reuid nobody --clear-groups ./digest -c digest.conf --now 2026-03-03T08:00:00Z "$@")
}
# logged PATTERN: Postfix says so of the pipe, at last.
logged() {
	until_true "grep -q 'relay=digest,.*$1' '$R/log'" || { grep "relay=digest" "$R/log" && return 1; }
}
check 'where it comes back is told'              'p check >out; grep "mailbox\|leaving" out; grep -q "^ok *mailbox *a pipe to .digest mailbox --stdin.; digests leave as bounce+TOKEN@pipe.test" out && grep -q "^ok *leaving *by a mail to bounce@pipe.test, acted on by .digest mailbox --stdin." out'
check 'a digest to nobody'                       'silent 0 p run && logged "status=sent (delivered via digest service)"'
check '... comes back by the pipe'               'p mailbox scores dead@digest.test >out; cat out; grep -q "1 of 2" out && p status | grep -q "mailbox.*last read Tue"'
again() {
	python3 -c 'import smtplib, sys
smtplib.SMTP("127.0.0.1", int(sys.argv[1])).sendmail("", "bounce@pipe.test", "Subject: hello\r\n\r\nhello\r\n")' "$PORT"
}
check 'what it cannot take now waits'            'mv "$R/pipe/digest.conf" "$R/pipe/away" && again && logged "status=deferred (temporary failure. Command output: digest: digest.conf: No such file"'
check 'and is taken the next time'               'mv "$R/pipe/away" "$R/pipe/digest.conf" && n=$(grep -c "relay=digest.*status=sent" "$R/log") && postqueue -c "$R/conf" -f && until_true "test \$(grep -c relay=digest.*status=sent $R/log) -gt $n"'

# --- the same by IMAP
if ! command -v dovecot >/dev/null || ! make_certificates || ! start_dovecot >dovecot.out 2>&1; then
	skip 7 'no dovecot here'
	exit
fi
printf 'pa ss"wörd\n' >secret && chmod 600 secret
config imap.db "url = \"imaps://localhost:$IMAPS/INBOX\"  user = \"ada\"  password-file = \"secret\"  ca-file = \"ca.pem\"" >imap.conf
i() {
	"$DIGEST" -c imap.conf --now "2026-03-0${day}T08:00:00Z" "$@"
}
# What Postfix returned, as it would have been delivered here.
arrive() {
	for f in "$1"/new/*; do cp "$f" "$BOX/new/$1.${f##*/}"; done
	chown -R nobody "$BOX"
}
day=3
check 'the login is tried by check'              'i check --offline | grep -q "mailbox.*was not tried"; i check >out; grep "mailbox" out; grep -q "^ok *mailbox *imaps://localhost:$IMAPS/INBOX, 0 new mails; digests leave as bounce+TOKEN@digest.test" out'
check 'a first run'                              'silent 0 i run'
arrive first
check 'what came back is read by IMAPS'          'i mailbox >out; cat out; grep -qx "2 bounces of digests" out && test "$(find "$BOX/cur" -name "*S*" | wc -l)" = 2'
check 'once'                                     'i mailbox | grep -qx "0 mails read"'
day=4
i run
arrive second
day=5
check 'the dead one is taken off by the next run' 'silent 0 i run && i subscribers --all | grep "^dead@" | grep -q left && i subscribers --all | grep "^full@" | grep -q active'
check 'a wrong password is for a person'         'echo wrong >secret; says 78 "mailbox|password|log" i run'
check 'a certificate of somebody else, too'      'sed "s/ca-file = \"ca.pem\"//" imap.conf >strange.conf; printf "pa ss\"wörd\n" >secret; says 78 "certificate" "$DIGEST" -c strange.conf --now 2026-03-05T09:00:00Z run'
