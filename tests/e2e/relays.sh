# relays.sh - real relays on loopback, each private to a test: it listens at $PORT and delivers every mail into the Maildir
# $BOX. Sourced after lib.sh. Nothing of the system is changed; Postfix is the installed one, Exim and OpenSMTPD, which cannot
# be installed beside it, are unpacked and run where they find the users and folders that they want: in mounts of their own.
# shellcheck shell=sh disable=SC2034,SC2154

# Servers want a folder that their own users can walk to, and short enough names: not the test's, which is closed.
new_relay() {
	R=$(mktemp -d /tmp/digest-relay.XXXXXX) && chmod 755 "$R" || exit 1
	PORT=$(fixed_ports 1)
	relay_pid=
}

start_postfix() {
	new_relay
	BOX=$R/mail/all
	mkdir -p "$R/conf" "$R/queue" "$R/data" "$R/mail" && chown postfix "$R/data" "$R/mail"
	cat >"$R/conf/main.cf" <<-X
		compatibility_level = 3.6
		queue_directory = $R/queue
		data_directory = $R/data
		maillog_file = $R/log
		maillog_file_prefixes = $R
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		myhostname = mx.digest.test
		mydestination =
		mynetworks = 127.0.0.0/8
		smtpd_forbid_bare_newline = yes
		smtpd_client_restrictions = reject_unauth_pipelining
		smtpd_data_restrictions = reject_unauth_pipelining
		smtpd_recipient_restrictions = check_recipient_access inline:{{gone@digest.test = 550 5.1.1 gone}}, permit_mynetworks, reject
		swap_bangpath = no
		allow_percent_hack = no
		virtual_mailbox_domains = static:all
		virtual_mailbox_base = $R/mail
		virtual_mailbox_maps = static:all/
		virtual_uid_maps = static:$(id -u postfix)
		virtual_gid_maps = static:$(id -g postfix)
		virtual_minimum_uid = 1
		default_transport = error:5.1.2 no route
	X
	{
		echo "127.0.0.1:$PORT inet n - n - - smtpd"
		sed '/^smtp *inet/d; s/^\([a-z]*  *[a-z]*  *[-ny]  *[-ny]  *\)y/\1n/' /etc/postfix/master.cf
	} >"$R/conf/master.cf"
	postfix -c "$R/conf" start >"$R/starting" 2>&1
}

# Its configuration has changed.
reload_postfix() {
	before=$(grep -c 'reload -- version' "$R/log")
	postfix -c "$R/conf" reload >/dev/null 2>&1
	until_true "[ \$(grep -c 'reload -- version' '$R/log') -gt $before ]"
	sleep 0.5 # until its processes know
}

# unpack PROGRAM PACKAGE...: the packages go into $ROOT/build/relays once; sets $X to where they are unpacked.
unpack() {
	program=$1
	X=$ROOT/build/relays/$2
	if [ ! -x "$X/$program" ]; then
		shift
		mkdir -p "$X" && (
			cd "$X" && apt-get -o APT::Sandbox::User=root download "$@" && for deb in *.deb; do
				dpkg -x "$deb" . || exit 1
			done
		) >"$T/download.log" 2>&1 || return 1
	fi
	! ldd "$X/$program" | grep 'not found' >"$T/download.log"
}

# alone PROGRAM ARGUMENT...: in mounts of its own, with the users of all relays, and empty folders for their state; the folders
# are $R/run, $R/spool, $R/lib.
alone() {
	grep -v '^Debian-exim:\|^opensmtp[dq]:' /etc/passwd >"$R/passwd"
	cat >>"$R/passwd" <<-X
		Debian-exim:x:64101:64101::/:/bin/false
		opensmtpd:x:64102:64102::/:/bin/false
		opensmtpq:x:64103:64103::/:/bin/false
	X
	grep -v '^Debian-exim:\|^opensmtp[dq]:' /etc/group >"$R/group"
	printf '%s\n' Debian-exim:x:64101: opensmtpd:x:64102: opensmtpq:x:64103: >>"$R/group"
	mkdir -p "$R/run" "$R/spool" "$R/lib/opensmtpd/empty"
	# shellcheck disable=SC2016
	R=$R X=$X unshare -m sh -c '
		mount --make-rprivate / && mount --bind "$R/passwd" /etc/passwd && mount --bind "$R/group" /etc/group &&
		mount --bind "$R/run" "$(readlink -f /run)" && mount --bind "$R/spool" /var/spool &&
		mount --bind "$R/lib" /var/lib || exit 1
		[ ! -d "$X/usr/libexec" ] || mount --bind "$X/usr/libexec" /usr/libexec || exit 1
		exec "$@"' sh "$@" >"$R/starting" 2>&1 &
	relay_pid=$!
}

start_exim() {
	unpack usr/sbin/exim4 exim4-daemon-light exim4-base || return 1
	new_relay
	BOX=$R/mail
	mkdir -p "$R/exim" "$R/mail" && chown 64101 "$R/exim" "$R/mail"
	cat >"$R/exim.conf" <<-X
		exim_path = $X/usr/sbin/exim4
		spool_directory = $R/exim
		log_file_path = $R/exim/%slog
		primary_hostname = mx.digest.test
		daemon_smtp_ports = $PORT
		local_interfaces = 127.0.0.1
		acl_smtp_rcpt = accept
		acl_smtp_data = accept
		smtputf8_advertise_hosts = *
		deliver_drop_privilege
		smtp_accept_queue_per_connection = 0
		begin routers
		all:
		  driver = accept
		  transport = box
		begin transports
		box:
		  driver = appendfile
		  directory = $R/mail
		  maildir_format
	X
	alone "$X/usr/sbin/exim4" -C "$R/exim.conf" -bdf
	answers_smtp
}

start_opensmtpd() {
	unpack usr/sbin/smtpd opensmtpd || return 1
	new_relay
	BOX=$R/mail
	mkdir -p "$R/mail" && chown nobody "$R/mail"
	cat >"$R/smtpd.conf" <<-X
		listen on 127.0.0.1 port $PORT hostname mx.digest.test
		table everyone { "@" = nobody }
		action "box" maildir "$R/mail" virtual <everyone>
		match from any for any action "box"
	X
	alone "$X/usr/sbin/smtpd" -d -f "$R/smtpd.conf"
	answers_smtp
}

# Whether a server greets at $PORT within a minute.
answers_smtp() {
	for _ in $(seq 600); do
		kill -0 "$relay_pid" 2>/dev/null || return 1
		python3 -c 'import socket, sys
assert socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).recv(3) == b"220"' "$PORT" 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

stop_relay() {
	[ -z "${R:-}" ] && return
	if [ -n "$relay_pid" ]; then
		kill "$relay_pid" 2>/dev/null
		wait "$relay_pid" 2>/dev/null
	else
		postfix -c "$R/conf" stop >/dev/null 2>&1
	fi
	rm -rf "$R"
	R=
}

# How many mails lie in the relay's Maildir, and waiting until they are so many: relays accept at once and deliver a moment later.
delivered() {
	find "$BOX/new" -type f 2>/dev/null | wc -l
}
all_there() {
	for _ in $(seq "${2:-600}"); do
		[ "$(delivered)" -ge "$1" ] && break
		sleep 0.1
	done
	[ "$(delivered)" = "$1" ] || { echo "$(delivered) are there, expected $1"; return 1; }
}
