# dovecot.sh - a real IMAP server on loopback, private to a test: user ada, password "pa ss\"wörd"; her mails in the Maildir $BOX.
# Sourced after lib.sh. Nothing of the system is changed.
# shellcheck shell=sh disable=SC2034,SC2154

# start_dovecot: sets $IMAP and $IMAPS, the ports, and $dovecot_pid. Certificates are those of make_certificates, made before.
start_dovecot() {
	D=$(mktemp -d /tmp/digest-imap.XXXXXX) && chmod 755 "$D" || exit 1
	BOX=$D/mail/ada
	read -r IMAP IMAPS <<-X
		$(fixed_ports 2)
	X
	mkdir -p "$D/run" "$D/state" "$BOX/new" "$BOX/cur" "$BOX/tmp"
	cp s.pem s.key "$D" && chmod 600 "$D/s.key" && chown -R nobody "$D/mail"
	cat >"$D/users" <<-'X'
		ada:{PLAIN}pa ss"wörd
	X
	cat >"$D/dovecot.conf" <<-X
		base_dir = $D/run
		state_dir = $D/state
		log_path = $D/log
		protocols = imap
		listen = 127.0.0.1
		default_login_user = nobody
		default_internal_user = nobody
		default_internal_group = nogroup
		ssl = required
		ssl_cert = <$D/s.pem
		ssl_key = <$D/s.key
		disable_plaintext_auth = yes
		auth_mechanisms = plain
		mail_location = maildir:$D/mail/%u
		first_valid_uid = 1
		mail_fsync = never
		namespace inbox {
		  inbox = yes
		  separator = /
		}
		passdb {
		  driver = passwd-file
		  args = $D/users
		}
		userdb {
		  driver = static
		  args = uid=nobody gid=nogroup home=$D/mail/%u
		}
		service imap-login {
		  chroot =
		  inet_listener imap {
		    port = $IMAP
		  }
		  inet_listener imaps {
		    port = $IMAPS
		  }
		}
		auth_failure_delay = 0
		service anvil {
		  chroot =
		  unix_listener anvil-auth-penalty {
		    mode = 0
		  }
		}
		service stats {
		  chroot =
		}
	X
	setsid dovecot -F -c "$D/dovecot.conf" >"$D/starting" 2>&1 &
	dovecot_pid=$!
	for _ in $(seq 600); do
		kill -0 "$dovecot_pid" 2>/dev/null || break
		python3 -c 'import socket, sys
assert socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).recv(4) == b"* OK"' "$IMAP" 2>/dev/null && return
		sleep 0.1
	done
	cat "$D/starting" "$D/log" 2>/dev/null
	return 1
}

stop_dovecot() {
	[ -z "${D:-}" ] && return
	# All of its processes: asked to go, it takes its time.
	kill -s KILL -- "-$dovecot_pid" 2>/dev/null
	wait "$dovecot_pid" 2>/dev/null
	rm -rf "$D"
	D=
}
