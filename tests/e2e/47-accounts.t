#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Several ways out: who goes which way, what a broken one means to the others, rates, limits of a day, tokens.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 30

cp "$FIXTURES/2026-03-02.json" papers.json
make_certificates

# place FOLDER: a place of its own; the configuration comes on standard input.
place() {
	mkdir -p "$T/$1" && cd "$T/$1" || exit 1
	{
		echo 'list { from = "Papers <papers@digest.test>" }'
		echo 'store { path = "digest.db" }'
		echo 'source "days" { type = file  path = "../papers.json" }'
		cat
	} >digest.conf
}
# run [DAY-AND-TIME]: the papers are of 2 March.
run() {
	case ${1:-} in -*) "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z "$1" run ;;
	*) "$DIGEST" -c digest.conf --now "2026-03-${1:-03T08:00:00}Z" run ;; esac
}
# begin [SECONDS]: the same in the background, with all it says in the file said; sets $run_pid.
begin() {
	"$DIGEST" -c digest.conf -v --now "2026-03-03T08:00:${1:-00}Z" run 2>said &
	run_pid=$!
	pids="$pids $run_pid"
}
# end_by SIGNAL
end_by() {
	kill "-$1" "$run_pid" 2>/dev/null
	wait "$run_pid" 2>/dev/null
}
# got BOX WHO...: these have mail there, by the first words of their addresses, and nobody else.
got() {
	box=$1
	shift
	[ "$(sed -n 's/^X-Recipient: \([^.@]*\)[.@].*/\1/p' "$T/$box"/*.eml 2>/dev/null | sort | tr '\n' ' ')" = "$(printf '%s ' "$@")" ]
}
relay() {
	echo "smtp \"$1\" { url = \"smtp://127.0.0.1:$2\"  tls = none  ${3:-} }"
}
# server BOX ARGUMENT...: start_smtp at the top of the test's folder.
server() {
	cd "$T" || exit 1
	start_smtp "$@"
}
# Its process is gone, or is nobody's but ours to bury.
has_ended() {
	case $(cat "/proc/$run_pid/stat" 2>/dev/null) in *") Z "* | "") return 0 ;; esac
	return 1
}
preview() {
	"$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z -n "$@" 2>&1
}

# --- by the domain of the reader
server one && port1=$PORT
server two && port2=$PORT
place domains <<X
$(relay rest "$port1")
$(relay b "$port2" 'domains = {"b.test", "*.b.test", "BÜCHER.test"}')
smtp "box" { url = "maildir:Mail"  domains = {"deep.b.test"} }
subscriber "ada@a.test" {}
subscriber "bob@b.test" {}
subscriber "cat@sub.sub.b.test" {}
subscriber "dan@deep.b.test" {}
subscriber "eve@xn--bcher-kva.test" {}
subscriber "fay@notb.test" {}
X
check 'the preview names the way of each'       'preview -u bob@b.test | grep -q "via b (127.0.0.1:$port2)" && preview -u ada@a.test | grep -q "via rest (127.0.0.1:$port1)" && preview -u dan@deep.b.test | grep -q "via box (maildir:Mail)"'
check 'a run goes all ways, and is silent'      'silent 0 run'
check 'each reader by the nearest domain'       'got one ada fay && got two bob cat eve && test "$(mails_sent)" = 1'
check 'check looks at each'                     '"$DIGEST" -c digest.conf check >out 2>&1; grep -q "rest: smtp" out && grep -q "b: smtp" out && grep -q "box: Maildir" out'
place wayless <<X
$(relay b "$port2" 'domains = {"b.test"}')
subscriber "ada@a.test" {}
subscriber "bob@b.test" {}
X
check 'a reader without a way is told, the other served' 'says 78 "a…@a.test: no smtp block takes this domain" run && test "$(grep -l "X-Recipient: bob@" ../two/*.eml | wc -l)" = 2'
check 'so says a preview'                       'preview | grep -q "no smtp block takes this domain"'
check '... and check'                           '"$DIGEST" -c digest.conf check 2>&1 | grep -q "no smtp block takes the domain of ada@a.test"'
place misspelt <<X
$(relay b "$port2" 'domains = {"b test", "*.", "a@b.test"}')
subscriber "bob@b.test" {}
X
check 'what is no domain is refused'            'says 78 "b test. is no domain" run && grep -q "a…@b.test. is no domain" ../.err'

