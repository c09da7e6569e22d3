#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# One line for each thing that must be in order, and what cures it; the test mail.
. "$(dirname "$0")/lib.sh"
plan 51

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
X
cp digest.conf good.conf
c() {
	"$DIGEST" --now 2026-03-03T09:00:00Z check "$@"
}
# line CODE PATTERN ARGUMENT...: the exit code, and one line that matches.
line() {
	want=$1
	pattern=$2
	shift 2
	c "$@" >out 2>err </dev/null
	rc=$?
	cat out err
	[ $rc -eq "$want" ] && [ "$(grep -Ec "$pattern" out)" -eq 1 ]
}

# --- before the first run
check 'a new installation is in order'     'line 0 "^ok   store     .*/digest.db: made by the first run" && ! grep -Eq "^(warn|fail)" out'
check '... and check makes nothing'        'test ! -e digest.db && test ! -e digest.key && test ! -e Mail'
check 'each thing has its line'            'for w in config readers templates language key disk store clock zone cron source mail from leaving mailbox; do grep -Eq "^ok   $w " out || { echo $w; exit 1; }; done'
check 'the source was read'                'grep -q "^ok   source    days: answers; 4 papers on its first page" out'
check '--offline asks nobody'              'c --offline >out && ! grep -q "^.*source" out'
check '-q keeps to what is wrong'          'silent 0 c -q'
check 'JSON'                               'c --json | python3 -c "
import json, sys
rows = [json.loads(line) for line in sys.stdin]
assert {r[\"verdict\"] for r in rows} == {\"ok\"} and {\"store\", \"mail\"} <= {r[\"what\"] for r in rows}, rows"'

# --- afterwards
"$DIGEST" --now 2026-03-03T08:00:00Z run
check 'after a run the store is read whole' 'line 0 "^ok   store     .*/digest.db: whole; 4 papers, 1 reader$"'
check 'a clock behind the last run'        '"$DIGEST" --now 2026-03-02T08:00:00Z check >out; test $? = 74 && grep -q "^fail clock     2026-03-02T08:00:00Z is before the last run, 2026-03-03T08:00:00Z; set the clock" out'
check 'a clock before this program'        '"$DIGEST" --now 1970-01-01T00:00:10Z check >out; grep -q "^fail clock     1970-01-01T00:00:10Z is long ago" out'
check 'a key file open to others'          'chmod 644 digest.key; line 78 "^fail key .*chmod 600 .*digest.key"; rc=$?; chmod 600 digest.key; test $rc = 0'
check 'a source that is gone'              'mv days.json away.json; line 69 "^fail source    days: .*days.json"; rc=$?; mv away.json days.json; test $rc = 0'
check '... beside one that answers'        'echo "source \"gone\" { type = file  path = \"gone.json\" }" >>digest.conf; line 0 "^warn source    gone: .*gone.json"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'a template that is broken'          'mkdir own && echo "{{#list}}" >own/header.txt && echo "templates { dir = \"own\" }" >>digest.conf; line 78 "^fail templates .*header.txt:[0-9]+:[0-9]+: "; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'a reader with an error'             'echo "subscriber \"bob@digest.test\" { when = \"someday\" }" >>digest.conf; line 78 "^fail readers   1 of 2 have an error in their block"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'an envelope of another domain'      'sed -i "s/^list {/list { bounce-address = \"b@elsewhere.test\" /" digest.conf; line 0 "^warn from      mail is from digest.test, its envelope from elsewhere.test: DMARC"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check '... or of one below is fine'        'sed -i "s/^list {/list { bounce-address = \"b@bounce.digest.test\" /" digest.conf; line 0 "^ok   from "; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'a sender nobody can answer'            'sed "s/maildir:Mail/sendmail:\/bin\/true/; s/papers@digest.test/me@example.org/" good.conf >digest.conf; line 78 "^fail from      .*list.from is at example.org, where no answer can reach you"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check '... is no sender of a test mail either' 'sed "s/maildir:Mail/sendmail:\/bin\/true/; s/papers@digest.test/me@example.org/" good.conf >digest.conf; "$DIGEST" check --send eve@elsewhere.test >out; cp good.conf digest.conf; grep -q "^fail send .*example.org" out'
check 'no configuration at all'               '"$DIGEST" -c none.conf check >out; test $? = 78 && grep -Eq "^fail config    .*none.conf" out && ! grep -q "said above" out'
check 'a configuration with errors'        'echo "zebra {" >>digest.conf; line 78 "^fail config    the configuration has errors" && grep -q "digest.conf:[0-9]*:[0-9]*: " err; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'a Maildir nobody may write'         'chmod 755 "$T"; chmod 644 digest.conf days.json; unprivileged "$DIGEST" --now 2026-03-03T09:00:00Z check >out 2>&1; grep -q "^fail mail      box: nothing can be written into .*; let the user" out'
check 'a relay is not tried offline'        'sed "s/maildir:Mail/smtp:\/\/mail.digest.test/" good.conf >far.conf; "$DIGEST" -c far.conf check --offline >out; grep -q "^warn mail      box: smtp://mail.digest.test was not tried; leave out --offline" out'

# --- what comes back
check 'how readers leave is told'          'line 0 "^ok   leaving   by a mail to papers@digest.test, acted on by .digest unsubscribe --token.; no link by https$"'
check '... to Reply-To, where that is'     'sed "s/^list {/list { reply-to = \"desk@digest.test\" /" good.conf >digest.conf; line 0 "^ok   leaving   by a mail to desk@digest.test,"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check '... which a long list outgrows'     '{ cat good.conf; seq -f "subscriber \"r%g@digest.test\" {}" 5000; } >many.conf; "$DIGEST" -c many.conf check --offline >out; grep -q "^warn leaving .*one click by https" out'
check 'where bounces go'                   'line 0 "^ok   mailbox   none; bounces go to papers@digest.test, for a person to read$" && sed "s/^list {/list { bounce-address = \"b@digest.test\" /" good.conf >digest.conf && line 0 "^ok   mailbox   none; bounces go to b@digest.test,"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'who reads what comes back'         '
	{ cat good.conf; echo "mailbox { maildir = \"in\" }"; } >digest.conf; mkdir -p in/new in/cur
	case $DIGEST in */san-*) says="can open nothing" ;; *) says="may open, start and signal nothing$" ;; esac
	line 0 "^ok   parser    mails are read by a process that $says"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check 'a mailbox without its password'   '{ cat good.conf; echo "mailbox { url = \"imaps://imap.digest.test\"  user = \"me\"  password-env = NONE }"; } >digest.conf; line 78 "^fail mailbox   mailbox: .*NONE"; rc=$?; cp good.conf digest.conf; test $rc = 0'

