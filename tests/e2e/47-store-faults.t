#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What may befall a store that sends: copies, clocks, other runs, suspended ones, disks, limits. No mail is lost or doubled, and
# it is said what to do.
. "$(dirname "$0")/lib.sh"

BENCH=${BENCH:-$ROOT/build/bench}
[ -e "$BENCH/killshim.so" ] || skip_all 'build/bench is not built: make bench-programs'
plan 33

# The sanitizers want to be loaded first, and take no offence when told.
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0

readers=20
folder() {
	rm -rf "$T/at" && mkdir "$T/at" && cd "$T/at" || exit 1
	export XDG_CACHE_HOME="$T/at/cache" DIGEST_CONFIG="$T/at/digest.conf"
	cp "$FIXTURES/2026-03-02.json" days.json
	{
		echo 'source "days" { type = file  path = "days.json" }'
		seq -f 'subscriber "reader%g@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }' $readers
	} | write_config
}
# on DAY TIME COMMAND...: as if it were then, in March 2026.
on() {
	day=$1 time=$2
	shift 2
	"$DIGEST" --now "2026-03-${day}T$time:00Z" "$@"
}
tomorrow() {
	cp "$FIXTURES/2026-03-03.json" days.json
	rm -rf Mail
}
states() {
	sql "SELECT count(*) FROM edition WHERE state = $1"
}
# start_sink ARGUMENT...: takes the mail from now on, in place of the Maildir, and writes sink.log.
start_sink() {
	: >port
	"$BENCH/sink" -o sink.log "$@" >port &
	sink=$!
	pids="$pids $sink"
	until_true '[ -s port ]'
	sed -i "s|smtp \"box\" {.*}|smtp \"box\" { url = \"smtp://127.0.0.1:$(head -n 1 port)\"  tls = none  connections = 2 }|" digest.conf
}
stop_sink() {
	kill $sink && wait $sink
	:
}
taken() {
	grep -c ' 250$' sink.log
}
# twice MAX: every reader has a mail, at most MAX have two, nobody three.
twice() {
	awk -v readers=$readers -v max="$1" '$4 == 250 { n[$1]++ } END { for (r in n) { got++; two += n[r] == 2; more += n[r] > 2 }
		print got " readers, " two + 0 " twice, " more + 0 " more"; exit !(got == readers && two <= max && !more) }' sink.log
}

# --- F-20: a store from a backup, or a copy of one
folder
on 03 08:00 run && cp digest.db old.db && cp -r . ../moved
tomorrow
check 'a run as every day'                          'silent 0 on 04 08:00 run && test "$(mails_sent)" = $readers'
rm -rf Mail && cp digest.db new.db && cp old.db digest.db
check 'a store put back by hand does not send'      'says 78 "is older than what was sent from here .*digest restore --adopt" on 04 08:10 run && test "$(mails_sent)" = 0'
check '... also where its folder came with it'      'rm digest.db.witness; says 78 "is older" on 04 08:10 run'
check '... a preview shows, and says what a run would say' 'on 04 08:10 -n -u reader1@digest.test >out 2>err && grep -q "would send nothing: .*is older" err'
check 'restore wants a file, or --adopt'            'says 64 "usage: digest restore FILE, or" on 04 08:10 restore && says 64 "usage" on 04 08:10 restore --adopt new.db'
check '... of what is no store it makes none'       'says 65 "is no store of digest" on 04 08:10 restore days.json && says 65 "no such file" on 04 08:10 restore nowhere'
check 'restore puts the newer one back'             'on 04 08:10 restore new.db >out && grep -q "restored from new.db" out && test -e digest.db.before-restore && silent 0 on 04 08:20 run && test "$(mails_sent)" = 0'
check '... or lets the one at hand send'            'cp old.db digest.db && rm -f digest.db-* && on 04 08:30 restore --adopt >out && grep -q "sends from now on" out && silent 0 on 04 08:40 run && test "$(mails_sent)" = $readers'
check 'a copy that sends elsewhere is told by the machine' 'cd ../moved && echo 0123456789abcdef0123456789abcdef >machine && XDG_CACHE_HOME=$T/none KILLSHIM_MACHINE=$PWD/machine LD_PRELOAD=$BENCH/killshim.so DIGEST_CONFIG=$PWD/digest.conf says 78 "was used on another machine" on 04 08:00 run; rc=$?; cd ../at; exit $rc'
rm -rf ../moved

# What was not settled when the backup was made may be out: a person decides.
unsettled() {
	folder
	cp digest.conf maildir.conf
	start_sink -f 'rcpt:450:1+'
	on 03 08:00 run 2>/dev/null
	stop_sink
	cp maildir.conf digest.conf
	test "$(states 4)" = $readers && cp digest.db old.db && silent 0 on 03 09:30 run && test "$(mails_sent)" = $readers
}
check 'what a backup calls unsettled is held'       'unsettled && on 03 09:40 restore old.db >out && grep -q "$readers mails are held" out && silent 0 on 03 09:50 run && test "$(mails_sent)" = $readers && test "$(states 6)" = $readers'
cd "$T/at" || exit 1
check '... until it is given up'                    'on 03 09:50 outbox drop --all -q && tomorrow && silent 0 on 04 08:00 run && test "$(mails_sent)" = $readers'
check '... or released'                             'unsettled && on 03 09:40 restore -q old.db && on 03 09:50 outbox release -q && rm -rf Mail && silent 0 on 03 09:55 run && test "$(mails_sent)" = $readers'

