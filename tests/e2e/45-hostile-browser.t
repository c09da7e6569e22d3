#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# 300 hostile papers, and hostile names of list, filters and readers, in a browser that runs scripts: none runs, nothing is asked
# for, and the page has the very elements that harmless papers make.
. "$(dirname "$0")/lib.sh"
need_browser
plan 9

: >asked
: >port
python3 "$E2E/hostile_pages.py" serve asked >port &
pids="$pids $!"
until_true '[ -s port ]'
PORT=$(cat port)
python3 "$E2E/hostile_pages.py" make . "$PORT"

make_pages() {
	for kind in hostile harmless; do
		(cd $kind && silent 0 "$DIGEST" -c digest.conf --now 2026-03-04T08:00:00Z run) || return 1
		for p in 0 1 2 3 4 5; do
			python3 "$E2E/mails.py" html $kind/Mail p$p@digest.test >$kind/p$p.html || return 1
		done
		test "$(mails_sent $kind/Mail)" = 6 || return 1
	done
}
check 'the pages are made'                     make_pages
check 'Python finds nothing wrong in the mails' 'python3 "$E2E/mail_lint.py" --lf --html-limit 1000000 hostile/Mail'
check 'libetpan and gumbo neither'             '"$ROOT/build/bench/mail_lint" --lf --html-limit 1000000 hostile/Mail'

# What would be seen if a title went into the page as it is.
mkdir control
printf '<!DOCTYPE html><html><body><h3>x</h3><img src=x onerror="(new Image).src='"'http://127.0.0.1:$PORT/control'"';document.title='"'owned'"'"></body></html>' >control/c.html
python3 "$E2E/hostile_pages.py" frames .
look() {
	timeout 300 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --user-data-dir="$T/profile" \
		--allow-file-access-from-files --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --window-size=1000,900 --virtual-time-budget=5000 \
		--dump-dom "file://$T/all.html" >dom 2>browser.err
}
check 'a browser draws them'                   'look && test -s dom || { cat browser.err; exit 1; }'
check 'they have the elements of harmless ones' 'python3 "$E2E/hostile_pages.py" check dom'
check 'nobody was asked for anything'          'cat asked; ! grep -v "GET /control" asked'
check '... and it would have been heard'       'grep -q "GET /control" asked'
# spoil WHERE: an element too many in the first paper behind that word.
spoil() {
	python3 -c 'import sys
page = open("dom", encoding="utf-8").read()
at = page.index(sys.argv[1])
open("spoilt", "w", encoding="utf-8").write(page[:at] + page[at:].replace("H3[", "B[] H3[", 1))' "$1"
	! python3 "$E2E/hostile_pages.py" check spoilt 2>why
}
check 'an element too many would be seen'      'spoil harmless/p0 && grep -q "element [0-9]* is H3.*, of harmless papers B\[\]" why'
check 'so would one that a second reading makes' 'spoil hostile/p0 && grep -q "reads differently" why'
