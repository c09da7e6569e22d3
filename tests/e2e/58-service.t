#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What a machine gets: the units and how far their sandbox goes, user and folders, what `make install` brings and takes away,
# how the program is hardened, the parts of the Debian package.
. "$(dirname "$0")/lib.sh"
plan 23
build=$(dirname "$DIGEST")
case $DIGEST in */san-* | */tsan-*) plain=no ;; *) plain=yes ;; esac
analyze() {
	SYSTEMD_COLORS=0 SYSTEMD_EMOJI=0 systemd-analyze "$@" 2>&1
}

# --- make install, and away again
inst() {
	make -s -C "$ROOT" "$1" BUILD="${build#"$ROOT/"}" DESTDIR="$T/dest" PREFIX=/opt/digest
}
check 'make install'                                'inst install'
check '... brings all that there is'                'cd dest/opt/digest && for f in bin/digest lib/systemd/system/digest.service lib/systemd/system/digest.timer lib/sysusers.d/digest.conf lib/tmpfiles.d/digest.conf share/man/man1/digest.1 share/man/man5/digest.conf.5 share/man/man7/digest-filter.7 share/digest/templates/digest.html share/doc/digest/digest.conf.example share/doc/digest/digest.cron; do test -s $f || { echo "no $f"; exit 1; }; done'
check '... which runs from there'                   'dest/opt/digest/bin/digest version | grep -q "^digest "'
check '... and is what the unit starts'             'grep -qx "ExecStart=/opt/digest/bin/digest -c /etc/digest/digest.conf run" dest/opt/digest/lib/systemd/system/digest.service'
check '... with a completion for each shell'             'cd dest/opt/digest/share && test -s bash-completion/completions/digest && test -s zsh/site-functions/_digest && test -s fish/vendor_completions.d/digest.fish'
check 'nothing of a person is touched'              'mkdir -p dest/etc/digest && echo mine >dest/etc/digest/digest.conf && inst install && grep -qx mine dest/etc/digest/digest.conf'
unit=$T/dest/opt/digest/lib/systemd/system
sed -i "s|^ExecStart=[^ ]*|ExecStart=$DIGEST|" "$unit/digest.service"

# --- the units
if command -v systemd-analyze >/dev/null; then
	check 'the units have no mistake'           'analyze verify --man=no "$unit/digest.service" "$unit/digest.timer" >said; cat said; test ! -s said'
	check 'the sandbox scores 1.2 of 10 or less' 'analyze security --offline=true --threshold=12 "$unit/digest.service" | tail -n 1'
	check 'the timer catches up, every 15 minutes' 'grep -qx Persistent=true "$unit/digest.timer" && analyze calendar --iterations=2 --base-time="2026-03-01 00:01 UTC" "$(sed -n s/OnCalendar=//p "$unit/digest.timer")" | grep -q "00:15:00 UTC"'
else
	skip 3 'systemd is not here'
fi
cp "$FIXTURES/2026-03-02.json" days.json
start_smtp relay
cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { url = "smtp://localhost:$PORT"  tls = none }
source "days" { type = file  path = "days.json" }
source "web" { type = feed  url = "http://localhost:9/feed" }
source "asked" { type = command  command = "cat days.json | head -c 0" }
fetch { allow-private = {127.0.0.0/8, "::1/128"} }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
X
# A run with all that it calls is within what the unit lets through, and without what it forbids.
calls() {
	chmod 755 "$T" && chmod 644 digest.conf days.json && mkdir -p home && chmod 777 . home
	strace -u "$(id -nu 65534)" -f -o calls "$DIGEST" --now 2026-03-03T08:00:00Z run -q 2>err
	[ "$(find relay -name '*.eml' | wc -l)" = 1 ] || { cat err; return 1; }
	python3 - <<'X'
import re, subprocess
def members(name, seen=()):
    out = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True).stdout
    for word in (line.strip() for line in out.splitlines()[1:]):
        if word.startswith("@"):
            yield from members(word)
        elif word and not word.startswith("#"):
            yield word
