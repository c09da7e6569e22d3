#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Every mail is well formed, says the same in both parts, and nothing of a paper gets out of its place.
. "$(dirname "$0")/lib.sh"
plan 20

cp "$FIXTURES/2026-03-03.json" hostile.json
cat >digest.conf <<'X'
list {
	from = '"Pap\"ers" <papers@digest.test>'  name = "Päpers \"of\" <us>"
	postal-address = "1 Lane, <b>Town</b>"  reply-to = "Answers <answers@digest.test>"
}
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
source "days" { type = file  path = "hostile.json" }
defaults { when = always  limit = 50  max-papers = 50 }
subscriber "ada@digest.test" { name = "Zoë \"Ada\" Räy, <the third> of a house with a name that is longer than one line of a header may be" }
subscriber "bob.o'brien+digest@digest.test" { filter "<i>splats</i> \"&\" {{name}}" { match = 'splatting OR nerf' } }
subscriber "deutsch@digest.test" { language = de  filter "Büro" { match = 'agents' } }
X

check 'a run with hostile papers is silent'  'silent 0 "$DIGEST" --now 2026-03-04T08:00:00Z run'
check 'each reader has a mail'               'test "$(mails_sent)" = 3'
check 'the lint has nothing to say'          'python3 "$E2E/mail_lint.py" --lf Mail'
check 'names are read as they were written'  'python3 - "$(grep -l "^To: .*<*ada@\|^ .*<ada@" Mail/new/*)" <<P
import email, email.header, email.utils, sys
# Not by the policies of Python 3.11, which put a blank between two encoded words of a name (RFC 2047 6.2 says none).
mail = email.message_from_file(open(sys.argv[1]))
def shown(text): return str(email.header.make_header(email.header.decode_header(text)))
def read(header): return [(shown(name), address) for name, address in email.utils.getaddresses(mail.get_all(header))]
assert read("From") == [("Pap\"ers", "papers@digest.test")], read("From")
assert read("To") == [("Zoë \"Ada\" Räy, <the third> of a house with a name that is longer than one line of a header may be", "ada@digest.test")], read("To")
assert read("Reply-To") == [("Answers", "answers@digest.test")], read("Reply-To")
name, _, number = shown(mail["List-Id"]).rpartition(" ")
assert number.startswith("<") and name == "Päpers \"of\" <us>", mail["List-Id"]
P'
check "Python's parser finds no defect, and both parts name the same papers" 'python3 "$E2E/mails.py" check Mail'

headers() {
	sed '/^$/q' $1
}
python3 "$E2E/mails.py" html Mail ada@digest.test >ada.html
python3 "$E2E/mails.py" text Mail ada@digest.test >ada.txt
python3 "$E2E/mails.py" html Mail "bob.o'brien+digest@digest.test" >bob.html
python3 "$E2E/mails.py" text Mail deutsch@digest.test >deutsch.txt
check 'a title adds no header'               '! cat Mail/new/* | sed "/^\$/q" | grep -i "^ *bcc:"; for f in Mail/new/*; do headers "$f"; done >all; ! grep -Ei "^(bcc|x):" all'
check 'a title is text in the HTML'          'grep -q "&lt;script&gt;document.title" ada.html && ! grep -qi "<script" ada.html'
check 'an abstract brings no picture'        '! grep -qi "<img\|pixel.png\"" ada.html'
check 'a link of javascript: is none'        '! grep -Eqi "(href|src)=\"?javascript" ada.html && ! grep -q "^ *project: javascript" ada.txt'
check 'a quote does not leave its attribute' '! grep -Eqi "<[^>]*\"onmouseover" ada.html'
check 'a title is not read as a template'    'grep -qF "{{subscriber.address}} {{{list.name}}}" ada.txt && ! grep -q "{{#sections}}loop{{/sections}}loop" ada.txt'
check 'bidirectional controls are gone'      '! grep -q "$(printf "\342\200\256")" ada.html ada.txt'
check 'the name of a filter is text'         'grep -q "&lt;i&gt;splats&lt;/i&gt;" bob.html && ! grep -q "<i>splats" bob.html'
check 'the postal address is text'           'grep -q "&lt;b&gt;Town" ada.html'
check 'the digest speaks the reader'"'"'s language' 'grep -qi "abbestellen\|abmelden" deutsch.txt'

cp "$FIXTURES/2026-03-02.json" plain.json
mkdir plain && cd plain && write_config <<'X'
source "days" { type = file  path = "../plain.json" }
subscriber "ada@digest.test" {}
X
check 'money stays money, LaTeX becomes letters' '
	silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run && python3 "$E2E/mails.py" text Mail ada@digest.test >out &&
	grep -qF "Can a \$60 Camera See" out && grep -q "On μP, 𝒪(n²) Attention and the Étale Café" out && grep -q "René Descartes" out'
check 'organisations keep their ampersand'   'grep -q "Quill & Sons" out && python3 "$E2E/mails.py" html Mail ada@digest.test | grep -q "Quill &amp; Sons"'
check 'that mail is clean, too'              'python3 "$E2E/mail_lint.py" --lf Mail && python3 "$E2E/mails.py" check Mail'

# Where from has no name and what a program reads goes elsewhere than what a person reads.
cd .. && mkdir -p nameless/Inbox/new nameless/Inbox/cur nameless/Inbox/tmp && cd nameless
cat >digest.conf <<'X'
list { from = "papers@digest.test"  name = "Päpers, daily"  reply-to = "Us <us@digest.test>"  bounce-address = "bounce@digest.test" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }  mailbox { maildir = "Inbox" }
source "days" { type = file  path = "../plain.json" }
subscriber "ada@digest.test" {}
X
check 'an address without a name has that of the list' 'silent 0 "$DIGEST" -c digest.conf --now 2026-03-03T08:00:00Z run && python3 - Mail/new/* <<P
import email, email.policy, sys
mail = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
sender = mail["From"].addresses[0]
assert (sender.display_name, sender.addr_spec) == ("Päpers, daily", "papers@digest.test"), mail["From"]
P'
check 'who wants to change things writes to a person' 'python3 "$E2E/mails.py" text Mail ada@digest.test >out && grep -q "write to us@digest.test" out && grep -q "mailto:bounce@digest.test?subject=unsubscribe" out'