# --- F-21: clocks
folder
on 10 08:00 run
tomorrow
check 'a clock a day behind the last run stops it'  'says 78 "the clock says 2026-03-08T08:00:00Z, but the last run was at 2026-03-10T08:00:00Z" on 08 08:00 run && test "$(mails_sent)" = 0'
check '... some hours do not'                       'silent 0 on 09 20:00 run'
check '... --adopt says that it is right'           'on 08 08:00 restore --adopt -q && silent 0 on 08 08:10 run'
ahead() {
	folder
	start_sink -f 'rcpt:450:1+'
	on 03 08:00 run 2>/dev/null
	papers=$(sql 'SELECT count(*) FROM paper')
	says 75 "mail waits" "$DIGEST" --now 2028-03-03T08:00:00Z run
	rc=$?
	stop_sink
	test $rc = 0 && test "$(sql 'SELECT count(*) FROM paper')" = "$papers" && test "$(states 7)" = 0
}
check 'a clock that is years ahead makes nothing old' ahead

# --- F-17: many at once
together() {
	folder
	for round in 3 4 5 6; do
		cp "$FIXTURES/2026-03-0$((round % 2 + 2)).json" days.json
		here=
		for _ in 1 2 3 4 5 6 7 8; do
			on 0$round 08:00 run -v >>said 2>&1 &
			here="$here $!"
		done
		for one in $here; do wait "$one" || return 1; done
	done
	grep -q 'another run .* is sending' said || echo 'no run met another'
	! grep -i 'lock' said && test "$(sql 'SELECT count(*) FROM edition WHERE copies > 1 OR state NOT IN (2, 9)')" = 0 &&
		test "$(mails_sent)" = "$(cat Mail/new/* | grep '^Message-ID:' | sort -u | wc -l)" && test "$(states 2)" = "$(mails_sent)"
}
check 'eight runs at once, day after day: a mail each' together

# --- F-08, F-18: signals, and a run that is suspended. The mails left take seconds, so that a busy machine is in time, too.
readers=150
under_way() {
	folder
	start_sink -d 50
	"$DIGEST" --now 2026-03-03T08:00:00Z run 2>err &
	victim=$!
	until_true '[ "$(taken)" -ge 4 ]'
}
# stopped_by SIGNAL: some mails are settled, none is held by a run that is no more; the next one mails who is left.
stopped_by() {
	under_way
	kill "-$1" $victim
	wait $victim
	rc=$?
	stop_sink
	mv sink.log first.log
	echo "ends with $rc, $(states 2) sent, $(states 4) wait, $(states 0) leased, $(states 1) in doubt"
	[ $rc -eq 75 ] && [ "$(states 0)$(states 1)" = 00 ] && [ "$(states 2)" -ge 4 ] && [ "$(states 4)" -ge 1 ] || return 1
	start_sink
	silent 0 on 03 09:00 run
	stop_sink
	cat first.log >>sink.log
	[ "$(taken)" = $readers ] && twice 0
}
check 'SIGTERM: what has left is settled, the rest given back, nobody gets two' 'stopped_by TERM'
check 'SIGINT does the same'                        'stopped_by INT'
check 'SIGHUP does the same'                        'stopped_by HUP'
check 'a second signal ends it at once'             'under_way; kill -STOP $sink; kill -TERM $victim; until_true "grep -q ^ShdPnd:.0*$ /proc/$victim/status"; kill -TERM $victim; wait $victim; rc=$?; kill -CONT $sink; stop_sink; test $rc = 143 && on 03 08:10 status | grep -q "^last run .*: did not finish$"'
suspended() {
	under_way
	kill -STOP $victim
	first=$sink
	mv sink.log first.log
	on 03 08:10 run -v 2>said
	grep -q "another run .process $victim. is sending" said || return 1
	on 03 08:10 status | grep -q "^last run .*: is under way (process $victim)$" || return 1
	rm digest.db.sender.lock # by somebody who takes it for one left behind
	start_sink
	silent 0 on 03 08:20 run || return 1
	kill -CONT $victim
	wait $victim
	rc=$?
	stop_sink
	sink=$first
	stop_sink
	[ $rc -eq 75 ] && grep -q 'another run has taken over' err || { echo "ends with $rc"; cat err; return 1; }
	cat first.log >>sink.log
	twice 2
}
check 'a suspended run that wakes up beside another sends nothing more' 'suspended && test "$(sql "PRAGMA integrity_check")" = ok && test "$(states 2)" = $readers'
readers=20