# --- one that is broken
server well && port=$PORT
place broken <<X
smtp "dead" { url = "smtp://127.0.0.1:1"  tls = none  domains = {"dead.test"} }
smtp "locked" { url = "smtp://127.0.0.1:$port"  tls = none  user = me  password-file = "none"  domains = {"locked.test"} }
$(relay well "$port")
subscriber "ada@dead.test" {}
subscriber "bob@locked.test" {}
subscriber "cat@well.test" {}
subscriber "dan@well.test" {}
X
check 'the others are served'                   'says 78 "dead .*Connection refused" run && grep -q "locked.*none" ../.err && got well cat dan'
check 'nobody is skipped'                       '
	sed -i "s/127.0.0.1:1\"/127.0.0.1:$port\"/; s/  user = me  password-file = \"none\"//" digest.conf
	silent 0 run 03T09:00:00 && got well ada bob cat dan'

# --- one that closes each time
cd "$T" && echo '[{"expect": "MAIL", "reply": "", "close": true, "times": 0}]' >closes.json
server shut --script closes.json && port1=$PORT
server open && port2=$PORT
place pause <<X
$(relay shut "$port1" 'domains = {"shut.test"}')
$(relay open "$port2")
$(for i in 1 2 3 4 5 6 7 8 9; do printf 'subscriber "r%s@shut.test" {}\nsubscriber "q%s@open.test" {}\n' $i $i; done)
X
begin
check 'it pauses, the other goes on'            'until_true "test \$(ls ../open/*.eml | wc -l) = 9" && until_true "grep -q \"5 failures in a row.*waits 10 min\" said" || { cat said; false; }'
sleep 0.5
check 'it is left alone meanwhile'              'kill -0 $run_pid && test "$(grep -c MAIL ../shut.log)" -le 8'
"$DIGEST" -c digest.conf outbox hold --all >/dev/null 2>&1
check 'the brake stops a run that waits'        'until_true has_ended || { cat said; false; }'
end_by KILL
check 'nobody is lost'                          '"$DIGEST" -c digest.conf outbox release --all >/dev/null; sed -i "s/127.0.0.1:$port1/127.0.0.1:$port2/" digest.conf; run 03T10:00:00; test "$(ls ../open/*.eml | wc -l)" = 18'

# --- rates
server slow && port=$PORT
place rate <<X
$(relay slow "$port" 'rate = 2/sec')
subscriber "a1@a.test" {}
subscriber "a2@a.test" {}
subscriber "a3@a.test" {}
subscriber "b1@a.test" {}
subscriber "b2@a.test" {}
X
# evenly BOX: none of the mails since the file began left before its time. A busy server writes one down late, never early.
evenly() {
	python3 -c 'import glob, os, sys
begin = os.stat("began").st_mtime
times = sorted(os.stat(f).st_mtime - begin for f in glob.glob(sys.argv[1] + "/*.eml"))
print(times)
sys.exit(any(t < 0.45 * i for i, t in enumerate(times)))' "$T/$1"
}
touch began
check 'two a second, evenly'                    '"$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z -u a1@a.test -u a2@a.test -u a3@a.test run && got slow a1 a2 a3 && evenly slow'
check 'the next run goes on from there'         'run && got slow a1 a2 a3 b1 b2 && evenly slow'
server rare && port=$PORT
place rare <<X
$(relay rare "$port" 'rate = 1/day')
subscriber "a1@a.test" {}
subscriber "a2@a.test" {}
X
check 'what a rate leaves over is not waited for' 'says 75 "its rate leaves 1 mail for a later run" run -v'
check 'and goes when its time has come'         'run 03T20:00:00 2>/dev/null; got rare a1 && run 04T08:00:10; got rare a1 a2'
server killed && port=$PORT
place killed <<X
$(relay killed "$port" 'rate = 1/min')
subscriber "s1@a.test" {}
subscriber "s2@a.test" {}
X
begin
until_true 'grep -q "X-Recipient: s" ../killed/*.eml'
sleep 0.3
kill -TERM "$run_pid"
check 'a signal ends a wait for the rate'       'until_true has_ended && got killed s1'
end_by KILL
for second in 10 20 30; do
	begin $second
	until_true 'grep -q "mails: 1 at 1/min" said'
	sleep 0.3
	end_by KILL
