#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Mail that an earlier run could not finish: sent again byte for byte, at most twice, and never to somebody who has left since.
. "$(dirname "$0")/lib.sh"

mkdir Mail
mount -t tmpfs -o size=4k none Mail 2>/dev/null || skip_all 'no file system can be mounted here, to be full'
umount Mail
plan 18

cp "$FIXTURES/2026-03-02.json" days.json
write_config <<'X'
source "days" { type = file  path = "days.json" }
templates { dir = "own" }
subscriber "ada@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }
X
mkdir own
d() {
	"$DIGEST" --now "2026-03-03T$1Z" run
}
# full: a fresh store whose first mails, to ada and bob, found no room.
full() {
	rm -rf Mail digest.db* own/*
	mkdir Mail
	mount -t tmpfs -o size=4k none Mail
	"$DIGEST" --now 2026-03-03T06:00:00Z subscribe bob@digest.test -q && says 75 'mail waits for a later run: .*No space' d 08:00:00
	rc=$?
	umount Mail
	return $rc
}
words() {
	"$DIGEST" template copy header.txt >/dev/null && sed -i '1s/^/NEW WORDS\n/' own/header.txt
}
other_filter() {
	sed -i "s/filter \"all\" { match = \"\*\" }/$1/" digest.conf
}

check 'a full Maildir defers, and says so'           'full'
check '... the overview, too'                        '"$DIGEST" --now 2026-03-03T08:02:00Z | grep -q "2 mails wait for another try"'
check 'it is not tried again at once'                'silent 0 d 08:03:00 && test "$(mails_sent)" = 0'
check 'a preview shows what waits'                   'same_store "\"$DIGEST\" --now 2026-03-03T08:15:00Z -n --format eml -u ada@digest.test >eml 2>err" && grep -q "^Date: Tue, 03 Mar 2026 08:00:00" eml && python3 "$E2E/mail_lint.py" eml'
check '... with the time it was due'                 'cat err; grep -q "due Tue 3 Mar 08:00 UTC (15 min ago)" err'
check 'later it is sent, the bytes of the first try' 'silent 0 d 08:15:00 && test "$(mails_sent)" = 2 && tr -d "\r" <eml | cmp - "$(grep -l "^To: ada" Mail/new/*)"'
check '-u leaves what waits for others'              'full && silent 0 "$DIGEST" --now 2026-03-03T08:15:00Z run -u bob@digest.test && test "$(mails_sent)" = 1 && silent 0 d 08:30:00 && test "$(mails_sent)" = 2'
check 'new words since are used'                     'full && words && silent 0 d 08:15:00 && test "$(grep -l "^NEW WORDS" Mail/new/* | wc -l)" = 2'
check 'templates broken since: kept until they load' 'full && echo "{{nope}}" >own/header.txt && says 78 "no digest can be made: .*header.txt:1:1: " d 08:15:00 && test "$(mails_sent)" = 0 && rm own/header.txt && silent 0 d 08:30:00 && test "$(mails_sent)" = 2'
check '... or until they can be drawn'               'full && echo "{{> header.txt}}" >own/header.txt && says 78 "^digest: b…@digest.test: .*header.txt:1:1: sections and partials are nested too deeply" d 08:15:00 && test "$(mails_sent)" = 0 && "$DIGEST" --now 2026-03-03T08:20:00Z status | grep -q "2 digests could not be made" && rm own/header.txt && silent 0 d 08:30:00 && test "$(mails_sent)" = 2'
check 'who left meanwhile gets none'                 'full && "$DIGEST" --now 2026-03-03T08:10:00Z unsubscribe bob@digest.test -q && silent 0 d 08:15:00 && test "$(mails_sent)" = 1 && grep -q "^To: ada" Mail/new/*'
check 'who was erased meanwhile neither'             'full && "$DIGEST" --now 2026-03-03T08:10:00Z subscribers erase bob@digest.test && silent 0 d 08:15:00 && test "$(mails_sent)" = 1 && grep -q "^To: ada" Mail/new/*'
check 'too old to send: told, and in the next digest' 'full && says 0 "2 mails were too old to send; their papers come with the next digest" "$DIGEST" --now 2026-03-05T08:00:00Z run && test "$(mails_sent)" = 2 && test "$(cat Mail/new/* | grep -c "Lantern: Gaussian Splatting on a Pocket Calculator\$")" -ge 2'
check 'the next digest is due: one mail a reader'    'full && silent 0 "$DIGEST" --now 2026-03-04T08:00:00Z run && test "$(cat Mail/new/* | grep -c "^To: ada")" = 1 && cat Mail/new/* | grep -q "^  1\. Lantern"'
check 'other filters since: nobody is forgotten'     'full && cp digest.conf keep.conf && other_filter "" && d 08:15:00 >out 2>&1; rc=$?; cp keep.conf digest.conf; cat out; "$DIGEST" --now 2026-03-04T08:00:00Z run; ls Mail/new; grep -h "^Subject" Mail/new/*; test $rc = 0 && test "$(cat Mail/new/* | grep -c "^To: ada")" -ge 1'

# A weekly digest that waits for days, and may.
sed 's/daily 07:00/tue 07:00/; s/digest.db/late.db/; $adelivery { max-age = 10d }' digest.conf >late.conf
late() {
	"$DIGEST" -c late.conf --now "$1T08:00:00Z" run
}
full_late() {
	rm -rf Mail late.db* own/*
	mkdir Mail
	mount -t tmpfs -o size=4k none Mail
	late 2026-03-03 >out 2>&1
	rc=$?
	umount Mail
	test $rc = 75
}
dated() {
	cat Mail/new/* | tee mail | grep '^Date:'
	grep -q "^Date: $1" mail && test "$(mails_sent)" = 1
}
check 'two days later it has the first date'         'full_late && silent 0 late 2026-03-05 && dated "Tue, 03 Mar 2026 08:00:00"'
check 'four days later one of less than three days'  'full_late && silent 0 late 2026-03-07 && dated "Fri, 06 Mar 2026 08:00:00"'
# As if the run of the 7th had died behind the last dot: the second copy on the 9th, when the date would be another, is the first again.
in_doubt() {
	full_late && late 2026-03-07 && cp Mail/new/* first && rm Mail/new/* &&
		STORE=late.db sql 'UPDATE edition SET state = 4, copies = 1, next_utc = 0' && silent 0 late 2026-03-09
}
check 'a copy that may be out keeps the date it had' 'in_doubt && dated "Fri, 06 Mar 2026 08:00:00" && cmp first Mail/new/*'
