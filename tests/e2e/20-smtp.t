#!/bin/sh
# The program hands its mails to a relay, by SMTP with and without TLS, and to a sendmail; what the relay says decides.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 22

cp "$FIXTURES/2026-03-02.json" plain.json
printf 'c4nary-Pa55word\n' >secret && chmod 600 secret

make_certificates

# A place of its own with three readers and this smtp block.
place() {
	mkdir -p "$1" && cat >"$1/digest.conf" <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { $2 }
source "days" { type = file  path = "../plain.json" }
subscriber "ada@digest.test" {}
subscriber "bob@digest.test" {}
subscriber "eve@digest.test" {}
X
	cd "$1" || exit 1
}

run() {
	"$DIGEST" -c digest.conf --now "${1:-2026-03-03T08:00:00Z}" run
}

dumped() {
	find "$T/$1" -name '*.eml' | wc -l | tr -d ' '
}

start_smtp plain
place one "url = \"smtp://127.0.0.1:$PORT\"  tls = none  helo = client.digest.test"
check 'the preview names the relay, and asks it nothing' '"$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z -n >out 2>&1; grep -q "main (127.0.0.1:$PORT)" out && test ! -s ../plain.log'
check 'a run over SMTP is silent'               'silent 0 run'
check 'each reader has a mail'                  'test "$(dumped plain)" = 3'
check 'one recipient each'                      'test "$(grep -h "^X-Recipient" ../plain/*.eml | sort -u | wc -l)" = 3 && test "$(grep -ch "^X-Recipient" ../plain/*.eml | sort -u)" = 1'
# Every connection that carried a mail ends with QUIT; one that was still being opened when the last mail left does not. The
# server may write down a farewell when the program has ended already.
farewells() {
	awk '$2 == "MAIL" { mail[$1] } $2 == "QUIT" { quit[$1] } { n++ }
		END { for (c in mail) if (!(c in quit)) exit 1; exit n == 0 }' "$1"
}
check 'it says who it is, and goodbye'          'grep -q "EHLO client.digest.test" ../plain.log && until_true "farewells ../plain.log" || { cat ../plain.log; false; }'
check 'the mails are clean'                     'for f in ../plain/*.eml; do sed "/^X-Recipient/d; /^X-Sender/d" "$f" >x.eml && python3 "$E2E/mail_lint.py" x.eml || exit 1; done'
check 'a second run mails nothing and connects to nobody' 'before=$(wc -l <../plain.log) && silent 0 run && test "$(wc -l <../plain.log)" = "$before"'
cd ..

start_smtp tls --tls implicit --cert s.pem --key s.key --auth ada:c4nary-Pa55word
place two "url = \"smtps://localhost:$PORT\"  user = ada  password-file = \"../secret\"  ca-file = \"../ca.pem\""
check 'over TLS, with a login'                  'silent 0 run && test "$(dumped tls)" = 3'
cd ..
place three "url = \"smtps://localhost:$PORT\"  user = eve  password-file = \"../secret\"  ca-file = \"../ca.pem\""
check 'a wrong password is told, with what to do' 'says 78 "localhost:$PORT: refuses user and password .535 5.7.8" run'
check 'the password is nowhere'                 '! run 2>&1 | grep -q c4nary && ! grep -rq c4nary . && ! grep -q c4nary ../tls.log'
cd ..
place four "url = \"smtps://localhost:$PORT\"  user = ada  password-file = \"../secret\""
check 'an unknown authority is told'            'says 78 "signed by nobody this machine trusts" run && test "$(dumped tls)" = 3'
cd ..

cat >script <<'X'
[{"expect": "RCPT TO:<bob", "reply": "550 5.1.1 no such user", "times": 0},
 {"expect": "RCPT TO:<eve", "reply": "451 4.7.1 greylisted, come back"}]
X
start_smtp grey --tls starttls --cert s.pem --key s.key --script script
place five "url = \"smtp://localhost:$PORT\"  ca-file = \"../ca.pem\""
check 'STARTTLS; a refused and a deferred reader hold up nobody' 'run; test $? = 75 && test "$(dumped grey)" = 1'
check 'the deferred one has it from the next run' 'run 2026-03-03T08:10:00Z; test "$(dumped grey)" = 2 && grep -hq "X-Recipient: eve" ../grey/*.eml'
check 'the refused one is not tried again'      'run 2026-03-03T09:00:00Z; test "$(grep -c "RCPT TO:<bob" ../grey.log)" = 1'
cd ..

