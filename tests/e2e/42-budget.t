#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# How large a mail becomes: papers are shortened, the last ones first, before the HTML part exceeds its limit; head, foot and the
# text part stay whole, and what has no place is counted.
. "$(dirname "$0")/lib.sh"
plan 17

# mail_of COUNT LIMIT [WIDE]: one mail of so many papers, and whether it is as it should be.
mail_of() {
	mkdir "$1-$2-${3:-}" && cd "$1-$2-${3:-}" || return 1
	python3 "$E2E/budget.py" make papers.jsonl "$1" ${3:+"$3"}
	cat >digest.conf <<Y
list { from = "Papers <papers@digest.test>"  postal-address = "1 Main Street" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
templates { html-limit = $2 }
source "lines" { type = file  path = "papers.jsonl" }
subscriber "ada@digest.test" { when = always  empty = note  outside = 0  limit = 500  max-papers = 500
    filter "things" { match = "about things"  sort = votes } }
Y
	silent 0 "$DIGEST" -c digest.conf --now 2026-03-04T08:00:00Z run || return 1
	python3 "$E2E/budget.py" check Mail "$1" "$2" && python3 "$E2E/mail_lint.py" --lf --html-limit "$2" Mail &&
		"$ROOT/build/bench/mail_lint" --lf --html-limit "$2" Mail
}
for n in 0 1 25 500 5000; do
	check "$n papers within 80,000 bytes"  "mail_of $n 80000"
done
check '500 papers within 20,000 bytes'         'mail_of 500 20000'
check '500 papers within 200,000 bytes'        'mail_of 500 200000'
check '500 papers within 1,000,000 bytes'      'mail_of 500 1000000 && grep -rq "^  1\. Paper" Mail'
check '60 papers of three bytes a letter'      'mail_of 60 80000 wide'
check 'of 25 none is shortened'                'cd 25-80000- && test "$(cat Mail/new/* | grep -c "<h3")" = 25'
check 'more room shows more'                   'test "$(cat 500-20000-/Mail/new/* | wc -c)" -lt "$(cat 500-80000-/Mail/new/* | wc -c)" && test "$(cat 500-200000-/Mail/new/* | grep -c "<h3")" -gt "$(cat 500-80000-/Mail/new/* | grep -c "<h3")"'
check 'the command told finds them'            'cd 5000-80000- && "$DIGEST" -c digest.conf --now 2026-03-04T09:00:00Z -u ada@digest.test search "@\"things\"" --days 7 >out && grep -q "^5000 of 5000 papers match" out'
check 'a lost paper would be seen'             'cp -r 25-80000- lost && sed -i "s/Paper number 7 about/Paper numbre 7 about/" lost/Mail/new/* && ! python3 "$E2E/budget.py" check lost/Mail 25 80000 2>/dev/null'
check 'limits that make no sense are refused'  'for n in 19999 1000001 0 -1 80KB; do printf "list { from = \"a@b.org\" }\ntemplates { html-limit = $n }\n" >bad.conf; says 78 "bad.conf:2:[0-9]*: .*html-limit" "$DIGEST" -c bad.conf config || exit 1; done'

# A template may ask for more work than anybody waits for: it loops over all papers for each paper of each paper.
mkdir bomb
cp 500-80000-/papers.jsonl bomb
cat >bomb/digest.conf <<'Y'
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }  templates { dir = "own" }
source "lines" { type = file  path = "papers.jsonl" }
defaults { when = always  outside = 0  limit = 100  max-papers = 100 }
subscriber "ada@digest.test" { filter "all" { match = "things" } }
subscriber "bob@digest.test" { filter "one" { match = "id:2603.10003" } }
Y
bomb() {
	cd bomb && mkdir own || return 1
	"$DIGEST" -c digest.conf template show header.txt >header.txt
	{
		printf '{{#sections}}{{#papers}}%.0s' 1 2 3 4
		printf '{{^number}}never{{/number}}'
		printf '{{/papers}}{{/sections}}%.0s' 1 2 3 4
		echo
		cat header.txt
	} >own/header.txt
	says 78 'a…@digest.test: own/header.txt:1:[0-9]*: too much work' "$DIGEST" -c digest.conf --now 2026-03-04T08:00:00Z run
}
check 'a template bomb stops its edition, and is told' bomb
check '... and no other'                       'cd bomb && test "$(mails_sent)" = 1 && grep -q "^To: bob" Mail/new/*'
check '... and when it is gone, nothing is lost' 'cd bomb && rm own/header.txt && silent 0 "$DIGEST" -c digest.conf --now 2026-03-04T09:00:00Z run && test "$(mails_sent)" = 2 && grep -q "^To: ada" Mail/new/*'
