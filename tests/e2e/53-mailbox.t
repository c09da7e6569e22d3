#!/bin/sh
# shellcheck source=lib.sh source=dovecot.sh disable=SC2034,SC2154
# Where mail comes from: a real IMAP server, a Maildir, standard input. What is dealt with is marked, the rest stays as it
# was, and nothing is handed out twice or lost.
. "$(dirname "$0")/lib.sh"
. "$E2E/dovecot.sh"
inbox=$(dirname "$DIGEST")/inbox
[ -x "$inbox" ] || skip_all 'the test program inbox is not built; make bench-programs does'
command -v openssl >/dev/null || skip_all 'openssl is missing'
plan 43
trap 'stop_dovecot; clean_up || exit 1' EXIT

make_certificates
case $DIGEST in */san-*) DIGEST_SANITIZED=1 ;; esac

# deliver FOLDER FIRST LAST: mails with these numbers in their subjects.
deliver() {
	python3 -c 'import os, sys
folder, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(first, last + 1):
    with open(f"{folder}/{1700000000 + i}.M{i}.test", "w") as file:
        file.write(f"Subject: mail {i:05d} {chr(97 + i % 26)}\n\nA5 OK done\n)\n.\n")' "$@"
}
# numbers FILE: of the mails that were handed out. some FIRST LAST: these, as numbers writes them.
numbers() { sed -n 's/.*Subject: mail \([0-9]*\).*/\1/p' "$1"; }
some() { seq -f '%05g' "$1" "$2"; }
# flat FILE: little memory was used, in kilobytes.
flat() { [ -n "${DIGEST_SANITIZED-}" ] || [ "$(sed -n 's/memory=//p' "$1")" -lt 24000 ]; }

# ---- a real server ----

password='pa ss"wörd'
look() {
	"$inbox" -c ca.pem -u ada -w "$password" "$@" >out 2>err
}
# box FIRST LAST: a mailbox with just these, and no place.
box() {
	rm -rf "$BOX" place && mkdir -p "$BOX/new" "$BOX/cur" "$BOX/tmp"
	deliver "$BOX/new" "$1" "$2" && chown -R nobody "$BOX"
}
flagged() { find "$BOX" -name '*:2,*S*' | wc -l; }
# by_hand COMMAND...: a few calls of Python's imaplib.
by_hand() {
	python3 -c 'import imaplib, ssl, sys
m = imaplib.IMAP4_SSL("localhost", int(sys.argv[1]), ssl_context=ssl.create_default_context(cafile="ca.pem"))
m.authenticate("PLAIN", lambda _: "\0ada\0pa ss\"wörd".encode())
exec(sys.argv[2])
m.logout()' "$IMAPS" "$1"
}

if ! command -v dovecot >/dev/null || [ "$(id -u)" -ne 0 ]; then
	skip 26 'Dovecot is not installed, or cannot be run by somebody who is not root'
elif ! start_dovecot >starting; then
	cat starting
	check 'Dovecot starts' false