echo '[{"expect": "RCPT", "reply": "451 4.3.0 not now", "times": 0}]' >script
start_smtp busy --script script
place backoff "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
# tries TIME N: after a run at that time there were N tries in all, three readers each.
tries() {
	run "2026-03-03T$1Z" 2>/dev/null
	[ "$(grep -c "RCPT" ../busy.log)" = "$(($2 * 3))" ]
}
check 'tries are spaced by 5, 10 and 20 minutes' 'tries 08:00:00 1 && tries 08:04:00 1 && tries 08:05:00 2 && tries 08:13:00 2 && tries 08:15:00 3 && tries 08:32:00 3 && tries 08:35:00 4'
cd ..

cat >script <<'X'
[{"expect": "RCPT TO:<ada", "reply": "450 4.2.0 greylisted", "times": 0},
 {"expect": "RCPT TO:<bob", "reply": "452 4.2.2 mailbox full", "times": 0},
 {"expect": "RCPT TO:<eve", "reply": "550 5.7.1 not by our policy", "times": 0}]
X
start_smtp moody --script script
place classes "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
# asked TIME WHO...: a run at that time asks for just these.
asked() {
	: >../moody.log
	run "2026-03-03T$1Z" 2>/dev/null
	shift
	[ "$(sed -n 's/.*RCPT TO:<\(.*\)@.*/\1/p' ../moody.log | sort | tr '\n' ' ')" = "$(printf '%s ' "$@")" ]
}
check 'what was said decides when it is tried again' 'asked 08:00:00 ada bob eve && "$DIGEST" -c digest.conf outbox --json | python3 -c "
import json, sys
wait = {m[\"address\"][:3]: (m[\"next\"] - 1772524800) / 60 for m in map(json.loads, sys.stdin)}
assert 5 < wait[\"ada\"] <= 6 and 36 <= wait[\"bob\"] <= 40 and 13.5 <= wait[\"eve\"] <= 15, wait"'
check '... and it is'                           'asked 08:06:00 ada && asked 08:15:00 eve && asked 08:18:00 ada && asked 08:30:00 eve && asked 08:40:00 bob'
cd ..

cat >sendmail <<'X'
#!/bin/sh
{ echo "args $*"; cat; } >>"$HOME/sent"
X
chmod 755 sendmail
place six 'url = "sendmail:../sendmail"'
sed -i "s/plain.json/new.json/" digest.conf
# A sendmail is not known to be local, so the clock is the real one.
sed "s/2026-03-0[0-9]/$(date -u -d yesterday +%Y-%m-%d)/g; s/2026-02-[0-9]*/$(date -u -d yesterday +%Y-%m-%d)/g" ../plain.json >../new.json
check 'sendmail is asked once for each'         '"$DIGEST" -c digest.conf run; test "$(grep -c "^args -i -f papers@digest.test -- " "$HOME/sent")" = 3'
cd ..
# Nor is 0.0.0.0, though whoever connects there comes to this machine.
start_smtp clear
place clear "url = \"smtp://0.0.0.0:$PORT\"  tls = none  insecure = yes"
sed -i "s/plain.json/new.json/" digest.conf
check 'mail in clear is told to cron as well'   'says 0 "^digest: .*0\.0\.0\.0.*: insecure: mail and password go there without TLS; expected tls = required$" "$DIGEST" -c digest.conf run && test "$(find ../clear -name "*.eml" | wc -l)" = 3'
check '... and is a fault to check, unasked'    '"$DIGEST" -c digest.conf check --offline >said; test $? = 78 && grep -q "^fail mail .*insecure: mail and password go to smtp://0.0.0.0.*use smtps:// or tls = required" said'
cd ..
place seven 'url = "smtp://127.0.0.1:1"  tls = none'
check 'nobody there: it says so'                'says 69 "127.0.0.1:1: Connection refused" run || says 75 "127.0.0.1:1: Connection refused" run'
check 'and it is made up for later'             'sed -i "s|smtp://127.0.0.1:1\"|maildir:Mail\"|" digest.conf; run 2026-03-03T08:20:00Z; test "$(mails_sent)" = 3'
