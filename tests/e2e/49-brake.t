#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The brake in a run under way: within a second nothing more leaves, whatever the run waits for; what has its final dot out
# is finished, nothing is lost, nothing comes twice. And a brake of one's own: who leaves while their mail waits.
. "$(dirname "$0")/lib.sh"
plan 13

cp "$FIXTURES/2026-03-02.json" days.json
config() {
	cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { url = "smtp://127.0.0.1:$PORT"  tls = none  $2 }
source "days" { type = file  path = "days.json" }
X
	seq "$1" | sed 's/.*/subscriber "r&@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }/' >>digest.conf
	rm -f digest.db*
}
at() {
	now=2026-03-03T$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
# brake_when COMMAND: start a run, put the brake on once that is true, wait for its end. Sets $rc, $held_at and $took.
brake_when() {
	at 08:00:00 run 2>err &
	pid=$!
	until_true "$1" || return 1
	at 08:00:00 outbox hold --all -q
	held_at=$(date +%s.%N)
	wait $pid
	rc=$?
	took=$(echo "$(date +%s.%N) $held_at" | awk '{ print $1 - $2 }')
	echo "# ended with $rc after $took s"
	cat err
}
# last COMMAND: how long after the brake the server got the last one, in seconds
last() {
	grep -E "^[0-9.]+ [0-9]+ $1" "$box.log" | tail -n 1 | awk -v held="$held_at" '{ print $1 - held }'
}
# in_time WHAT SECONDS: a second is promised, and a busy machine has five; what the run waits for takes longer.
in_time() {
	echo "# $1: $2 s after the brake"
	awk -v x="$2" 'BEGIN { exit !(x < 5.0) }'
}
outbox() {
	at 08:00:00 outbox --json | grep -c "\"state\":\"$1\""
}
# What waited goes when the brake is off, each mail once.
all_arrive() {
	at 08:00:00 outbox release --all -q
	at 08:00:01 run || return 1
	[ "$(cat "$box"/*.eml | grep -c '^X-Recipient:')" -eq "$1" ] && [ "$(cat "$box"/*.eml | grep '^X-Recipient:' | sort -u | wc -l)" -eq "$1" ]
}

# --- a relay that is slow
echo '[{"expect": "MAIL", "delay": 0.2, "times": 40}]' >script.json
start_smtp slow --script script.json --stamp
config 100 'connections = 2'
check 'a run over a slow relay ends'                  'brake_when "[ \$(grep -c MAIL slow.log) -ge 6 ]" && [ $rc -eq 75 ] && grep -q "stopped: all mail is on hold" err && in_time ended "$took" && in_time "last MAIL" "$(last MAIL)" && n=$(grep -c MAIL slow.log) && echo "# $n" && [ "$n" -lt 90 ]'
check '... and everybody gets it once afterwards'     'all_arrive 100'

# --- a relay that does not answer
stall() {
	echo "[{\"expect\": \"$1\", \"delay\": $2}]" >script.json
	start_smtp "stall-$3" --script script.json --stamp
	config 3 'connections = 1'
}
stall RCPT 600 rcpt
check 'one that is silent at RCPT is left'            'brake_when "grep -q RCPT stall-rcpt.log" && [ $rc -eq 75 ] && in_time ended "$took"'
check '... its mail waits, without a penalty'         '[ "$(outbox deferred)" -ge 1 ] && ! grep -q "waits for a later run" err && all_arrive 3'
stall connect 600 greeting
check 'one that does not greet is left'               'brake_when "at 08:00:00 outbox --json | grep -q leased" && [ $rc -eq 75 ] && in_time ended "$took"'
check '... and nobody is forgotten'                   'start_smtp again; sed -i "s/127.0.0.1:[0-9]*/127.0.0.1:$PORT/" digest.conf; all_arrive 3'
stall DATA 600 data
check 'a signal leaves one as well'                   '"$DIGEST" --now 2026-03-03T08:00:00Z run 2>err & pid=$!; until_true "grep -q DATA stall-data.log"; t=$(date +%s.%N); kill -TERM $pid; wait $pid; rc=$?; [ $rc -eq 75 ] && in_time ended "$(echo "$(date +%s.%N) $t" | awk "{ print \$1 - \$2 }")" && [ "$(outbox deferred)" -ge 1 ] && test ! -s err || { echo "$rc"; cat err; at 08:00:00 outbox; false; }'
check '... and the next run sends it'                 'all_arrive 3'

# --- the dot is out
stall . 4 dot
check 'what has its dot out is finished'              'brake_when "at 08:00:00 outbox --json | grep -q intent" && [ $rc -eq 75 ] && [ "$(find stall-dot -name "*.eml" | wc -l)" = 1 ] && at 08:00:00 history --json | grep -c "\"state\":\"sent\"" | grep -qx 1'
check '... and the others follow, once'               'all_arrive 3'

# --- a rate that makes the run wait
start_smtp rate --stamp
config 30 'connections = 1  rate = "6/min"'
check 'a run that waits for its rate ends'            'brake_when "grep -q MAIL rate.log" && [ $rc -eq 75 ] && in_time ended "$took" && [ "$(grep -c MAIL rate.log)" -le 3 ]'
check '... and nobody is mailed twice'                'sed -i "s/rate = .6.min.//" digest.conf; all_arrive 30'

# --- one reader leaves
stall RCPT 5 leave
check 'who unsubscribes meanwhile gets no mail'       'at 08:00:00 run 2>err & pid=$!; until_true "grep -q RCPT stall-leave.log" && at 08:00:00 unsubscribe r3@digest.test -q; wait $pid; rc=$?; cat err stall-leave.log; [ $rc -eq 0 ] && [ "$(grep -c MAIL stall-leave.log)" = 2 ] && ! grep -q r3@ stall-leave.log && at 08:00:00 status --json | grep -q "\"suppressed\":1" && at 08:00:00 history r3@digest.test --json | grep -q "not sent: the address is suppressed"'
