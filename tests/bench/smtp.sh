# smtp.sh - the rows of sending by SMTP; sourced by run.sh. What arrived is told by the server, and a row whose mails have not
# all arrived, once each, ends the benchmark.
# shellcheck shell=sh disable=SC2154

fail() {
	echo "bench: $*" >&2
	exit 1
}
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
wait_for() {
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.05
	done
	fail "no server after 5 s"
}
# start_sink OPTION...: the fast sink at $port, or anywhere when that is empty; sets $port and $server.
start_sink() {
	rm -f told
	"$bin/sink" ${port:+-p "$port"} "$@" >told &
	server=$!
	pids="$pids $server"
	wait_for test -s told
	port=$(head -n 1 told)
}
start_smtp_sink() {
	rm -f told
	[ "$(id -u)" -eq 0 ] && user='-u nobody' || user=
	# shellcheck disable=SC2086
	smtp-sink -c $user "127.0.0.1:$port" 1000 >told &
	server=$!
	pids="$pids $server"
	wait_for answers
}
answers() {
	python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).recv(3)' "$port" 2>/dev/null
}
# What the server counted goes into $sunk: "mails bytes checksum" of the fast sink, "mails" of smtp-sink.
stop_server() {
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	pids=$(echo "$pids" | sed "s/ $server\$//")
	sunk=$(tr '\r' '\n' <told | sed 's/.*mesg=//' | tail -n 1)
}
# sunk_should COUNT LEAST MOST: so many mails, and so many bytes where the server counts them.
sunk_should() {
	# shellcheck disable=SC2086
	set -- "$@" $sunk
	[ "$4" = "$1" ] || fail "$1 mails were sent, $4 arrived"
	[ -z "${5:-}" ] || { [ "$5" -ge "$2" ] && [ "$5" -le "$3" ]; } || fail "$2 to $3 bytes were sent, $5 arrived"
}

# ---- the engine alone, and libcurl's multi ----

# sent_alone PROGRAM CONNECTIONS COUNT OPTION...: one measured run against the fast sink.
sent_alone() {
	program=$1 connections=$2 count=$3
	shift 3
	port=
	start_sink -c "$@"
	# shellcheck disable=SC2086
	measure "$bin/$program" "$scheme://127.0.0.1:$port" "$connections" "$count" "$bytes" $authority >>"$program.times" ||
		fail "$program fails"
	stop_server
	[ -s "sum.$count" ] || "$bin/sender" sum "$count" "$bytes" >"sum.$count"
	[ "$sunk" = "$(cat "sum.$count")" ] || fail "$program: '$(cat "sum.$count")' was sent, '$sunk' arrived"
}
# alone WHAT CONNECTIONS OURS-COUNT PEER-COUNT OPTION...: in turns; time of a mail each.
alone() {
	what=$1 connections=$2 ours=$3 peers=$4
	shift 4
	rm -f sender.times multi.times
	for _ in $rounds; do
		sent_alone sender "$connections" "$ours" "$@"
		sent_alone multi "$connections" "$peers" "$@"
	done
	for f in 1 2; do
		row_us "$what, $connections connections, a mail's $([ $f = 1 ] && echo wall || echo CPU)" \
			"$(field $f sender.times)" "$ours" "$(field $f multi.times)" "$peers" 'libcurl multi, as many handles'
	done
}
# One round trip for each mail is what a connection can do.
bench_alone() {
	bytes=22000
	[ -n "${QUICK:-}" ] && ours=2000 peers=1000 slow=200 || ours=100000 peers=20000 slow=2000
	scheme=smtp authority=
	for n in 8 32 64; do alone 'sender alone' "$n" "$ours" "$peers"; done
	alone 'sender alone, no PIPELINING' 8 "$ours" "$peers" -n
	alone 'sender alone, answers after 1 ms' 64 "$ours" "$slow" -d 1
	row_us 'the same' "$(field 1 sender.times)" "$ours" 0.001 64 'a round trip of 1 ms for each mail'
	if ! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ca.pem -days 2 \
		-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>openssl.err; then
		note "no certificate: $(tail -n 1 openssl.err)"
		return
	fi
	cat ca.pem key.pem >both.pem
	scheme=smtps authority=ca.pem
	for n in 8 64; do alone 'sender alone, TLS' "$n" "$ours" "$peers" -t -k both.pem; done
	alone 'sender alone, TLS, answers after 1 ms' 64 "$ours" "$slow" -t -k both.pem -d 1
}

# ---- the whole run ----

