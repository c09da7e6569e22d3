#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A password is nowhere but on the way to the relay: not in what is said or kept, not on a command line or in the environment
# of a process we start, not in a core.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 12

word=c4nary-Pa55word
coded=$(printf '\0me\0%s' "$word" | base64)
half=$(printf %s "$word" | base64)
make_certificates
cp "$FIXTURES/2026-03-02.json" days.json
printf '%s\n' "$word" >secret && chmod 600 secret
start_smtp box --tls implicit --cert s.pem --key s.key --auth "me:$word"

# What each child of a run is given, by itself and as /proc has it while the run waits for it.
cat >child <<'X'
#!/bin/sh
{ env; tr '\0' '\n' <"/proc/$$/cmdline"; for p in $$ $PPID; do tr '\0' '\n' <"/proc/$p/cmdline"; done; } >>"$HOME/children"
sleep 0.2
[ $# -eq 0 ] || cat >>"$HOME/mails"
X
chmod 755 child
# run_with WAY: a run that asks a source by a command, logs in, and says all it can
run_with() {
	rm -rf digest.db*
	cat >digest.conf <<X
list { from = "Papers <papers@digest.test>"  operator = "op@digest.test" }
store { path = "digest.db" }
smtp "main" { url = "smtps://127.0.0.1:$PORT"  user = "me"  ca-file = "ca.pem"  $1 }
source "days" { type = file  path = "days.json" }
source "asked" { type = command  command = "./child" }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
X
	chmod 600 digest.conf
	(
		for variable in ${2:-}; do
			# shellcheck disable=SC2163 # NAME=VALUE
			export "$variable"
		done
		exec "$DIGEST" --now 2026-03-03T08:00:00Z run -v
	) >>said 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		for p in $pid $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
			tr '\0' '\n' <"/proc/$p/cmdline" 2>/dev/null
			[ "$p" = $pid ] || tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null
		done >>sampled
		sleep 0.02
	done
	wait $pid
}
# nowhere FILE...: in no spelling
nowhere() {
	for w in "$word" "$coded" "$half"; do
		! grep -aF -- "$w" "$@" || return 1
	done
}
all() {
	rm -rf said sampled "$HOME/children" box/*
	run_with 'password-file = "secret"' && run_with 'password-env = "CANARY"' "CANARY=$word COPY=$word" && run_with 'password-command = "cat secret"' &&
	    run_with "password = \"$word\"" "COPY=$word" && run_with "password = \"\${CANARY}\"" "CANARY=$word"
}
check 'five ways to give a password'              'all; test "$(find box -name "*.eml" | wc -l)" -ge 5 || { cat said; false; }'
check 'it is in nothing that is said'             'test -s said && nowhere said && ! grep -i "AUTH PLAIN\|AUTH LOGIN" said'
check '... in nothing that is kept'               'nowhere digest.db* digest.key box.log'
check '... in no mail'                            'nowhere box/*.eml'
check '... in nothing that a child is given'      'test -s "$HOME/children" && nowhere "$HOME/children"'
check '... on no command line, nor in an environment, at any time' 'grep -q digest sampled && grep -q "^PATH=" sampled && nowhere sampled'
check 'a wrong one is in no complaint'            'sed -i "s/^smtp.*/smtp \"main\" { url = \"smtps:\/\/127.0.0.1:$PORT\"  user = \"me\"  ca-file = \"ca.pem\"  password = \"wrong-$word\" }/" digest.conf; rm -f digest.db*; "$DIGEST" --now 2026-03-03T08:00:00Z run -v >said 2>&1; test $? = 78 && grep -q "refuses user and password" said && nowhere said digest.db*'
check 'nor shown by config, check or an empty run' '"$DIGEST" config >said && "$DIGEST" --now 2026-03-03T08:00:00Z check --offline >>said; "$DIGEST" --now 2026-03-03T08:00:00Z -n -v >>said 2>&1; nowhere said && grep -q hidden said'

# --- sendmail
cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "sendmail.db" }
smtp "main" { url = "sendmail:./child" }
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
X
sed "s/2026-03-0[0-9]/$(date -u -d yesterday +%Y-%m-%d)/g; s/2026-02-[0-9]*/$(date -u -d yesterday +%Y-%m-%d)/g" "$FIXTURES/2026-03-02.json" >days.json
check 'sendmail inherits no secret of ours'       'rm -f "$HOME/children"; SMTP_PASSWORD=$word "$DIGEST" run >said 2>&1; test -s "$HOME/mails" && nowhere "$HOME/children" "$HOME/mails" said'

# --- cores
cp "$FIXTURES/2026-03-02.json" days.json
echo '[{"expect": "MAIL", "delay": 600}]' >script.json
start_smtp slow --tls implicit --cert s.pem --key s.key --auth "me:$word" --script script.json
cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "abort.db" }
smtp "main" { url = "smtps://127.0.0.1:$PORT"  user = "me"  ca-file = "ca.pem"  password-file = "secret" }
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
X
mkdir -p cores
begin() {
	# shellcheck disable=SC3045 # dash has it, and where it is missing there is no core either
	ulimit -c unlimited 2>/dev/null
	"$DIGEST" --now 2026-03-03T08:00:00Z run >said 2>&1 &
	pid=$!
	until_true 'grep -q AUTH slow.log'
}
check 'an abort in the middle leaves no core'     'begin && grep -Eq "^Max core file size +0 +0 " /proc/$pid/limits && kill -ABRT $pid; wait $pid; test $? = 134 && test -z "$(find . /tmp -maxdepth 1 -newer secret -name "core*" -type f)"'
check '... and nothing of it in what it said'     'nowhere said abort.db*'
# Of a process that cores are made of, /proc belongs to its user.
begin_as_nobody() {
	start_smtp "$T/own" --tls implicit --cert s.pem --key s.key --auth "me:$word" --script script.json
	sed -i "s/127.0.0.1:[0-9]*/127.0.0.1:$PORT/" digest.conf
	mkdir theirs && cp digest.conf days.json ca.pem secret theirs
	cp "$DIGEST" theirs/digest
	chmod 755 . && { [ "$(id -u)" -ne 0 ] || chown -R 65534:65534 theirs; }
	cd theirs || return 1
	unprivileged ./digest -c digest.conf --now 2026-03-03T08:00:00Z run >said 2>&1 &
	pid=$!
	until_true 'grep -q AUTH ../own.log'
	owner=$(stat -c %u "/proc/$pid/environ")
	kill $pid
	wait $pid
	cat said
	[ "$owner" = 0 ]
}
case $DIGEST in
*/san-*) skip 1 'sanitizers look from outside' ;;
*) check 'others see nothing of the process'      'begin_as_nobody' ;;
esac
