#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2086,SC2154
# A dry run on terminals: colours and links where they belong, lines as wide as the screen, and no sequence but our own.
. "$(dirname "$0")/lib.sh"
plan 21

python3 - <<'P'
import json
titles = ["Agents that wait: a title which is long enough for a second line of the mail, and for a third on a telephone",
          "\x1b]8;;https://evil.test/\x07Agents\x1b]8;;\x07 \x1b[31mred \x9b5m and \x1b]0;title\x07 end",
          "\u667a\u80fd\u4f53" * 20 + " agents", "\u05e1\u05d5\u05db\u05e0\u05d9\u05dd agents 3 \u202eevil\u202c",
          "Agents " + "w" * 150, "Agents: exactly as wide as one whole line of the text part of " + "a mail"[:5]]
with open("papers.jsonl", "w", encoding="ascii") as out:
    for i, title in enumerate(titles):
        abstract = "2. Agents need room. See (https://code.test/a_(b)). " + "More about them and theirs is said here. " * 9 + title
        print(json.dumps({"id": f"p{i}", "title": title, "abstract": abstract, "authors": ["Ann Alpha", "\x1b[5mBob"],
                          "url": f"https://paper.test/{i}", "code_url": "https://code.test/" + "c" * 300,
                          "published": f"2026-03-03T00:00:0{i}Z"}), file=out)
P
write_config <<'X'
source "lines" { type = file  path = "papers.jsonl" }
defaults { when = "daily 07:30"  outside = 0 }
subscriber "ada@digest.test" { filter "agents" { match = "agents"  limit = 5 } }
include "more*.conf"
X
# on COLUMNS "NAME=VALUE..." [OPTION]...: what a person sees on such a terminal is in the file seen.
on() {
	columns=$1
	settings=$2
	shift 2
	python3 "$E2E/terminal.py" "$columns" $settings "$DIGEST" --now 2026-03-04T08:00:00Z -n "$@" >seen
}
# The digest among what is seen, without its links.
text() {
	sed 's/{[^|{}]*|\([^{}]*\)}/\1/g; $d' seen | sed -n '/^Papers$/,$p'
}
sums() {
	tail -n 1 seen
}
"$DIGEST" --now 2026-03-04T08:00:00Z -n >piped 2>around

# --- where
check 'in a file there is no sequence at all'   '! grep -q "$(printf "\033")" piped around'
check 'on a terminal there are colours, links'  'on 100 "" && sums | grep -Eq "^colours [1-9][0-9]+ links [1-9][0-9]+ widest"'
check '... and but for them the same text'      'text | diff piped -'
check 'NO_COLOR: neither'                       'on 100 "NO_COLOR=1" && sums | grep -q "^colours 0 links 0 "'
check 'NO_COLOR without a value means nothing'  'on 100 "NO_COLOR=" && ! sums | grep -q "^colours 0"'
check 'TERM=dumb: neither'                      'on 100 "TERM=dumb" && sums | grep -q "^colours 0 links 0 "'
check 'the console of Linux: colours, no links' 'on 100 "TERM=linux" && sums | grep -Eq "^colours [1-9][0-9]+ links 0 "'
check '--color=never: neither'                  'on 100 "" --color=never && sums | grep -q "^colours 0 links 0 "'
check '--color=always against NO_COLOR: both'   'on 100 "NO_COLOR=1" --color=always && ! sums | grep -q "colours 0\|links 0"'
check '--color=always in a file: no links'      '"$DIGEST" --now 2026-03-04T08:00:00Z -n --color=always >f 2>/dev/null && grep -q "$(printf "\033\\[1m")" f && ! grep -q "$(printf "\033\\]")" f'

# --- what
on 100 ""
check 'a title is a link, in both its lines'    'grep -q "{https://paper.test/0|[0-9]. Agents that wait: .*}$" seen && grep -q "^     {https://paper.test/0|.*telephone}$" seen'
check 'so is an address, without its brackets'  'grep -q "({https://code.test/a_(b)|https://code.test/a_(b)})\." seen && grep -q "{https://code.test/ccc*|https://code.test/ccc*}$" seen'
check 'and how to leave'                        'grep -q "{mailto:papers@digest.test?subject=[^|]*|mailto:" seen'
check 'a number in an abstract is no title'     'grep -q "^     2\. \*Agents\* need room\.$" seen'

check 'a sequence not ours would be seen'       '! python3 "$E2E/terminal.py" 80 printf "\033]0;x\007" 2>said && grep -q "character 0x1b" said'
mkdir templates
printf '\033]0;owned\007 \302\233m {{list.name}}\n' >templates/footer.txt
check 'not even that of a template gets out'    'echo "templates { dir = templates }" >more.conf && on 100 "" && grep -q "^.x1B\]0;owned.x07 .xC2.x9Bm Papers$" seen; rc=$?; rm more.conf; exit $rc'

# --- how wide
# The lines around the digest may break anywhere.
narrow() {
	on "$1" "" && text | grep -v "://\|mailto:" >body && python3 -c "
import sys, unicodedata
width = lambda s: sum(0 if unicodedata.category(c) in ('Mn', 'Cf') else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in s)
lines = open('body', encoding='utf-8').read().split('\n')
assert max(map(width, lines)) <= $1, max(lines, key=width)
# Filled, and not only cut: few lines are much shorter than the screen.
full = [line for line in lines if 'said here' in line or 'about them' in line]
assert sum(width(line) >= $1 * 0.6 for line in full) >= 0.9 * len(full), full
"
}
check 'filled anew for 60 columns'              'narrow 60'
check '... 40'                                  'narrow 40 && test "$(grep -c "^ *Ann Alpha" body)" = 5'
check '... 20'                                  'narrow 20'
check '... and no word is lost'                 'on 40 "" && text | tr -d " \n-" >a && tr -d " \n-" <piped | cmp - a'

for name in b c d e; do
	echo "subscriber \"$name@digest.test\" { filter \"all\" { match = \"*\"  limit = 1 } }"
done >more.conf
check 'a table of readers on 40 columns'        'on 40 "" && sed "/^To /,\$d" seen | grep -v "^nothing\|^$" >table && test "$(wc -L <table)" -le 40 && test "$(grep -c "^  [0-9]* papers*, [0-9]* KB$" table)" = 5'
