#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A relay that fails in every way at every step, certificates that do not hold, and readers whose addresses want to be
# commands: the right state, code and sentence, and the password nowhere.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 24

make_certificates
cp "$FIXTURES/2026-03-02.json" papers.json
check 'each fault at each step' 'python3 "$E2E/faults.py" "$DIGEST" "$T" >cells; grep -A9 "^not ok" cells; test "$(grep -c "^ok" cells)" = 87'

# --- who the relay says it is
printf 'c4nary-Pa55word\n' >secret && chmod 600 secret
sign() {
	openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial "$@" 2>/dev/null
}
echo 'subjectAltName=DNS:elsewhere.example' >there
sign -days -1 -extfile ext -out expired.pem
sign -days 30 -extfile there -out other.pem
openssl x509 -req -in s.csr -signkey s.key -days 30 -extfile ext -out self.pem 2>/dev/null
config() {
	rm -f digest.db*
	cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { $1 }
source "days" { type = file  path = "papers.json" }
subscriber "ada@digest.test" {}
X
}
# shellcheck disable=SC2120
run() {
	"$DIGEST" -c digest.conf --now "${1:-2026-03-03T08:00:00Z}" run
}
login='user = "me"  password-file = "secret"  ca-file = "ca.pem"'
# refused CERTIFICATE WORDS: nothing is sent to a relay with that certificate, and the words are said.
refused() {
	rm -rf box
	start_smtp box --tls implicit --cert "$1.pem" --key s.key --auth me:c4nary-Pa55word
	config "url = \"smtps://127.0.0.1:$PORT\"  $login"
	says 78 "$2" run && test ! -s box.log && test "$(find box -name '*.eml' | wc -l)" = 0
}
check 'an expired certificate'                   'refused expired "has expired"'
check 'a certificate of another name'            'refused other "not (valid )?for|another name|does not match|127.0.0.1"'
check 'a certificate signed by itself'           'refused self "signed by nobody this machine trusts"'
check 'the cure is named'                        'rm -f digest.db*; says 78 "ca-file" run'
cat >hang_up.py <<'X'
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    listener.accept()[0].close()
X
python3 hang_up.py >port & echo $! >>.pids
until_true '[ -s port ]'
config "url = \"smtps://127.0.0.1:$(cat port)\"  $login"
check 'one that hangs up instead of TLS comes back, maybe' 'says 75 "the connection was lost in the TLS handshake" run && says 75 . run 2026-03-03T09:00:00Z'
start_smtp clear
config "url = \"smtp://127.0.0.1:$PORT\"  $login"
check 'STARTTLS that is not offered'             'says 78 "STARTTLS" run && ! grep -q "AUTH\|MAIL" clear.log'
start_smtp bare --tls implicit --cert s.pem --key s.key
config "url = \"smtps://127.0.0.1:$PORT\"  $login"
check 'a login that is not offered'              'says 78 "AUTH|log in|login" run && ! grep -q MAIL bare.log'
start_smtp odd --tls implicit --cert s.pem --key s.key --auth me:x --mechanisms "CRAM-MD5 GSSAPI"
config "url = \"smtps://127.0.0.1:$PORT\"  $login"
check 'a login in no way we know'                'says 78 "CRAM-MD5|PLAIN|LOGIN" run && ! grep -q MAIL odd.log'
rm -rf digest.db*
for way in PLAIN LOGIN; do
	start_smtp "by-$way" --tls implicit --cert s.pem --key s.key --auth me:c4nary-Pa55word --mechanisms "$way"
	for password in 'password-file = "secret"' 'password-env = "CANARY"' 'password-command = "cat secret"' 'password = "c4nary-Pa55word"'; do
		rm -f digest.db*
		config "url = \"smtps://127.0.0.1:$PORT\"  user = \"me\"  ca-file = \"ca.pem\"  $password"
		chmod 600 digest.conf
		CANARY=c4nary-Pa55word run >>said 2>&1 || echo "$way $password" >>failed
	done
done
check 'PLAIN and LOGIN, each with a password from four places' 'test ! -e failed && test "$(find by-PLAIN by-LOGIN -name "*.eml" | wc -l)" = 8'
check 'the password is in no output, store or log' '! grep -q c4nary said && ! grep -aq c4nary digest.db* *.log && test "$("$DIGEST" -c digest.conf config | grep -c c4nary)" = 0'
echo '[{"expect": "RCPT", "delay": 600}]' >silence.json
start_smtp silent --script silence.json
config "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
echo 'delivery { deadline = 10m }' >>digest.conf
rm -rf digest.db*
check 'a relay that falls silent is left by a signal' '
	"$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run 2>err & pid=$!
	until_true "grep -q RCPT silent.log"; kill -TERM $pid; wait $pid; rc=$?; cat err; test $rc = 75 && test ! -s err &&
	test "$("$DIGEST" -c digest.conf --now 2026-03-03T08:01:00Z outbox --json | grep -c "\"state\":\"deferred\"")" = 1'

