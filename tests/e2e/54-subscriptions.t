#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Who is a reader, out of blocks, commands, tables and exports; and who is none any more, to the last byte.
. "$(dirname "$0")/lib.sh"
plan 106

cp "$FIXTURES/2026-03-02.json" days.json
now=2026-03-03T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
fresh() {
	rm -rf digest.db* other.db* Mail
}
# config [BLOCK]...: the configuration with these blocks.
config() {
	{
		echo 'source "days" { type = file  path = "days.json" }'
		for block in "$@"; do printf '%s\n' "$block"; done
	} | write_config
}
# of ADDRESS EXPRESSION: a line of the list, as r.
of() {
	d subscribers --all --json | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    if r["address"] == sys.argv[1]: print(eval(sys.argv[2]))' "$@"
}
is() {
	got=$(of "$1" "$2")
	[ "$got" = "$3" ] || { echo "$2 is '$got', expected '$3'" && return 1; }
}

# --- two blocks of one person
config 'subscriber "ada@digest.test" {}' 'subscriber "bob@digest.test" {}' 'subscriber "ADA@Digest.Test" { limit = 3 }'
check 'an address in two blocks is told with both places' 'says 78 "digest.conf:6:12: ada@digest.test stands already at .*digest.conf:4$" d config'
check '... and the first block counts'           'd subscribers 2>/dev/null >out; test "$(grep -ci "^ada@" out)" = 1 && is ada@digest.test "r[\"limit\"]" 10'
config 'subscriber "ada@bücher.example" {}' 'subscriber "ada@xn--bcher-kva.example" {}' 'subscriber "Ada@XN--BCHER-KVA.Example" {}' 'subscriber "ada@BÜCHER.example" {}'
check 'a domain in both its spellings, and both in capitals' 'd config 2>err >/dev/null; test "$(grep -c "ada@xn--bcher-kva.example stands already at .*digest.conf:4$" err)" = 3'
config 'subscriber "Ärger@digest.test" {}' 'subscriber "ärger@digest.test" {}' 'subscriber "\"ada\"@digest.test" {}' 'subscriber "ada@digest.test" {}'
check 'letters beyond ASCII, and quotes that change nothing' 'd config 2>err >/dev/null; grep -q ":5:12: ärger@digest.test stands already at .*:4$" err && grep -q ":7:12: ada@digest.test stands already at .*:6$" err'
mkdir -p conf.d
echo 'subscriber "ada@digest.test" { limit = 7 }' >conf.d/a.conf
config 'include "conf.d/*.conf"' 'subscriber "ada@digest.test" {}'
check 'in a file that is included'               'says 78 "digest.conf:5:12: ada@digest.test stands already at .*conf.d/a.conf:1$" d config'
check '... everybody is served all the same'     'fresh; d run 2>/dev/null; test $? = 78 && test "$(mails_sent)" = 1'

# --- a block and a command
fresh
config
check 'by command first'                         'd -q subscribe Ada@Digest.Test --filter "tea=tea" && is Ada@digest.test "r[\"origin\"]" command'
config 'subscriber "ada@digest.test" { limit = 4 }'
check '... then by a block, which takes over'    'd -q run; is ada@digest.test "r[\"origin\"], r[\"limit\"], r[\"state\"], [c[\"how\"] for c in r[\"consent\"]]" "('"'file', 4, 'active', ['command', 'file']"')"'
check '... and is no second reader'              'test "$(d subscribers | wc -l)" = 1 && test "$(sql "SELECT count(*) FROM reader")" = 1'
config
check 'whose end is the end'                     'd -q run; is ada@digest.test "r[\"state\"]" ended'
check 'somebody whose block is gone can subscribe by command' 'd subscribe ada@digest.test --consent again | grep -q "is subscribed" && is ada@digest.test "r[\"state\"], r[\"origin\"], len(r[\"consent\"])" "('"'active', 'command', 3"')"'
d -q subscribers pause ada@digest.test --until 2026-05-01
config 'subscriber "ada@digest.test" {}'
check 'a pause by command outlives the taking over, and ends by command' 'is ada@digest.test "r[\"state\"], r[\"origin\"]" "('"'paused', 'file'"')" && d subscribers resume ada@digest.test | grep -q "gets mail again" && is ada@digest.test "r[\"state\"]" active'
config 'subscriber "ada@digest.test" { paused-until = 2026-05-01 }'
check 'a pause by the block ends in the block'   'says 64 "ada@digest.test is in .*digest.conf:4; edit there" d subscribers resume ada@digest.test && is ada@digest.test "r[\"state\"]" paused'
d -q unsubscribe ada@digest.test
check '... which a consent leaves to it'         'd subscribers resume ada@digest.test --consent phone | grep -qx "ada@digest.test gets mail again after the pause in the file" && is ada@digest.test "r[\"state\"], r[\"consent\"][-1][\"text\"]" "('"'paused', 'phone'"')"'
config 'subscriber "bob@digest.test" {}'
d -q run
check 'whose block is gone is no reader by a consent' 'd -q unsubscribe ada@digest.test && d subscribers resume ada@digest.test --consent mail | grep -qx "ada@digest.test may be subscribed again, but is no reader" && is ada@digest.test "r[\"state\"]" ended'
check '... nor can they pause'                   'says 64 "ada@digest.test is a reader no more" d subscribers pause ada@digest.test --until 2026-05-01'
check '... nor without one'                      'says 64 "ada@digest.test is a reader no more; write their block again, or: digest subscribe" d subscribers resume ada@digest.test && d -q subscribe ada@digest.test && is ada@digest.test "r[\"state\"]" active'
check 'what is to be typed is quoted for a shell' 'd -q subscribe "o'"'"'neil@digest.test" && d -q unsubscribe "o'"'"'neil@digest.test" && says 64 "resume .o.\\\\..neil@digest.test. --consent" d subscribe "o'"'"'neil@digest.test"'

