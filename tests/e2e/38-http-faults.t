#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A server that fails in every way: the right sentence, little memory, and nothing that is known changes.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 13

make_certificates
mkdir faults && mv s.pem s.key faults/ && mkdir faults/days && cp "$FIXTURES"/2026-03-0*.json faults/days/
check 'each fault' 'python3 "$E2E/http_faults.py" "$DIGEST" faults >cells; grep -A9 "^not ok" cells; n=$(sed -n "s/^1\.\.//p" cells); test "$n" -ge 48 && test "$(grep -c "^ok" cells)" = "$n"'

# --- nothing of the environment leads anywhere
start_replay --script "$T/nothing" --log "$T/lured"
trap_port=$PORT
echo '{}' >nothing
python3 - >echo.port 2>/dev/null <<'X' &
import http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("heads", "a") as f: f.write(self.path + "\n" + str(self.headers))
        there = self.path.startswith("/away")
        self.send_response(302 if there else 200)
        self.send_header("Set-Cookie", "crumb=1; Path=/")
        if there: self.send_header("Location", "http://localhost:%d/api/daily_papers" % self.server.server_port)
        self.send_header("Content-Length", "0" if there else "2"); self.end_headers()
        if not there: self.wfile.write(b"[]")
server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
print(server.server_port, flush=True)
server.serve_forever()
X
pids="$pids $!"
until_true '[ -s echo.port ]'
for host in 127.0.0.1 localhost; do
	echo "machine $host login me password c4nary"
done >"$HOME/.netrc"
printf 'proxy = "http://127.0.0.1:%s"\ncookie = "c4nary=1"\nuser = "me:c4nary"\n' "$trap_port" >"$HOME/.curlrc"
chmod 600 "$HOME/.netrc"
write_config <<X
fetch { allow-private = {"127.0.0.0/8", "::1/128"} }
source "here" { type = huggingface  url = "http://127.0.0.1:$(cat echo.port)" }
source "away" { type = huggingface  url = "http://127.0.0.1:$(cat echo.port)/away" }
X
lured() {
	for name in http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; do
		set -- "$@" "$name=http://127.0.0.1:$trap_port"
	done
	env -u no_proxy -u NO_PROXY "$@" NETRC="$HOME/.netrc" CURL_HOME="$HOME" "$DIGEST" --now 2026-03-03T08:00:00Z fetch -f
}
check 'proxies of the environment are not asked'      'lured && lured && test -s heads && test ! -s lured'
check 'cookies are not sent back, passwords not sent' '! grep -iE "^(cookie|authorization|proxy-authorization):|c4nary" heads'
check '... nor to another host after a redirect'      'grep -q "^Host: localhost" heads && grep -q "^/away" heads'

# --- where a run has little time, reading stops at a third of it, and goes on at the next run
days() {
	python3 -c 'import json, sys
print(json.dumps({"*": {"body": []}, **{f"/api/daily_papers?date=2026-03-0{d}&limit=100":
    {"file": f"{sys.argv[1]}/2026-03-0{d}.json", "delay": float(sys.argv[2])} for d in (2, 3)}}))' "$FIXTURES" "$1" >days.json
}
start_replay --script "$T/days.json" --log "$T/requests"
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
delivery { deadline = 9s }
source "hf" { type = huggingface  url = "http://127.0.0.1:$PORT" }
source "file" { type = file  path = "own.jsonl" }
subscriber "ada@digest.test" { when = always  filter "all" { match = "*"  limit = 100 } }
X
echo '{"id": "own-1", "title": "A Paper of Our Own", "listed": "2026-03-03"}' >own.jsonl
at() {
	"$DIGEST" --now "$1" run -v
}
tried() {
	sql "SELECT last_try_utc, last_success_utc, nfailures, cursor_day FROM source WHERE name = 'hf'"
}
rm -rf digest.db* Mail
days 60
begin=$(date +%s%N)
check 'reading stops at a third of the deadline'   'says 0 "source hf: [0-9]+ of [0-9]+ requests are left for the next run" at 2026-03-04T14:00:00Z'
took=$((($(date +%s%N) - begin) / 1000000))
check '... in that time'                           'echo "$took ms"; test $took -ge 2900 && test $took -lt 15000'
check '... without a fault, and due again at once' 'tried; tried | grep -q "^0|0|0|"'
check '... and the rest of the run is done'        'test "$(mails_sent)" = 1 && python3 "$E2E/mails.py" text Mail ada@digest.test | grep -q "A Paper of Our Own"'
days 0
: >requests
sed -i 's/deadline = 9s/deadline = 10m/' digest.conf
check 'the next run reads on where it stopped'     'silent 0 "$DIGEST" -q --now 2026-03-04T14:10:00Z run && grep -q "date=2026-03-03" requests && ! grep -q "date=2026-02-2[0-6]" requests && tried | grep -q "^1772633400|1772633400|0|"'