# prepare URL [WHERE]: a store whose papers are fetched and whose readers are known, so that a run of it matches and sends. WHERE
# is configuration when they shall stand there, to be read by each run.
prepare() {
	rm -rf digest.db* Mail
	[ "${2:-}" = configuration ] && stored=0 || stored=$readers
	"$bin/generate" readers $((readers - stored)) "$1" >digest.conf
	"$DIGEST" --now "$now" fetch -q && "$bin/generate" store "$stored" digest.db && cp digest.db prepared.db
}
# send [PROGRAM]: no write of before is still on its way to the disk, and nothing tells that the store was used since.
send() {
	rm -rf digest.db* Mail cache
	cp prepared.db digest.db && sync -f .
	measure "${1:-$DIGEST}" --now "$now" send -q
}
# How many editions the store says are sent.
count_sent() {
	python3 -c 'import sqlite3
print(*sqlite3.connect("digest.db").execute("SELECT count(*) FROM edition WHERE state = 2").fetchone())'
}
source_of() {
	measure smtp-source -d -s 8 -m "$mails" -l "$size" -f papers@digest.test -t reader@digest.test "127.0.0.1:$port"
}
# send_to START PROGRAM: one run, and what arrived of it. The bytes of a run are those of the run before.
send_to() {
	"$1"
	send "$2" || fail "digest send fails with $readers readers"
	stop_server
	mails=$(count_sent)
	[ "$mails" -gt 0 ] || fail 'nothing was sent'
	sunk_should "$mails" "${sent_bytes:-0}" "${sent_bytes:-999999999999999}"
	case $sunk in
	*' '*)
		sent_bytes=$(echo "$sunk" | cut -d ' ' -f 2)
		size=$((sent_bytes / mails)) ;;
	esac
}
# whole NAME START [WITH]: ours and smtp-source in turns. The fast sink comes first: it tells the mean size.
whole() {
	who="$readers readers${3:-}"
	rm -f ours peer
	for _ in $rounds; do
		send_to "$2" "$DIGEST" >>ours || exit 1
		"$2"
		source_of >>peer || fail 'smtp-source fails'
		stop_server
		sunk_should "$mails" $((mails * size)) $((mails * (size + 1000)))
	done
	row "send to $1, $who, wall" "$(field 1 ours)" "$(field 1 peer)" "smtp-source -d -s 8 to $1"
	row "send to $1, $who, CPU" "$(field 2 ours)" "$(field 2 peer)" "smtp-source -d -s 8 to $1"
	rate "send to $1, $who" "$(field 1 ours)" "$mails" mails "$(field 3 ours)"
	[ "$2" = start_smtp_sink ] || [ -n "${3:-}" ] || field 1 ours >"wall.$readers"
}
# grown FROM: what a reader takes of so many, and of the present number.
grown() {
	[ -s "wall.$1" ] || return
	row_us "send to the fast sink, a reader of $readers" "$(cat "wall.$readers")" "$readers" "$(cat "wall.$1")" "$1" "a reader of $1"
}
# What the transactions take in which editions are leased, meant and settled, syncs included; see timed.c.
accounting() {
	rm -f ours spent
	export DIGEST_TIMES="$T/times"
	for _ in $rounds; do
		rm -f times
		send_to start_smtp_sink "$bin/digest-timed" >>ours || exit 1
		[ -s times ] || fail 'no times of the accounting'
		awk '{ print $1 + $2 + $3, $0 }' times >>spent
	done
	unset DIGEST_TIMES
	row "durable accounting of $mails mails" "$(field 1 spent)" "$(field 1 ours)" 'the send to smtp-sink that it is part of'
	note "accounting in the last round: lease, intent, settling: $(cut -d ' ' -f 2- spent | tail -n 1) s"
}
# The bytes on the wire are those of the Maildir, whose files have LF for CRLF.
same_as_maildir() {
	start_sink
	send_to : "$DIGEST" >/dev/null || exit 1
	wire="$mails $sent_bytes"
	sed -i "s,^smtp .*,smtp \"bench\" { url = \"maildir:Mail\" }," digest.conf
	send >/dev/null || fail 'send into a Maildir fails'
	files=$(find Mail/new -type f -exec cat {} + | wc -lc | awk '{ print $1 + $2 }')
	[ "$wire" = "$(find Mail/new -type f | wc -l) $files" ] || fail "on the wire: $wire, in a Maildir: $files bytes"
	rm -rf Mail
}
# What reading the readers from the configuration adds.
configured() {
	prepare "smtp://127.0.0.1:$port" configuration || fail 'the store cannot be prepared'
	rm -f ours
	for _ in $rounds; do send_to start_sink "$DIGEST" >>ours || exit 1; done
	row "send to the fast sink, $readers readers of the configuration" "$(field 1 ours)" "$(cat "wall.$readers")" 'the same readers in the store'
}
# Fewer and other papers for each, and words that few have in common.
mixed() {
	sent_bytes=
	export QUERIES=mixed
	prepare "smtp://127.0.0.1:$port" || fail 'the store cannot be prepared'
	unset QUERIES
	whole 'the fast sink' start_sink ' with filters of five forms'
	note "filters of five forms: $mails mails of $size bytes for $readers readers"
}
bench_whole() {
	[ -n "${QUICK:-}" ] && sizes='500 2000' || sizes="$readers 100000"
	[ -z "${FULL:-}" ] || sizes="$sizes 1000000"
	all=$readers before=
	for readers in $sizes; do
		port=$(free_port) sent_bytes=
		[ "$readers" -lt 1000000 ] || rounds=1
		prepare "smtp://127.0.0.1:$port" || fail 'the store cannot be prepared'
		whole 'the fast sink' start_sink
		note "$mails mails of $size bytes for $readers readers, $papers papers"
		whole smtp-sink start_smtp_sink
		[ -z "$before" ] || grown "$before"
		if [ -z "$before" ]; then
			accounting
			same_as_maildir
			configured
			mixed
		fi
		before=${before:-$readers}
	done
	readers=$all rounds='1 2 3'
}
