#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2086,SC2154
# Listings on screens of 80 and 20 columns, for nobody, one and sixty readers; without UTF-8; with output that cannot be written.
. "$(dirname "$0")/lib.sh"
plan 33

cp "$FIXTURES/2026-03-02.json" days.json
now=2026-03-03T09:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
conf() {
	cat <<-X
		list { from = "Papers <papers@digest.test>" }
		store { path = "$1.db" }  smtp "box" { url = "maildir:Mail" }
		source "days" { type = file  path = "days.json" }
		source "gone" { type = file  path = "missing.json" }
	X
	[ "$1" = 0 ] || seq -f "subscriber \"reader.number%g@some.longer.domain.digest.test\" { when = \"daily 07:00\"  filter \"all\" { match = \"*\" } }" "$1"
}
for n in 0 1 60; do
	conf $n >$n.conf
	d -c $n.conf run
done
d -c 60.conf unsubscribe reader.number7@some.longer.domain.digest.test -q
sql() {
	STORE=60.db
	export STORE
	python3 -c 'import sqlite3, sys
with sqlite3.connect("60.db") as db: db.execute(sys.argv[1])' "$1"
}
sql 'UPDATE edition SET state = 4, reply = "451 4.7.1 greylisted, please come back in a while, or write to postmaster" WHERE reader < 4'

# on COLUMNS READERS "NAME=VALUE..." WORD...: as it is seen, into the file seen; no line of ours is wider than the screen.
on() {
	columns=$1
	readers=$2
	settings=$3
	shift 3
	python3 "$E2E/terminal.py" "$columns" $settings "$DIGEST" --now $now -c "$readers.conf" "$@" >seen 2>faults
	rc=$?
	cat faults seen
	[ $rc -eq 0 ] || return 1
	[ "$(sed '$d' seen | grep -v '://' | wc -L)" -le "$columns" ]
}
# fits COLUMNS WORD...: for each number of readers.
fits() {
	columns=$1
	shift
	for n in 0 1 60; do
		on "$columns" $n '' "$@" >said 2>&1 || { echo "for $n readers:"; cat said; return 1; }
	done
}
check 'the overview fits 80 columns'         'fits 80'
check '... and is one screen'                'test "$(wc -l <seen)" -lt 24'
check 'status fits 80 columns'               'fits 80 status'
check '... and is one screen'                'test "$(wc -l <seen)" -lt 30'
check '... and says who gets no more mail'   'grep -A1 "^stopped" seen | tr -s "\n " " " | grep -q "reader.number7@.*, unsubscribed on 2026-03-03"'
check 'status sources fit 80 columns'        'fits 80 status sources && grep -q "^  two weeks 2026-02-18 ·*█· 2026-03-03   4 papers, at most 4 a day" seen'
check 'history fits 80 columns'              'fits 80 history && grep -q "^  period 2026-03-03, state sent, papers 4, composed" seen'
check '... and is a table where that fits'   'on 200 60 "" history && head -n 1 seen | grep -Eq "^address +period +state +papers +composed +tried +via +reply$"'
check '... and how somebody came to be mailed'  'cp 1.conf one.conf && cp 1.db one.db && sed -i s/1.db/one.db/ one.conf && d -c one.conf -q subscribe eve@digest.test --consent "on paper, at the meeting of the department on the second of March, kept in the office" && for w in 80 20; do on $w one "" history eve@digest.test && tr -s "\n " " " <seen | grep -q "consent Tue 3 Mar 09:00 .* command on paper, at the meeting .* kept in the office" || { cat seen; exit 1; }; done'
check 'the outbox fits 80 columns'           'fits 80 outbox && tr -s "\n " " " <seen | grep -q "state deferred, tries 1, .* reply 451 4.7.1 greylisted, please come back"'
check 'subscribers fit 80 columns'           'fits 80 subscribers && grep -q "^  active, when daily 07:00, 1 filter, from 60.conf:5$" seen'
check '... and are a table where that fits'  'on 120 1 "" subscribers && grep -Eq "^reader.number1@some.longer.dom.* active  daily 07:00 +1 filter +1.conf:5$" seen'
check 'check fits 80 columns'                'fits 80 check'
check 'help fits 80 columns, and of each command' 'for c in "" run init search template; do on 80 1 "" help $c || { echo "$c"; exit 1; }; done'
check 'templates fit 80 columns'             'on 80 1 "" template list'
check 'search and try fit 80 columns'        'on 80 1 "" search nerf OR splatting && on 80 1 "" try splatting && grep -q "most: 1 a day" seen'
check 'a colour ends with its line'          'on 60 60 "" status && grep -q "^         gone cannot be read since" seen && ! grep -q "[1-9]* colours 0" seen'