# --- a block that breaks, and was
fresh
config 'subscriber "ada@digest.test" { filter "tea" { match = "tea OR camera" } }' 'subscriber "bob@digest.test" {}'
d -q run
config 'subscriber "ada@digest.test" { filter "tea" { match = "tea AND (" } }' 'subscriber "bob@digest.test" {}'
check 'a broken block is served by its last good version' 'd -n -u ada@digest.test >/dev/null 2>&1; is ada@digest.test "r[\"state\"], r[\"filters\"][0][\"match\"]" "('"'broken', 'tea OR camera'"')" 2>/dev/null'
config 'subscriber "ada.new@digest.test" { was = "Ada@digest.test" filter "tea" { match = "tea OR camera" } }' 'subscriber "bob@digest.test" {}'
check 'was carries number and history on'        'id=$(sql "SELECT id FROM reader WHERE canonical = \"ada@digest.test\""); d -q run; test "$(sql "SELECT id FROM reader WHERE canonical = \"ada.new@digest.test\"")" = "$id" && d history ada.new@digest.test | grep -q "2026-03-03 sent"'
fresh
config 'subscriber "Ärger@bücher.example" {}'
check '... also of an address in another spelling' 'd -q run; id=$(sql "SELECT id FROM reader"); config "subscriber \"new@digest.test\" { was = \"ÄRGER@xn--bcher-kva.example\" }"; d -q run; test "$(sql "SELECT id, canonical FROM reader")" = "$id|new@digest.test"'

# --- shared filters
fresh
config 'filter "light" { match = "camera"  limit = 2  sort = votes }' 'filter "two words" { match = "tea" }' 'subscriber "ada@digest.test" { use = {light} }'
check 'use takes a shared filter with its limit and sort' 'd -q subscribe bob@digest.test --use light --use "two words" && is bob@digest.test "[(f[\"name\"], f[\"match\"], f[\"limit\"], f[\"sort\"]) for f in r[\"filters\"]]" "[('"'light', '@\\\"light\\\"', 2, 'votes'), ('two words', '@\\\"two words\\\"', 0, 'best')]"'"'
check '... with the query it has then'           'd -n -u bob@digest.test 2>/dev/null | grep -qi "two words"'
config 'filter "light" { match = "nosuchword" }' 'filter "two words" { match = "*" }'
check '... and the one it has later'             'd -n -u bob@digest.test >out 2>/dev/null; grep -q "two words" out && ! grep -q "in light" out'
check 'when it is gone from the file, its readers are told of' 'config; d -n -u bob@digest.test 2>&1 | grep -q "filter \"light\": there is no shared filter .light., and a filter cannot need itself"'
check '... check names them with the cure, and no others' 'd -q subscribe eve@digest.test --filter "a=tea"; d -q subscribe left@digest.test --use light && exit 1; d check --offline >out; test $? = 78 && grep -A3 "^fail filters *bob@digest.test: filter \"light\": there is no shared filter" out | tr -s "\n " " " | grep -q "subscribe bob@digest.test --filter light=" && ! grep -q "eve@\|filters *ada@" out'
check '... which cures it'                       'd -q subscribe bob@digest.test --filter light= --filter "two words=" && d check --offline | grep -q "^ok *filters"'
config 'filter "light" { match = "camera" }'
check 'an unknown one is told with the nearest'  'says 65 "there is no shared filter .lihgt.; did you mean .light.\?" d subscribe cleo@digest.test --use lihgt'
config 'filter "light" { match = "camera" }' 'defaults { use = {light}  timezone = Europe/Berlin  limit = 6 }'
check 'defaults are those of readers by command, too' 'd -q subscribe dora@digest.test && is dora@digest.test "r[\"timezone\"], r[\"limit\"], r[\"filters\"][0][\"name\"]" "('"'Europe/Berlin', 6, 'light'"')"'
check 'with a name, the address is told without it' 'd subscribe "Fay <fay@digest.test>" | grep -qx "fay@digest.test is subscribed; see the first digest by: digest --dry-run -u fay@digest.test" && d --json subscribe "Fay <fay@digest.test>" | grep -q "\"address\":\"fay@digest.test\"" && d -q subscribers erase fay@digest.test && d -q subscribers resume fay@digest.test --consent x'