# --- F-10, F-11, F-12: disks
small_disk() {
	folder
	mkdir small
	mount -t tmpfs -o size=3M none small || return 1
	sed -i 's|path = "digest.db"|path = "small/digest.db"|' digest.conf
	STORE=small/digest.db
	on 03 08:00 run || return 1
	tomorrow
	start_sink
	for free in 0 16 80 400 1500; do
		dd if=/dev/zero of=small/ballast bs=64K count=64 2>/dev/null
		truncate -s "-${free}K" small/ballast
		on 04 08:00 run 2>err
		rc=$?
		rm small/ballast
		echo "with $free KB: $rc, $(taken) mails, $(states 2) noted as sent, $(states 1) in doubt: $(cat err)"
		[ "$(states 1)" = 0 ] && [ "$(states 2)" = $(($(taken) + readers)) ] || return 1
		[ $rc -eq 0 ] && break
		[ $rc -eq 74 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q 'full\|no room\|[Nn]o space' err || return 1
	done
	[ "$free" -gt 16 ] && on 04 09:00 run && stop_sink && twice 0
}
if unshare -m true 2>/dev/null && [ "$(id -u)" -eq 0 ]; then
	check 'a full disk: no mail leaves whose outcome has no room' 'small_disk; rc=$?; kill $sink; umount small; exit $rc'
else
	skip 1 'no file system can be mounted here'
fi
unset STORE
# Of syncs alone the n-th fails; whether another was made after it, the trace tells.
failing_syncs() {
	folder
	on 03 08:00 run
	cp -r . ../keep
	for n in 1 2 3 4; do
		rm -rf ./* && cp -r ../keep/. . && tomorrow && : >trace
		KILLSHIM_ONLY='fdatasync' KILLSHIM_FAIL=$n KILLSHIM_TRACE=trace LD_PRELOAD=$BENCH/killshim.so on 04 08:00 run 2>err
		rc=$?
		[ $rc -eq 0 ] && [ "$(wc -l <trace)" -lt $n ] && break
		echo "$n: $rc, $(wc -l <trace) syncs: $(cat err)"
		[ $rc -eq 74 ] && [ "$(wc -l <trace)" -eq $n ] && grep -q 'the disk failed' err || return 1
		[ "$(mails_sent)" = 0 ] || [ "$(states 0)" = 0 ] || return 1
	done
	rm -rf ../keep
	[ $n -gt 1 ] && on 04 09:00 run && test "$(mails_sent)" = $readers
}
check 'a sync that fails ends the run, and is not tried again' failing_syncs
folder
on 03 08:00 run
tomorrow
if unprivileged true 2>/dev/null && chmod 755 "$T" "$T/at"; then
	chmod a+r digest.conf days.json digest.key digest.db
	check 'a store that may only be read is refused with the cure' 'says 74 "digest.db: no permission; sudo chown [a-z]+ .*digest.db" unprivileged "$DIGEST" --now 2026-03-04T08:00:00Z run'
	check '... a folder, too'                   'chmod a+rw digest.db; says 74 "Permission denied; sudo chown " unprivileged "$DIGEST" --now 2026-03-04T08:00:00Z run && test "$(mails_sent)" = 0'
	chmod 600 digest.key digest.db
else
	skip 2 'nobody is unprivileged here'
fi
if mount --bind . . 2>/dev/null && cd "$T" && cd at && mount -o remount,ro,bind . 2>/dev/null; then
	check 'a disk that may only be read: refused, too'  'says 74 "digest.db.*([Rr]ead-only|permission)" on 04 08:00 run'
	check '... and a dry run shows all the same'       'on 04 08:00 -n -u reader1@digest.test >../out 2>../err && grep -q "Agents That Ask" ../out'
	cd .. && umount at
else
	skip 2 'no file system can be mounted here'
fi

# --- F-13: damage. A store that was not closed, so that its log counts.
folder
on 03 08:00 run
tomorrow
on 04 06:00 fetch -q
KILLSHIM_AT=20 KILLSHIM_ONLY=pwrite64 LD_PRELOAD=$BENCH/killshim.so on 04 06:30 run 2>/dev/null
check 'it has a log'                                'test -s digest.db-wal'
check 'stores damaged in many ways never send'      'T=$T/at python3 "$E2E/damage.py" "${DAMAGES:-28}" $readers'

# --- F-15, F-26: limits, and nobody who listens
folder
# dash and bash know it.
# shellcheck disable=SC3045
few_files() {
	(ulimit -n "$1" && exec "$DIGEST" --now 2026-03-03T08:00:00Z run) 2>err
	rc=$?
	echo "$1 files: $rc: $(cat err)"
	{ [ $rc -eq 0 ] || { [ $rc -le 78 ] && [ $rc -ge 69 ] && [ -s err ]; }; }
}
check 'few open files: a sentence, or the mails'    'for n in 4 5 6 7 8 9 10 12 16; do few_files $n || exit 1; done; silent 0 on 03 09:00 run && test "$(mails_sent)" = $readers && test "$(states 2)" = $readers'
folder
check 'standard error closed: the mail goes'        'on 03 08:00 run -v 2>&-; test $? = 0 && test "$(mails_sent)" = $readers'
tomorrow
check '... or full'                                 'on 04 08:00 run -v 2>/dev/full; test $? = 0 && test "$(mails_sent)" = $readers && test "$(sql "PRAGMA integrity_check")" = ok'
