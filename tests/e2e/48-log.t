#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Who reads what is nobody's business who reads a log: no address of a reader in what a run says, unless it is asked to say
# all; what a person asks for names everybody.
. "$(dirname "$0")/lib.sh"
plan 17

cp "$FIXTURES/2026-03-02.json" days.json
# Each reader meets another fault; the local part of each begins with a word found nowhere else.
cat >script.json <<'X'
[{"expect": "RCPT TO:<canary-refused", "reply": "550 5.1.1 <canary-refused@digest.test>: Recipient address rejected: User canary-refused unknown", "times": 0},
 {"expect": "RCPT TO:<canary-later", "reply": "451 4.3.0 mailbox canary-later@digest.test is busy", "times": 0},
 {"expect": ".", "reply": "", "close": true}]
X
start_smtp relay --script script.json
cat >digest.conf <<X
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }
smtp "main" { url = "smtp://127.0.0.1:$PORT"  tls = none  connections = 1 }
source "days" { type = file  path = "days.json" }
subscriber "canary-refused@digest.test" {}
subscriber "canary-later@digest.test" {}
subscriber "canary-doubt@digest.test" {}
subscriber "canary-zone@digest.test" { timezone = "Mars/Olympus" }
subscriber "canary-query@digest.test" { filter "x" { match = "and (" } }
subscriber "canary-none@@digest.test" {}
subscriber "canary-twice@digest.test" {}
subscriber "canary-twice@digest.test" {}
subscriber "canary-language@digest.test" { language = "tlh" }
X
run() {
	"$DIGEST" --now 2026-03-03T08:00:00Z "$@" >out 2>err
	rc=$?
}
check 'a run in which all goes wrong'           'run run; test $rc = 78 && test -s err'
check 'names no reader'                         '! grep -i canary out err && ! grep -i canary- err'
check '... but says what is wrong, and where'   'grep -q "digest.conf:[0-9]" err && grep -q "mail waits for a later run: 451 4.3.0 mailbox" err || { cat err; false; }'
check '... and of whose domain'                 'grep -q "…@digest.test" err'
check 'the report as JSON names none either'    'rm -f digest.db*; run run --json; ! grep -i canary out err'
check 'a fetch too'                             'run fetch; ! grep -i canary out err'
check '-v names all of them'                    'rm -f digest.db*; run run -v; for who in refused later none twice; do grep -q "canary-$who" err || { echo "not $who"; cat err; exit 1; }; done'
check 'what a person asks for names them'       'run history; grep -q canary-refused@digest.test out && run outbox; grep -q canary-later@digest.test out'
check '... with what the relay said of them'    'run history canary-refused@digest.test; grep -q "User canary-refused unknown" out'
check 'a slip of the pen is shown as typed'     'run run -u canary-nobody@digest.test; test $rc = 64 && grep -q "canary-nobody@digest.test is not a reader" err || { cat err; false; }'

# --- as JSON, and for the journal
rm -f digest.db*
check '--log=json: each line an object with level, time, event' 'run run --log=json; test $rc = 78 && python3 -c "import datetime, json
lines = [json.loads(line) for line in open(\"err\")]
assert lines and not any(\"canary-\" in str(line) for line in lines), lines
assert {\"run-ended\", \"config\", \"mail-waits-for-a-later-run\"} <= {line[\"event\"] for line in lines}, lines
for line in lines:
    assert line[\"level\"] in (\"error\", \"warning\", \"info\") and line[\"text\"] and line[\"pid\"] > 1
    assert abs(datetime.datetime.fromisoformat(line[\"time\"].replace(\"Z\", \"+00:00\")).timestamp() - __import__(\"time\").time()) < 60"'
check '... standard output is what it was'          'test ! -s out'
check '-v -v tells each answer and each mail, with fields' 'rm -f digest.db*; DIGEST_LOG=json run run -vv; grep -q "\"event\":\"answer-read\".*\"source\":\"days\"" err && grep -q "\"event\":\"mail-settled\".*\"state\":\"failed\".*\"to\":\"canary-refused@digest.test\",\"reply\":\"550 5.1.1 " err'
check '... -q what a person must act on'            'rm -f digest.db*; run run -q --log json; test -s err && ! grep -v "\"level\":\"error\"" err'
check 'another form is a slip'                      'says 64 "^digest: --log=xml; expected text or json" "$DIGEST" --log=xml status'
journal() {
	rm -f digest.db*
	: >err
	JOURNAL_STREAM=$(stat -c %d:%i err) "$DIGEST" --now 2026-03-03T08:00:00Z run 2>>err
	cat err
	! grep -v '^<[346]>' err && grep -q '^<3>mail waits for a later run' err && grep -q '^<6>.* sent.*exit code' err && ! grep -q canary- err
}
check 'in the journal each line has its priority, and what was done is told' journal
check '... elsewhere not, whatever the variable says' 'rm -f digest.db*; JOURNAL_STREAM=1:2 run run; ! grep "^<" err'
