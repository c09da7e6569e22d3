#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Templates of a person: copies that know what they were made of, faults with their place, and mail that waits for a mended one.
. "$(dirname "$0")/lib.sh"
plan 45

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
defaults { when = "daily 07:00" }
subscriber "ada@digest.test" { filter "all" { match = "*" } }
subscriber "bob@digest.test" { name = "Bob"  filter "all" { match = "*" } }
subscriber "eve@digest.test" { language = de  filter "Büro" { match = "*" } }
X
cp digest.conf plain.conf
t() {
	"$DIGEST" template "$@"
}
page() {
	"$DIGEST" --now 2026-03-03T08:00:00Z -n --format html "$@" 2>/dev/null
}

# --- copies
check 'without a folder copy says what to write'  'says 78 "no folder for templates; expected templates \{ dir = \"templates\" \}" t copy card.html'
echo 'templates { dir = "own/mails" }' >>digest.conf
check 'one is copied, the folder is made'         't copy card.html | grep -q "/own/mails/card.html$" && test -r own/mails/card.html'
check '... its first line says of which it is'    'head -n 1 own/mails/card.html | grep -Eq "^\{\{! Copy of the built-in card.html [0-9a-f]{16}\. .*\}\}$"'
check '... and leaves nothing in the mail'        't show card.html >a && tail -n +2 own/mails/card.html | cmp - a && ! page -u ada@digest.test | grep "Copy of"'
check 'never over a file without --force'         'echo mine >>own/mails/card.html; says 64 "card.html is there already; nothing was copied; --force" t copy header.txt card.html && test ! -e own/mails/header.txt && grep -q mine own/mails/card.html'
check '--force writes it again'                   't copy card.html --force >/dev/null && ! grep -q mine own/mails/card.html'
check 'all of them'                               'says 64 "card.html is there already" t copy --all && rm -r own && t copy --all >all && test "$(wc -l <all)" -eq "$(t list --json | wc -l)"'
check '... drawn as the built-in ones'            'page -u eve@digest.test >a; DIGEST_CONFIG=plain.conf page -u eve@digest.test | cmp - a'
check '... unchanged, says check, and no diff'    'test "$(t check | grep -c "a copy of the built-in one, unchanged$")" -eq "$(wc -l <all)" && silent 0 t diff'
check 'a usage error names the way'               'says 64 "^digest: usage: digest template copy NAME" t copy && says 64 "did you mean .card.html.?" t copy crad.html && says 64 "did you mean .card.html.?" t diff crad.html && says 64 "force has no meaning for .digest template diff" t diff --force'

find own -type f ! -name card.html ! -name en.strings -delete
sed -i 's/= AI summary$/= Machine/' own/mails/en.strings
check 'a changed one is told from an older one'   't check | grep -q "en.strings: yours; the built-in one has not changed since you copied it$"'
check 'diff is a diff'                            't diff en.strings >d && grep -q "^-summary-ai = AI summary$" d && grep -q "^+summary-ai = Machine$" d && test "$(grep -c "^[-+][^-+]" d)" = 2'
check '... that patch takes'                      'if command -v patch >/dev/null; then cp own/mails/en.strings p && patch -R -s p <d && DIGEST_CONFIG=plain.conf t show en.strings >q && tail -n +2 p | cmp - q; fi'
check '... in colour where there is colour'       't diff en.strings --color=always | grep -q "$(printf "\033")\[32m+summary-ai" && ! grep -q "$(printf "\033")" d'
sed -i '1s/built-in en.strings ......../built-in en.strings 00000000/' own/mails/en.strings
check 'the built-in one changed since: older'     't check | grep -q "en.strings: older: the built-in one has changed since you copied it; .digest template diff en.strings. shows" && says 0 "en.strings: the built-in one has changed.*make this its first line: # Copy of the built-in en.strings [0-9a-f]{16}" t diff en.strings'
check '... digest check warns'                    '"$DIGEST" check --offline --now 2026-03-03T08:00:00Z | grep -q "^warn templates .*en.strings: older than the built-in en.strings it was copied from; .digest template diff en.strings"'
check '... a program reads it'                    't check --json | grep "\"en.strings\"" | grep -q "\"copy\":\"older\"" && t list --json | grep "\"card.html\"" | grep -q "\"copy\":\"same\""'
check '... the advice of diff cures it'           't diff en.strings 2>&1 >/dev/null | sed -n "s/.*its first line: //p" >line && sed -i 1d own/mails/en.strings && cat line own/mails/en.strings >x && mv x own/mails/en.strings && t check | grep -q "en.strings: yours; the built-in one has not changed"'
sed -i 1d own/mails/en.strings
check 'without that line its age is not known'    't check >out && grep -q "en.strings: yours; its first line does not say" out && grep -q "^    put this line first: # Copy of the built-in en.strings" out'
sed -i 1d own/mails/card.html
check '... unless it is word for word the same'   't check | grep -q "card.html: a copy of the built-in one, unchanged"'