done
check 'runs that are killed send no more for it' 'cat said; grep -q "mails: 1 at 1/min" said && got killed s1'

# --- limits of a day
server few && port=$PORT
place limit <<X
$(relay few "$port" 'daily-limit = 2')
subscriber "a1@a.test" { when = always }
subscriber "a2@a.test" { when = always }
subscriber "a3@a.test" { when = always }
X
check 'so many in a day, the rest stays due'    'says 75 "its daily-limit leaves 1 mail for a later run" run -v && got few a1 a2'
check 'nor does another run send more'          'run 03T20:00:00 2>/dev/null; got few a1 a2'
check 'the next day who was left over goes first' 'sed "s/2026-03-02/2026-03-03/g; s/\"2603/\"2604/g" ../papers.json >../papers2.json; sed -i "s/papers.json/papers*.json/" digest.conf; run 04T20:00:00 2>/dev/null; test "$(ls ../few/*.eml | wc -l)" = 4 && grep -q "X-Recipient: a3@" ../few/*.eml || { ls ../few; grep X-Rec ../few/*; false; }'

# --- tokens
cd "$T" || exit 1
# Longer than what is kept of a reply, as tokens are.
printf 'c4nary-old-%0900d\n' 7 >old && printf 'c4nary-new-%0900d\n' 7 >new && chmod 600 old new
cat >token.sh <<'X'
#!/bin/sh
# token.sh NAME FILE: prints the old token first, then what is in FILE; notes each call, and what others can see.
cd "$(dirname "$0")" || exit 1
echo call >>"$1.calls"
{ env; cat "/proc/$PPID/cmdline" "/proc/$(cut -d " " -f 4 "/proc/$PPID/stat")/cmdline"; } >>"$1.seen" 2>/dev/null
if [ "$(grep -c call "$1.calls")" -gt 1 ]; then cat "$2"; else cat old; fi
X
chmod 755 token.sh
for way in XOAUTH2 OAUTHBEARER; do
	server "by-$way" --tls implicit --cert s.pem --key s.key --auth "me:new" --mechanisms "PLAIN $way" --rude
	place "in-$way" <<X
smtp "main" { url = "smtps://127.0.0.1:$PORT"  user = me  auth = $(echo "$way" | tr 'A-Z' 'a-z')  ca-file = "../ca.pem"  token-command = "../token.sh $way new" }
subscriber "ada@a.test" {}
subscriber "bob@a.test" {}
X
	check "$way: a token that has expired is asked for anew" 'silent 0 run && got "by-$way" ada bob && test "$(grep -c call "$T/$way.calls")" = 2'
done
server never --tls implicit --cert s.pem --key s.key --auth "me:new" --mechanisms "PLAIN XOAUTH2" --rude
place never-in <<X
smtp "main" { url = "smtps://127.0.0.1:$PORT"  user = me  ca-file = "../ca.pem"  token-command = "../token.sh never old" }
subscriber "ada@a.test" {}
X
check 'a new one that is refused, too, is told' 'says 78 "refuses user and token, also a new one .334 .the server repeats the password.*run token-command" run && test "$(grep -c call "$T/never.calls")" = 2'
check 'so says check'                           '"$DIGEST" -c digest.conf check >out 2>&1; grep -q "also a new one" out || { cat out; false; }'
check 'the token is nowhere'                    '"$DIGEST" -c digest.conf -v --now 2026-03-03T09:00:00Z run >said 2>&1; "$DIGEST" -c digest.conf config >>said; cd .. && ! grep -aE "c4nary|YzRuYXJ5|M0bmFyeS|jNG5hcn" ./*.seen ./*.log in-*/digest.db* never-in/digest.db* never-in/said never-in/out .err .out'
place odd <<X
smtp "main" { url = "smtps://127.0.0.1:$PORT"  user = me  auth = xoauth2  password-file = "../new" }
subscriber "ada@a.test" {}
X
check 'a token way without its command'         'says 78 "auth = xoauth2 without token-command" run'
check 'and the command with another way'        'sed -i "s/auth = xoauth2  password-file = [^ ]*/auth = login  token-command = true/" digest.conf; says 78 "token-command with auth = login" run'
