#!/bin/sh
# Ratios to named peers, each measured in the same run and each the median of three: below 1 is less time than the peer.
# RECORD=1 appends the table to RESULTS.md. Called by make bench. READERS, PAPERS, BLOCKS, FILTERS: other sizes; LIMIT: papers
# of a filter, so mails of another size; QUICK=1: small sizes, and without the match and worst rows; FULL=1: a million readers
# too; ONLY=wire: the rows of sending by SMTP alone; ONLY=mailbox: those of mail that comes back. All files are on the disk that
# holds the project, unless TMPDIR says another.
set -u
dir=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$dir/../.." && pwd)
bin=$root/build/bench
DIGEST=${DIGEST:-$root/build/gcc/digest}
readers=${READERS:-10000} papers=${PAPERS:-1500} blocks=${BLOCKS:-100000}
rounds='1 2 3'
T=$(mktemp -d "${TMPDIR:-$root/build}/digest-bench.XXXXXX") || exit 1
export DIGEST_CONFIG="$T/digest.conf" XDG_CACHE_HOME="$T/cache" TZ=UTC PATH="$PATH:/usr/sbin"
pids=
# shellcheck disable=SC2317
clean_up() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$T"
}
trap 'rc=$?; clean_up; exit $rc' EXIT
trap 'exit 130' INT TERM
cd "$T" || exit 1

note() {
	echo "# $*"
}
# The middle of some numbers, one a line.
median() {
	sort -g | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}
# field N FILE: of the lines that measure.py wrote.
field() {
	cut -d ' ' -f "$1" "$2" | median
}
# row WHAT OURS PEER PEER-NAME
row() {
	awk -v what="$1" -v ours="$2" -v peer="$3" -v name="$4" \
		'BEGIN { printf "| %s | %.3f s | %.3f s | %s | %.2f |\n", what, ours, peer, name, ours / (peer > 0 ? peer : 1e-9) }'
}
# row_us WHAT OURS COUNT PEER PEER-COUNT PEER-NAME: seconds for so many each, shown for one.
row_us() {
	awk -v what="$1" -v ours="$2" -v n="$3" -v peer="$4" -v m="$5" -v name="$6" 'BEGIN {
		ours *= 1e6 / n; peer *= 1e6 / m
		printf "| %s | %.2f us | %.2f us | %s | %.2f |\n", what, ours, peer, name, ours / (peer > 0 ? peer : 1e-9) }'
}
# rate WHAT SECONDS COUNT UNIT KILOBYTES: where there is no peer.
rate() {
	awk -v what="$1" -v s="$2" -v n="$3" -v unit="$4" -v kb="$5" \
		'BEGIN { printf "| %s | %.2f s, %.0f %s/s, %.0f MB at most | - | - | - |\n", what, s, n / s, unit, kb / 1024 }'
}
measure() {
	python3 "$dir/measure.py" "$@"
}
# shellcheck source=tests/bench/smtp.sh
. "$dir/smtp.sh"

# The benchmark's papers are dated so; see bench.h.
now=2026-09-21T14:13:20Z

bench_config() {
	"$bin/generate" readers "$blocks" maildir:Mail >digest.conf
	rm -f ours
	for _ in 1 2 3; do measure "$DIGEST" config -q >>ours || exit 1; done
	rate "config of $blocks readers, read and checked" "$(field 1 ours)" "$blocks" blocks "$(field 3 ours)"
	# The same blocks as a list of objects; the escapes of both are the same.
	sed -n 's/^subscriber \("[^"]*"\) { filter \("[^"]*"\) { match = \(".*"\) } }$/{"address":\1,"filters":[{"name":\2,"match":\3}]},/p' \
		digest.conf | sed '1s/^/[/; $s/,$/]/' >digest.json
	[ "$(wc -l <digest.json)" = "$blocks" ] || fail "digest.json has $(wc -l <digest.json) of $blocks readers"
	rm -f peer
	for _ in 1 2 3; do measure "$bin/jansson" digest.json >>peer || exit 1; done
	row "config of $blocks readers" "$(field 1 ours)" "$(field 1 peer)" 'jansson parsing the same as JSON'
	note "config of $blocks readers: $(field 3 ours) KB at most for a file of $(($(wc -c <digest.conf) / 1024)) KB; jansson $(field 3 peer) KB"
	rm digest.json
}

bench_maildir() {
	prepare maildir:Mail || exit 1
	rm -f ours
	for _ in 1 2 3; do send >>ours || exit 1; done
	mails=$(find Mail/new -type f | wc -l)
	[ "$mails" = "$(count_sent)" ] || fail "$(count_sent) mails were sent, $mails are in the Maildir"
	size=$(find Mail/new -type f -printf '%s\n' | awk '{ sum += $1 } END { print int(sum / NR) }')
	note "$mails mails of $size bytes for $readers readers, $papers papers"
	rate 'send into a Maildir, each mail synced' "$(field 1 ours)" "$mails" mails "$(field 3 ours)"
	if ! command -v smtp-source >/dev/null; then
		note 'no smtp-source (package postfix): nothing to compare with'
		return
	fi
	rm -f peer
	port=$(free_port)
	for _ in $rounds; do
		start_smtp_sink
		source_of >>peer || exit 1
		stop_server
		sunk_should "$mails" 0 0
	done
	row 'send into a Maildir, wall' "$(field 1 ours)" "$(field 1 peer)" 'smtp-source -d -s 8 to smtp-sink'
	row 'send into a Maildir, CPU' "$(field 2 ours)" "$(field 2 peer)" 'smtp-source -d -s 8 to smtp-sink'
}

