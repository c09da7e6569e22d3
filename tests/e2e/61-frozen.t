#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Too many dead addresses at once are a broken relay: nobody is taken off before a person has looked.
. "$(dirname "$0")/lib.sh"
plan 22

cp "$FIXTURES/2026-03-02.json" days.json
{
	echo 'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test"  operator = "op@digest.test" }'
	echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }'
	echo 'mailbox { maildir = "in" }  filter "all" { match = "*" }'
	echo 'source "days" { type = file  path = "days*.json" }'
	for i in $(seq 40); do echo "subscriber \"r$i@digest.test\" { filter \"all\" {} empty = note }"; done
} >digest.conf
mkdir -p in/new in/cur in/tmp

d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T08:${minute:-00}:00Z" "$@"
}
# dead PERIOD READER...: their mails of that day come back.
dead() {
	rm -f in/new/* in/cur/*
	period=$1
	shift
	for reader in "$@"; do python3 "$E2E/returned.py" dsn in "$reader" "$period" 5.1.1 >/dev/null; done
}
gone() {
	sql "SELECT count(*) FROM suppression"
}

day=3
d run
dead 2026-03-03 1 2 3 4
check 'four dead of forty, of which all count'   'd mailbox --json | grep -q "\"bounced\":4.*\"frozen\":false" && test "$(sql "SELECT count(*) FROM incoming WHERE counted = 1")" = 4'
day=4
d run 2>/dev/null
dead 2026-03-04 1 2 3 4 5
check 'five of forty within an hour freeze'      'says 0 "5 of 40 mails of 2026-03-04 proved undeliverable" d mailbox && grep -q "scoring is frozen" .out'
check 'nobody is taken off'                      'test "$(gone)" = 0 && test "$(sql "SELECT count(*) FROM incoming WHERE counted = 0")" = 5'
check 'status says why'                          'd status | grep -q "5 bounces not scored yet" && d status | grep -q "digest mailbox thaw"'
check '... and the monitor gets a code'          'd status --check >out; test $? = 75 && grep -q "5 of 40 mails of 2026-03-04" out'
check 'scores say what waits'                    'd mailbox scores r1@digest.test | grep -A 1 "1 of 2" | grep -q "next *scoring is frozen" && d mailbox scores r1@digest.test | grep -q "waits to be scored"'
check 'the operator is told once'                'd run 2>/dev/null; d run 2>/dev/null; grep -l "^To: .*op@digest.test" Mail/new/* >op; test "$(wc -l <op)" = 1 && tr -d "\n" <"$(cat op)" | grep -q "proved undeliv"'
dead 2026-03-04 6 7
check 'what comes later waits, too'              'd mailbox --json | grep -q "\"bounced\":2.*\"frozen\":true" && test "$(gone)" = 0'
python3 "$E2E/returned.py" ask in 9 unsubscribe >/dev/null
python3 "$E2E/returned.py" arf in 10 2026-03-04 >/dev/null
check 'readers and complaints do not wait'       'd mailbox --json | grep -q "\"complained\":1,\"left\":1" && test "$(gone)" = 2'
day=6
check 'days later it is frozen still'            'd run 2>/dev/null; test "$(gone)" = 2 && d status | grep -q "7 bounces not scored"'
cp digest.db frozen.db
cp digest.key frozen.key
check 'thaw --forget: they never count'          'd mailbox thaw --forget | grep -qx "7 bounces will never count" && test "$(gone)" = 2 && d status --check | grep -q ^ok'
check '... and the points are those of before'   'd mailbox scores r1@digest.test | grep -q "1 of 2" && d mailbox scores r5@digest.test | grep -q "0 of 2"'
check '... and the mail that comes again is known' 'dead 2026-03-04 1; d mailbox --json | grep -q "\"repeated\":1" && d mailbox scores r1@digest.test | grep -q "1 of 2"'
check 'the operator hears that it is over'       'd run 2>/dev/null; grep -h "Bounces are scored again" Mail/new/*'
rm -f in/new/* in/cur/*
python3 "$E2E/returned.py" dsn in 30 2026-03-04 5.7.1 --text 'DMARC says no' >/dev/null
check 'and of who we are'                        'd run 2>/dev/null; tr -d "\n" <"$(grep -l "DMARC says no" Mail/new/* | head -n 1)" | grep -q "came back for who we are"'
rm -f digest.db-wal digest.db-shm
cp frozen.db digest.db
check 'thaw: they count'                         'd mailbox thaw >out && grep -qx "7 bounces that waited counted" out && grep -qx "4 not mailed any more" out && test "$(gone)" = 6'
check '... each by its own points'               'd subscribers --all | grep "^r1@" | grep -q left && d subscribers --all | grep "^r6@" | grep -q active'
check 'a second thaw finds nothing'              'd mailbox thaw | grep -qx "0 bounces that waited counted"'
minute=10
dead 2026-03-04 20 21 22 23 24
check 'five more freeze it again'                'd mailbox --json 2>/dev/null | grep -q "\"bounced\":5.*\"frozen\":true"'
minute=20
d mailbox thaw >out
dead 2026-03-04 25 26 27 28
minute=30
check 'what was thawed does not freeze again'    'd mailbox --json | grep -q "\"bounced\":4.*\"frozen\":false"'
check 'thaw takes no name'                       'says 64 "usage" d mailbox thaw ada@digest.test'
check 'help says what it does'                   'd help mailbox | grep -q -- "--forget"'