# --- twenty columns; names of options and addresses are as long as they are
narrow() {
	for words in '' status history outbox subscribers check 'search splatting'; do
		on 20 60 '' $words >said 2>&1 || { echo "$words:"; cat said; return 1; }
	done
}
check 'all of them fit 20 columns'           'narrow'
check 'sources, with their bars'             'on 20 60 "" status sources; test "$(sed "/^[a-z]* (file)/d; \$d" seen | wc -L)" -le 20 && grep -q "^  ·*█·$" seen'
check 'try, with its bars'                   'on 20 1 "" try splatting; grep -q "^  ·*█$" seen && tr -s "\n " " " <seen | grep -q "2026-02-02 to 2026-03-03"'
check 'no word is lost on the way'           'for w in 20 200; do on $w 60 "" status >/dev/null; sed "\$d" seen | tr -d " \n" >all.$w; done; cmp all.20 all.200'

# --- pipes and plain terminals
check 'in a pipe lines are as they are'      'd -c 60.conf status | grep -q "^         gone cannot be read since .*; asked again .*)$" && d -c 60.conf history | head -n 2 | tail -n 1 | grep -q "^reader.* delivered to .*digest$"'
check 'no sequence in a pipe, nor for NO_COLOR and TERM=dumb' 'd -c 60.conf status sources | grep -q "$(printf "\033")" && exit 1; on 80 60 "NO_COLOR=1" status sources && grep -q "^colours 0 links 0" seen && on 80 60 TERM=dumb status sources && grep -q "^colours 0 links 0" seen'
ascii() {
	sed 's/On μP.*//; s/Tomáš Novotný//; $d' seen | LC_ALL=C grep -n '[^ -~]' && return 1
	return 0
}
check 'LANG=C: no block, dot or dash that is not ASCII' 'for words in status "status sources" history check "try splatting" "search splatting"; do on 80 60 "LC_ALL=C" $words && ascii || { echo "$words"; exit 1; }; done'
check '... bars are digits'                  'on 80 60 "LC_ALL=C" status sources && grep -q "2026-02-18 \.*4\. 2026-03-03" seen'
check '... also where only LANG says so'     'env -u LC_ALL LANG=de_DE.ISO-8859-1 "$DIGEST" --now $now -c 1.conf status sources | grep -q "2026-02-18 \.*4\. " && env -u LC_ALL LANG=de_DE.utf8 "$DIGEST" --now $now -c 1.conf status sources | grep -q "█"'

# --- output that cannot be written: a code and a sentence, and nothing else goes wrong
listings='help|help run|version|config|config --all|status|status sources|status --check|history|outbox|check|subscribers|show 2603.90001|show 2603.90001 --bibtex|search splatting|try splatting|explain 2603.90001|export|template list|template show card.txt|completion bash|completion zsh|completion fish|completion readers|'
some='help|status|history|export|'
each() {
	list=$1
	shift
	IFS='|'
	for words in $list; do
		unset IFS
		"$@" "$words" || { echo "'$words'"; return 1; }
	done
}
full() {
	d -c 1.conf $1 >/dev/full 2>err
	rc=$?
	[ $rc -eq 74 ] && grep -Eq '^digest: standard output: (No space left on device|cannot be written)$' err
}
closed() {
	d -c 1.conf $1 >&- 2>err
	rc=$?
	[ $rc -eq 74 ] && grep -q '^digest: standard output: ' err && ! grep -rq 'standard output' 1.db
}
early() {
	d -c 1.conf $1 2>err | head -c 1 >/dev/null
	[ ! -s err ] || ! grep -v '^warning: \|^To \|^Subject: \|^[0-9]* papers\|^nothing\|^not mailed\|^$' err
}
check 'a full device: 74 and why, for each listing'   'each "$listings" full'
check 'closed: the same'                              'each "$some" closed'
check 'a reader of a pipe who has seen enough: silence' 'each "$some" early'
check '... is told by the code'                       'd -c 60.conf history --all >all; { d -c 60.conf config --all; echo $? >code; } | head -n 1 >/dev/null; grep -qx "0\|74" code'
check 'the store is whole after all that'             'd -c 1.conf check -q --offline'
check 'closed standard error keeps the code'          'd -c none.conf status 2>&-; test $? = 78'
check 'closed input is an end'                        'd -c new.conf init <&- 2>err; test $? = 64 && test ! -e new.conf'
