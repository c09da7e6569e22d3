#!/bin/sh
# shellcheck disable=SC2016,SC2034,SC2119
# From a fresh Debian to the first mail, by the commands of README.md: what building needs, build, install, a real Postfix that
# delivers into a Maildir, a configuration, a run. In under five minutes, by root on a machine with Debian's debootstrap.
E2E=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
TMPDIR=/var/tmp # it takes a gigabyte
rm -rf "$T" && T=$(mktemp -d /var/tmp/digest-fresh.XXXXXX) && cd "$T" || exit 1
# shellcheck source=tests/e2e/debian.sh
. "$E2E/debian.sh"
need_root
plan 12

R=$T/root
check 'a fresh Debian'                          'make_root "$R"'
copy_sources() {
	enter "$R" useradd -m ada && mkdir -p "$R/home/ada/digest" &&
	    tar -C "$ROOT" -cf - --exclude=./build --exclude=./.git . | tar -C "$R/home/ada/digest" -xf - && enter "$R" chown -R ada: /home/ada
}
check 'the sources, as somebody fetches them'   copy_sources
began=$(date +%s)
# as USER COMMAND: in the folder of the sources
as() {
	enter "$R" ${3:+"$3"} runuser -u "$1" -- env HOME="$(enter "$R" getent passwd "$1" | cut -d: -f6)" sh -c "cd /home/ada/digest; $2"
}
check 'sh etc/setup deps'                       'as root "apt-get update -qq && sh etc/setup deps" && as root "sh etc/setup -n deps" | grep -q "nothing is missing"'
check 'make'                                    'as ada "make -s -j$(nproc)"'
check 'make install'                            'as root "make -s install" && as ada "digest version" | grep -q "^digest "'
postfix() {
	enter "$R" apt-get install -y -qq --no-install-recommends postfix >apt.log 2>&1 || { tail apt.log; return 1; }
	enter "$R" postconf -e myhostname=mx.fresh.test mydestination=fresh.test,localhost inet_interfaces=loopback-only \
	    inet_protocols=ipv4 home_mailbox=Maildir/ mynetworks=127.0.0.0/8 maillog_file=/var/log/mail.log alias_maps= alias_database=
}
check 'sh etc/setup mail, and nothing listens'  'as root "sh etc/setup mail" >mail.log 2>&1 && enter "$R" sh -c "command -v dovecot && readlink /etc/systemd/system/dovecot.socket /etc/systemd/system/postfix.service | sort -u" | tail -n 1 | grep -qx /dev/null && test ! -e "$R/run/dovecot/master.pid" && test ! -e "$R/var/spool/postfix/pid/master.pid" || ! cat mail.log'
check 'a real Postfix with a Maildir'           postfix

# Papers of the day come from a file: no test asks a service. What is in conf.d belongs to the configuration.
mkdir -p "$R/home/ada/.config/digest/conf.d"
fresh_papers >"$R/home/ada/papers.json"
echo 'source "days" { type = file  path = "/home/ada/papers.json" }' >"$R/home/ada/.config/digest/conf.d/sources.conf"
enter "$R" chown -R ada: /home/ada/.config /home/ada/papers.json
# Postfix and what sends to it share one network, so they are started by one command.
cat >"$R/first-mail" <<X
set -e
postfix start >/dev/null 2>&1
ada() { runuser -u ada -- env HOME=/home/ada sh -c "\$1"; }
ada 'digest init --address ada@fresh.test --topic "agent* OR splatting" --when always --smtp-url smtp://127.0.0.1:25'
ada 'digest check'
ada 'digest --dry-run' >/home/ada/preview
ada 'digest run -v'
for i in \$(seq 100); do ls /home/ada/Maildir/new/* >/dev/null 2>&1 && break; sleep 0.1; done
ada 'digest status'
postfix stop >/dev/null 2>&1
X
check 'configuration, check, preview, run'      'enter "$R" --net sh /first-mail >said 2>&1; rc=$?; cat said; exit $rc'
took=$(($(date +%s) - began))
check 'the mail is in the Maildir'              'test "$(find "$R/home/ada/Maildir/new" -type f | wc -l)" = 1 && grep -q "^Delivered-To: ada@fresh.test" "$R"/home/ada/Maildir/new/* && grep -q "^List-Unsubscribe: " "$R"/home/ada/Maildir/new/*'
check '... and is what the preview showed'      'grep -o "[0-9][0-9.]*\. [A-Z].*" "$R/home/ada/preview" | head -n 1 | cut -c1-40 >title; test -s title && python3 -c "
import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], \"rb\"), policy=email.policy.default)
assert open(\"title\").read().strip() in mail.get_body((\"plain\",)).get_content()" "$R"/home/ada/Maildir/new/*'
echo "# from the sources to the first mail: $took s"
check 'in under five minutes'                   'echo "$took s"; test "$took" -lt 300'
check 'nothing is left running or mounted'      '! grep -q "$R" /proc/mounts && ! grep -l "$R" /proc/[0-9]*/mountinfo 2>/dev/null'