# --- drawing
echo '{"paper": {"title": "A & B", "url": "https://x.test/"}, "list": {"name": "L"}, "n": 1.5, "none": null}' >data.json
check 'render draws a template with JSON'         't render card-line.txt data.json >a && grep -q "A & B" a && t render card-line.txt - <data.json | cmp - a'
# shellcheck disable=SC2016
text='{{paper.title}}|{{n}}|{{none}}|{{#list}}{{name}}{{/list}}'
check '... or any file, escaped as it is called'  'echo "$text" >x.html && cp x.html x.txt && test "$(t render ./x.html data.json)" = "A &amp; B|1.5||L" && test "$(t render ./x.txt data.json)" = "A & B|1.5||L"'
check '... with errors that name their place'     'echo "{" >bad.json; says 65 "bad.json" t render card.html bad.json && says 74 "none.json: No such file" t render card.html none.json && echo "{{#a}}" >x.html && says 78 "x.html:1:1: section .a. does not end" t render ./x.html data.json && says 64 "is not a template" t render nope.html data.json'

# --- faults
cp -r own/mails kept
printf '{{paper.titel}}\n{{> crad.html}}\n{{paper.org}} {{> strip.html}}\n' >own/mails/card.html
printf 'nonsense = 1\nmonths = Jan Feb\nno sign\nvotes = {m} votes\npapers = a | b | {n} c\npapers = d\nlang = en us\n' >own/mails/en.strings
printf '{{n}}{{n%s}}\n' $(seq 24) >own/mails/footer.txt
check 'all that is wrong is told at once'         't check >out 2>err; test $? = 78 &&
	for what in "card.html:1:1: nothing is called .titel.*perhaps .title." "card.html:2:1: no template is called .crad.html" "card.html:3:15: .strip.html. in a card" \
		"en.strings:1:1: no text is called .nonsense." "en.strings:2:1: months: 2 words; expected 12" "en.strings:3:1: no .=." \
		"en.strings:4:1: votes: nothing is called {m}" "en.strings:5:1: papers: 3 forms" "en.strings:6:1: .papers. a second time" "en.strings:7:1: lang: .en us."; do
		test "$(grep -c "/$what" err)" = 1 || { echo "$what"; exit 1; }
	done; test "$(grep -c "mails/en.strings:" err)" = 7'
check '... but for what only scrolls it away'     'test "$(grep -c "footer.txt:" err)" = 21 && grep -q "footer.txt: 28 more$" err'
rm -r own/mails && mv kept own/mails
check 'check names every fault at once'           'echo "{{#list}}" >own/mails/header.txt; echo "{{> fooder.txt}}" >own/mails/digest.txt; echo x >own/mails/notes.txt; says 78 "header.txt:1:1: section .list. does not end; expected ./list.$" t check && grep -q "digest.txt:1:1: no template is called .fooder.txt.; expected one of .digest template list., perhaps .footer.txt.$" .err && grep -q "notes.txt: no template has this name" .err'
check '... list, show and diff work meanwhile'    't list | grep -q "header.txt (wrong)" && test "$(t show header.txt)" = "{{#list}}" && t diff header.txt 2>/dev/null | grep -q "^+{{#list}}" && t copy header.txt --force >/dev/null && silent 0 t diff header.txt'
rm -r own/mails && mkdir own/mails

