#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Sources are read together: the services side by side, each service one request at a time; what it asks for is obeyed.
. "$(dirname "$0")/lib.sh"
plan 9

# A service that takes a moment for each answer and notes when it begins and ends one: "PORT BEGIN END PATH".
cat >slow.py <<'X'
import http.server, sys, time
class Slow(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        begin = time.monotonic()
        time.sleep(0.1)
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers()
        with open("times", "a") as f: f.write(f"{self.server.server_port} {begin} {time.monotonic()} {self.path}\n")
        self.wfile.write(b"[]")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
X
cat >judge.py <<'X'
import sys
rows = [line.split() for line in open("times")]
spans = [(r[0], float(r[1]), float(r[2])) for r in rows]
over = lambda a, b: a[1] < b[2] and b[1] < a[2]
pairs = [(a, b) for i, a in enumerate(spans) for b in spans[:i] if over(a, b)]
print(len(spans), "requests,", len(pairs), "pairs at once", [p for p in pairs if p[0][0] == p[1][0]])
sys.exit(not (pairs and all(a[0] != b[0] for a, b in pairs)))
X
ports=
for i in 1 2 3 4; do
	: >"port$i"
	python3 slow.py >"port$i" &
	pids="$pids $!"
done
for i in 1 2 3 4; do
	until_true "[ -s port$i ]"
	ports="$ports $(cat "port$i")"
done
{
	echo 'fetch { allow-private = {"127.0.0.0/8"} }'
	for i in 1 2 3 4 5; do
		for p in $ports; do
			echo "source \"s$i-$p\" { type = huggingface  list = trending  url = \"http://127.0.0.1:$p/$i\" }"
		done
	done
} | write_config
"$DIGEST" --now 2026-03-04T08:00:00Z fetch >/dev/null 2>&1
check 'twenty sources are read'           'test "$(cut -d" " -f4 times | sort -u | wc -l)" = 5 && test "$(wc -l <times)" = 20'
check 'services together, one at a time'  'python3 judge.py'
"$DIGEST" --now 2026-03-04T08:15:00Z run >/dev/null 2>&1
check 'what is not due is not asked'      'test "$(wc -l <times)" = 20'

# Retry-After holds for the whole service and across runs.
echo '{"*": {"status": 429, "headers": {"Retry-After": "7200"}}}' >script
start_replay --script "$T/script" --log "$T/requests"
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "one" { type = huggingface  list = trending  url = "http://127.0.0.1:$PORT" }
X
rm -f digest.db*
: >requests
"$DIGEST" -q --now 2026-03-04T08:00:00Z run 2>/dev/null
"$DIGEST" -q --now 2026-03-04T09:50:00Z run 2>/dev/null
check 'Retry-After holds across runs'     'test "$(wc -l <requests)" = 1'
echo '{"*": {"body": []}}' >script
"$DIGEST" -q --now 2026-03-04T10:01:00Z run 2>/dev/null
check '... and no longer'                 'test "$(wc -l <requests)" = 2'

# A quota that is nearly spent: the rest of the days waits, without a fault.
echo '{"*": {"body": [], "headers": {"RateLimit": "\"api\";r=2;t=3000"}}}' >script
sed -i 's/list = trending//' digest.conf
echo 'subscriber "ada@digest.test" {}' >>digest.conf
rm -f digest.db*
: >requests
"$DIGEST" -q --now 2026-03-04T08:00:00Z run 2>err
check 'a spent quota is no fault'         'test "$(wc -l <requests)" = 1 && test ! -s err'

# The distance a service asks for, between sources, runs and processes: its places are kept in the store. A busy server notes a
# request late, never early: each is measured from before the first.
set -- $ports
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "ax" { type = arxiv  categories = {cs.CL}  url = "http://127.0.0.1:$1"  request-gap = 1s }
source "bx" { type = arxiv  categories = {cs.CV}  url = "http://127.0.0.1:$2"  request-gap = 1s }
X
rm -f digest.db* times
start=$(python3 -c 'import time; print(time.monotonic())')
"$DIGEST" -q fetch -f ax 2>/dev/null
"$DIGEST" -q fetch -f 2>/dev/null &
other=$!
"$DIGEST" -q fetch -f 2>/dev/null
wait $other
check 'the distance holds over hosts, runs and processes' 'python3 -c "
begins = sorted(float(line.split()[1]) - $start for line in open(\"times\"))
print(begins)
assert len(begins) == 5 and all(begin >= 0.99 * i for i, begin in enumerate(begins))"'

# Killed between two days: nothing is lost, and nothing there twice.
days() {
	python3 -c 'import json, sys
print(json.dumps({f"/api/daily_papers?date={day}&limit=100": {"file": f"{sys.argv[1]}/{day}.json", "delay": float(delay)}
                  for day, delay in (pair.split("=") for pair in sys.argv[2:])} | {"*": {"body": []}}))' "$FIXTURES" "$@" >script
}
known() {
	sql 'SELECT p.key, l.day, l.votes FROM paper p JOIN listing l ON l.paper = p.id ORDER BY 1, 2'
}
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "hf" { type = huggingface  url = "http://127.0.0.1:$PORT" }
X
days 2026-03-02=0 2026-03-03=0
rm -f digest.db*
"$DIGEST" -q --now 2026-03-03T22:00:00Z fetch && known >whole
rm -f digest.db*
days 2026-03-02=0 2026-03-03=60
"$DIGEST" -q --now 2026-03-03T22:00:00Z fetch &
victim=$!
until_true '[ "$(sql "SELECT count(*) FROM paper")" -gt 0 ]'
kill -9 $victim
wait $victim 2>/dev/null
check 'a fetch that is killed keeps what it had' 'test -s whole && test "$(known | wc -l)" -gt 0 && test "$(known | wc -l)" -lt "$(wc -l <whole)"'
days 2026-03-02=0 2026-03-03=0
check 'and the next one brings the rest, once'   '"$DIGEST" -q --now 2026-03-03T22:10:00Z fetch -f && known >again && cmp again whole'
