#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A source that fails says so by name; the others are read, nothing is forgotten, and nobody is asked again too soon.
. "$(dirname "$0")/lib.sh"
plan 31

cp "$FIXTURES/2026-03-02.json" good.json
echo '{}' >script
start_replay --days "$FIXTURES" --script "$T/script" --log "$T/requests"
served=$PORT

# config PORT [LINE]: one source of a file, one of a server.
config() {
	write_config <<X
fetch { allow-private = {"127.0.0.0/8"}  timeout = 1s  max-body = 64K }
source "paper box" { type = file  path = "good.json" }
source "far away" { type = huggingface  url = "http://127.0.0.1:$1" }
defaults { outside = 0 }
subscriber "ada@digest.test" { when = always  filter "all" { match = "*"  limit = 100 } }
X
}
run_at() {
	"$DIGEST" --now "$1" run
}
# Off a terminal a fault that may pass is told only to who asks.
loud_at() {
	"$DIGEST" -v --now "$1" run
}

# faulty PATTERN: with the script on standard input the far source fails so, and later all of it is there.
faulty() {
	rm -rf Mail digest.db* digest.key
	cat >script
	: >requests
	says 0 "source far away: .*$1" loud_at 2026-03-04T08:00:00Z || return 1
	[ "$(mails_sent)" = 1 ] && grep -q 'Lantern' Mail/new/* || { echo "the other source is not in the mail"; return 1; }
	asked=$(wc -l <requests)
	silent 0 run_at 2026-03-04T08:04:00Z || return 1
	[ "$(wc -l <requests)" = "$asked" ] || { echo "asked again after four minutes"; return 1; }
	echo '{}' >script
	silent 0 run_at 2026-03-04T15:00:00Z || return 1
	[ "$(mails_sent)" = 2 ] && grep -q 'Agents That Ask' Mail/new/* || { echo "forgotten"; return 1; }
}

config "$served"
check 'an object in place of a list'      'echo "{\"*\": {\"body\": {\"papers\": []}}}" | faulty "expected.*list|expected.*array|array"'
check 'a list of something else'          'echo "{\"*\": {\"body\": [{\"paper\": {}}, 7]}}" | faulty "none of 2 entries is a paper"'
check 'an answer cut short'               'echo "{\"*\": {\"body\": [{\"paper\": {\"id\": \"2603.90009\"}}], \"truncate\": 20}}" | faulty "the answer ends early|closed|transfer"'
check 'a chunked answer cut short'        'echo "{\"*\": {\"body\": [{\"paper\": {\"id\": \"2603.90009\"}}], \"truncate\": 20, \"chunked\": true}}" | faulty "127.0.0.1"'
check 'JSON cut short'                    'echo "{\"*\": {\"body\": \"[{\"}}" | faulty "JSON"'
check 'an empty body'                     'echo "{\"*\": {\"body\": \"\"}}" | faulty "empty|no JSON|JSON"'
check 'HTML in place of JSON'             'echo "{\"*\": {\"body\": \"<html>Sorry</html>\", \"headers\": {\"Content-Type\": \"text/html\"}}}" | faulty "JSON|HTML"'
check 'JSON too deep'                     'python3 -c "import json; print(json.dumps({\"*\": {\"body\": \"[\" * 3000}}))" | faulty "nested deeper"'
check 'a body over the limit'             'python3 -c "import json; print(json.dumps({\"*\": {\"body\": \" \" * 70000}}))" | faulty "larger than 65536 bytes \(fetch.max-body\)"'
check 'headers over the limit'            'python3 -c "import json; print(json.dumps({\"*\": {\"headers\": {\"X-%d\" % i: \"y\" * 1000 for i in range(80)}}}))" | faulty "header"'
check 'a slow answer'                     'echo "{\"*\": {\"delay\": 3}}" | faulty "no answer within 1 s"'
check 'status 404'                        'echo "{\"*\": {\"status\": 404, \"body\": {\"error\": \"gone fishing\"}}}" | faulty "status 404\\): gone fishing"'
check 'status 500'                        'echo "{\"*\": {\"status\": 500, \"body\": \"oops\"}}" | faulty "status 500"'
check 'a redirect without an end'         'echo "{\"*\": {\"status\": 302, \"headers\": {\"Location\": \"/again\"}}}" | faulty "more than 5 redirects"'
check 'a redirect to a file'              'echo "{\"*\": {\"status\": 302, \"headers\": {\"Location\": \"file:///etc/passwd\"}}}" | faulty "only http and https are fetched"'
check 'what a service says is printable'  'printf "{\"*\": {\"status\": 503, \"body\": {\"error\": \"\\\\u001b[31mred\\\\nline\"}}}" | faulty "status 503" && ! LC_ALL=C grep -q "$(printf "\033")" .err'

retry_after() {
	rm -rf Mail digest.db* digest.key
	echo '{"*": {"status": 429, "headers": {"Retry-After": "7200"}, "body": {"error": "slow down"}}}' >script
	says 0 'source far away: .*asks to wait \(status 429\): slow down' loud_at 2026-03-04T08:00:00Z || return 1
	: >requests
	silent 0 run_at 2026-03-04T09:59:00Z && [ ! -s requests ] || { echo "asked too soon"; return 1; }
	echo '{}' >script
	silent 0 run_at 2026-03-04T10:01:00Z && [ -s requests ]
}
check 'status 429 is obeyed for as long as it says' retry_after

some_days() {
	rm -rf Mail digest.db* digest.key
	echo '{"/api/daily_papers?date=2026-03-03&limit=100": {"status": 500}}' >script
	says 0 'source far away: 2026-03-03: ' loud_at 2026-03-06T08:00:00Z &&
	echo '{}' >script && silent 0 run_at 2026-03-06T09:00:00Z && grep -q 'Agents That Ask' Mail/new/* && grep -q 'Survey of Everything' Mail/new/*
}
check 'one bad day of several'            some_days

part_broken() {
	rm -rf Mail digest.db* digest.key
	python3 - "$FIXTURES/2026-03-03.json" <<'P' >script
import json, sys
day = json.load(open(sys.argv[1], encoding="utf-8"))
print(json.dumps({"/api/daily_papers?date=2026-03-03&limit=100": {"body": [{"paper": {"title": "no id"}}, 3] + day}}))
P
	says 0 'source far away: 2 entries left out' loud_at 2026-03-04T08:00:00Z && grep -q 'Agents That Ask' Mail/new/*
}
check 'a broken entry leaves the others'  part_broken
check 'a day in the future is no fault'   'rm -rf Mail digest.db* && echo "{\"/api/daily_papers?date=2026-03-04&limit=100\": {\"status\": 400, \"body\": {\"error\": \"future\"}}}" >script && silent 0 run_at 2026-03-04T00:10:00Z && grep -q "Agents That Ask" Mail/new/*'

echo '{}' >script
config 1
check 'a refused connection'              'rm -rf Mail digest.db* && says 0 "source far away: .*127.0.0.1" loud_at 2026-03-04T08:00:00Z && test "$(mails_sent)" = 1'
config "$served"
sed -i 's/allow-private = {[^}]*}//' digest.conf
check 'a private address is refused'      'rm -rf Mail digest.db* && says 0 "source far away: .*loopback address .* fetch.allow-private" loud_at 2026-03-04T08:00:00Z'
config "$served"
sed -i 's/http:..127.0.0.1:[0-9]*/http:\/\/no-such-host.invalid/' digest.conf
check 'a name that nobody has'            'rm -rf Mail digest.db* && says 0 "source far away: no-such-host.invalid" loud_at 2026-03-04T08:00:00Z'
config "$served"
rm good.json
check 'a file that is gone'               'rm -rf Mail digest.db* && says 0 "source paper box: .*good.json: No such file" loud_at 2026-03-04T08:00:00Z && grep -q "Agents That Ask" Mail/new/*'
cp "$FIXTURES/2026-03-02.json" good.json

sed -i '/paper box/d' digest.conf
echo '{"*": {"status": 500}}' >script
check 'when every source fails that is 69' 'rm -rf Mail digest.db* && says 69 "source far away" loud_at 2026-03-04T08:00:00Z'
check 'a preview says so and is no error' 'says 0 "far away.*500" "$DIGEST" --now 2026-03-04T15:00:00Z --dry-run'
check 'fetch says so, too'                'says 69 "source far away" "$DIGEST" --now 2026-03-04T15:00:00Z fetch --force'
check 'fetch of an unknown source'        'says 64 "no source is called .nearby." "$DIGEST" --now 2026-03-04T15:00:00Z fetch nearby'
# "Nothing new" is not known while the source is out of reach; it comes the same day.
comes_later() {
	rm -rf Mail digest.db* digest.key
	says 69 'source far away' loud_at 2026-03-04T08:00:00Z && [ "$(mails_sent)" = 0 ] || return 1
	echo '{}' >script
	silent 0 run_at 2026-03-04T09:00:00Z && [ "$(mails_sent)" = 1 ]
}
check 'an empty digest waits for a source' comes_later
echo '{"*": {"status": 500}}' >script
cp digest.conf always.conf
sed -i 's/when = always/when = daily/' digest.conf
rm -rf digest.db*
check 'after twelve hours it waits no more' '"$DIGEST" --now 2026-03-04T08:00:00Z -q run; "$DIGEST" --now 2026-03-04T23:00:00Z -q run; "$DIGEST" --now 2026-03-04T23:01:00Z -n 2>&1 | grep -q "nothing is due now"'
cp always.conf digest.conf
rm -rf digest.db*
"$DIGEST" --now 2026-03-04T08:00:00Z -q run 2>/dev/null
check 'after three days a person is told' '"$DIGEST" --now 2026-03-07T15:00:00Z -q run 2>err; grep -q "failing for 3 days or more" err'
