#!/bin/sh
# Ratios to named peers, each measured in the same run and each the median of three: below 1 is less time than the peer.
# RECORD=1 appends the table to RESULTS.md. Called by make bench. READERS, PAPERS, BLOCKS, FILTERS: other
# sizes; QUICK=1: without the match and worst rows.
set -u
dir=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$dir/../.." && pwd)
bin=$root/build/bench
DIGEST=${DIGEST:-$root/build/gcc/digest}
readers=${READERS:-10000} papers=${PAPERS:-1500} blocks=${BLOCKS:-100000}
[ -n "${TMPDIR:-}" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm || TMPDIR=/tmp; }
T=$(mktemp -d "$TMPDIR/digest-bench.XXXXXX") || exit 1
export DIGEST_CONFIG="$T/digest.conf" TZ=UTC PATH="$PATH:/usr/sbin"
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
# The middle of three numbers, one a line.
median() {
	sort -g | sed -n 2p
}
# field N FILE: of the three lines that measure.py wrote.
field() {
	cut -d ' ' -f "$1" "$2" | median
}
# row WHAT OURS PEER PEER-NAME
row() {
	awk -v what="$1" -v ours="$2" -v peer="$3" -v name="$4" \
		'BEGIN { printf "| %s | %.3f s | %.3f s | %s | %.2f |\n", what, ours, peer, name, ours / (peer > 0 ? peer : 1e-9) }'
}
# rate WHAT SECONDS COUNT UNIT KILOBYTES: where there is no peer.
rate() {
	awk -v what="$1" -v s="$2" -v n="$3" -v unit="$4" -v kb="$5" \
		'BEGIN { printf "| %s | %.2f s, %.0f %s/s, %.0f MB at most | - | - | - |\n", what, s, n / s, unit, kb / 1024 }'
}
measure() {
	python3 "$dir/measure.py" "$@"
}
# A server in the background; sets $port and $server.
start_sink() {
	"$bin/sink" >port &
	server=$!
	pids="$pids $server"
	until [ -s port ]; do sleep 0.05; done
	port=$(head -n 1 port)
}
start_smtp_sink() {
	port=$((20000 + $$ % 10000))
	if [ "$(id -u)" -eq 0 ]; then
		smtp-sink -u nobody "127.0.0.1:$port" 1000 &
	else
		smtp-sink "127.0.0.1:$port" 1000 &
	fi
	server=$!
	pids="$pids $server"
	sleep 0.5
}
stop_server() {
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	rm -f port
}
# A store whose papers are fetched and whose readers are known, so that a run of it matches and sends.
prepare() {
	rm -rf digest.db* Mail
	"$bin/generate" readers "$readers" "$1" >digest.conf
	"$DIGEST" --now "$now" fetch -q && cp digest.db prepared.db
}
send() {
	rm -rf digest.db* Mail
	cp prepared.db digest.db
	measure "$DIGEST" --now "$now" send -q
}
source_of() {
	measure smtp-source -d -s 8 -m "$mails" -l "$size" -f papers@digest.test -t reader@digest.test "127.0.0.1:$port"
}

# The benchmark's papers are dated so; see bench.h.
now=2026-09-21T14:13:20Z

bench_config() {
	"$bin/generate" readers "$blocks" maildir:Mail >digest.conf
	rm -f ours
	for _ in 1 2 3; do measure "$DIGEST" config -q >>ours || exit 1; done
	rate "config of $blocks readers, read and checked" "$(field 1 ours)" "$blocks" blocks "$(field 3 ours)"
}

bench_maildir() {
	prepare maildir:Mail || exit 1
	rm -f ours
	for _ in 1 2 3; do send >>ours || exit 1; done
	mails=$(find Mail/new -type f | wc -l)
	size=$(find Mail/new -type f -printf '%s\n' | awk '{ sum += $1 } END { print int(sum / NR) }')
	note "$mails mails of $size bytes for $readers readers, $papers papers"
	rate 'send into a Maildir, each mail synced' "$(field 1 ours)" "$mails" mails "$(field 3 ours)"
	if ! command -v smtp-source >/dev/null; then
		note 'no smtp-source (package postfix): nothing to compare with'
		return
	fi
	start_smtp_sink
	rm -f peer
	for _ in 1 2 3; do source_of >>peer || exit 1; done
	stop_server
	row 'send into a Maildir, wall' "$(field 1 ours)" "$(field 1 peer)" 'smtp-source -d -s 8 to smtp-sink'
	row 'send into a Maildir, CPU' "$(field 2 ours)" "$(field 2 peer)" 'smtp-source -d -s 8 to smtp-sink'
}

# bench_smtp NAME START: the same over SMTP, ours and smtp-source in turns.
bench_smtp() {
	"$2"
	prepare "smtp://127.0.0.1:$port" || exit 1
	rm -f ours peer
	for _ in 1 2 3; do
		send >>ours || exit 1
		source_of >>peer || exit 1
	done
	stop_server
	row "send to $1, wall" "$(field 1 ours)" "$(field 1 peer)" "smtp-source -d -s 8 to $1"
	row "send to $1, CPU" "$(field 2 ours)" "$(field 2 peer)" "smtp-source -d -s 8 to $1"
	rate "send to $1" "$(field 1 ours)" "$mails" mails "$(field 3 ours)"
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
	python3 "$dir/feeds.py" >port &
	server=$!
	pids="$pids $server"
	until [ -s port ]; do sleep 0.05; done
	port=$(head -n 1 port)
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
		prepare maildir:Mail && "$DIGEST" --now "$now" send -q || exit 1
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

# Whether this program mails over SMTP: one reader, one mail.
speaks_smtp() {
	start_sink
	all=$readers readers=1
	prepare "smtp://127.0.0.1:$port" 2>/dev/null && "$DIGEST" --now "$now" send -q 2>/dev/null
	rc=$?
	readers=$all
	stop_server
	return $rc
}

bench_all() {
	echo
	echo "## $(date -u +%F), $(git -C "$root" describe --always --dirty 2>/dev/null), $(nproc) cores"
	echo
	echo '| what | digest | peer | which | ratio |'
	echo '|---|---:|---:|---|---:|'
	[ -n "${QUICK:-}" ] || "$bin/match" "${FILTERS:-100000}" || exit 1
	[ -n "${QUICK:-}" ] || "$bin/worst" || exit 1
	"$bin/load" "$T" || exit 1
	"$bin/compose" || exit 1
	"$bin/store" "$T" || exit 1
	"$bin/xml" || exit 1
	"$bin/generate" papers "$papers" >papers.jsonl
	bench_config
	bench_fetch
	bench_idle
	bench_maildir
	if ! command -v smtp-source >/dev/null; then
		note 'no smtp-source: the SMTP rows are left out'
	elif speaks_smtp; then
		bench_smtp 'the fast sink' start_sink
		bench_smtp smtp-sink start_smtp_sink
	else
		note 'this digest does not mail over smtp:// yet: those rows are left out'
	fi
}

bench_all >table
rc=$?
# Remarks stand below the table.
{ grep -v '^#[^#]' table; echo; sed -n 's/^# /- /p' table; } >sorted
cat sorted
[ $rc -eq 0 ] && [ -n "${RECORD:-}" ] && cat sorted >>"$dir/RESULTS.md"
exit $rc