# --- a mail in doubt when the next one is due
echo '[{"expect": ".", "reply": "", "close": true}, {"expect": "RCPT", "skip": 1, "reply": "451 4.2.0 later"}]' >doubt.json
start_smtp doubt --script doubt.json
config "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
check 'a mail in doubt does not keep the next day from anybody' '
	run; test $? = 75 && run 2026-03-04T08:00:00Z; test $? = 75 &&
	silent 0 run 2026-03-05T08:00:00Z && test "$(find doubt -name "*.eml" | wc -l)" = 1'

echo '[{"expect": ".", "reply": "", "close": true}, {"expect": "RCPT", "skip": 1, "reply": "451 4.2.0 later", "times": 3}]' >old.json
rm -f digest.db* && start_smtp old --script old.json
config "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
held() {
	"$DIGEST" -c digest.conf --now "$1" outbox --json | grep -c "\"state\":\"held\""
}
check '... nor is it tried for ever'             '
	run; run 2026-03-04T08:00:00Z; test "$(held 2026-03-04T08:01:00Z)" = 0 && says 75 "too old to be tried again, and a copy may be out; held" run 2026-03-05T08:00:00Z &&
	test "$(held 2026-03-05T08:01:00Z)" = 1 && run 2026-03-06T08:00:00Z && test "$(grep -c RCPT old.log)" = 3'
check '... unless a person says so'              '
	"$DIGEST" -c digest.conf --now 2026-03-06T09:00:00Z outbox release ada@digest.test -q; run 2026-03-06T09:01:00Z; test "$(held 2026-03-06T09:02:00Z)" = 1 &&
	"$DIGEST" -c digest.conf --now 2026-03-06T09:03:00Z outbox release ada@digest.test -q; run 2026-03-06T09:04:00Z; test "$(find old -name "*.eml" | wc -l)" = 1'

# by_setting WORD SENTENCE STATE: what delivery.ambiguous makes of it at the next run, which sends no second copy.
by_setting() {
	rm -rf doubt && start_smtp doubt --script doubt.json
	config "url = \"smtp://127.0.0.1:$PORT\"  tls = none"
	echo "delivery { ambiguous = $1 }" >>digest.conf
	run; "$DIGEST" -c digest.conf --now 2026-03-03T09:00:00Z run -v 2>err
	cat err; grep -q "$2" err && ! grep -q "once more" err && test "$(find doubt -name "*.eml" | wc -l)" = 0 &&
		"$DIGEST" -c digest.conf --now 2026-03-03T09:00:00Z history --json | grep -q "\"state\":\"$3\""
}
check 'a person may decide on it'                'by_setting hold "1 mail is held, as a copy may be out" held'
check '... or it is given up'                    'by_setting drop "1 mail of an earlier run may have arrived or not; given up" failed'

# --- addresses that want to be commands
start_smtp hostile --extension SMTPUTF8 --extension 8BITMIME
cat >base.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { url = "smtp://127.0.0.1:$PORT"  tls = none }
source "days" { type = file  path = "papers.json" }
include "readers.conf"
X
hostile() {
	rm -rf digest.db*
	rm -f hostile/* && : >hostile.log
	n=$(python3 "$E2E/addresses.py" config readers.conf "$@")
	"$DIGEST" -c base.conf --now 2026-03-03T08:00:00Z run >out 2>err
	python3 "$E2E/addresses.py" judge hostile.log hostile >judged
}
check 'two hundred hostile addresses give no extra command' 'hostile; test "$n" -ge 200 && test ! -s judged || { head -5 judged; false; }'
check 'each refusal names its line'              'grep -Eq "readers.conf:[0-9]+(:[0-9]+)?: " err && grep -c "readers.conf:" err | { read -r c; test "$c" -ge 80; }'
check 'and the reader behind them all is served' 'grep -q "X-Recipient: last@digest.test" hostile/*.eml'
if [ -n "${DIGEST_CORPUS:-}" ]; then
	check 'nor do those of the test set of addresses' 'hostile "$DIGEST_CORPUS/isemail/tests.xml"; test "$n" -ge 350 && test ! -s judged || { head -5 judged; false; }'
	check 'and the reader behind them is served too'  'grep -q "X-Recipient: last@digest.test" hostile/*.eml'
else
	skip 2 'DIGEST_CORPUS is not set'
fi
check 'by command it is the same' '
	rm -rf digest.db* && echo >readers.conf && rm -f hostile/* && : >hostile.log &&
	python3 "$E2E/addresses.py" list | xargs -0 -n 1 "$DIGEST" -c base.conf --now 2026-03-03T08:00:00Z subscribe -- >/dev/null 2>refusals
	"$DIGEST" -c base.conf --now 2026-03-03T08:00:00Z run -y; python3 "$E2E/addresses.py" judge hostile.log hostile >judged; test ! -s judged || { head -5 judged; false; }'
check 'with a refusal in words for each'         'test "$(grep -c "^digest: " refusals)" -ge 80 && ! grep -vq "^digest: \|^$" refusals'
