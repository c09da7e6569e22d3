#!/bin/sh
# The whole job as the README describes it: the short configuration, but for the names of hosts, against a Daily Papers and a
# relay with TLS and a login, both on loopback: the mail arrives.
# shellcheck disable=SC2154
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 10

mkdir days && cp "$FIXTURES/2026-03-02.json" days
start_replay --days "$T/days" --log "$T/requests"
days=$PORT
make_certificates
start_smtp relay --tls implicit --cert s.pem --key s.key --auth me:c4nary-Pa55word
printf 'c4nary-Pa55word\n' >smtp.secret && chmod 600 smtp.secret

# Five lines as they stand there, and two for what a real machine has by itself: the service and a known authority.
{
	sed -n '/^list { from = "Papers <me@example.org>" }/,/^}/p' "$ROOT/README.md"
	echo "source \"huggingface\" { type = huggingface  url = \"http://127.0.0.1:$days\" }"
	echo 'fetch { allow-private = {"127.0.0.0/8"} }'
} | sed "s/me@example.org/me@digest.test/; s|smtps://smtp.example.org\"|smtps://localhost:$PORT\"  ca-file = \"ca.pem\"|" >digest.conf

check 'it has five lines and two'        'test "$(grep -c . digest.conf)" = 8 && grep -q "password-file = \"smtp.secret\"" digest.conf'
check 'a check logs in'                  '"$DIGEST" -c digest.conf check >out; grep -q "^ok   mail .*main: smtps://localhost:$PORT, TLS, logged in" out'
check 'and tells a wrong password'       'cp smtp.secret good && echo wrong >smtp.secret; "$DIGEST" -c digest.conf check >out; rc=$?; cp good smtp.secret; test $rc = 78 && grep -q "^fail mail .*535" out'
: >relay.log
check 'a preview shows it, asks no relay' '"$DIGEST" -c digest.conf --now 2026-03-03T13:00:00Z -n >out 2>err && grep -q "via main (localhost:$PORT, TLS)" err && test ! -s relay.log'
check 'the run is silent'                'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T13:00:00Z run'
check 'the mail arrived'                 'test "$(find relay -name "*.eml" | wc -l)" = 1 && grep -q "^To: <*me@digest.test" relay/*.eml && grep -q "^X-Recipient: me@digest.test" relay/*.eml'
check 'with what the preview showed'     'grep -q "^Subject: $(sed -n "s/^Subject: \(.\{20\}\).*/\1/p" err)" relay/*.eml'
check 'a second run sends nothing'       'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T13:15:00Z run && test "$(find relay -name "*.eml" | wc -l)" = 1'
check 'and asks nobody for a password'   'sed "s/password-file = .smtp.secret./password-command = \"touch asked; cat smtp.secret\"/" digest.conf >command.conf && silent 0 "$DIGEST" -c command.conf --now 2026-03-03T13:30:00Z run && test ! -e asked && rm command.conf'
check 'the password is nowhere'          '! grep -rq c4nary out err requests relay relay.log digest.db* && "$DIGEST" -c digest.conf config >conf && ! grep -q c4nary conf'