# --- ways out
check 'a sendmail that is not there'       'sed "s/maildir:Mail/sendmail:\/nowhere\/sendmail/" good.conf >digest.conf; line 78 "^fail mail      box: /nowhere/sendmail: No such file or directory; install a mail server"; rc=$?; cp good.conf digest.conf; test $rc = 0'
check '... one that is, is not tried'      'sed "s/maildir:Mail/sendmail:\/bin\/true/" good.conf >digest.conf; line 0 "^warn mail      box: sendmail:/bin/true was not tried; .digest check --send"; rc=$?; cp good.conf digest.conf; test $rc = 0'
printf 'c4nary\n' >pw && chmod 600 pw
start_smtp relay --auth me:c4nary --auth-plain --extension 'SIZE 300000'
sed "s|smtp .box. {[^}]*}|smtp \"main\" { url = \"smtp://127.0.0.1:$PORT\"  tls = none  user = me  password-file = pw }|" good.conf >relay.conf
check 'a relay: login and size'            '"$DIGEST" -c relay.conf check >out; cat out; grep -q "^ok   mail      main: smtp://127.0.0.1:$PORT, not encrypted, logged in, mails up to 292 KB$" out && grep -q "^warn mail      main: takes mails up to 292 KB only; ask for a larger limit" out && test -z "$(find relay -name "*.eml")"'
start_smtp plainly
sed "s|smtp .box. {[^}]*}|smtp \"main\" { url = \"smtp://127.0.0.1:$PORT\"  tls = none }|" good.conf >plainly.conf
check '... of a size that it does not tell' '"$DIGEST" -c plainly.conf check | grep -qx "ok   mail      main: smtp://127.0.0.1:$PORT, not encrypted"'
check '... that refuses the login'         'echo wrong >pw; "$DIGEST" -c relay.conf check >out; test $? = 78 && grep -q "^fail mail      smtp main: .*535 .*; check both" out'

