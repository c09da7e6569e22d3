# lib.sh - what every black-box test begins with: TAP, a folder of its own, a server on loopback, a look at mails and stores.
# Tests run from the project root by "prove tests/e2e/*.t" and drive $DIGEST (build/gcc/digest). KEEP=1 keeps the folder.
# shellcheck shell=sh disable=SC2034

set -u
E2E=${E2E:-$(cd "$(dirname "$0")" && pwd)}
ROOT=$(cd "$E2E/../.." && pwd)
FIXTURES=$ROOT/tests/fixtures
DIGEST=${DIGEST:-build/gcc/digest}
case $DIGEST in /*) ;; *) DIGEST=$ROOT/$DIGEST ;; esac

ntests=0
nplanned=0
nfailed=0
pids=

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
# Sets $browser, or skips the whole file.
need_browser() {
	for browser in chromium chromium-browser google-chrome; do
		command -v $browser >/dev/null 2>&1 && return
	done
	skip_all 'no chromium here'
}

[ -x "$DIGEST" ] || skip_all "$DIGEST is not built"

# In memory where that is possible: every run waits for the disk several times.
[ -n "${TMPDIR:-}" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm || TMPDIR=/tmp; }
T=$(mktemp -d "$TMPDIR/digest-e2e.XXXXXX") || exit 1

# Nothing of the person who runs the tests is read or written.
export HOME="$T/home" XDG_CONFIG_HOME="$T/home/.config" XDG_STATE_HOME="$T/home/.state" XDG_CACHE_HOME="$T/home/.cache"
export TZ=UTC LC_ALL=C.UTF-8 TERM=dumb PYTHONDONTWRITEBYTECODE=1 PYTHONUTF8=1
export T E2E ROOT FIXTURES DIGEST
export DIGEST_CONFIG="$T/digest.conf"
unset PAGER BROWSER NO_COLOR http_proxy https_proxy all_proxy
mkdir -p "$HOME"
cd "$T" || exit 1

# Python is started more than a thousand times by all tests together: without the packages of the site, which no test needs,
# and without a script in front of it (pyenv), which takes a tenth of a second each time and is asked but once.
mkdir .python
printf '#!/bin/sh\nexec %s -S "$@"\n' "$(python3 -S -c 'import sys; print(sys.executable)')" >.python/python3
chmod +x .python/python3
PATH=$T/.python:$PATH

clean_up() {
	# What a check started is no child of this shell: its number may be another process's by now.
	[ ! -e "$T/.pids" ] || while read -r pid; do
		case $(readlink "/proc/$pid/cwd") in
		"$T"*) pids="$pids $pid" ;;
		esac
	done <"$T/.pids"
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	if [ -n "${KEEP:-}" ]; then
		echo "# kept: $T"
	else
		chmod -R u+rwx "$T" 2>/dev/null
		rm -rf "$T"
	fi
	[ "$nfailed" -eq 0 ] && [ "$ntests" -eq "$nplanned" ]
}
trap 'clean_up || exit 1' EXIT
trap 'exit 130' INT TERM HUP

plan() {
	nplanned=$1
	echo "1..$1"
}

result() {
	ntests=$((ntests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $ntests - $2"
	else
		echo "not ok $ntests - $2"
		nfailed=$((nfailed + 1))
	fi
}

# check 'what holds' 'shell command': of a command that fails, the output is shown.
check() {
	if (eval "$2") >"$T/.output" 2>&1; then
		result 0 "$1"
	else
		rc=$?
		result "$rc" "$1"
		printf '#   %s\n' "$2" | head -n 3
		echo "#   ended with $rc and said:"
		{ head -c 3000 "$T/.output" && echo; } | sed 's/^/#     /'
	fi
}

# skip COUNT REASON: so many checks cannot be made here.
skip() {
	n=$1
	shift
	while [ "$n" -gt 0 ]; do
		ntests=$((ntests + 1))
		echo "ok $ntests # SKIP $*"
		n=$((n - 1))
	done
}

# until_true COMMAND: wait for it, for a minute or more: what a busy machine does late is no fault.
until_true() {
	tries=1200
	until eval "$1" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { echo "never: $1"; return 1; }
		sleep 0.05
	done
}

# fixed_ports COUNT: ports for servers that cannot take any, free and none that the kernel gives to whoever wants one.
fixed_ports() {
	python3 -c 'import random, socket, sys
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
    given = range(*map(int, file.read().split()))
held = []
while len(held) < int(sys.argv[1]):
    port = random.randrange(10000, 65536)
    try:
        held += [] if port in given else [socket.create_server(("127.0.0.1", port))]
    except OSError:
        pass
print(*(s.getsockname()[1] for s in held))' "$1"
}

# hold FILE: another process has it locked from now on; sets $holder.
hold() {
	python3 -c 'import fcntl, struct, sys, time
file = open(sys.argv[1], "r+b")
fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
print("held", flush=True)
time.sleep(600)' "$1" >held &
	holder=$!
	pids="$pids $holder"
	until [ -s held ]; do sleep 0.05; done
}

# says WANTED-CODE PATTERN COMMAND...: the exit code, and a line of standard error that matches.
says() {
	want=$1
	pattern=$2
	shift 2
	"$@" >"$T/.out" 2>"$T/.err" </dev/null
	got=$?
	if [ "$got" -ne "$want" ]; then
		echo "exit code $got, expected $want"
	elif ! grep -Eq -- "$pattern" "$T/.err"; then
		echo "no line of standard error matches: $pattern"
	elif grep -q 'runtime error\|AddressSanitizer\|LeakSanitizer' "$T/.err"; then
		echo "a sanitizer complains"
	else
		return 0
	fi
	cat "$T/.err" "$T/.out"
	return 1
}

# silent WANTED-CODE COMMAND...: not a byte on standard output or error.
silent() {
	want=$1
	shift
	"$@" >"$T/.out" 2>&1 </dev/null
	got=$?
	[ "$got" -eq "$want" ] && [ ! -s "$T/.out" ] && return 0
	echo "exit code $got, expected $want, and silence"
	cat "$T/.out"
	return 1
}

# start_replay ARGUMENT...: a server of recorded days or faults; sets $PORT and, for the caller, $replay_pid.
start_replay() {
	: >"$T/.port"
	python3 "$E2E/replay.py" "$@" >"$T/.port" 2>"$T/replay.err" &
	replay_pid=$!
	echo "$replay_pid" >>"$T/.pids"
	if ! until_true "[ -s '$T/.port' ]"; then
		echo "Bail out! the replay server does not start: $(cat "$T/replay.err")"
		exit 1
	fi
	PORT=$(head -n 1 "$T/.port")
}

# A configuration on standard input; two lines that every test needs are put before it.
write_config() {
	{
		echo 'list { from = "Papers <papers@digest.test>" }'
		echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }'
		cat
	} >"${1:-digest.conf}"
}

# How many mails lie in a Maildir.
mails_sent() {
	find "${1:-Mail}/new" "${1:-Mail}/cur" -type f 2>/dev/null | wc -l | tr -d ' '
}

# A hash of all files of the store (but of the lock files, which hold nothing, and SQLite's shared memory).
store_hash() {
	for f in "${STORE:-digest.db}" "${STORE:-digest.db}-wal" digest.key; do
		[ -e "$f" ] && sha256sum "$f"
	done
	:
}

# same_store COMMAND: the command changes no file of the store and makes none.
same_store() {
	store_hash >"$T/.before"
	eval "$1" || return 1
	store_hash >"$T/.after"
	diff "$T/.before" "$T/.after"
}

# One SQL statement to the store, past digest; prints the rows.
sql() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}?mode=rw", uri=True) as db:
    for row in db.execute(sys.argv[2]): print(*row, sep="|")' "${STORE:-digest.db}" "$1"
}

# unprivileged COMMAND...: as somebody whom file modes stop; root is nobody for that while.
unprivileged() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	# execvp wants warnings, when they may not be readable any more.
	python3 -c 'import os, sys, warnings
os.setgroups([]); os.setgid(65534); os.setuid(65534); os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

# make_certificates: an authority, ca.pem, and a server's s.pem with s.key for localhost and 127.0.0.1.
make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 \
		-subj /CN=Authority 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out s.csr -subj /CN=localhost 2>/dev/null
	echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext
	openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out s.pem 2>/dev/null
}

# start_smtp FOLDER ARGUMENT...: a relay that dumps into FOLDER; sets $PORT and $smtp_pid.
start_smtp() {
	box=$1
	shift
	mkdir -p "$box"
	: >"$T/.port"
	python3 "$E2E/smtp_server.py" --dump "$box" --log "$box.log" "$@" >"$T/.port" 2>"$T/smtp.err" &
	smtp_pid=$!
	echo "$smtp_pid" >>"$T/.pids"
	if ! until_true "[ -s '$T/.port' ]"; then
		echo "Bail out! the SMTP server does not start: $(cat "$T/smtp.err")"
		exit 1
	fi
	PORT=$(head -n 1 "$T/.port")
}
