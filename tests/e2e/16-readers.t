#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Readers by command and by file: who comes, who goes, and that nobody who left is mailed again.
. "$(dirname "$0")/lib.sh"
plan 47

cp "$FIXTURES/2026-03-02.json" days.json
base='source "days" { type = file  path = "days*.json" }'
ada='subscriber "ada@digest.test" { filter "all" { match = "*" } }'
printf '%s\n%s\n' "$base" "$ada" | write_config

d() {
	"$DIGEST" --now "2026-03-0${day}T08:00:00Z" "$@"
}
# mailed ADDRESS: how many mails went there.
mailed() {
	cat Mail/new/* 2>/dev/null | grep -c "^To: .*$1"
}
state() {
	d subscribers --all --json | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    if r["address"] == sys.argv[1]: print(r["state"], r["origin"])' "$1"
}

day=3
check 'subscribe adds a reader'                  'd subscribe "Bob Beam <bob@digest.test>" --filter "tea=tea OR camera" | grep -q "is subscribed"'
check '... who is listed beside those of the file' 'd subscribers >out && grep -q "^ada@digest.test .*active .*1 filter .*digest.conf:4" out && grep -q "^bob@digest.test .*active .*1 filter .*command" out'
check '... and mailed by their filter'           'silent 0 d run && test "$(mailed ada@)" = 1 && test "$(mailed bob@)" = 1 && grep -q "^To: Bob Beam <bob@digest.test>" Mail/new/*'
check 'without a filter it is the trending ones' 'd subscribe cleo@digest.test -q && d -n -u cleo@digest.test 2>/dev/null | grep -q "Trending papers"'
check 'subscribe again changes the filters'      'd subscribe bob@digest.test --filter "a=agents" --filter "b=nerf" >out && d subscribers --json | grep bob@ | grep -q "\"match\":\"agents\".*\"match\":\"nerf\""'
check 'a bad query is told with its place'       'says 65 "filter \"x\", character [0-9]+: " d subscribe x@digest.test --filter "x=a AND (b" || says 78 "filter \"x\", character [0-9]+: " d subscribe x@digest.test --filter "x=a AND (b" || says 64 "filter \"x\", character [0-9]+: " d subscribe x@digest.test --filter "x=a AND (b"'
check 'a filter without a name'                  'says 64 "NAME=QUERY" d subscribe x@digest.test --filter agents'
check 'a bad address'                            'says 65 "x@" d subscribe "x@" || says 78 "x@" d subscribe "x@" || says 64 "x@" d subscribe "x@"'
check '... adds nobody'                          '! d subscribers | grep "^x@"'
check 'an address with a line break'             '! d subscribe "$(printf "x@digest.test\nBcc: y@digest.test")" >/dev/null 2>&1; ! d subscribers | grep "^[xy]@"'
check 'a reader of the file is changed there'    'says 64 "ada@digest.test is in .*digest.conf:4; edit there" d subscribe ada@digest.test --filter a=b'
check '... whatever the case of the letters'     'says 64 "edit there" d subscribe ADA@Digest.Test'
check '... nor paused by command'                'says 64 "edit there" d subscribers pause ada@digest.test --until 2026-05-01'
check '... nor erased'                           'says 64 "remove that block first" d subscribers erase ada@digest.test'

# --- pause
check 'pause needs a day'                        'says 64 "needs --until DATE" d subscribers pause bob@digest.test'
check 'pause takes a day'                        'd subscribers pause bob@digest.test --until 2026-03-05 && test "$(state bob@digest.test)" = "paused command"'
cp "$FIXTURES/2026-03-03.json" days-2.json
day=4
check 'who paused gets no mail'                  'silent 0 d run && test "$(mailed bob@)" = 1 && test "$(mailed ada@)" = 2 && test "$(mailed cleo@)" = 1'
day=5
check '... and all of it afterwards'             'silent 0 d run && test "$(mailed bob@)" = 2 && grep -l "^To: .*bob@" Mail/new/* | xargs grep -q "Agents That Ask"'
check 'resume ends a pause'                      'd subscribers pause bob@digest.test --until 2026-05-01 && d subscribers resume bob@digest.test && test "$(state bob@digest.test)" = "active command"'
check 'pause of somebody unknown'                'says 64 "is not a reader" d subscribers pause nobody@digest.test --until 2026-05-01'
check 'an unknown verb'                          'says 64 "expected an address, or pause, resume, erase or export" d subscribers remove bob@digest.test'

# --- leaving
token=$(python3 "$E2E/mails.py" token Mail bob@digest.test)
check 'a token of a mail ends a subscription'    'd unsubscribe --token "$token" | grep -q "^bob@digest.test gets no more mail" && test "$(state bob@digest.test)" = "left command"'
check '... also a second time'                   'd unsubscribe --token "$token" | grep -q "^bob@digest.test"'
check 'a token with one letter changed does not' 'bad=$(echo "$token" | sed "s/.\$/$(echo "$token" | grep -q "a\$" && echo b || echo a)/"); says 65 "the token is not valid" d unsubscribe --token "$bad"'
check 'nor does nonsense'                        'says 65 "the token is not valid" d unsubscribe --token xyz && says 65 "the token is not valid" d unsubscribe --token "$(head -c 5000 /dev/zero | tr "\0" a)"'
check 'unsubscribe needs one of both'            'says 64 "usage: digest unsubscribe" d unsubscribe && says 64 "usage: digest unsubscribe" d unsubscribe x@y.test --token abc'
check 'who left cannot be added again'           'says 64 "resume bob@digest.test --consent" d subscribe bob@digest.test'
check '... nor resumed without consent'          'says 64 "consent" d subscribers resume bob@digest.test'
check 'a reader of the file can leave, too'      'd unsubscribe ADA@digest.test | grep -q "gets no more mail" && test "$(state ada@digest.test)" = "left file"'
cp "$FIXTURES/2026-03-05.json" days-3.json
day=6
before=$(mailed ada@)
check '... and is not mailed though the block is there' 'silent 0 d run && test "$(mailed ada@)" = "$before" && test "$(mailed cleo@)" = 2 && test "$(mailed bob@)" = 2'
check 'consent lifts that, and is kept'          'd subscribers resume ada@digest.test --consent "phone call, 6 March" && d subscribers export ada@digest.test | grep -q "\"how\":\"resume\",\"text\":\"phone call, 6 March\"" && test "$(state ada@digest.test)" = "active file"'

# --- erasing
check 'export shows all that is kept of one'     'd subscribers export cleo@digest.test | python3 -c "import json, sys; v = json.loads(sys.stdin.readline()); assert v[\"address\"] == \"cleo@digest.test\" and v[\"filters\"][0][\"match\"] == \"*\""'
check 'export of somebody unknown'               'says 64 "is not a reader" d subscribers export nobody@digest.test'
check 'erase forgets a reader'                   'd subscribers erase bob@digest.test && ! d subscribers --all | grep bob@'
check '... also in the bytes of the store'       'd export all >all.jsonl && ! grep -q bob@ all.jsonl && ! python3 -c "
import sqlite3
for line in sqlite3.connect(\"digest.db\").iterdump():
    if \"bob@\" in line or \"Bob Beam\" in line: print(line[:200])" | grep .'
check '... but who left stays out'               'says 64 "has left" d subscribe bob@digest.test'

# --- the file
printf '%s\n' "$base" | write_config
check 'a block that is gone ends a subscription' 'd subscribers --all >out; grep -q "^ada@digest.test .*ended" out'
day=7
cp "$FIXTURES/2026-03-02.json" days-4.json
check '... so that no mail goes there'           'before=$(mailed ada@); silent 0 d run && test "$(mailed ada@)" = "$before"'
printf '%s\n%s\n' "$base" "$ada" | write_config
check '... until it is there again'              'test "$(state ada@digest.test)" = "active file"'
many() {
	echo "$base"
	seq -f 'subscriber "r%g@digest.test" { filter "all" { match = "*" } }' "$1" 12
}
rm -rf Mail
many 1 | write_config
check 'twelve readers are mailed'                'silent 0 d run && test "$(mails_sent)" -ge 12'
many 9 | write_config
day=8
sed 's/2603\.9/2603.8/; s/"2026-03-02/"2026-03-07/' "$FIXTURES/2026-03-02.json" >days-5.json
rm -rf Mail
check 'too many gone at once are held back'      'says 0 "8 readers are gone from .*--accept-removals" d run && test "$(mailed "r1@")" = 0 && test "$(mailed "r9@")" = 1'
check '... and listed as such'                   'd subscribers --all | grep -q "^r1@digest.test .* gone "'
check '... in a preview, too'                    'd -n -u r1@digest.test 2>&1 | grep -q "not mailed: r1@digest.test (block gone; see --accept-removals"'
check '... as commands say'                  'for c in "subscribe r1@digest.test" "subscribers pause r1@digest.test --until 2030-01-01" "subscribers resume r1@digest.test"; do says 64 "the block of r1@digest.test is gone from .*digest.conf; put it back, or confirm" d $c || exit 1; done'
check '--accept-removals ends them'              'd run --accept-removals && d subscribers --all | grep "^r1@digest.test .*ended"'
check 'export all is JSON, each with its type'   'd export all | python3 -c "
import json, sys
types = [json.loads(line)[\"type\"] for line in sys.stdin]
assert set(types) == {\"edition\", \"paper\", \"subscriber\", \"suppression\", \"suppression-key\"}, set(types)"'
# Which source brought a paper, and its place there, are not the paper's.
same_papers() {
	sed 's/"rank":[0-9]*,//; s/"source":"[^"]*",//' | sort
}
check 'what is exported can be imported'         'd export papers >papers.jsonl && mkdir other && sed "s/^subscriber.*//" digest.conf >other/digest.conf && "$DIGEST" -c other/digest.conf import papers.jsonl >out && grep -Eq "^$(wc -l <papers.jsonl) papers read: $(sql "SELECT count(*) FROM paper") new, " out && d -c other/digest.conf run --offline && "$DIGEST" -c other/digest.conf export papers | same_papers >a && same_papers <papers.jsonl | diff - a'
