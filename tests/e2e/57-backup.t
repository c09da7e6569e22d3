#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Backups and what becomes of them: made while a run sends, whole or not there, put back here and elsewhere; the links of mails
# sent before go on to work, and nobody gets again what the backup knows of. And prune.
. "$(dirname "$0")/lib.sh"

BENCH=${BENCH:-$ROOT/build/bench}
[ -e "$BENCH/killshim.so" ] || skip_all 'build/bench is not built: make bench-programs'
plan 42
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0

folder() {
	rm -rf "$T/at" "$T/other" && mkdir "$T/at" && cd "$T/at" || exit 1
	export XDG_CACHE_HOME="$T/at/cache" DIGEST_CONFIG="$T/at/digest.conf"
	cp "$FIXTURES/2026-03-02.json" days.json
	{
		echo 'source "days" { type = file  path = "days.json" }'
		seq -f 'subscriber "reader%g@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }' "$1"
	} | write_config
}
on() {
	day=$1 time=$2
	shift 2
	"$DIGEST" --now "2026-03-${day}T$time:00Z" "$@"
}
# elsewhere: a machine that has the configuration alone.
elsewhere() {
	rm -rf "$T/other" && mkdir "$T/other" && cp digest.conf days.json "$T/other" && cd "$T/other" || exit 1
	echo 0123456789abcdef0123456789abcdef >machine
	export XDG_CACHE_HOME="$T/other/cache" DIGEST_CONFIG="$T/other/digest.conf"
	export KILLSHIM_MACHINE="$T/other/machine" LD_PRELOAD="$BENCH/killshim.so"
}
tokens() {
	grep -hoE '^List-Unsubscribe: .*unsubscribe%20[a-z2-7]{50}' "$1"/new/* | grep -oE '.{50}$' | sort -u
}

# --- a backup, and its file
folder 5
on 03 08:00 run
check 'a backup says where it is and what is in it' '"$DIGEST" backup one.db >out && grep -Eq "^one.db: 0.[0-9] MB, read back: 4 papers, 5 readers, 0 who left, and the key of the links$" out'
check '... it is a file of its own, closed to others' 'test "$(stat -c %a one.db)" = 600 && ! test -e one.db-wal && ! test -e one.db-shm && ! test -e one.db.part'
check '... whole, and complete'                     'STORE=one.db sql "PRAGMA integrity_check" | grep -qx ok && test "$(STORE=one.db sql "SELECT count(*) FROM edition")" = 5 && test "$(STORE=one.db sql "PRAGMA journal_mode")" = delete'
check 'the store itself does not change'            'same_store "\"$DIGEST\" backup two.db -q"'
check 'JSON has the same'                           '"$DIGEST" backup three.db --json | python3 -c "import json, os, sys
b = json.load(sys.stdin)
assert b[\"path\"] == \"three.db\" and b[\"bytes\"] == os.path.getsize(\"three.db\") and b[\"readers\"] == 5 and b[\"papers\"] == 4 and b[\"key\"] is True, b"'
check 'a file that is there stays'                  'says 64 "one.db: is there already; --force replaces it" "$DIGEST" backup one.db'
check '... unless asked'                            '"$DIGEST" backup -fq one.db'
check 'into a folder by the time'                   'mkdir kept && "$DIGEST" backup kept >out && ls kept | grep -Eq "^digest-[0-9]{8}T[0-9]{6}Z.db$"'
check 'never over what is in use'                   'ln -s digest.db link.db; for f in digest.db link.db digest.key digest.conf; do says 64 "is in use itself" "$DIGEST" backup -f $f || exit 1; done; sql "PRAGMA integrity_check"'
check 'no folder: the command that makes it'        'says 64 "there is no folder for it; mkdir -p no/such" "$DIGEST" backup no/such/file && mkdir -p no/such && "$DIGEST" backup -q no/such/file'
if unprivileged true 2>/dev/null; then
	mkdir ro outbox && cp digest.db digest.key digest.conf days.json ro && chmod 755 "$T" . && chmod 777 outbox
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 ro
	chmod 500 ro
	check 'a store in a folder that may only be read is backed up, too' 'unprivileged env XDG_CACHE_HOME=/nonexistent "$DIGEST" -c ro/digest.conf backup -q outbox/from-ro.db && test "$(STORE=outbox/from-ro.db sql "SELECT count(*) FROM reader")" = 5 && test "$(ls ro | wc -l)" = 4'
else
	skip 1 'nobody is unprivileged here'
fi
check 'a key that others may read is refused with the cure' 'chmod 644 digest.key; says 78 "digest.key: holds a secret but others may read it; chmod 600 " "$DIGEST" backup x.db; rc=$?; chmod 600 digest.key; test $rc = 0 && ! test -e x.db'

# Killed at any of its writes, or with the disk failing: no file under the name, or the old one, and the next one works.
killed() {
	KILLSHIM_TRACE=trace LD_PRELOAD=$BENCH/killshim.so "$DIGEST" backup -fq k.db || return 1
	ncalls=$(grep -c . trace)
	echo "$ncalls calls"
	[ "$ncalls" -ge 10 ] || return 1
	for old in yes no; do
		for n in $(seq 1 9 $((ncalls - 9))) $(seq $((ncalls - 8)) "$ncalls"); do
			if [ $old = yes ]; then cp one.db k.db; else rm -f k.db; fi
			KILLSHIM_AT=$n LD_PRELOAD=$BENCH/killshim.so "$DIGEST" backup -fq k.db 2>err
			[ $? -eq 137 ] || return 1
			[ -e k.db ] || [ $old = no ] || return 1
			[ ! -e k.db ] || cmp -s k.db one.db || [ "$(STORE=k.db sql "PRAGMA integrity_check")" = ok ] || return 1
		done
		"$DIGEST" backup -fq k.db && [ "$(STORE=k.db sql "PRAGMA integrity_check")" = ok ] && [ ! -e k.db.part ] || return 1
	done
}
check 'killed at its writes: whole or not there'    killed
failing() {
	for n in $(seq 1 6 "$(grep -c . trace)"); do
		rm -f f.db
		KILLSHIM_FAIL=$n LD_PRELOAD=$BENCH/killshim.so "$DIGEST" backup -q f.db 2>err
		rc=$?
		[ $rc -eq 0 ] || { [ $rc -eq 74 ] && [ -s err ] && [ ! -e f.db ]; } || { echo "$n: $rc"; cat err; return 1; }
	done
}
check 'a disk that fails once: a sentence, and no file' failing
check 'a full disk, too'                            'rm -f f.db; says 74 "disk is full|No space" env KILLSHIM_ONLY=pwrite64 KILLSHIM_ERRNO=28 KILLSHIM_FAIL=5+ LD_PRELOAD=$BENCH/killshim.so "$DIGEST" backup f.db && ! test -e f.db && ! test -e f.db.part'

# --- put back elsewhere
tokens Mail >known
elsewhere
check 'elsewhere: restored with its key'            'on 03 08:10 restore "$T/at/one.db" >out && grep -q "digest.db is restored from .*one.db$" out && grep -q "digest.key is the one of the backup$" out && cmp digest.key "$T/at/digest.key" && test "$(stat -c %a digest.key)" = 600'
check '... which is no longer in the store'         'key=$(tail -n 1 digest.key | cut -d" " -f2 | cut -c1-32) && test ${#key} = 32 && ! grep -aF "$key" digest.db* && grep -aqF "$key" "$T/at/one.db"'
check '... sends nothing twice'                     'silent 0 on 03 09:00 run && test "$(mails_sent)" = 0'
check '... and goes on'                             'cp "$FIXTURES/2026-03-03.json" days.json && silent 0 on 04 08:00 run && test "$(mails_sent)" = 5'
check 'a link of a mail that left before works'     'test "$(grep -c . "$T/at/known")" -ge 5 && "$DIGEST" unsubscribe --token "$(head -n 1 "$T/at/known")" >out && cat out && test "$("$DIGEST" subscribers --all --json | grep -c "\"state\":\"left\"")" = 1'
unset KILLSHIM_MACHINE LD_PRELOAD

# --- put back here, with other keys
cd "$T/at" || exit 1
export XDG_CACHE_HOME="$T/at/cache" DIGEST_CONFIG="$T/at/digest.conf"
new_key=2\ $(openssl rand -hex 32 2>/dev/null || seq -s '' 10 41)
check 'a key that was retired since stays retired'  'cp digest.key first.key; { echo "$new_key"; grep "^1 " first.key; } >digest.key && on 03 08:20 restore -q one.db && grep -m1 "^[0-9]" digest.key | grep -q "^2 "'
check 'one that is missing comes back below'        'echo "$new_key" >digest.key && on 03 08:20 restore one.db >out && grep -q "has the keys of the backup as well, retired" out && test "$(grep -c "^[0-9]" digest.key)" = 2 && grep -m1 "^[0-9]" digest.key | grep -q "^2 "'
check 'another one of that number is kept aside'    'echo "$new_key" | sed "s/^2/1/" >digest.key && on 03 08:20 restore one.db >out && grep -q "is the one of the backup; the other one is kept" out && cmp digest.key first.key && test -s digest.key.before-restore'
check 'a store copied by hand: told of the key'     'cp digest.db by-hand.db; on 03 08:20 restore by-hand.db >out && grep -q "it has no key with it" out'
check 'a backup copied into its place: --adopt takes the key' 'rm digest.key digest.db* && cp one.db digest.db && on 03 08:20 restore --adopt --json >out && grep -q "\"key\":true" out && cmp digest.key first.key && test "$(sql "SELECT count(*) FROM sqlite_schema WHERE name = '"'backup'"'")" = 0'
check 'of a newer digest: refused, both ways'       'cp one.db newer.db && STORE=newer.db sql "PRAGMA user_version = 99" && says 65 "newer.db: was made by a newer digest .schema 99, this one knows [0-9]*" on 03 08:20 restore newer.db && sed "s|path = \"digest.db\"|path = \"newer.db\"|" digest.conf >newer.conf && says 74 "newer.db: was made by a newer digest .*install the newer one" on 03 08:20 -c newer.conf run && { "$DIGEST" -c newer.conf status --check >out; test $? = 74; } && grep -q "newer digest" out'

# --- before the tables change: a store of the first version
old_store() {
	rm -f digest.db* && python3 -c 'import sqlite3, sys
sqlite3.connect("digest.db").executescript(open(sys.argv[1]).read())' "$FIXTURES/store-1.sql" && chmod 600 digest.db
}
check 'an upgrade that cannot be undone does not begin' 'old_store && mkdir digest.db.before-v2.part && says 74 "backup before the upgrade: .*digest.db.before-v2.part: Is a directory" on 03 08:20 subscribers pause ada@example.org --until 2026-04-01; rmdir digest.db.before-v2.part; test "$(sql "PRAGMA user_version")" = 1'
check '... a look changes nothing'                  'same_store "on 03 08:20 status >out" && test ! -e digest.db.before-v2'
check '... and one that begins keeps the store as it was' 'on 03 08:20 fetch -q; test "$(sql "PRAGMA user_version")" -ge 5 && test "$(STORE=digest.db.before-v2 sql "PRAGMA user_version")" = 1 && test "$(stat -c %a digest.db.before-v2)" = 600'
check '... which can be put back, and is brought up again' 'cp digest.db.before-v2 first.db && on 03 08:20 restore -q first.db && test "$(sql "PRAGMA user_version")" -ge 5 && on 03 08:20 status >out && STORE=first.db sql "PRAGMA user_version" | grep -qx 1'

# --- in the middle of a run to 2,000 readers
readers=${READERS:-2000}
start_sink() {
	: >port
	"$BENCH/sink" -o "$1" -d "$2" >port &
	sink=$!
	pids="$pids $sink"
	until_true '[ -s port ]'
	sed -i "s|smtp \"box\" {.*}|smtp \"box\" { url = \"smtp://127.0.0.1:$(head -n 1 port)\"  tls = none  connections = 8 }|" digest.conf
}
taken() {
	grep -c ' 250$' "$1"
}
folder "$readers"
start_sink "$T/first.log" 15
on 03 08:00 run 2>err &
run=$!
pids="$pids $run"
until_true '[ "$(taken "$T/first.log")" -ge $((readers / 4)) ]'
before=$(taken "$T/first.log")
check 'a backup while 2,000 mails leave'            '"$DIGEST" backup middle.db && STORE=middle.db sql "PRAGMA integrity_check" | grep -qx ok'
after=$(taken "$T/first.log")
check '... with what had left'                      'n=$(STORE=middle.db sql "SELECT count(*) FROM edition WHERE state = 2"); echo "$before .. $n .. $after"; test $n -ge $((before - 8)) && test $n -le $after && test $n -lt $readers'
check 'the run goes on as if nothing were'          'until_true "[ \$(taken $T/first.log) -ge $readers ]"'
wait $run
check '... and ends well'                           "test $? = 0 && test ! -s err && test \$(sort $T/first.log | cut -d' ' -f1 | uniq | grep -c .) = $readers"
kill $sink
wait $sink

# The machine is lost; the backup goes on elsewhere. Who was mailed after the backup is mailed again, with the same Message-ID.
elsewhere
unset LD_PRELOAD KILLSHIM_MACHINE
start_sink "$T/second.log" 0
check 'restored elsewhere: what was on its way is held' 'on 03 09:00 restore "$T/at/middle.db" >out && grep -Eq "^[0-9]+ mails are held" out && on 03 09:10 run -v'
check '... nobody whom the backup knows of gets two' 'python3 - "$T/at/middle.db" "$T/first.log" "$T/second.log" <<X
import sqlite3, sys
readers = dict(sqlite3.connect(sys.argv[1]).execute("SELECT id, canonical FROM reader"))
known = {readers[r] for r, in sqlite3.connect(sys.argv[1]).execute("SELECT reader FROM edition")}
def mails(path):
    with open(path) as log:
        return [line.split() for line in log if line.endswith(" 250\n")]
first, second = ({m[0].strip("<>"): m[1] for m in mails(p)} for p in sys.argv[2:])
assert len(second) == len(mails(sys.argv[3])), "two of one restored store"
twice = first.keys() & second.keys()
print(f"{len(first)} and {len(second)} mails, {len(known)} known to the backup, {len(twice)} twice")
assert not twice & known and len(first.keys() | second.keys()) == $readers
assert all(first[a] == second[a] for a in twice), "another Message-ID"
X'
kill $sink
wait $sink

# --- prune
folder 3
on 03 08:00 run
"$DIGEST" backup -q before.db
later() {
	"$DIGEST" --now 2027-08-01T08:00:00Z "$@"
}
check 'prune -n tells what would go, and nothing goes' 'same_store "later prune -n >out" && cat out && grep -q "^would go: 4 papers, 3 old digests, 1 old runs, 1 pages not read for long$" out'
check 'prune does it'                               'later prune >out && cat out && grep -q "^gone: 4 papers, 3 old digests" out && grep -q "^the store has 0.[0-9] MB" out && test "$(sql "SELECT count(*) FROM paper")" = 0 && test "$(sql "PRAGMA integrity_check")" = ok'
check '... once'                                    'later prune >out && grep -q "^nothing is old enough to go" out'
check 'keep-* say how old'                          'rm -f digest.db* && cp before.db digest.db && on 03 08:05 restore --adopt -q && sed -i "s|path = \"digest.db\"|& keep-papers = 3650d  keep-replies = 3650d  keep-signals = 3650d|" digest.conf && later prune --json >out && cat out && grep -q "\"papers\":0,\"signals\":0,\"readers\":0,\"editions\":3,\"replies\":0" out'
big() {
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO note SELECT 'filler' || i, hex(zeroblob(100000)) FROM n" && sql "DELETE FROM note WHERE name LIKE 'filler%'"
	before=$(stat -c %s digest.db)
	later prune >out && cat out && grep -Eq '^[78]\.[0-9] MB given back; the store has 0' out && test "$(stat -c %s digest.db)" -lt $((before / 4)) && silent 0 later prune -q
}
check 'room that is free is given back'             big
check 'a run under way prunes by itself'            'hold digest.db.sender.lock; says 75 "a run .* is sending, and prunes at its end, once a day" later prune; rc=$?; kill $holder; exit $rc'
