#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A store that is missing, locked, broken, too new or on a full disk: a clear sentence, the right code, and nothing lost.
. "$(dirname "$0")/lib.sh"
plan 29

cp "$FIXTURES/2026-03-02.json" days.json
readers=200
{
	echo 'source "days" { type = file  path = "days.json" }'
	seq -f 'subscriber "reader%g@digest.test" { filter "all" { match = "*" } }' $readers
} | write_config
now=2026-03-03T08:00:00Z
run() {
	"$DIGEST" --now $now run "$@"
}

check 'without one, looking a paper up says so'  'says 74 "no store at .*digest.db yet; the first .digest run. makes it" "$DIGEST" show 2603.90001'
check 'the overview works without'               '"$DIGEST" >out && grep -q "made by the first run" out && ! [ -e digest.db ]'
check 'the first run makes one, for us alone'    'silent 0 run && test "$(mails_sent)" = $readers && test "$(stat -c %a digest.db)" = 600 && test "$(stat -c %a digest.key)" = 600'
cp digest.db good.db
restore() {
	rm -rf digest.db digest.db-* digest.db.witness "$XDG_CACHE_HOME" # else it is told from the newest one
	cp good.db digest.db
	chmod 600 digest.db
}

# --- another process
hold digest.db.sender.lock
rm -rf Mail
cp "$FIXTURES/2026-03-03.json" days.json
now=2026-03-04T08:00:00Z
check 'while another run sends, this one leaves' 'silent 0 run && test "$(mails_sent)" = 0'
check '-v says who'                              'run -v 2>&1 | grep -q "another run .* is sending"'
check 'a preview does not wait for it'           '"$DIGEST" --now $now -n -u reader1@digest.test 2>err >out && grep -q "Agents That Ask" out'
check 'nor does an unsubscribe'                  '"$DIGEST" unsubscribe reader7@digest.test >out && grep -q "gets no more mail" out'
kill $holder
wait $holder 2>/dev/null
check 'afterwards all are mailed but who left'   'silent 0 run && test "$(mails_sent)" = $((readers - 1))'

# --- not a store
broken() {
	says 74 "$1" run && says 74 "$1" "$DIGEST" --now $now -n -u reader1@digest.test && says 74 "$1" "$DIGEST" subscribers
}
check 'a file that is something else'            'rm -f digest.db*; echo "not a database, but long enough to look at for a while" >digest.db; chmod 600 digest.db; broken "digest.db: .*not .*(store|database)"'
check '... is left as it is'                     'grep -q "not a database" digest.db'
check 'a database of somebody else'              'rm -f digest.db*; : >digest.db; sql "CREATE TABLE x(y)"; chmod 600 digest.db; broken "digest.db: is a database of another program"'
check 'an empty file'                            'rm -f digest.db*; : >digest.db; chmod 600 digest.db; broken "digest.db: is empty"'
check 'a folder'                                 'rm -f digest.db*; mkdir digest.db; broken "digest.db: is a directory"; rc=$?; rmdir digest.db; exit $rc'
check 'a pipe'                                   'rm -f digest.db*; mkfifo digest.db; broken "digest.db: is not a regular file"; rc=$?; rm digest.db; exit $rc'
check 'a link to itself'                         'rm -f digest.db*; ln -s digest.db digest.db; broken "digest.db: "; rc=$?; rm digest.db; exit $rc'
restore
check 'a newer one is not touched'               'sql "PRAGMA user_version = 9999"; cp digest.db newer; broken "digest.db: .*newer" && cmp digest.db newer'
restore
check 'one cut in half'                          'truncate -s 40960 digest.db; broken "digest.db: .*(corrupt|malformed|damaged|broken)"'
restore
python3 - <<'P'
with open("digest.db", "r+b") as file:
    size = file.seek(0, 2)
    for page in range(4096, size, 8192):
        file.seek(page + 100)
        file.write(b"\xff" * 300)
P
check 'one with bytes overwritten'               'broken "digest.db: .*(corrupt|malformed|damaged|broken)"'
restore
check 'a key that is too short'                  'cp digest.key key; echo x >digest.key; says 7[48] "digest.key" run || says 78 "digest.key" run || says 74 "digest.key" run; rc=$?; cp key digest.key; exit $rc'

# --- a full disk
full() {
	rm -rf Mail
	says 74 "digest.db.*(full|disk|too large|space)|(Mail|tmp).*(full|space|too large|large)" "$@"
}
limited() {
	blocks=$1
	shift
	(ulimit -f "$blocks" && "$@")
}
restore
check 'no room for the store'                    'full limited 1 "$DIGEST" --now $now run'
check '... loses nothing'                        'silent 0 run && test "$(mails_sent)" = $readers'
check 'no room for a new store'                  'mv digest.db away; full limited 1 "$DIGEST" --now $now run; rc=$?; ls digest.db 2>/dev/null && rc=1; rm -f digest.db*; mv away digest.db; exit $rc'
mkdir small
if mount -t tmpfs -o size=1M none small 2>/dev/null; then
	check 'no room in the Maildir'           'restore; sed "s/maildir:Mail/maildir:small\/Mail/" digest.conf >small.conf; says 75 "mail waits for a later run: .*[Nn]o space" "$DIGEST" -c "$T/small.conf" --now $now run'
	check '... and the rest comes when there is' 'mount -o remount,size=40M small && silent 0 "$DIGEST" -c "$T/small.conf" --now 2026-03-04T08:05:00Z run && test "$(mails_sent small/Mail)" = $readers'
	umount small
else
	skip 2 'no file system can be mounted here'
fi

# --- killed in the middle: later runs send to each reader who is due, once
survives() {
	for delay in $1; do
		restore
		rm -rf Mail
		"$DIGEST" --now $now run >/dev/null 2>&1 &
		victim=$!
		sleep "$delay"
		kill -9 $victim 2>/dev/null
		wait $victim 2>/dev/null
		at_kill="$at_kill $(mails_sent)"
		"$DIGEST" --now $now run >"$T/.out" 2>&1 || { cat "$T/.out"; return 1; }
		to=$(cat Mail/new/* | grep -c '^To: reader')
		unique=$(cat Mail/new/* | grep '^To: reader' | sort -u | wc -l)
		ids=$(cat Mail/new/* | grep '^Message-ID:' | sort -u | wc -l)
		[ "$unique" = $readers ] && [ "$ids" = $readers ] && [ "$to" -le $((2 * readers)) ] ||
			{ echo "killed after $delay s: $unique of $readers readers, $to mails"; return 1; }
	done
	echo "mails at the kills:$at_kill" >&3
}
exec 3>"$T/kills"
at_kill=
check 'killed at any moment, nobody is forgotten' 'survives "0.01 0.03 0.06 0.09 0.12 0.16"'
echo "# $(cat kills)"
check 'the store is whole after that'            'test "$(sql "PRAGMA integrity_check")" = ok'
stopped() {
	restore
	rm -rf Mail
	"$DIGEST" --now $now run &
	victim=$!
	sleep 0.03
	kill -TERM $victim
	wait $victim
	rc=$?
	[ $rc -eq 0 ] || [ $rc -eq 75 ] || [ $rc -eq 143 ] || return 1
	silent 0 run && [ "$(cat Mail/new/* | grep '^To: reader' | sort -u | wc -l)" = $readers ]
}
check 'asked to stop, it does and goes on later' stopped
check 'nothing lies about'                       '! ls | grep -E "\.new$|journal" && test -z "$(ls Mail/tmp)"'
check 'the lock files hold no data'              'test "$(wc -c <digest.db.write.lock)" -lt 64'