else
	box 1 5
	check 'IMAPS'                            'look "imaps://localhost:$IMAPS/INBOX" && numbers out >got && some 1 5 | diff - got && test "$(flagged)" = 5'
	box 1 5
	check 'STARTTLS'                         'look "imap://localhost:$IMAP" && numbers out >got && some 1 5 | diff - got && test "$(flagged)" = 5'
	check 'its own words do not end a mail'  'box 1 1; mkdir mails; look -o mails "imaps://localhost:$IMAPS" && test "$(tr -d "\r" <mails/0 | sha256sum)" = "$(cat "$BOX"/cur/*:2,S | sha256sum)"'
	check 'a wrong password'                 'look -w wrong "imaps://localhost:$IMAPS"; test $? = 78 && grep -q "config: localhost:$IMAPS: refuses user and password" err && ! grep -q wrong err'
	check 'an authority that is not known'   '"$inbox" -u ada -w x "imaps://localhost:$IMAPS" 2>err; test $? = 78 && grep -q "signed by nobody" err'
	check 'a folder that is not there'       'look "imaps://localhost:$IMAPS/Bounces"; test $? = 78 && grep -q "folder .Bounces." err'
	check 'nobody there is no fault of ours' 'look "imaps://localhost:9"; test $? = 75 && grep -q "^net: .*refused" err'

	box 1 120
	check 'what is left stays unread, and is not handed out again' '
		look -p place -l " b" "imaps://localhost:$IMAPS" && numbers out | sort >got && some 1 120 | diff - got && test "$(flagged)" = 115 &&
		test "$(grep -c " left " out)" = 5 && look -p place "imaps://localhost:$IMAPS" && grep -q "found=0" out'
	check 'new mail is found beside it' '
		deliver "$BOX/new" 121 125 && chown -R nobody "$BOX" && look -p place "imaps://localhost:$IMAPS" && numbers out >got && some 121 125 | diff - got'
	check 'also what somebody has read meanwhile' '
		deliver "$BOX/new" 126 126 && chown -R nobody "$BOX" && by_hand "m.select(); m.uid(\"STORE\", \"1:*\", \"+FLAGS\", \"(\\\\Seen)\")" &&
		look -p place "imaps://localhost:$IMAPS" && numbers out >got && some 126 126 | diff - got'
	check 'renumbered, it is looked at anew, but for what was read' '
		era=$(cut -d" " -f1 place) && deliver "$BOX/new" 127 127 && rm -f "$BOX"/dovecot* && sleep 1.1 && chown -R nobody "$BOX" &&
		look -p place "imaps://localhost:$IMAPS" && test "$(cut -d" " -f1 place)" != "$era" && numbers out >got && some 127 127 | diff - got'

	box 1 60
	touch -d '40 days ago' "$BOX"/new/17000000[012]*
	check 'of an old mailbox only what is new' 'look -p place "imaps://localhost:$IMAPS" && numbers out >got && some 30 60 | diff - got'

	box 1 130
	check 'killed before they are marked, mails come again' '
		look -p place -k 70 "imaps://localhost:$IMAPS"; test ! -e place && numbers out >first && some 1 70 | diff - first && test "$(flagged)" = 50 &&
		look -p place "imaps://localhost:$IMAPS" && numbers out >got && some 51 130 | diff - got && test "$(flagged)" = 130'
	box 1 130
	check 'broken off, it is taken up where it ended' '
		look -p place -x 70 "imaps://localhost:$IMAPS" && grep -q "handed=70 marked=70" out && test "$(flagged)" = 70 &&
		look -p place "imaps://localhost:$IMAPS" && numbers out >got && some 71 130 | diff - got'
	box 1 130
	check 'marked at any time, it goes on' '
		look -p place -f 7 "imaps://localhost:$IMAPS" && numbers out >got && some 1 130 | diff - got && test "$(flagged)" = 130'

	box 1 3
	{ printf 'Subject: large\n\n'; yes 'a line of a large mail' | head -c 3000000; } >"$BOX/new/1.large"
	chown -R nobody "$BOX"
	check 'of a large mail comes the beginning' '
		look "imaps://localhost:$IMAPS" && grep -Eq "^[0-9]+-[0-9]+ 3[0-9]{6} 1048576 cut done Subject: large" out && test "$(grep -c whole out)" = 3 && flat out'

	box 1 60
	by_hand 'm.create("Done"); m.create("\"R&APw-ck&Jjo-\"")'
	check 'moving'                           'look -d move:Done "imaps://localhost:$IMAPS" && test "$(find "$BOX/.Done/cur" "$BOX/.Done/new" -type f | wc -l)" = 60 && test "$(find "$BOX/cur" "$BOX/new" -type f | wc -l)" = 0'
	check 'a folder with letters of its own' 'look -d "move:Rück☺" "imaps://localhost:$IMAPS/Done" && look "imaps://localhost:$IMAPS/R%C3%BCck%E2%98%BA" && test "$(numbers out | wc -l)" = 60'
	check 'to a folder that is not there'    'look -d move:Nowhere "imaps://localhost:$IMAPS"; test $? = 78 && grep -q "has no folder .Nowhere." err'
	box 1 60
	check 'deleting only what is dealt with' 'look -d delete -l " b" "imaps://localhost:$IMAPS" && test "$(find "$BOX/cur" "$BOX/new" -type f | wc -l)" = 3 && test "$(flagged)" = 0'
	box 1 10
	check 'what vanishes meanwhile is no fault' '
		chmod 000 "$BOX"/new/1700000003* && rm "$BOX"/new/1700000004* && look -p place "imaps://localhost:$IMAPS"; test "$(numbers out | wc -l)" -ge 2; chmod 600 "$BOX"/*/1700000003*; look -p place "imaps://localhost:$IMAPS"; numbers out | grep -q 00010'

	box 1 3000
	for n in 1 2 3 4; do
		look -p place "imaps://localhost:$IMAPS" && cp out "out$n" || cat err
	done
	check 'three thousand come in three runs' 'cat out1 out2 out3 | { numbers /dev/stdin; } >got && some 1 3000 | diff - got && test "$(numbers out1 | wc -l)" = 1000 && grep -q "found=3000 taken=1000" out1'
	check 'each once'                         'grep -q "found=0" out4 && test "$(flagged)" = 3000'
	check 'in as much memory as ten'          'flat out1 && flat out3'
	check 'and in the words of their names'   'test "$(cut -d" " -f1 out1 out2 out3 | grep -E "^[0-9]+-[0-9]+$" | sort -u | wc -l)" = 3000'
	stop_dovecot
fi

# ---- a Maildir ----

BOX=$T/box
md() { rm -rf box place && mkdir -p box/new box/cur box/tmp && deliver box/new "$1" "$2"; }
inbox() { "$inbox" -p place "$@" box >out 2>err; }
md 1 30
deliver box/cur 31 32
mv box/cur/1700000032.M32.test box/cur/1700000032.M32.test:2,S
deliver box/tmp 33 33
ln -s ../../secret box/new/link
echo 'Subject: mail 99999' >secret
mkfifo box/new/pipe
mkdir box/new/folder
check 'new and cur are read; tmp, links, pipes, folders and what was read are not' 'inbox -l " b" && numbers out | sort >got && some 1 31 | diff - got'
check 'what is done lies in cur and is flagged; what is left is where it was' 'test "$(find box/cur -name "*:2,S" | wc -l)" = 30 && test "$(find box/new -type f | wc -l)" = 2 && test -e box/tmp/1700000033.M33.test'
check 'once a moment has gone by, it is not handed out again' 'sleep 2.1; inbox -l " b"; inbox && grep -q "found=0" out'
check 'however late its clock is, the file server is ahead of the place' 'test "$(cut -d" " -f2 place | cut -c -10)" -le "$(find box/new -type f -printf "%C@\n" | sort | tail -n 1 | cut -d. -f1)"'
check 'new mail is found beside it'      'deliver box/new 40 41 && inbox && numbers out >got && some 40 41 | diff - got'
md 1 5000
check 'killed, and again: nothing is lost' '
	inbox -k 70; numbers out | sort >a; inbox && numbers out | sort >b; for i in 1 2 3 4; do inbox; numbers out; done >c; sort -u a b c >got && some 1 5000 | diff - got &&
	test "$(wc -l <b)" = 1000 && test "$(cat b c | sort | uniq -d | wc -l)" = 0 && flat out'
check 'names of odd bytes'               '
	md 1 0; printf "Subject: odd\n\n" >"box/new/$(printf "1.a\nb%%\033[2J\377:2,F")" && inbox && grep -q "^1.a%0Ab%25%1B\[2J%FF 14 14 whole" out && test "$(ls -b box/cur | grep -c ":2,FS$")" = 1'
# What root may read others may not.
unprivileged() {
	if [ "$(id -u)" -ne 0 ]; then "$@"; else setpriv --bounding-set=-dac_override,-dac_read_search "$@"; fi
}
md 1 5
echo '1 1000000000 0' >place
chmod 000 box/new/*
check 'mails of somebody else are for a person, and not passed over' '
	unprivileged "$inbox" -p place box >out 2>err; test $? = 78 && grep -q "^config: .*Permission denied" err && test "$(cut -c -12 place)" = "1 1000000000" && chmod 600 box/new/* && inbox && test "$(numbers out | wc -l)" = 5'
md 1 5
chmod 000 box/new/1700000002* box/new/1700000003* box/new/1700000004*
check 'some of them do not hold up the others' 'unprivileged "$inbox" -p place box >out 2>err && grep -q "unreadable=3" out && numbers out | paste -sd " " | grep -qx "00001 00005"'
check 'two of one name do not replace each other' '
	md 1 1; cp box/new/* box/cur/1700000001.M1.test:2,S; inbox && test "$(find box -type f | wc -l)" = 2 && grep -q "unreadable=1" out && grep -q "exists" out'
check 'moving, to a folder beside'       'md 1 4; mkdir -p box/.Done/cur; inbox -d move:Done && test "$(find box/.Done/cur -name "*:2,S" | wc -l)" = 4'
check 'not elsewhere'                    'inbox -d move:../../x; test $? = 78 && inbox -d move:.x; test $? = 78 && inbox -d move:None; test $? = 78 && grep -q "no folder" err'
check 'deleting'                         'md 1 4; inbox -d delete -l " b" && test "$(find box -type f | wc -l)" = 1'
check 'no Maildir'                       'inbox; "$inbox" nowhere 2>err; test $? = 78 && rm -r box/new && ln -s /tmp box/new; inbox; test $? = 78 && grep -q "expected a Maildir" err'

# ---- standard input ----

check 'one mail'                         'printf "Subject: mail 00001 x\n\nHello\n" | "$inbox" - >out && grep -q "^stdin 29 29 whole done Subject: mail 00001 x" out'
check 'of a large one the rest is read as well' '
	{ printf "Subject: mail 00002\n"; (head -c 5000000 /dev/zero; echo $? >rc); } | "$inbox" - >out && test "$(cat rc)" = 0 && grep -q "^stdin 5000020 1048576 cut" out && flat out'
check 'none'                             '"$inbox" - </dev/null >out && grep -q "handed=0" out'
check 'settings that would show the password are refused' '
	"$inbox" -n -u ada -w x imap://imap.example.org; test $? = 78 && "$inbox" -w x imaps://localhost; test $? = 78 && "$inbox" -u ada imaps://localhost; test $? = 78'