# --- settings by command
fresh
config
check 'subscribe with all settings'              'd subscribe "Bob <bob@digest.test>" --filter "a=tea" --when "weekdays 07:30" --timezone Europe/London --language de --limit 5 --consent "card, 2 March" | grep -q "^bob@digest.test is subscribed"'
check '... all are kept'                         'is bob@digest.test "r[\"name\"], r[\"when\"], r[\"timezone\"], r[\"language\"], r[\"limit\"], r[\"consent\"][0][\"how\"], r[\"consent\"][0][\"text\"]" "('"'Bob', 'weekdays 07:30', 'Europe/London', 'de', 5, 'command', 'card, 2 March'"')"'
check 'again: what is given changes, and is told' 'd subscribe bob@digest.test --filter "b=nerf" --name Robert | grep -qx "bob@digest.test is changed: name, filter b"'
check '... the rest stays'                       'is bob@digest.test "r[\"name\"], r[\"when\"], [f[\"match\"] for f in r[\"filters\"]]" "('"'Robert', 'weekdays 07:30', ['tea', 'nerf']"')"'
check 'a filter is replaced by its name, or removed' 'd subscribe bob@digest.test --filter "a=coffee" --filter b= | grep -qx "bob@digest.test is changed: filter a, no filter b" && is bob@digest.test "[f[\"match\"] for f in r[\"filters\"]]" "['"'coffee'"']"'
check 'nothing new is told as such'              'd subscribe bob@digest.test --name Robert | grep -q "nothing changed"'
check '--json says what became of it'            'test "$(d subscribe bob@digest.test --limit 6 --json)" = "{\"address\":\"bob@digest.test\",\"result\":\"changed\",\"changes\":\"limit\"}"'
for bad in '--when never' '--timezone Mars/Base' '--limit 501' '--limit x' '--filter a=(b' '--filter zz=' '--filter =x'; do
	# shellcheck disable=SC2086 # an option and its value
	check "refused with what was expected: $bad" 'says 65 "expected|removed|not closed" d subscribe bob@digest.test $bad && is bob@digest.test "r[\"limit\"], len(r[\"filters\"])" "(6, 1)"'
done
check 'an overlong consent, and a filter whose name is not UTF-8' 'says 65 "consent of 5000 bytes; expected at most 4096" d subscribe bob@digest.test --consent "$(printf "%05000d" 1)" && says 65 "name of a filter is not UTF-8" d subscribe bob@digest.test --filter "$(printf "\351=tea")"'
check 'a control character in a name'            'says 65 "control" d subscribe bob@digest.test --name "$(printf "a\033b")" && says 65 "control|not UTF-8" d subscribe bob@digest.test --name "$(printf "\351")"'
check 'pause, resume and unsubscribe say what they did' 'd subscribers pause bob@digest.test --until 2026-04-01 | grep -qx "bob@digest.test gets no mail until 2026-04-01" && d subscribe bob@digest.test --name Bo | grep -q "changed: name$" && is bob@digest.test "r[\"state\"]" paused && d subscribers resume bob@digest.test | grep -qx "bob@digest.test gets mail again" && d subscribers resume bob@digest.test | grep -qx "bob@digest.test was not paused" && is bob@digest.test "r[\"state\"], r[\"paused_until\"]" "('"'active', ''"')"'
check '... each with the members that digest(1) lists' 'for c in "pause eve@digest.test --until 2026-04-01" "resume eve@digest.test" "erase eve@digest.test"; do d -q subscribe eve@digest.test; d --json subscribers $c | python3 "$E2E/members.py" "$ROOT/man/digest.1" "subscribers pause , resume , erase , unsubscribe" || exit 1; done; d --json subscribe fay@digest.test | python3 "$E2E/members.py" "$ROOT/man/digest.1" subscribe && d --json unsubscribe fay@digest.test | python3 "$E2E/members.py" "$ROOT/man/digest.1" "subscribers pause , resume , erase , unsubscribe" && echo fay@digest.test | d --json import - --consent x | python3 "$E2E/members.py" "$ROOT/man/digest.1" import'
check '... but nothing with -q'                  'silent 0 d -q subscribers pause bob@digest.test --until 2026-04-01 && silent 0 d -q subscribers resume bob@digest.test'
check '... and JSON with --json'                 'test "$(d --json subscribers pause bob@digest.test --until 2026-04-01)" = "{\"address\":\"bob@digest.test\",\"state\":\"paused\"}" && d -q subscribers resume bob@digest.test'
check 'who comes back is not paused any more'    'd -q subscribe gil@digest.test && d -q subscribers pause gil@digest.test --until 2026-05-01 && d -q unsubscribe gil@digest.test && d -q subscribers resume gil@digest.test --consent phone && is gil@digest.test "r[\"state\"], r[\"paused_until\"]" "('"'active', ''"')"'
check 'history of one shows the consents'        'd history bob@digest.test | grep -q "^consent  Tue 3 Mar 08:00 .*command card, 2 March"'
check 'one of the list, by argument or by -u'    'd -q subscribers resume eve@digest.test --consent again; d -q subscribe eve@digest.test; test "$(d subscribers BOB@digest.test | wc -l)" = 1 && test "$(d -u eve@digest.test -u bob@digest.test subscribers | wc -l)" = 2 && says 64 "x@digest.test is not a reader" d subscribers x@digest.test'

