#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Mail to the operator: once for each thing that needs a person, and once when it is over; never about itself, and no edition.
. "$(dirname "$0")/lib.sh"
plan 26

cp "$FIXTURES/2026-03-02.json" days.json
at() {
	now=2026-03-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
letters() {
	grep -l '^To: op@ops.test' "${1:-Mail/new}"/* 2>/dev/null
}
nletters() {
	letters "$@" | wc -l | tr -d ' '
}
# letter N: the text of the N-th by age, decoded
letter() {
	letters "${2:-Mail/new}" | xargs ls -tr | sed -n "$1p" | xargs cat | python3 -c 'import email, email.policy, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print("subject:", m["subject"])
print(m.get_content())'
}
config() {
	{
		echo 'list { from = "Papers <papers@digest.test>"  operator = "op@ops.test" }'
		echo 'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }'
		cat
	} >digest.conf
}
config <<'X'
source "days" { type = file  path = "days.json" }
source "gone" { type = file  path = "missing.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
X

# --- a source that stays away
check 'all is well: no mail'                      'at 03T08:00:00 run && test "$(nletters)" = 0'
check 'a source away for a day is none of it'     'at 04T08:00:00 run 2>err; test "$(nletters)" = 0'
check '... for three days is'                     'at 06T08:30:00 run 2>err; test "$(nletters)" = 1 && letter 1 >text && grep -q "^subject: Papers: 1 thing needs a person" text && grep -q "^- gone cannot be read since" text && grep -q "missing.json" text'
check '... and is told once'                      'at 06T08:45:00 run 2>err; at 06T09:45:00 run 2>err; test "$(nletters)" = 1'
check 'it is plain text, marked as from a program' 'cat $(letters) >raw && grep -q "^Auto-Submitted: auto-generated" raw && grep -q "^Content-Type: text/plain; charset=UTF-8" raw && ! grep -qi multipart raw && grep -q "^From: Papers <papers@digest.test>" raw'
check 'it is in no count and in no history'       'at 06T09:46:00 status --json | grep -q "\"last_report\":{.*\"sent\":0" && ! at 06T09:46:00 history --json | grep -q ops.test && ! at 06T09:46:00 outbox | grep -q ops.test'
check 'something else is told alone'              'echo "subscriber \"bob@digest.test\" { timezone = \"Mars/Olympus\" }" >>digest.conf; at 06T10:00:00 run 2>err; test "$(nletters)" = 2 && letter 2 >text && grep -q "1 reader has an error in the configuration" text && ! grep -q "missing.json" text && grep -q "1 more of which you were told before goes on" text || { cat text; false; }'
check 'when it is over, that is told, too'        'sed -i "/bob@/d" digest.conf; cp days.json missing.json; at 06T14:00:00 run 2>err; test "$(nletters)" = 3 && letter 3 >text && grep -q "^subject: Papers: 2 things are over" text && grep -q "^- The source gone is back" text && grep -q "^- No reader has an error" text && ! grep -q "needs a person" text || { cat text err; false; }'
check '... once'                                  'at 06T14:15:00 run 2>err; test "$(nletters)" = 3'
check '-u is not the time for it'                 'echo "subscriber \"bob@digest.test\" { timezone = \"Mars/Olympus\" }" >>digest.conf; at 06T14:30:00 run -u ada@digest.test 2>err; test "$(nletters)" = 3'
check 'nor a preview'                             'at 06T14:30:00 run -n >out 2>err; test "$(nletters)" = 3'
check 'nor while all mail is on hold'             'at 06T14:30:00 outbox hold --all -q; at 06T14:31:00 run 2>err; test "$(nletters)" = 3 && at 06T14:31:00 outbox release --all -q && at 06T14:32:00 run 2>err; test "$(nletters)" = 4'

# --- a relay that refuses
relay() {
	rm -rf digest.db* "$1" Mail
	echo "$2" >script.json
	start_smtp "$1" --script script.json
	{
		echo 'list { from = "Papers <papers@digest.test>"  operator = "op@ops.test" }'
		echo 'store { path = "digest.db" }  source "days" { type = file  path = "days.json" }'
		echo "smtp \"main\" { url = \"smtp://127.0.0.1:$PORT\"  tls = none  connections = 1 }"
		printf '%s\n' "${3:-}"
		echo 'subscriber "ada@digest.test" { filter "all" { match = "*" } }'
		echo 'subscriber "bob@digest.test" { filter "all" { match = "*" } }'
	} >digest.conf
}
relay one '[{"expect": "RCPT TO:<ada", "reply": "550 5.1.1 <ada@digest.test>: no user ada here"}]'
check 'who is refused for good is told, in short' 'at 03T08:00:00 run 2>err; test "$(nletters one)" = 1 && letter 1 one >text && grep -q "^- Mail to a…@digest.test is refused for good: 550 5.1.1 <\*@digest.test>: no user \* here" text && ! grep -q "ada" text || { cat text; false; }'
check '... told once, while it lasts'             'at 03T08:15:00 run 2>err; test "$(nletters one)" = 1'
check '... and when mail arrives again'           'cp "$FIXTURES/2026-03-03.json" days.json; at 04T08:00:00 run 2>err; cp "$FIXTURES/2026-03-02.json" days.json; test "$(nletters one)" = 2 && letter 2 one | grep -q "^- Mail to a…@digest.test arrives again"'
relay two '[{"expect": "RCPT", "reply": "550 5.1.1 no such user", "times": 0}]'
check 'a refusal of that mail makes no other'     'at 03T08:00:00 run 2>err; test "$(grep -c "RCPT TO:<op@" two.log)" = 1 && grep -q "mail to list.operator is refused: 550 5.1.1" err && at 03T08:15:00 run 2>err; at 03T08:30:00 run 2>err; test "$(grep -c "RCPT TO:<op@" two.log)" = 1'
relay three '[{"expect": "MAIL", "reply": "553 5.1.8 who are you", "times": 2}]'
check 'with no way out left it waits'             'at 03T08:00:00 run 2>err; test "$(nletters three)" = 0 && ! grep -q "RCPT TO:<op@" three.log'
check '... and what is over by then is not told'  'at 03T09:00:00 run 2>err; at 03T09:30:00 run 2>err; test "$(nletters three)" = 0 && test "$(find three -name "*.eml" | wc -l)" = 2'
relay four '[{"expect": "MAIL", "reply": "553 5.1.8 who are you", "times": 1}]' "smtp \"other\" { url = \"maildir:Mail\"  domains = {\"else.test\"} }"
check 'by another way when its own is given up'   'at 03T08:00:00 run 2>err; test "$(nletters four)" = 0 && test "$(nletters Mail/new)" = 1 && letter 1 >text && grep -q "^- No mail leaves by main: .*553 5.1.8 who are you.*list.from" text || { cat text err; false; }'
check '... and when that one is back'             'at 03T08:20:00 run 2>err; test "$(nletters four)" = 1 && letter 1 four | grep -q "^- Mail leaves by main again"'
relay five '[{"expect": ".", "reply": "", "close": true, "times": 4}]'
check 'held mail is told, with what to do'        'at 03T08:00:00 run 2>err; at 03T10:00:00 run 2>err; at 03T12:00:00 run 2>err; letter 1 five >text && grep -q "may have arrived or not and wait.* for a word of yours" text && grep -q "outbox drop ADDRESS" text || { cat text err; at 03T12:00:00 outbox; false; }'
check 'without an operator nobody is told'        'rm -rf digest.db* Mail; printf "%s\n" "list { from = \"papers@digest.test\" }" "store { path = \"digest.db\" }  smtp \"box\" { url = \"maildir:Mail\" }" "source \"days\" { type = file  path = \"days.json\" }" "subscriber \"bob@digest.test\" { timezone = \"Mars/Olympus\" }" >digest.conf; at 03T08:00:00 run 2>err; test ! -e Mail || test "$(mails_sent)" = 0'

# --- of one, and how it is mended
lone() {
	rm -rf digest.db* Mail
	config <<X
source "days" { type = file  path = "days.json" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
$1
X
}
check 'one reader without a way out'              'lone "subscriber \"bob@else.test\" {}"; sed -i "s|\"maildir:Mail\"|&  domains = {\"digest.test\", \"ops.test\"}|" digest.conf; at 03T08:00:00 run 2>err; letter 1 >text && grep -q "^- 1 reader gets no mail, as no smtp block takes their domain: .digest check. names" text || { cat text err; false; }'
check 'one reader who is gone'                    'lone "subscriber \"bob@digest.test\" {}"; at 03T08:00:00 run 2>err; sed -i "s/^subscriber .bob.*/subscriber \"cyd@digest.test\" { timezone = \"Mars\/Olympus\" }/" digest.conf; at 03T08:15:00 run 2>err; letter 1 >text && grep -q "^- 1 reader is gone from the configuration and gets no mail, " text && grep -q "digest: 1 reader is gone from " err || { cat text err; false; }'
check 'one mail that grew too old'                'lone ""; sed "s|\"maildir:Mail\"|\"smtp://127.0.0.1:1\" tls = none|" digest.conf >dead.conf; at 03T08:00:00 -c dead.conf run 2>err; at 05T08:00:00 run 2>err; letter 1 >text && grep -q "^- 1 mail could not leave in time" text && grep -q "digest: 1 mail was too old to send; its papers come with the next digest" err || { cat text err; false; }'
check 'a lost zone, and when it is back'          'lone "defaults { timezone = \"Asia/Tokyo\" }"; mkdir -p zones/Asia && cp -L /usr/share/zoneinfo/Asia/Tokyo zones/Asia/ && export TZDIR="$T/zones"; at 03T08:00:00 run && rm zones/Asia/Tokyo && { at 04T08:00:00 run 2>err; letter 1 >text; grep -q "does not have the time zone of the defaults" text; } && cp -L /usr/share/zoneinfo/Asia/Tokyo zones/Asia/ && at 05T08:00:00 run && letter 2 >text && grep -q "^- This machine has the time zone of the defaults again" text || { cat text err; false; }'
unset TZDIR