allowed = set(members("@system-service")) | set(members("@default"))
allowed -= {c for s in ("@privileged", "@resources") for c in members(s)} - set(members("@default"))
used = set(re.findall(r"^\d+ +(\w+)\(", open("calls").read(), re.M))
missing = used - allowed
print(len(used), "calls;", "not allowed:", missing)
assert len(used) > 40 and not missing
X
}
if [ $plain = yes ] && [ "$(id -u)" -eq 0 ] && command -v strace >/dev/null && command -v systemd-analyze >/dev/null && strace true 2>/dev/null; then
	check 'a run makes no system call that the unit forbids' calls
	check '... maps no memory to write and execute' '! grep -E "m(map|protect)\(.*PROT_WRITE\|PROT_EXEC" calls'
	check '... opens sockets of the families it lets through alone' 'grep -oE "socket\(AF_[A-Z0-9]+" calls | sort -u >families; cat families; ! grep -vE "AF_(INET|INET6|UNIX|NETLINK)$" families'
	check '... writes to its store and cache alone' 'grep -E "open(at)?\(.*O_(WRONLY|RDWR)" calls | grep -vE "= -1|/dev/null|digest\.(db|key)|$T|\"(digest|days)" >writes; cat writes; test ! -s writes'
else
	skip 4 'strace or systemd is not here, or not root'
fi

# --- user and folders
if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" -eq 0 ]; then
	mkdir -p root/etc root/var
	check 'the user is made, without a shell'   'systemd-sysusers --root="$T/root" "$ROOT/etc/sysusers.d/digest.conf" && grep -q "^digest:x:[0-9]*:[0-9]*:Research paper digests:/var/lib/digest:/usr/sbin/nologin$" root/etc/passwd'
	check '... and the folders, closed'         'systemd-tmpfiles --create --root="$T/root" "$ROOT/etc/tmpfiles.d/digest.conf" && stat -c "%a %n" root/etc/digest root/var/lib/digest root/var/cache/digest >modes; cat modes; test "$(cut -d" " -f1 modes | xargs)" = "750 700 700" && test "$(stat -c %u root/var/lib/digest)" = "$(grep ^digest: root/etc/passwd | cut -d: -f3)" && test "$(stat -c %u root/etc/digest)" = 0'
else
	skip 2 'no systemd, or not root'
fi
check 'cron has the same user'                      'grep -Eq "^\*/15 \* \* \* \*	digest	" "$ROOT/etc/cron.d/digest" && grep -Eq "^\*/15 \* \* \* \*	digest	\[ -d /run/systemd/system \] \|\|" "$ROOT/etc/debian/cron"'

# --- away
check 'make uninstall leaves what is a person'"'"'s' 'cp "$ROOT/etc/systemd/digest.service" "$unit" && inst uninstall && test "$(find dest -type f)" = dest/etc/digest/digest.conf'

# --- F-87: how the program is built
if [ $plain = yes ] && command -v readelf >/dev/null; then
	readelf -hldW "$DIGEST" >elf && readelf -sW --dyn-syms "$DIGEST" >symbols
	check 'loaded where nobody knows (PIE)'     'grep -q "Type: *DYN" elf && grep -q "FLAGS_1.* PIE" elf'
	check 'what is linked is bound at once, and read-only' 'grep -q GNU_RELRO elf && grep -q BIND_NOW elf'
	check 'the stack has a guard, and is not executed' 'grep -q __stack_chk_fail symbols && grep "GNU_STACK" elf | grep -q "RW " && ! grep "LOAD" elf | grep -q "RWE"'
	check 'the C library checks sizes (FORTIFY)' 'test "$(grep -cE " __[a-z]+_chk" symbols)" -ge 5'
else
	skip 4 'sanitizers are built in another way'
fi

# --- the package
check 'package and program have one version'        'v=$(sed -n "s/^VERSION = //p" "$ROOT/Makefile") && head -n 1 "$ROOT/etc/debian/changelog" | grep -q "^digest ($v) " && "$DIGEST" version | grep -q "$v"'
check 'its scripts are shell, and each file of /etc stays a person'"'"'s' 'for s in postinst prerm postrm; do sh -n "$ROOT/etc/debian/$s" || exit 1; done; grep -qx /etc/cron.d/digest "$ROOT/etc/debian/conffiles"'
