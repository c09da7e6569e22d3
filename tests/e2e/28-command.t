#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A source that is a program: it works, or says what it does wrong, and whatever it does it is ended in time.
. "$(dirname "$0")/lib.sh"
plan 22

cat >papers <<'X'
#!/bin/sh
echo '{"id": "2603.00001", "title": "Found by a Program", "listed": "2026-03-03"}'
X
chmod +x papers
cp "$FIXTURES/2026-03-02.json" good.json

# command PROGRAM: a source of that program beside one of a file.
command_is() {
	printf '%s\n' "$1" >program
	write_config <<X
fetch { max-body = 64K  contact = "operator@digest.test" }
source "paper box" { type = file  path = "good.json" }
source "mine" { type = command  command = "exec sh ./program"  timeout = 2s }
defaults { outside = 0 }
subscriber "ada@digest.test" { when = always  filter "all" { match = "*"  limit = 100 } }
X
}
run_at() {
	"$DIGEST" --now "$1" -v run
}
fresh() {
	rm -rf Mail digest.db* digest.key
}
# fails PATTERN PROGRAM: the source fails so, the other one is mailed, nothing counts of what the program printed.
fails() {
	fresh
	command_is "$2"
	says 0 "source mine: .*$1" run_at 2026-03-04T08:00:00Z || return 1
	[ "$(mails_sent)" = 1 ] && grep -q Lantern Mail/new/* || { echo "the other source is not in the mail"; return 1; }
	! grep -q 'Found by a Program' Mail/new/* || { echo "what it printed counts"; return 1; }
}
paper='./papers'

fresh
command_is "$paper"
check 'what it prints is mailed'              'says 0 "" run_at 2026-03-04T08:00:00Z && grep -q "Found by a Program" Mail/new/*'
check 'within an hour it is not asked again'  'command_is "touch asked; ./papers"; says 0 "" run_at 2026-03-04T08:30:00Z && ! [ -e asked ]'
check 'after an hour it is'                   'says 0 "" run_at 2026-03-04T09:00:00Z && [ -e asked ]'
check 'a preview asks it, too'                'fresh; command_is "$paper"; "$DIGEST" --now 2026-03-04T08:00:00Z -n 2>/dev/null | grep -q "Found by a Program" && ! [ -e digest.db ]'
environment() {
	fresh
	command_is 'echo "$DIGEST_SINCE $DIGEST_SOURCE $DIGEST_CONTACT" >>told; ./papers'
	rm -f told
	run_at 2026-03-04T08:00:00Z && run_at 2026-03-05T08:00:00Z && "$DIGEST" --now 2026-03-05T09:00:00Z fetch --since 2026-01-15 || return 1
	cat told
	printf '%s mine operator@digest.test\n' 2026-02-25 2026-03-02 2026-01-15 | cmp - told
}
check 'it is told since when, for whom'       environment
check 'it has nothing to read'                'fresh; command_is "cat >input; ./papers"; says 0 "" run_at 2026-03-04T08:00:00Z </dev/zero && test -f input && test ! -s input'
inherited() {
	fresh
	command_is 'ls -l /proc/self/fd >fds; ./papers'
	run_at 2026-03-04T08:00:00Z && [ -s fds ] && ! grep -E 'digest\.db|socket' fds
}
check 'it gets no file of the store'          inherited

check 'broken lines are counted and named'    'fresh; command_is "echo loading; ./papers; echo 7"; says 0 "source mine: 2 entries left out: line 1: column 7" run_at 2026-03-04T08:00:00Z && grep -q "Found by a Program" Mail/new/*'
check 'a program that prints something else'  'fails "the command prints no paper; line 1: " "echo usage: papers"'
check 'one that finds nothing is in order'    'fresh; command_is "exit 0"; says 0 "" run_at 2026-03-04T08:00:00Z && ! grep "source mine" .err && test "$(mails_sent)" = 1'

took() {
	began=$(date +%s)
	"$@" || return 1
	[ $(($(date +%s) - began)) -lt 60 ] || { echo "took $(($(date +%s) - began)) s"; return 1; }
}
check 'one that runs too long is ended'       'took fails "2 s" "./papers; sleep 600"'
check '... also when it will not stop'        'took fails "2 s" "trap : TERM INT HUP; ./papers; while :; do sleep 1; done"'
check 'one that prints too much is ended'     'took fails "65536 bytes" "yes \"\$(./papers)\""'
check 'one that prints one endless line'      'took fails "65536 bytes" "cat /dev/zero"'
check 'its exit code and its last words'      'fails "(exit|ended with|status).* 3.*no such search" "./papers; echo first >&2; echo no such search >&2; exit 3"'
check 'what it says is printable'             'fails "red" "printf \"\\033[31mred\\n\" >&2; exit 1" && ! LC_ALL=C grep -q "$(printf "\033")" .err'
check 'one that talks without end on stderr'  'took fails "" "yes error | head -c 10000000 >&2; exit 1"'
check 'one that dies by a signal'             'fails "signal.*(9|KILL|Killed)" "./papers; kill -9 \$\$"'
check 'one that does not exist'               'fails "127|not found" "./no-such-program"'

# What it leaves behind goes with it.
leftover() {
	fresh
	command_is 'sleep 300 & echo $! >child; ./papers'
	took says 0 '' run_at 2026-03-04T08:00:00Z || return 1
	# Ended, and perhaps not yet buried by whoever inherited it.
	until_true 'case $(ps -o stat= -p "$(cat child)") in "" | Z*) ;; *) false ;; esac' && return
	kill "$(cat child)"
	return 1
}
check 'a child that stays is ended with it'   leftover

back_off() {
	fresh
	command_is 'echo x >>asked; exit 1'
	rm -f asked
	run_at 2026-03-04T08:00:00Z
	run_at 2026-03-04T08:02:00Z
	[ "$(wc -l <asked)" = 1 ] || { echo 'asked again at once'; return 1; }
	command_is "$paper"
	run_at 2026-03-04T08:30:00Z && grep -q 'Found by a Program' Mail/new/*
}
check 'a fault is not repeated at once, and nothing is lost' back_off
check 'without a command the block is wrong'  'fresh; write_config <<X
source "mine" { type = command }
X
says 78 "digest.conf:3:1: source .mine. of type command has no command; expected command = " "$DIGEST" run'