# --- tables of readers
fresh
config 'subscriber "file@digest.test" {}'
printf '\357\273\277Email Address,First Name,Last Name,OPTIN_TIME,TIMEZONE,LEID\r\n' >mailchimp.csv
printf 'bob@digest.test,Bob,"Beam, ""Jr"" ",2020-01-02 03:04:05,Europe/London,1\r\n' >>mailchimp.csv
printf 'cleo@digest.test,,,,,"two\r\nlines"\r\n' >>mailchimp.csv
check 'a table needs a consent'                  'says 64 "mailchimp.csv is a table of readers; .*--consent" d import mailchimp.csv && ! d subscribers | grep "^bob"'
check 'a dry run tells what would be done, and does not' 'd import mailchimp.csv --consent form -n >out 2>/dev/null && grep -qx "2 readers read: 2 new; a dry run, nothing was written" out && ! d subscribers | grep "^bob"'
check 'a table as Mailchimp exports it'          'd import mailchimp.csv --consent "form, 2020" >out 2>err && grep -qx "2 readers read: 2 new" out && grep -qx "digest: warning: mailchimp.csv: columns that say nothing here: LEID" err'
check '... its names, zones and consents'        'is bob@digest.test "r[\"name\"], r[\"timezone\"], r[\"consent\"][0][\"how\"], r[\"consent\"][0][\"text\"]" "('"'Bob Beam, \\\"Jr\\\"', 'Europe/London', 'import', 'form, 2020 (mailchimp.csv:2); OPTIN_TIME 2020-01-02 03:04:05'"')"'
check 'again: as they were, and no second consent' 'd import mailchimp.csv --consent "form, 2020" 2>/dev/null | grep -qx "2 readers read: 2 as they were" && is bob@digest.test "len(r[\"consent\"])" 1'
cat >people.csv <<'X'
email,name,status,when,filters,note
good1@digest.test,Good,enabled,daily 06:00,"a=tea
b=""two words"" OR nerf",
@digest.test,No Local,,,,
x@digest.test,X,banana,,,
good1@DIGEST.TEST,Twice,,,,
y@digest.test,Y,,sometimes,,
z@digest.test,Z,,,a=(b,
"open@digest.test,Quote,,,,
w@digest.test,W,,,no query,
v@digest.test,V,,,,,,
file@digest.test,In the file,,,,
good2@digest.test,,,,,
X
d import people.csv --consent list >out 2>err
rc=$?
check 'bad rows are told with line and column'   'test $rc = 65 && sed "s/^digest: //" err | cut -d: -f1-3 >got && printf "%s\n" "people.csv:4:email" "people.csv:5:status" "people.csv:6:email" "people.csv:7:when" "people.csv:8:filters" "people.csv:9:email" "people.csv:10:filters" "people.csv:11: 8 fields; expected 6, as in the first line" "warning: people.csv: columns that say nothing here" | diff - got'
check '... with what was expected'               'grep -q "people.csv:4:email: address .@digest.test.: expected local@domain" err && grep -q ":5:status: not known; expected subscribed, unsubscribed" err && grep -q ":6:email: good1@digest.test stands already in line 2$" err && grep -q ":7:when: .sometimes. is not a schedule; expected" err && grep -q ":8:filters: filter \"a\", character 1: this bracket is not closed" err && grep -q ":9:email: a quote that is not closed" err && grep -q ":10:filters: .*expected NAME=QUERY" err'
check '... the good ones are taken in'           'grep -qx "11 readers read: 2 new, 1 in the configuration, left alone, 8 broken, left out" out && is good1@digest.test "r[\"when\"], [(f[\"name\"], f[\"match\"]) for f in r[\"filters\"]]" "('"'daily 06:00', [('a', 'tea'), ('b', '\\\"two words\\\" OR nerf')]"')" && is good2@digest.test "r[\"filters\"][0][\"name\"]" "Trending papers"'
printf 'email;name;status\nleft@digest.test;L;unsubscribed\ngone@digest.test;G;cleaned\nspam@digest.test;S;complained\nbad@digest.test;B;blocklisted\nperhaps@digest.test;P;unconfirmed\nhal@digest.test;Hal;enabled\ngood2@digest.test;;Unsubscribed\n' >status.csv
check 'who left elsewhere is not mailed here'    'd import status.csv --consent list | grep -qx "7 readers read: 1 new, 5 not to be mailed from now on, 1 unconfirmed, left out" && is good2@digest.test "r[\"state\"], r[\"left\"]" "('"'left', 'unsubscribed'"')" && is hal@digest.test "r[\"state\"]" active'
check '... nor added'                            'says 64 "left@digest.test has left" d subscribe left@digest.test && d subscribers export gone@digest.test | grep -q "\"left\":\"bounced\"" && d subscribers export spam@digest.test | grep -q "\"left\":\"complaint\"" && d subscribers export bad@digest.test | grep -q "\"left\":\"operator\"" && says 64 "nothing is kept" d subscribers export perhaps@digest.test'
check '... nor taken in by a later table'        'printf "email\nleft@digest.test\n" | d import - --consent x | grep -qx "1 reader read: 1 not to be mailed, left out" && says 64 "nothing is kept" d subscribers export nobody@digest.test'
check 'a table of those who left needs no consent' 'printf "Email Address,UNSUB_TIME\nq@digest.test,2021-02-03 04:05:06\n" | d import - | grep -qx "1 reader read: 1 not to be mailed from now on" && d subscribers export q@digest.test | grep -q "\"left_since\":1612325106"'
check 'a plain list of addresses'                'printf "Ida <ida@digest.test>\r\n\r\njo@bücher.example\r\n\"King, Dr. Kim\" <kim@digest.test>\nno one\n" >list && d import list --consent "asked each" >out 2>err; grep -qx "4 readers read: 3 new, 1 broken, left out" out && grep -q "list:5:address: address .no one.: expected" err && is ida@digest.test "r[\"name\"]" Ida && is kim@digest.test "r[\"name\"]" "King, Dr. Kim" && is jo@xn--bcher-kva.example "r[\"state\"]" active'
check 'a table without addresses'                'says 65 "x.csv:1: no column of addresses; expected JSON lines, or a table" sh -c "printf \"a,b\n1,2\n\" >x.csv; \"$DIGEST\" import x.csv --consent y"'
check 'Latin-1 is told, the rest is taken in'    'printf "email,name\nk1@digest.test,Zo\353\nk2@digest.test,Zoe\n" >l1.csv; says 65 "l1.csv:2:name: not UTF-8" d import l1.csv --consent y && is k2@digest.test "r[\"name\"]" Zoe'
check 'a line break in an address makes no header' 'printf "email\n\"m@digest.test\r\nBcc: n@digest.test\"\n" >nl.csv; says 65 "nl.csv:2:email: .*control" d import nl.csv --consent y && ! d subscribers | grep "^[mn]@"'
check 'rows beyond a hundred broken ones are counted' '{ echo email; seq 250; echo ok@digest.test; } >many.csv; d import many.csv --consent y >out 2>err; test "$(wc -l <err)" = 101 && grep -q "many.csv: 150 more are left out" err && grep -q "^251 readers read: 1 new, 250 broken" out'
check 'consent without readers is told'          'echo "{\"id\":\"2603.00001\",\"title\":\"T\",\"listed\":\"2025-01-07\"}" >p.jsonl; says 0 "no file has readers" d import p.jsonl --consent y'

# --- out and in again
fresh
config 'filter "light" { match = "camera"  limit = 2 }' 'subscriber "file@digest.test" {}'
d -q subscribe ann@digest.test --name 'Ann "A"' --filter 'q="two words" OR x # c' --use light --when 'mon,thu 08:00' --consent 'said so'
d -q subscribe paul@digest.test --language de
d -q subscribers pause paul@digest.test --until 2026-05-01
d -q subscribe lea@digest.test && d -q unsubscribe lea@digest.test
d -q subscribe err@digest.test && d -q subscribers erase err@digest.test
d -q run
d export subscribers >first.jsonl
sed 's/digest.db/other.db/' digest.conf >other.conf
o() {
	"$DIGEST" -c other.conf --now 2026-03-03T09:00:00Z "$@"
}
# What stays behind are the own file, and digests as history.
same() {
	grep -v '"origin":"file"\|"type":"edition"' "$1"
}
check 'an export comes back'                     'o import first.jsonl | grep -qx "4 readers read: 2 new, 1 in the configuration, left alone, 1 not to be mailed from now on; 2 suppressions by hash"'
check '... with states, pauses, consents and hashes' 'o export subscribers >second.jsonl && same first.jsonl >a && same second.jsonl >b && test "$(wc -l <a)" = 6 && diff a b'
check '... again it changes nothing'             'o import first.jsonl >out && grep -q "2 as they were" out && o export subscribers >third.jsonl && cmp second.jsonl third.jsonl'
check 'who was erased stays out there, too'      'says 64 "err@digest.test has left" o subscribe err@digest.test && says 64 "lea@digest.test has left" o subscribe lea@digest.test'
check 'a store with suppressions of its own keeps its key' 'rm -f other.db*; o -q unsubscribe own@digest.test; says 65 "first.jsonl:1:key: this store has 1 suppressions of its own, by another key" o import first.jsonl && o subscribers | grep -q "^ann@" && says 64 "own@digest.test has left" o subscribe own@digest.test'
check 'a broken line is told with its member'    'printf "%s\n" "{\"type\":\"subscriber\",\"address\":\"n@digest.test\",\"limit\":\"x\"}" "{\"type\":\"subscriber\",\"address\":\"o@digest.test\"}" "{\"type\":\"subscriber\",\"address\":\"p@digest.test\",\"consent\":\"by mail\",\"filters\":[{\"name\":\"a\",\"match\":\"tea\",\"limit\":3,\"sort\":\"votes\"}]}" >hand.jsonl; d import hand.jsonl >out 2>err; test $? = 65 && grep -q "hand.jsonl:1:limit: expected a number" err && grep -q "hand.jsonl:2:consent: none; expected" err && grep -qx "3 readers read: 1 new, 2 broken, left out" out && is p@digest.test "r[\"filters\"][0][\"sort\"], r[\"consent\"][0][\"text\"]" "('"'votes', 'by mail'"')"'
check 'readers of a file with broken lines are in' '{ same first.jsonl | head -n 5; echo "not JSON"; } >mixed.jsonl; rm -f other.db*; o import mixed.jsonl >out 2>err; test $? = 65 && grep -q "^digest: mixed.jsonl: no line is a paper; line 6: " err && grep -q "readers read" out || { cat err out; exit 1; }'
check 'export of all has papers and readers, and comes back' 'd export all >all.jsonl && rm -f other.db* && o import all.jsonl >out && { cat out; grep -q "^4 papers read: 4 new" out && grep -q "^5 readers read: 3 new" out; }'

# --- a reader who moves
fresh
# listed DAY NUMBER: a paper of that day.
listed() {
	printf '[{"paper": {"id": "2603.%05d", "title": "Kettle %d", "summary": "Words.", "upvotes": 5, "publishedAt": "%sT00:00:00.000Z", "authors": [{"name": "Ada Bee"}]}, "publishedAt": "%sT00:00:00.000Z"}]' "$2" "$2" "$1" "$1" >"moves-$2.json"
}
{
	echo 'source "moves" { type = file  path = "moves-*.json"  interval = 1m }'
	echo 'defaults { outside = 0 }'
} | write_config moved.conf
sed 's/digest.db/other.db/; s/maildir:Mail/maildir:Other/' moved.conf >other.conf
m() {
	at=$1
	shift
	"$DIGEST" -c moved.conf --now "2026-03-$at:00:00Z" "$@"
}
n() {
	at=$1
	shift
	"$DIGEST" -c other.conf --now "2026-03-$at:00:00Z" "$@"
}
m 01T08 -q subscribe mo@digest.test --filter 'a=kettle' --consent 'at the fair'
listed 2026-03-02 1
m 02T08 -q run
listed 2026-03-03 2
m 03T08 -q run
m 03T10 subscribers export mo@digest.test >person.jsonl
m 03T10 export subscribers >all.jsonl
mkdir away && mv moves-*.json away
check 'two digests were sent before'             'test "$(mails_sent)" = 2'
check 'a reader who moves brings the past along' 'n 03T11 import person.jsonl | grep -qx "1 reader read: 1 new" && n 03T11 subscribers export mo@digest.test | head -n 1 >there && head -n 1 person.jsonl | diff - there'
check '... again, it changes nothing'            'n 03T11 import person.jsonl | grep -q "1 as they were"'
mv away/*.json .
listed 2026-03-04 3
check '... and is sent what is new, without a welcome' 'n 04T08 -q run && test "$(mails_sent Other)" = 1 && python3 "$E2E/mails.py" text Other mo@digest.test >text && grep -q "Kettle 3" text && ! grep -q "Kettle [12]\|Welcome" text && ! grep -q "^Subject: Since" Other/new/*'
check '... what was kept by its title is whole now' 'n 04T08 show 2603.00002 | grep -q "Ada Bee"'
rm -rf other.db* Other
check 'an export of all has the digests of the last day' 'n 03T11 -q import all.jsonl && n 04T08 -q run && python3 "$E2E/mails.py" text Other mo@digest.test >text && grep -q "Kettle 3" text && ! grep -q "Kettle [12]\|Welcome" text'
check '... and no others'                        'test "$(grep -c "\"type\":\"edition\"" all.jsonl) $(grep -c "\"type\":\"edition\"" person.jsonl)" = "1 2" && grep "\"type\":\"edition\"" all.jsonl | grep -q "\"period\":\"2026-03-03\""'
rm -rf other.db* Other
check 'without the digests the day of the last one counts' 'grep -v "\"type\":\"edition\"" all.jsonl >bare.jsonl; n 03T11 -q import bare.jsonl && n 04T08 -q run && python3 "$E2E/mails.py" text Other mo@digest.test >text && grep -q "Kettle 3" text && ! grep -q "Kettle 1\|Welcome" text'
check 'a past that lies ahead is none'           'sed "s/\"last_edition\":[0-9]*/\"last_edition\":9000000000000000000/; s/mo@/to@/" all.jsonl >ahead.jsonl && says 65 "ahead.jsonl:1:last_edition: expected seconds since 1970" n 04T09 import ahead.jsonl'
check '... and a digest of odd papers does no harm' 'printf "%s\n" "{\"type\":\"edition\",\"address\":\"mo@digest.test\",\"state\":\"sent\",\"composed\":1772614800,\"papers\":[1,{},{\"key\":7},{\"key\":\"no key\",\"title\":\"x\"},{\"key\":\"odd:1\",\"title\":\"\\u001b[31mred\"}]}" >odd.jsonl; n 04T10 import odd.jsonl; n 04T10 show odd:1 | grep -q red && ! n 04T10 show odd:1 | grep -q "$(printf "\\033")"'
rm -f moves-*.json

# --- readers as blocks
fresh
config 'defaults { limit = 6  use = {light} }' 'filter "light" { match = "camera" }' 'subscriber "file@digest.test" {}'
d -q subscribe '"odd \"name\""@digest.test' --name 'A "quoted" \ $HOME ${X} # no comment' --filter 'a "b" \c ${D}=tea OR "two words"
# a comment
camera' --filter "it's=x" --consent 'said "yes" } {'
d -q subscribe plain@digest.test --filter 'a=tea'
d -q subscribers pause plain@digest.test --until 2026-05-01
printf 'email,max_papers,empty,outside,updates,paused_until\nset@digest.test,7,note,0,all,2026-06-01\n' | d -q import - --consent 'x' 2>/dev/null
d -q subscribe left@digest.test && d -q unsubscribe left@digest.test
check 'blocks of readers by command'             'd subscribers --format conf >conf.d/moved 2>err && test "$(grep -c ^subscriber conf.d/moved)" = 3 && grep -q "1 reader of .* is not shown; --all shows them" err && ! grep -q left@ conf.d/moved'
check '... are read as the same readers'         'd subscribers --json | grep -v file@ | sed "s/\"origin\".*\"name\"/\"name\"/; s/\"created\".*\"filters\"/\"filters\"/" | sort >before; cat conf.d/moved >>digest.conf; rm -f digest.db*; d subscribers --json | grep -v file@ | sed "s/\"origin\".*\"name\"/\"name\"/; s/\"created\".*\"filters\"/\"filters\"/" | sort >after; test -s before && diff before after'
check '... and printed as the same blocks'       'd subscribers --all --format conf | grep -v "^#" | sed "/^subscriber \"file@/,/^}/d" >again && grep -v "^#" conf.d/moved | diff - again'
check 'one reader as a block'                    'd subscribers plain@digest.test --format conf | grep -q "paused-until = 2026-05-01"'
check 'another format is none'                   'says 64 "expected conf" d subscribers --format text'

# --- to the last byte
fresh
config 'subscriber "keep@digest.test" {}'
d -q subscribe 'Zacharias Quux <zquux.canary@digest.test>' --filter 'zqfilter=zqword OR tea' --consent 'zqconsent at the fair'
for i in 1 2 3 4 5 6; do d -q subscribe "other$i@digest.test"; done
echo '[{"expect": "RCPT TO:<zquux", "times": 0, "reply": "550 5.1.1 <zquux.canary@digest.test>: zquux.canary is unknown"}]' >refuse.json
start_smtp refusing --script refuse.json
sed "s|maildir:Mail\"|smtp://127.0.0.1:$PORT\"  tls = none  helo = c.digest.test|" digest.conf >smtp.conf
e() {
	"$DIGEST" -c smtp.conf --now $now "$@"
}
e run >/dev/null 2>&1
# What is known of that person anywhere in the folder of the store.
traces() {
	grep -alie 'zquux' -e 'zacharias' -e 'zqword' -e 'zqfilter' -e 'zqconsent' digest.db*
}
check 'export of a person has all that is kept'  'e subscribers export zquux.canary@digest.test | python3 -c "
import json, sys
reader, edition, refusal = [json.loads(line) for line in sys.stdin]
assert reader[\"name\"] == \"Zacharias Quux\" and reader[\"consent\"][0][\"text\"] == \"zqconsent at the fair\", reader
assert edition[\"type\"] == \"edition\" and edition[\"state\"] == \"failed\" and \"550\" in edition[\"reply\"], edition
assert refusal[\"kind\"] == \"refusal\" and refusal[\"class\"] == \"dead\", refusal
assert edition[\"papers\"] and edition[\"papers\"][0][\"title\"] and edition[\"papers\"][0][\"section\"], edition"'
check '... in the members that digest(1) lists'  'e subscribers export zquux.canary@digest.test | head -n 1 | python3 "$E2E/members.py" "$ROOT/man/digest.1" subscribers'
check '... also of the digests, and of suppressions' 'e subscribers export zquux.canary@digest.test | sed -n 2p | python3 "$E2E/members.py" "$ROOT/man/digest.1" "subscribers export" && e -q unsubscribe who@digest.test && e export subscribers | sed -n 2p | python3 "$E2E/members.py" "$ROOT/man/digest.1" export'
check 'it stands in the store'                   'traces | grep -q digest.db'
check 'erase tells what it did'                  'e subscribers erase zquux.canary@digest.test | grep -q "zquux.canary@digest.test is forgotten, but for a hash"'
check '... no byte of the store tells of it'     'test -z "$(traces)"'
check '... also where a run had the log open'    'e -q subscribe "Zacharias Quux <zquux.canary@digest.test>"; says 64 "has left" e subscribe zquux.canary@digest.test; e -q subscribers resume zquux.canary@digest.test --consent zqconsent; e -q subscribe "Zacharias Quux <zquux.canary@digest.test>" --filter zqfilter=zqword; traces >/dev/null && e -q subscribers erase zquux.canary@digest.test && test -z "$(traces)"'
check '... and the others are as they were'      'test "$(e subscribers | wc -l)" = 7 && e check --offline | grep -q "^ok *store" && e run'
check 'older copies of the store are named'      'e -q subscribe gone@digest.test; cp digest.db digest.db.before-restore; says 0 "digest.db.before-restore: an older copy of the store" e subscribers erase gone@digest.test; rm digest.db.before-restore'
hold digest.db.sender.lock
check 'not during a run'                         'e -q subscribe gone2@digest.test; says 75 "a run is under way" e subscribers erase gone2@digest.test && e subscribers | grep -q gone2@'
kill "$holder"
wait "$holder" 2>/dev/null
check 'a reader of the file must go there first' 'says 64 "keep@digest.test is in .*smtp.conf:[0-9]+; remove that block first" e subscribers erase keep@digest.test && sed -i "/keep@/d" smtp.conf && e -q subscribers erase keep@digest.test && ! grep -aq keep@digest digest.db*'

# --- an address that the relay cannot take
rm -rf digest.db* ascii*
start_smtp ascii
cat >utf8.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { url = "smtp://127.0.0.1:$PORT"  tls = none  helo = c.digest.test }
source "days" { type = file  path = "days.json" }
subscriber "jörg@digest.test" {}
subscriber "ada@digest.test" {}
X
check 'a local part beyond ASCII waits for no relay' '"$DIGEST" -c utf8.conf --now $now run >out 2>&1; test "$(grep -l "^X-Recipient" ascii/*.eml | wc -l)" = 1 && "$DIGEST" -c utf8.conf --now $now history jörg@digest.test | grep -q "failed .*address needs SMTPUTF8.*give the reader an address in ASCII" && test "$(sql "SELECT count(*) FROM edition WHERE state IN (4, 5, 6)")" = 0'
