#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A preview shows what would go out, whatever the state of the store, and leaves everything as it was.
. "$(dirname "$0")/lib.sh"
plan 42

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
defaults { when = "daily 07:30" }
subscriber "ada@digest.test" { filter "splats" { match = "splatting" } filter "agents" { match = "agents" } }
X
now=2026-03-03T08:00:00Z
dry() {
	"$DIGEST" --now "$now" --dry-run "$@"
}

check 'without a store the digest is shown'       'dry >out 2>err && grep -q "Lantern: Gaussian Splatting" out'
check 'on standard error stands to whom and what' 'grep -q "^To ada@digest.test   due .*via box" err && grep -q "^Subject: " err && grep -q "4 papers read, 2 matched, 2 shown, 0 cut" err'
check 'no store and no Maildir is made'           '! ls | grep -E "digest\.db|digest\.key|Mail"'
check '-n and run -n are the same'                '"$DIGEST" -n --now $now >n && "$DIGEST" run --now $now -n >run && diff out n && diff out run'
check '--format html is a page'                   'dry --format html >page 2>/dev/null && grep -q "^<!DOCTYPE html>" page && ! grep -q "^Subject:" page'
check '--format json is one object a digest'      'dry --format json | python3 -c "
import json, sys
lines = sys.stdin.read().splitlines()
v = json.loads(lines[0])
assert len(lines) == 1 and v[\"to\"] == \"ada@digest.test\" and v[\"period\"] == \"2026-03-03\", v
papers = [p[\"id\"] for s in v[\"context\"][\"sections\"] for p in s[\"papers\"]]
assert \"2603.90001\" in papers[0] and \"2603.90002\" in papers[1], papers"'
check '--format eml passes the lint'              'dry --format eml >a.eml && python3 "$E2E/mail_lint.py" a.eml'
check 'an unknown format is named'                'says 64 "format=pdf; expected text, html, eml or json" dry --format pdf'
check 'twice gives the same bytes'                'dry --format eml >b.eml && cmp a.eml b.eml'

# --- with a store
check 'a run makes one'                           'silent 0 "$DIGEST" --now $now run && test "$(mails_sent)" = 1'
check 'nothing due shows the next edition'        'dry 2>err && grep -q "^nothing is due now; this is the next edition" err'
cp "$FIXTURES/2026-03-03.json" days.json
check 'the next edition has what came since'      'same_store "dry >out 2>err" && grep -q "Agents That Ask" out && ! grep -q "Lantern" out && grep -q "due Wed 4 Mar 07:30 UTC (in 23 h)" err'
check '--offline asks no source'                  'same_store "dry --offline >out 2>err"; ! grep -q "Agents That Ask" out'
now=2026-03-04T08:00:00Z
dry --format eml >before.eml 2>/dev/null
check 'a store that is read only is read'         'chmod 400 digest.db* && same_store "dry --format eml >b.eml" && cmp before.eml b.eml; rc=$?; chmod 600 digest.db*; exit $rc'
chmod 755 . home
[ "$(id -u)" -ne 0 ] || chown 65534 digest.db* digest.key
if unprivileged "$DIGEST" version >/dev/null 2>&1 && ! unprivileged touch denied 2>/dev/null; then
	check 'so is one in a read-only folder'   'same_store "unprivileged \"$DIGEST\" --now $now -n --format eml >b.eml" && cmp before.eml b.eml'
	check 'to send from there is an error'    'says 74 "digest.db" unprivileged "$DIGEST" --now $now run'
	chmod 700 .
else
	skip 2 'file modes do not stop this user, or the program cannot be run by nobody'
fi
chmod 700 .
[ "$(id -u)" -ne 0 ] || chown 0 digest.db* digest.key
check 'the run then sends those bytes'            'silent 0 "$DIGEST" --now $now run && file=$(grep -l "4 Mar 2026" Mail/new/*) && tr -d "\r" <before.eml | cmp - $file'

# --- several readers
mkdir many && cd many || exit
DIGEST_CONFIG=$PWD/digest.conf
cp "$FIXTURES/2026-03-02.json" days.json
{
	echo 'source "days" { type = file  path = "days.json" }'
	for name in a b c d; do
		echo "subscriber \"$name@digest.test\" { filter \"all\" { match = \"*\"  limit = 1 } }"
	done
	echo 'subscriber "none@digest.test" { outside = 0  filter "x" { match = "zebras" } }'
	echo 'subscriber "later@digest.test" { paused-until = 2026-05-01 }'
	echo 'subscriber "odd/x/name@digest.test" { filter "all" { match = "*" } }'
} | write_config
now=2026-03-03T08:00:00Z
check 'of more than three a table and the first'  'dry >out 2>err && test "$(grep -c "^[a-d]@digest.test .* papers .* KB" out)" = 4 && test "$(grep -c "^Unsubscribe:" out)" = 2'
check 'the table says why not'                    'grep -q "^none@digest.test .*not mailed: nothing matched" out && grep -q "^later@digest.test .*not mailed: paused" out'
check '-u shows those named'                      'dry -u b@digest.test -u D@Digest.Test >out 2>err && grep -q "^To b@" err && grep -q "^To d@" err && ! grep -q "^To a@" err'
check '-u of nobody known says so'                'says 64 "nobody@digest.test" dry -u nobody@digest.test'
check 'eml of several needs --out'                'says 64 "expected --out DIR or one reader by -u" dry --format eml'
check '--out writes three files a reader'         'dry --out shown >/dev/null 2>err && test "$(ls shown | wc -l)" = 15 && grep -q "5 digests written to shown" err && test -s shown/a@digest.test.html'
check '... and leaves the folder to nobody'       'ls shown | grep -q "^odd%2Fx%2Fname@digest.test.eml$" && python3 "$E2E/mail_lint.py" $(ls -d shown/*.eml)'
check '--json lists them, too'                    'dry --format json >out 2>/dev/null && test "$(wc -l <out)" = 5'

# --- --open
cat >"$T/fake browser" <<'X'
#!/bin/sh
ls -l "$1" | cut -c 1-10 >"$T/opened.mode"
echo "$@" >"$T/opened" && cp "$1" "$T/opened.html"
X
sed 's/"$1"/"$2"/g' "$T/fake browser" >"$T/second-browser"
printf '#!/bin/sh\nexit 3\n' >"$T/no-screen"
cp "$T/fake browser" "$T/xdg-open"
chmod 755 "$T/fake browser" "$T/second-browser" "$T/no-screen" "$T/xdg-open"
mkdir "$T/tmp dir" "$T/open" && cd "$T/open" || exit
export TMPDIR="$T/tmp dir"
DIGEST_CONFIG=$PWD/digest.conf
cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { filter "splats" { match = "splatting" } }
subscriber "none@digest.test" { outside = 0  filter "x" { match = "zebras" } }
X
now=2026-03-03T08:00:00Z
dry --format html -u ada@digest.test >page 2>/dev/null
check '--open shows the page by xdg-open'         'PATH="$T:$PATH" dry --open >out 2>err && cmp page "$T/opened.html" && grep -q "^HTML: $T/tmp dir/digest-......\.html$" err'
check '... from a file that is closed to others'  'test "$(cat "$T/opened.mode")" = -rw------- && test "$(ls "$T/tmp dir" | wc -l)" = 1'
check '... in place of the text'                  'test ! -s out && grep -q "^To ada@" err'
check 'a form that is asked for is printed, too'  'PATH="$T:$PATH" dry --open --format html >out 2>err && cmp page out'
check '$BROWSER may have arguments'               'BROWSER="no-such-program:$T/second-browser --new-window" dry --open >out 2>err && grep -q "^--new-window /.*digest-......\.html$" "$T/opened" && cmp page "$T/opened.html"'
check '... and say where the file stands'         'BROWSER="$T/second-browser first %s last" dry --open >out 2>err && grep -q "^first /.*\.html last$" "$T/opened"'
check '... and no shell reads it'                 'rm "$T/opened"; says 74 "no browser: " env BROWSER="$T/no-such;touch made" "$DIGEST" --now $now -n --open && test ! -e made'
check 'none at all is an error with its cure'     'says 74 "no browser: no-such is not there; set BROWSER=firefox or another, or open /.*\.html yourself" env BROWSER=no-such "$DIGEST" --now $now -n --open'
check 'nor one that fails is silent'              'says 74 "no-screen: exit status 3; open /.*\.html yourself, or name another browser in BROWSER" env BROWSER="$T/no-screen" "$DIGEST" --now $now -n --open'
check 'a folder that is not there is named'       'says 74 "/nowhere: no file can be made there" env TMPDIR=/nowhere "$DIGEST" --now $now -n --open'
check 'no digest, nothing to open'                'rm -f "$T/opened"; BROWSER="$T/no-screen" dry --open -u none@digest.test >out 2>err && grep -q "^no digest to open$" err'

# --- the cache
cd "$T" && mkdir served && cd served || exit
DIGEST_CONFIG=$PWD/digest.conf
echo 2026-03-04 >today
start_replay --days "$FIXTURES" --today "$PWD/today" --log "$PWD/requests"
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "hf" { type = huggingface  url = "http://127.0.0.1:$PORT" }
subscriber "ada@digest.test" {}
X
now=2026-03-04T08:00:00Z
check 'a first preview asks the server'           'dry >first 2>err && test "$(wc -l <requests)" -ge 8 && grep -q Lantern first'
asked=$(wc -l <requests)
check 'a second one does not'                     'dry >second 2>err && test "$(wc -l <requests)" = "$asked" && cmp first second'
now=2026-03-04T10:00:00Z
check 'after the interval it asks again'          'dry >out 2>err && test "$(wc -l <requests)" -gt "$asked"'
XDG_CACHE_HOME=/proc/nowhere
check 'without a cache it asks, and works'        'dry >out 2>err && grep -q Lantern out'
check 'a real run asks by itself'                 'silent 0 "$DIGEST" --now $now run && test "$(mails_sent)" = 1'
kill "$replay_pid"
check 'with the server gone it still shows'       'dry >out 2>err && grep -q "nothing is due now" err'
