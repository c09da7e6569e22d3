#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# What digest refuses to do it tells with the command that cures it; here each command is typed as it was told, and then it works.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] && unprivileged true 2>/dev/null || skip_all 'users can be changed by root only'
plan 21

us=65534 they=12345 # the second has no name
chmod 755 "$T"
# What is told begins with sudo where a person would need it.
mkdir bin
cat >bin/sudo <<'X'
#!/usr/bin/env python3
import os, pwd, sys, warnings  # execvp wants the last, when it may not be readable any more
words = sys.argv[1:]
if words[0] == "-u":
    name = words[1]
    uid = int(name[1:]) if name.startswith("#") else pwd.getpwnam(name).pw_uid
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
    words = words[2:]
os.execvp(words[0], words)
X
chmod 755 bin/sudo
# as UID COMMAND...
as() {
	uid=$1
	shift
	if [ "$uid" = 0 ]; then "$@"; else python3 "$T/bin/sudo" -u "#$uid" "$@"; fi
}
# A new folder of somebody's with a configuration and papers; what is on standard input is added to it.
folder() {
	cd "$T" && rm -rf at && mkdir at && cd at || exit 1
	cp "$FIXTURES/2026-03-02.json" days.json
	{ echo 'source "days" { type = file  path = "days.json" }'; echo 'subscriber "ada@digest.test" {}'; cat; } | write_config
	chown -R "$1" . && chmod 755 .
}
# shellcheck disable=SC2120 # in the checks it is given some
run() {
	echo "$DIGEST -c $T/at/digest.conf --now 2026-03-03T08:00:00Z ${1:-run}"
}
# prepared UID: what the next checks spoil is there, made by a run.
prepared() {
	# shellcheck disable=SC2046
	as "$1" $(run) && return
	echo "Bail out! the first run in $PWD fails"
	exit 1
}
# cured UID CODE PATTERN CURE COMMAND [CODE]: it ends with the code and a line that matches and ends in a cure that matches; that
# is typed, and then the command works, or ends with the other code: by the cure itself, where it names another user.
cured() {
	# shellcheck disable=SC2086 # words of a command
	as "$1" $5 >../out 2>../err </dev/null
	got=$?
	tail -n 1 ../err
	[ $got -eq "$2" ] || { echo "ended with $got"; return 1; }
	grep -Eq -- "$3" ../err || { echo "it does not say $3"; return 1; }
	cure=$(tail -n 1 ../err | sed 's/.*; //')
	echo "$cure" | grep -Eqx -- "$4" || { echo "the cure is: $cure"; return 1; }
	case $cure in
	sudo\ -u*) PATH=$T/bin:$PATH sh -c "$cure"; return ;;
	sudo*) PATH=$T/bin:$PATH sh -c "$cure" ;;
	*) as "$1" sh -c "$cure" ;;
	esac || { echo 'the cure fails'; return 1; }
	# shellcheck disable=SC2086
	as "$1" $5 2>../err
	[ $? -eq "${6:-0}" ] || { echo 'it is refused again'; cat ../err; return 1; }
}
nobody=$(id -nu $us)