# fetch_of N...: what the feeds of these services take, in a new store.
fetch_of() {
	rm -f digest.db*
	{
		echo 'list { from = "Papers <papers@digest.test>" }'
		echo 'store { path = "digest.db" }'
		echo 'smtp "bench" { url = "maildir:Mail" }'
		echo 'fetch { allow-private = {"127.0.0.0/8"} }'
		for n in "$@"; do echo "source \"s$n\" { type = feed  url = \"http://127.0.0.$n:$port/\" }"; done
	} >digest.conf
	measure "$DIGEST" --now "$now" fetch -q
}
# All services answer at once, so that twenty of them take as long as the slowest.
bench_fetch() {
	rm -f told
	python3 "$dir/feeds.py" >told &
	server=$!
	pids="$pids $server"
	wait_for test -s told
	port=$(head -n 1 told)
	rm -f ours peer
	for _ in 1 2 3; do
		# shellcheck disable=SC2046
		fetch_of $(seq 20) >>ours || exit 1
		fetch_of 20 >>peer || exit 1
	done
	stop_server
	row 'fetch of 20 services that answer after 0.05 to 1 s (10.5 s in all)' "$(field 1 ours)" "$(field 1 peer)" 'the slowest alone'
}
# What cron pays each quarter of an hour when nobody is due and no source is to be asked.
bench_idle() {
	all=$readers
	for readers in 1 "$all"; do
		prepare maildir:Mail configuration && "$DIGEST" --now "$now" send -q || exit 1
		rm -f ours
		for _ in 1 2 3; do measure "$DIGEST" --now "$now" run -q >>ours || exit 1; done
		if command -v strace >/dev/null; then
			strace -f -o calls "$DIGEST" --now "$now" run -q
			note "a run with nothing to do makes $(grep -c '^[0-9]* *[a-z0-9_]*(' calls) system calls (readers: $readers)"
		fi
		rate "a run with nothing to do (readers: $readers)" "$(field 1 ours)" 1 runs "$(field 3 ours)"
	done
	readers=$all
}

bench_all() {
	echo
	echo "## $(date -u +%F), $(git -C "$root" describe --always --dirty 2>/dev/null), $(nproc) cores"
	echo
	echo '| what | digest | peer | which | ratio |'
	echo '|---|---:|---:|---|---:|'
	if [ "${ONLY:-}" = mailbox ]; then
		bench_mailbox
		return
	fi
	"$bin/generate" papers "$papers" >papers.jsonl
	[ "${ONLY:-}" = wire ] || bench_stages
	bench_alone
	if command -v smtp-source >/dev/null; then
		bench_whole
	else
		note 'no smtp-source (package postfix): the rows of whole runs are left out'
	fi
}
# A mailbox that is flooded, a thousand mails a run: the same memory for the first and the last of them.
bench_returned() {
	n=${RETURNED:-10000}
	[ -z "${FULL:-}" ] || n=100000
	mkdir -p flood/in/new flood/in/cur flood/in/tmp
	cp "$root/tests/fixtures/2026-03-02.json" flood/days.json
	{
		echo 'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }'
		echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }  mailbox { maildir = "in" }'
		echo 'source "days" { type = file  path = "days.json" }  filter "all" { match = "*" }'
		seq -f 'subscriber "r%.0f@digest.test" { filter "all" {} }' 1000
	} >flood/digest.conf
	(
		cd flood || exit 1
		export DIGEST_CONFIG=digest.conf
		"$DIGEST" --now 2026-03-03T08:00:00Z run
		python3 "$root/tests/e2e/returned.py" flood in "$n" 1000 2026-03-03
		sleep 2.1
		for _ in $(seq $((n / 1000))); do
			measure "$DIGEST" --now 2026-03-03T09:00:00Z mailbox >>took 2>/dev/null || exit 1
		done
		[ "$(find in/new -type f | wc -l)" -le $((n / 2)) ]
	) || exit 1
	rate "a mailbox of $n mails, half of them bounces: 1,000 a run" "$(awk '{ s += $1 } END { print s }' flood/took)" "$n" mails \
		"$(sort -k 3 -g flood/took | tail -n 1 | cut -d ' ' -f 3)"
	note "a mailbox of $n mails: $(head -n 1 flood/took | awk '{ printf "%.2f s, %.0f MB", $1, $3 / 1024 }') in the first run," \
		"$(tail -n 1 flood/took | awk '{ printf "%.2f s, %.0f MB", $1, $3 / 1024 }') in the last," \
		"$(awk '{ s += $2 } END { printf "%.2f s", s }' flood/took) of the processor in all"
	rm -rf flood
}
bench_mailbox() {
	"$bin/incoming" || exit 1
	bench_returned
}
bench_stages() {
	[ -n "${QUICK:-}" ] || "$bin/match" "${FILTERS:-100000}" || exit 1
	[ -n "${QUICK:-}" ] || "$bin/worst" || exit 1
	"$bin/load" "$T" || exit 1
	"$bin/compose" || exit 1
	"$bin/store" "$T" || exit 1
	"$bin/xml" || exit 1
	bench_mailbox
	bench_config
	bench_fetch
	bench_idle
	bench_maildir
}

bench_all >table
rc=$?
# Remarks stand below the table.
{ grep -v '^#[^#]' table; echo; sed -n 's/^# /- /p' table; } >sorted
cat sorted
[ $rc -eq 0 ] && [ -n "${RECORD:-}" ] && cat sorted >>"$dir/RESULTS.md"
exit $rc
