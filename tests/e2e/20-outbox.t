#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Mail that waits, as a person sees and moves it: tried now, held, released, given up; the brake; what went out before.
. "$(dirname "$0")/lib.sh"

mkdir Mail
mount -t tmpfs -o size=4k none Mail 2>/dev/null || skip_all 'no file system can be mounted here, to be full'
umount Mail
plan 34

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
subscriber "bob@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
X
at() {
	now=2026-03-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
o() {
	at 03T08:02:00 outbox "$@"
}
# full: a fresh store whose first mails found no room.
full() {
	rm -rf Mail digest.db*
	mkdir Mail
	mount -t tmpfs -o size=4k none Mail
	at 03T08:00:00 run 2>/dev/null
	rc=$?
	umount Mail
	[ $rc -eq 75 ]
}
# state ADDRESS: of the newest edition
state() {
	at 03T08:02:00 history "$1" --json | head -n 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'
}

# --- the list
check 'nothing waits before the first run'            'o >out && grep -q "^no mail waits" out && test ! -e digest.db'
check 'nothing waits in a new store'             'at 01T00:00:00 send && at 01T00:00:00 outbox >out && grep -q "^no mail waits" out && test ! -s out.json'
check 'what waits is a table'                    'full && o >out && grep -Eq "^address +period +state +tries +copies +next +reply" out && grep -Eq "^ada@digest.test +2026-03-03 +deferred +1 +0 +in 3 min +.*No space" out && test "$(wc -l <out)" = 3'
check '... or JSON'                              'o list --json | python3 -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert [r[\"address\"][:3] for r in rows] == [\"ada\", \"bob\"] and 1772525070 <= rows[0][\"next\"] <= 1772525100 and rows[0][\"attempts\"] == 1, rows"'
check 'a verb that is none'                      'says 64 "outbox: .rettry.; expected list, retry, hold, release or drop" o rettry'
check 'list takes nothing more'                  'says 64 "usage: digest outbox list" o list ada@digest.test'

# --- retry
check 'retry makes all due now'                  'o retry >out && grep -q "^2 mails: due at the next run" out && o | grep -q "next run" && silent 0 at 03T08:02:00 run && test "$(mails_sent)" = 2'
check '... or the mail of one reader'            'full && o retry bob@digest.test >out && grep -q "^1 mail: due" out && silent 0 at 03T08:02:00 run && test "$(mails_sent)" = 1 && grep -q "^To: bob" Mail/new/*'
check '... and of one period'                    'full && says 64 "ada@digest.test: no mail to retry" o retry ada@digest.test 2026-03-02 && o retry ada@digest.test 2026-03-03 -q'
check 'nobody of that name'                      'says 64 "eve@digest.test: no mail to retry" o retry eve@digest.test && says 65 "" o retry nonsense'

# --- hold and release
check 'hold keeps mail back'                     'full && o hold ada@digest.test >out && grep -q "^1 mail: held until" out && o | grep -Eq "^ada.* held .*held by hand: .*No space"'
check '... from later runs'                      'silent 0 at 03T09:00:00 run && test "$(mails_sent)" = 1 && grep -q "^To: bob" Mail/new/*'
check '... of the next day too: one mail waits'  'silent 0 at 04T08:00:00 run && test "$(grep -l "^To: ada" Mail/new/* | wc -l)" = 0 && test "$(state ada@digest.test)" = held'
check '... and retry without a name leaves it'   'o retry >out && grep -q "^no mail to retry" out'
check 'release lets it go, with what was said'   'o release >out && grep -q "^1 mail: due at the next run" out && o | grep -Eq "^ada.* deferred .* next run +[^h]" && ! o | grep -q "held by hand"'
check '... and it goes'                          'silent 0 at 03T09:00:00 run && grep -q "^To: ada" Mail/new/*'
check 'hold without a name holds all'            'full && o hold >out && grep -q "^2 mails: held" out && silent 0 at 03T09:00:00 run && test "$(mails_sent)" = 0'
check 'retry with a name takes up a held one'    'o retry ada@digest.test -q && silent 0 at 03T09:00:00 run && test "$(mails_sent)" = 1'

# --- the brake
check 'hold --all stops every mail'              'full && o hold --all >out && grep -q "all mail is on hold" out && says 75 "nothing is sent: all mail is on hold; .digest outbox release --all. ends that" at 03T09:00:00 run && test "$(mails_sent)" = 0'
check '... send too'                             'says 75 "nothing is sent" at 03T09:00:00 send'
check '... the list says so'                     'o | grep -q "all mail is on hold since Tue 3 Mar 08:02 UTC"'
check '... a preview still shows'                'same_store "at 03T09:00:00 -n >out 2>err" && grep -q Lantern out && grep -q "a run would send nothing: all mail is on hold" err'
check '... papers are still read'                'cp "$FIXTURES/2026-03-03.json" days.json && says 75 "on hold" at 04T06:00:00 run && at 04T06:00:00 show 2603.90006 >/dev/null; rc=$?; cp "$FIXTURES/2026-03-02.json" days.json; test $rc = 0'
check 'release alone does not end it'            'o release -q; says 75 "on hold" at 03T09:00:00 run'
check 'release --all does'                       'o release --all >out && grep -q "mail may leave again" out && silent 0 at 03T09:00:00 run && test "$(mails_sent)" = 2'

# --- drop
check 'drop wants a name'                        'full && says 64 "usage: digest outbox drop ADDRESS" o drop'
check 'drop gives a mail up'                     'o drop ada@digest.test >out && grep -q "^1 mail: given up" out && test "$(state ada@digest.test)" = failed && o | grep -c digest.test | grep -qx 1'
check '... it does not go'                       'silent 0 at 03T09:00:00 run && test "$(mails_sent)" = 1'
check '... its papers come with the next digest' 'silent 0 at 04T08:00:00 run && cat "$(grep -l "^To: ada" Mail/new/*)" | grep -q "^  1\. Lantern"'
check 'drop --all'                               'full && o drop --all >out && grep -q "^2 mails: given up" out && o | grep -q "^no mail waits"'

# --- history
check 'history names the newest digests'         'full && at 03T09:00:00 run && at 03T09:00:00 history >out && grep -Eq "^ada@digest.test +2026-03-03 +sent +4 +Tue 3 Mar 08:00 UTC +Tue 3 Mar 09:00 UTC +box +delivered to " out && test "$(wc -l <out)" = 3 && head -n 1 out | grep -q "^address *period *state *papers *composed *tried *via *reply"'
check '... of one reader, as JSON'               'at 03T09:00:00 history bob@digest.test --json | python3 -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert len(rows) == 1 and rows[0][\"papers\"] == 4 and rows[0][\"attempts\"] == 2 and rows[0][\"via\"] == \"box\" and rows[0][\"tried\"] == 1772528400, rows"'
check '... of nobody'                            'says 64 "eve@digest.test is not a reader" at 03T09:00:00 history eve@digest.test'

# --- a run that is under way
rm -rf Mail digest.db*
write_config <<'X'
source "days" { type = file  path = "days.json" }
X
# More than leave within a second, which a build with sanitizers takes for fewer.
readers=12000
case $DIGEST in */san-*) readers=8000 ;; esac
seq $readers | sed 's/.*/subscriber "r&@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }/' >>digest.conf
brake() {
	at 03T08:00:00 run 2>err &
	pid=$!
	until_true '[ "$(mails_sent)" -gt 0 ]' || return 1
	o hold --all
	wait $pid
	rc=$?
	first=$(mails_sent)
	echo "# stopped with $rc after $first mails"
	cat err
	[ $rc -eq 75 ] && grep -q 'stopped: all mail is on hold' err && [ "$first" -gt 0 ] && [ "$first" -lt $readers ] || return 1
	o release --all -q && silent 0 at 03T08:10:00 run && [ "$(mails_sent)" -eq $readers ] &&
	    [ "$(cat Mail/new/* | grep '^To:' | sort -u | wc -l)" -eq $readers ]
}
check 'the brake stops a run under way, and nobody is forgotten or mailed twice' 'brake'