folder $us </dev/null
check 'root, where the folder of the store is not its own' 'cured 0 74 "at: belongs to $nobody, and root would leave files there" "sudo -u $nobody $(run)" "$(run)" && test -z "$(find . -user 0)"'
check '... where the store is there'             'cured 0 74 "digest.db: belongs to $nobody" "sudo -u $nobody $(run)" "$(run)" && test -z "$(find . -user 0)"'
check '... to restore'                           'as $us $(run "backup -q $T/at/b.db") && cured 0 74 "belongs to $nobody" "sudo -u $nobody .* restore $T/at/b.db" "$(run "restore $T/at/b.db")"'
check '... to take its key along'                'cured 0 78 "digest.key: holds a secret but belongs to another user" "sudo -u $nobody $(run "backup -fq $T/at/b.db")" "$(run "backup -fq $T/at/b.db")"'
check '... to look at is fine'                   '$(run status) >../out'
folder 0 </dev/null
check 'root, and a store of its own'             '$(run) && $(run status) >../out'
check 'a store that root has made in our folder' 'chown $us . * && chown 0 digest.db; cured $us 74 "digest.db: no permission" "sudo chown $nobody .*/digest.db" "$(run)"'
check '... the lock as well'                     'chown 0 digest.db.write.lock; cured $us 74 "write.lock: Permission denied" "sudo chown $nobody .*/digest.db.write.lock" "$(run)"'
check 'a store of somebody else'                 'chown -R $they . && cured $us 74 "digest.db: no permission" "sudo -u .#$they. $(run)" "$(run)"'
folder $us </dev/null
prepared $us
check 'one that we may not write'                'chmod 400 digest.db; cured $us 74 "digest.db: no permission" "chmod u.rw .*/digest.db" "$(run)"'
check 'a folder that we may not write'           'rm -rf digest.db* && chmod 500 . && cured $us 74 "Permission denied" "chmod u.rwx .*at" "$(run)"'
check 'a folder of root, for the store'          'mkdir mine && sed -i "s|path = \"digest.db\"|path = \"mine/digest.db\"|" digest.conf && cured $us 74 "mine/digest.db.write.lock: Permission denied" "sudo chown $nobody .*/mine" "$(run)"'
check 'a folder that only root can make'         'sed -i "s|path = \"mine/digest.db\"|path = \"$T/new/here/digest.db\"|" digest.conf && chmod 1755 "$T" && cured $us 74 "cannot be made" "sudo install -d -m 700 -o $nobody $T/new/here" "$(run)"; rc=$?; chmod 755 "$T"; exit $rc'
folder $us </dev/null
prepared $us
check 'a key that others may read'               'chmod 644 digest.key; cured $us 78 "digest.key: holds a secret but others may read it" "chmod 600 .*/digest.key" "$(run "backup -fq b2.db")"'
check '... one of somebody else'                 'chown $they digest.key; cured $us 78 "digest.key: holds a secret but belongs to another user" "sudo chown $nobody (.*/digest.key) && sudo chmod 600 \1" "$(run "backup -fq b2.db")"'
check '... one of root'                          'chown 0 digest.key; chmod 600 digest.key; cured $us 74 "digest.key: Permission denied" "sudo chown $nobody .*/digest.key" "$(run "backup -fq b2.db")"'
check 'a configuration with a password'          'echo "smtp \"more\" { url = \"smtp://127.0.0.1:9\"  tls = none  user = \"me\"  password = \"c4nary\"  domains = {\"nowhere.test\"} }" >>digest.conf; chmod 644 digest.conf; as $us $(run) 2>../err; tail -n 2 ../err | head -n 1 | grep -Eq "digest.conf: holds a secret but others may read it; chmod 600 .*/digest.conf$" && ! grep c4nary ../err && as $us sh -c "$(grep -o "chmod 600 .*" ../err)" && as $us $(run)'
check '... of root'                              'chown 0 digest.conf && cured $us 78 "digest.conf: Permission denied" "sudo chown $nobody .*/digest.conf" "$(run)"'
folder $us <<'X'
smtp "more" { url = "smtp://127.0.0.1:9"  tls = none  user = "me"  password-file = "the secret"  domains = {"digest.test"} }
X
echo c4nary >'the secret'
chown $us 'the secret'
check 'a password that others may read, with a blank in its name' 'chmod 640 "the secret"; cured $us 78 "holds a secret but others may read it" "chmod 600 .*/the secret." "$(run)" 75 && ! grep c4nary ../err'
# What systemd hands over is root's, opened to us by an access list; its mask stands as the rights of the group.
check 'a credential may be open to the group, not to others' 'mkdir cred && echo c4nary >cred/smtp && chown $us cred cred/smtp && chmod 440 cred/smtp && sed -i "s|\"the secret\"|\"\${CREDENTIALS_DIRECTORY}/smtp\"|" digest.conf && export CREDENTIALS_DIRECTORY=$T/at/cred && rm -f digest.db* && as $us $(run) 2>../err; grep -q "mail waits" ../err && rm -f digest.db* && chmod 444 cred/smtp && ! as $us $(run) 2>../err && grep -q "others may read" ../err'
folder $us </dev/null
prepared $us
check 'a Maildir that we may not write'          'chown 0 Mail/tmp; sed "s/2026-03-02/2026-03-03/g" "$FIXTURES/2026-03-03.json" >days.json; cured $us 74 "Mail/tmp: Permission denied" "sudo chown $nobody .*/Mail/tmp" "$DIGEST -c $T/at/digest.conf --now 2026-03-04T08:00:00Z run"'