# --- on a terminal: one line of progress, which is gone in the end
cat >screen.py <<'X'
"""Run a command on a terminal, and interrupt it when it has drawn a text; print each line of the screen as it stands in the end, and
what was drawn over."""
import os, pty, signal, sys
text = sys.argv[1].encode()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
out = b""
while True:
    try:
        piece = os.read(fd, 65536)
    except OSError:
        break
    if not piece:
        break
    out += piece
    if text and text in out:
        os.kill(pid, signal.SIGINT)
        text = b""
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
for line in out.decode().replace("\r\n", "\n").split("\n"):
    drawn = line.split("\r\x1b[K")
    print("screen", drawn[-1])
    for old in drawn[:-1]:
        if old: print("drawn", old)
print("code", code)
X
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "one" { type = huggingface  url = "http://127.0.0.1:$PORT" }
source "two" { type = huggingface  url = "http://127.0.0.1:$PORT/none" }
source "six" { type = file  path = "own.jsonl" }
X
python3 - "$FIXTURES" <<'X' >days.json
import json, sys
print(json.dumps({"/none/api/daily_papers": {"status": 503}, "*": {"body": [], "delay": 0.02},
    "/api/daily_papers?date=2026-03-02&limit=100": {"file": sys.argv[1] + "/2026-03-02.json"}}))
X
rm -rf digest.db*
python3 screen.py '' "$DIGEST" --now 2026-03-04T14:00:00Z fetch --since 2026-02-01 one two >shown
check 'progress of several sources, in order' 'sed -n "s/^drawn [a-z]*: \([0-9]*\) of 64.*/\1/p" shown >counts && test "$(wc -l <counts)" -ge 30 && sort -nc counts && ! grep "^drawn" shown | grep -Evq "^drawn (one|sources): [0-9]+ of 64(, [0-9.]+/s, [0-9]+ s left)?$"'
check '... leaves a tidy screen'              'test "$(grep -c "^screen" shown)" = 4 && sed -n "s/^screen //p" shown >screen && sed -n 1p screen | grep -q "^digest: warning: source two: .*503" && sed -n 2p screen | grep -Eq "^one: [0-9]+ papers read, [0-9]+ new, 0 changed$" && sed -n 3p screen | grep -qx "two: failed; see above" && grep -qx "code 0" shown'
sed -i 's/"delay": 0.02/"delay": 60/' days.json
rm -rf digest.db*
python3 screen.py 'one: 0 of 32' "$DIGEST" --now 2026-03-04T14:00:00Z fetch --since 2026-02-01 one >shown
check '... also when it is interrupted'       'grep -q "^drawn one: 0 of 32" shown && grep -qx "screen one: 0 papers read, 0 new, 0 changed; stopped before its end" shown && test "$(grep -c "^screen" shown)" = 2'
python3 screen.py '' sh -c '"$0" --now 2026-03-04T14:00:00Z fetch --since 2026-02-29 one' "$DIGEST" >shown
check 'a day that is none'                    'grep -q "^screen digest: --since: .2026-02-29. is not a date" shown && grep -qx "code 64" shown'
