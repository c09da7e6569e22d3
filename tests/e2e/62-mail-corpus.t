#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# All recorded mails in one mailbox, each as if it had come back for a digest of another reader, read twice and on two days.
. "$(dirname "$0")/lib.sh"
[ -n "${DIGEST_CORPUS:-}" ] || skip_all 'DIGEST_CORPUS names no recorded mails'
plan 12

n=$(python3 "$E2E/corpus.py" count)
cp "$FIXTURES/2026-03-02.json" days.json
{
	echo 'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }'
	echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }'
	echo 'mailbox { maildir = "in" }  filter "all" { match = "*" }'
	echo 'source "days" { type = file  path = "days*.json" }'
	for i in $(seq "$n"); do echo "subscriber \"r$i@digest.test\" { filter \"all\" {} empty = note }"; done
} >digest.conf
mkdir -p in/new in/cur in/tmp

d() {
	"$DIGEST" --now "2026-03-$(printf %02d "$day")T08:00:00Z" "$@"
}
states() {
	d subscribers --all --json | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print(r["address"].partition("@")[0][1:], r["state"])'
}
# The mailbox as JSON: the sum over the members that are named.
sum() {
	python3 -c 'import json, sys
v = json.load(open("out"))
print(sum(v["kinds"].get(k, v.get(k, 0)) for k in sys.argv[1:]))' "$@"
}

day=3
d run
python3 "$E2E/corpus.py" put in 2026-03-03
check 'all of them are read'                     'd mailbox --json >out 2>err && cat out && test "$(sum read)" = "$n"'
check 'each is something'                        'test "$(sum bounce delayed delivered complaint feedback request auto-reply other unreadable)" = "$n"'
check 'automatic replies have no effect'         'test "$(sql "SELECT count(*) FROM incoming WHERE kind > 3")" = 0'
check 'a report of an opt-out has one'           'test "$(sql "SELECT kind, count(*) FROM incoming WHERE kind = 3")" = "3|1" && test "$(sum left)" = 1'
left=1
bounced=$(sum bounced)
complained=$(sum complained)
sql "SELECT * FROM incoming ORDER BY id" >before
# The same mails under other names.
for f in in/cur/* in/new/*; do
	[ -e "$f" ] && name=${f##*/} && mv "$f" "in/tmp/again.${name%%:*}"
done
mv in/tmp/again.* in/new/
check 'read again, nothing counts twice'         'd mailbox --json >out 2>/dev/null && cat out && test "$(sum read)" = "$n" && test "$(sum bounced complained)" = 0 && test "$(sum left)" = 0 && test "$(sum repeated no_effect)" -ge $((bounced + complained + left))'
check '... and nothing is written'               'sql "SELECT * FROM incoming ORDER BY id" | diff before -'
check 'so many dead at once freeze'              'd status --check >out; grep -q "proved undeliverable" out'
check 'nobody is taken off for one day'          'd mailbox thaw && test "$(sql "SELECT count(*) FROM suppression WHERE reason = 2")" = 0 && test "$(sql "SELECT count(*) FROM suppression")" = $((complained + left))'
day=4
d run 2>/dev/null
rm -f in/new/* in/cur/*
python3 "$E2E/corpus.py" put in 2026-03-04
check 'the same on the next day'                 'd mailbox --json >out 2>/dev/null && d mailbox thaw'
check 'exactly those are gone who are to be'     'states >states && python3 "$E2E/corpus.py" compare <states'
check 'what is not understood lies where it was' 'test "$(find in/new -type f | wc -l)" -ge 30'
day=5
rm -rf Mail
check 'the next run is silent there'             'd run 2>/dev/null; test "$(mails_sent)" = "$(grep -c " active" states)"'