# --- cron, by the runs there were
cat >hours.conf <<'X'
list { from = "Papers <papers@digest.test>" }
store { path = "hours.db" }  smtp "box" { url = "maildir:Mail2" }
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { when = "daily 07:30"  timezone = "Europe/Berlin" }
subscriber "bob@digest.test" { when = "daily"  timezone = "Europe/Berlin" }
subscriber "cyd@digest.test" { when = "always" }
X
runs() {
	rm -f hours.db*
	for t in "$@"; do "$DIGEST" -c hours.conf --now "2026-03-${t}Z" run -q 2>/dev/null; done
}
cron() {
	"$DIGEST" -c hours.conf --now "2026-03-$1Z" check --offline >out 2>err
	grep -E "^[a-z]+ +cron " out
}
runs 05T06:00:00 05T06:05:00
check 'two runs by hand say nothing yet'   'cron 05T07:00:00 | grep -q "^ok   cron      2 runs, none after a reader.s hour yet, so it is too early to tell; .digest help cron. has the line$"'
check '... an hour later they do'          'cron 05T07:40:00 | grep -q "^warn cron      ada@digest.test .daily 07:30.: the next run comes 1 h 10 min after that"'
runs 03T06:00:00 03T06:45:00 04T06:00:00 04T06:45:00 05T06:00:00 05T06:45:00
check 'runs that suit every hour' 'cron 05T07:00:00 | grep -q "^ok   cron      6 runs in 7 days, often enough for every reader.s hour$"'
runs 03T12:00:00 04T12:00:00 05T12:00:00
check 'a daily run long after the hour of a reader' 'cron 05T12:30:00 | grep -q "^warn cron      ada@digest.test (daily 07:30): the next run comes 5 h 30 min after that; let cron call .digest run. every 15 minutes$"'
check '... is fine for who named none'     'sed -i "/ada@/d" hours.conf; cron 05T12:30:00 >/dev/null; runs 03T12:00:00 04T12:00:00 05T12:00:00; cron 05T12:30:00 | grep -q "^ok   cron "'
sed -i '/bob@/i subscriber "ada@digest.test" { when = "daily 07:30"  timezone = "Europe/Berlin" }' hours.conf
runs 03T06:45:00 04T06:45:00 05T12:00:00 06T06:45:00 07T06:45:00
check 'one late day of many is none of its business' 'cron 07T07:00:00 | grep -q "^ok   cron "'
check 'no run for days'                    'cron 09T12:00:00 | grep -q "^warn cron      the last run was 2 days ago; .digest help cron. has the line" && cron 20T12:00:00 | grep -q "^warn cron      no run in 7 days; "'

# --- the test mail
rm -rf Mail
check 'a test mail goes out'               'line 0 "^ok   send      eve@elsewhere.test: handed over" --send eve@elsewhere.test && test "$(mails_sent)" = 1'
check '... as a mail should be'            'sed "s/\$/\r/" Mail/new/* >eml && grep -q "^Subject: digest test mail" eml && grep -q "^To: eve@elsewhere.test" eml && grep -q "^From: Papers <papers@digest.test>" eml'
check '... the store knows nothing of it'  'sha256sum digest.db >a && c --send eve@elsewhere.test >/dev/null && sha256sum digest.db | cmp - a && test "$("$DIGEST" --now 2026-03-03T09:00:00Z history | wc -l)" = 2'
check 'not to what is no address'          'says 64 "^digest: --send: " c --send nonsense'
check 'not to who has left'                '"$DIGEST" --now 2026-03-03T09:00:00Z subscribe bob@digest.test -q && "$DIGEST" --now 2026-03-03T09:00:00Z unsubscribe bob@digest.test -q && line 78 "^fail send      bob@digest.test has left" --send bob@digest.test'
check 'not while all mail is on hold'      '"$DIGEST" --now 2026-03-03T09:00:00Z outbox hold --all -q && line 75 "^fail send      not sent: all mail is on hold" --send eve@elsewhere.test; rc=$?; "$DIGEST" --now 2026-03-03T09:00:00Z outbox release --all -q; test $rc = 0'
check 'not with a wrong date to elsewhere' 'says 64 "^digest: --now: " "$DIGEST" -c far.conf --now 2026-03-03T09:00:00Z check --offline --send eve@elsewhere.test'
check 'no way out: told as a failure'      'rm -rf Mail; echo x >Mail; line 74 "^fail send " --send eve@elsewhere.test; rc=$?; rm Mail; test $rc = 0'

# --- a damaged store
python3 - <<'X'
with open("digest.db", "r+b") as f:
    f.seek(0, 2)
    size = f.tell()
    for at in range(8192, size, 4096):
        f.seek(at)
        f.write(b"\xa5" * 512)
X
rm -f digest.db-wal digest.db-shm
check 'a damaged store'                    'line 74 "^fail store     .*digest.db.*"'
check '... keeps the test mail back'       'line 74 "^fail send      not sent: the store would say" --send eve@elsewhere.test'