# --- a template that does not load: papers are fetched, nobody gets half a mail, nothing is lost
run() {
	"$DIGEST" --now "$1" run
}
look() {
	"$DIGEST" --now "$1" status
}
fresh() {
	rm -rf Mail digest.db* own/mails/*
}
echo '{{list.nmae}}' >own/mails/header.txt
check 'a run with a broken template says so'      'says 78 "^digest: no digest can be made: .*header.txt:1:1: nothing is called .nmae.; .*perhaps .name." run 2026-03-03T08:00:00Z && test "$(mails_sent)" = 0'
check '... the papers were read, the run ended'   'test "$(sql "SELECT count(*) FROM paper")" -gt 0 && ! look 2026-03-03T08:01:00Z | grep -q "did not finish"'
check '... the status tells a person'             'look 2026-03-03T08:01:00Z | grep -q "3 digests could not be made: .*header.txt:1:1: .*mail goes out at the next run after that is mended" && { "$DIGEST" --now 2026-03-03T08:01:00Z status --check >out; test $? = 78; } && grep -q "^3 digests could not be made" out && "$DIGEST" --now 2026-03-03T08:01:00Z status --json | grep -q "\"broken\":\"3 digests"'
check '... a preview too'                         'says 78 "header.txt:1:1: nothing is called" "$DIGEST" --now 2026-03-03T08:01:00Z -n'
cp "$FIXTURES/2026-03-03.json" days.json
check 'the next day it is the same'               'says 78 "no digest can be made" run 2026-03-04T08:00:00Z && test "$(mails_sent)" = 0'
rm own/mails/header.txt
check 'mended: every reader, with all the papers' 'silent 0 run 2026-03-04T08:15:00Z && test "$(mails_sent)" = 3 && python3 "$E2E/mail_lint.py" --lf Mail && python3 "$E2E/mails.py" papers Mail >p && test "$(grep -c "2603.90001" p)" = 3 && test "$(grep -c "2603.90002" p)" = 3'
check '... and the status is content'             '! look 2026-03-04T08:20:00Z | grep "could not be made"'

fresh
cp "$FIXTURES/2026-03-02.json" days.json
check 'papers of ten days before are not lost'    'silent 0 run 2026-03-03T08:00:00Z && cp "$FIXTURES/2026-03-03.json" days.json && echo "{{x}}" >own/mails/header.txt && says 78 "no digest can be made" run 2026-03-04T08:00:00Z && says 78 "no digest" run 2026-03-13T08:00:00Z && rm own/mails/header.txt && silent 0 run 2026-03-14T08:00:00Z && test "$(mails_sent)" = 6 && python3 "$E2E/mails.py" papers Mail >p && test "$(grep -c "2603.90005" p)" = 3 && test "$(grep -c "2603.90002" p)" = 3'

# --- a template that fails while it is drawn stops that digest alone
fresh
t copy header.txt >/dev/null
echo '{{#subscriber.name}}{{> digest.txt}}{{/subscriber.name}}' >>own/mails/header.txt
check 'a bomb stops the mail it goes off in'      'says 78 "^digest: b…@digest.test: .*:[0-9]+:[0-9]+: sections and partials are nested too deeply; does a partial use itself" run 2026-03-03T08:00:00Z && test "$(mails_sent)" = 2 && ! grep -l "^To:.*bob" Mail/new/*'
check '... the status names the reader'           'look 2026-03-03T08:01:00Z | grep -q "1 digest could not be made: bob@digest.test: "'
check '... the next run tries, then it goes out'  'says 78 "^digest: b…@digest.test: " run 2026-03-03T08:15:00Z && rm own/mails/header.txt && silent 0 run 2026-03-03T08:30:00Z && test "$(mails_sent)" = 3 && silent 0 run 2026-03-03T08:45:00Z && test "$(mails_sent)" = 3'
fresh
python3 -c 'print("{{#subscriber.name}}" + "x" * 81000 + "{{/subscriber.name}}")' >own/mails/footer.html
check 'so does one that is above the budget'      'says 78 "^digest: b…@digest.test: digest.html: more than 80000 bytes without any paper" run 2026-03-03T08:00:00Z && test "$(mails_sent)" = 2'
fresh
python3 -c 'n = 13; print("{{#subscriber.name}}" + "{{#sources}}" * n + "{{/sources}}" * n + "{{/subscriber.name}}{{subject.title}}")' |
	sed 's/{{#sources}}/{{#edition.sources}}/; s/\(.*\){{\/sources}}/\1{{\/edition.sources}}/; s/#sources/#edition.sources/g; s/\/sources/\/edition.sources/g' >own/mails/subject.txt
for i in 1 2 3 4 5 6; do echo "source \"more $i\" { type = file  path = \"days.json\" }"; done >>digest.conf
check 'or never comes to an end'                  'says 78 "^digest: b…@digest.test: .*subject.txt:1:[0-9]+: too much work" run 2026-03-03T08:00:00Z && test "$(mails_sent)" = 2'
sed -i '/^source "more/d' digest.conf

# --- languages
fresh
echo 'reason {address} liest {list}.' >own/mails/de.strings
check 'words that are wrong stop their language'  'says 78 "^digest: e…@digest.test: .*de.strings:1:1: no .=.; expected .key = text." run 2026-03-03T08:00:00Z && test "$(mails_sent)" = 2'
check '... mended, it goes out with them'         'echo "reason = {address} liest {list}." >own/mails/de.strings; silent 0 run 2026-03-03T08:15:00Z && test "$(mails_sent)" = 3 && python3 "$E2E/mail_lint.py" --lf Mail && python3 "$E2E/mails.py" text Mail eve@digest.test | grep -q "^eve@digest.test liest Papers.$"'
fresh
cat >>digest.conf <<'X'
subscriber "zoe@digest.test" { language = fr-CA  filter "tout" { match = "*" } }
subscriber "kai@digest.test" { language = tlh }
X
printf 'plural = zero-one\nunsubscribe = Se désabonner\n' >own/mails/xx.strings
mv own/mails/xx.strings own/mails/fr.strings
check 'a language of one'"'"'s own, the rest English' 'page -u zoe@digest.test >a && grep -q "<html lang=\"fr\"" a && grep -q ">Se désabonner</a>" a && grep -q "read from" a'
check '... check counts what is English'          't check | grep -Eq "fr.strings: .*; [0-9]+ texts stay English: "'
check 'an unknown one: English, and a warning'    'says 0 "warning: kai@digest.test: no language is called .tlh., the mail is in English; expected de, en, fr" "$DIGEST" --now 2026-03-03T08:00:00Z -n -u kai@digest.test && grep -q "^Unsubscribe:" .out && grep -q "== Trending papers ==" .out && "$DIGEST" check --offline --now 2026-03-03T08:00:00Z >out; cat out; grep -q "^warn language .*digest.conf:[0-9]*: kai@digest.test: no language is called .tlh., so digests are in English; there are de, en, fr; set language" out && ! grep "language.*zoe@" out'
