#!/bin/sh
# shellcheck disable=SC2016,SC2034,SC2119
# The Debian package: made, judged by lintian, installed in a fresh Debian, used, upgraded, removed, purged.
E2E=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
rm -rf "$T" && T=$(mktemp -d /var/tmp/digest-package.XXXXXX) && cd "$T" || exit 1
# shellcheck source=tests/e2e/debian.sh
. "$E2E/debian.sh"
need_root
command -v dpkg-buildpackage >/dev/null || skip_all 'dpkg-dev is missing'
plan 15

R=$T/root
deb=$ROOT/build/deb
check 'make deb'                                'make -s -C "$ROOT" deb MAINTAINER="Ada Lovelace <ada@debian.org>" && ls "$deb"/digest_*.deb'
if command -v lintian >/dev/null; then
	check 'lintian has nothing to say'      'lintian --no-cfg -I --allow-root --fail-on error,warning,info "$deb"/digest_*.changes >said 2>&1; rc=$?; cat said; test $rc = 0 && ! grep "^[EWI]:" said'
else
	skip 1 'lintian is missing'
fi
check 'a fresh Debian'                          'make_root "$R"'
names() {
	(cd "$R" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache/apt -o -path ./var/log \) -prune -o -print) | grep digest | grep -v 7ssl | sort
}
install_deb() {
	cp "$deb"/digest_*.deb "$R/digest.deb"
	enter "$R" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends /digest.deb' >apt.log 2>&1
	rc=$?
	rm "$R/digest.deb"
	[ $rc -eq 0 ] || tail apt.log
	return $rc
}
names >before
check 'apt installs it with what it needs'      'install_deb && enter "$R" digest version | grep -q "^digest "'
check '... its user and folders'                'enter "$R" stat -c "%a %U %G" /etc/digest /var/lib/digest /var/cache/digest | tee modes; test "$(xargs <modes)" = "750 root digest 700 digest digest 700 digest digest"'
check '... the timer, from the next start on'   'test -L "$R/etc/systemd/system/timers.target.wants/digest.timer"'
check '... manuals and examples'                'test -s "$R/usr/share/man/man1/digest.1.gz" && test -s "$R/usr/share/doc/digest/examples/digest.conf.example"'
check 'dpkg finds its files as they were packed' 'enter "$R" dpkg --verify digest >said; cat said; test ! -s said'

fresh_papers >"$R/etc/digest/papers.json"
cat >"$R/etc/digest/digest.conf" <<'X'
list { from = "Papers <papers@digest.test>" }
smtp "box" { url = "maildir:/var/lib/digest/Mail" }
source "days" { type = file  path = "papers.json" }
subscriber "ada@digest.test" { when = always }
X
enter "$R" chown root:digest /etc/digest/digest.conf /etc/digest/papers.json
chmod 640 "$R/etc/digest/digest.conf" "$R/etc/digest/papers.json"
digest() {
	enter "$R" runuser -u digest -- env HOME=/var/lib/digest digest "$@"
}
check 'digest check, as its user'               'digest check >said; rc=$?; cat said; test $rc = 0 && grep -q "ok *config.*/etc/digest/digest.conf" said'
check 'a run mails'                             'digest run && test "$(find "$R/var/lib/digest/Mail/new" -type f | wc -l)" = 1 && test "$(stat -c %a "$R/var/lib/digest/digest.db")" = 600'
check 'the line of cron is one that cron takes, and works' 'line=$(sed -n "s/^\*.*	digest	//p" "$R/etc/cron.d/digest") && test -n "$line" && enter "$R" runuser -u digest -- env HOME=/var/lib/digest sh -c "$line" && test "$(stat -c "%a %U" "$R/etc/cron.d/digest")" = "644 root"'
check 'root is told who runs it'                'enter "$R" digest run 2>said; test $? = 74 && cat said && grep -q "sudo -u digest .*digest run$" said'
check 'installed again, all stays'              'keep="$R/etc/digest/digest.conf $R/var/lib/digest/digest.key" && cksum $keep >kept && install_deb && cksum $keep | cmp - kept && digest status --check'
check 'removed: configuration and store stay'   'enter "$R" apt-get remove -y -qq digest >apt.log 2>&1 && test ! -e "$R/usr/bin/digest" && test -s "$R/etc/digest/digest.conf" && test -s "$R/var/lib/digest/digest.db"'
check 'purged: nothing but the user is left'    'install_deb && enter "$R" apt-get purge -y -qq digest >apt.log 2>&1; cat apt.log | tail -n 3; names >after; diff before after; test "$(diff before after | grep -c "^[<>]")" = 0 && enter "$R" getent passwd digest >user && grep -q nologin user'
