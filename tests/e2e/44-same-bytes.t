#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The same store, key, configuration and time give the same bytes: on another machine, by another user, another build, whatever
# the number of its threads, and in a preview.
. "$(dirname "$0")/lib.sh"
plan 9

# make_mails FOLDER: those of one seed, with one key.
make_mails() {
	python3 "$E2E/many_mails.py" "$1" 4 12 key >/dev/null
}
# Names of files hold the time and an id that is made from the Message-ID.
same_as_first() {
	diff -r first/Mail/new "$1/Mail/new" | head -n 20 >differ
	cat differ
	test "$(mails_sent "$1/Mail")" -ge 40 && test ! -s differ
}
check 'mails are made'                       'python3 "$E2E/many_mails.py" zeroth 4 12 && cp zeroth/digest.key key && make_mails first && test "$(mails_sent first/Mail)" -ge 40'
check 'another key gives other mails'        'python3 "$E2E/many_mails.py" own 4 12 && ! same_as_first own >/dev/null'
check 'in another folder'                    'mkdir -p "deep/a b/ü" && make_mails "deep/a b/ü/x" && same_as_first "deep/a b/ü/x"'
check 'by another clock and language'        'LC_ALL=C LANG=tr_TR.UTF-8 TZ=Pacific/Chatham make_mails zone && same_as_first zone'
check 'by another user, with other masks'    '(umask 077 && HOME=/nonexistent USER=other make_mails mask) && same_as_first mask'
check 'on one processor'                     'if command -v taskset >/dev/null; then taskset -c 0 python3 "$E2E/many_mails.py" one 4 12 key >/dev/null && same_as_first one; fi'

# A preview of the last day, from the store as it was before that day's run.
preview() {
	STOP=1 make_mails before || return 1
	"$DIGEST" -c before/digest.conf --now 2026-03-10T20:00:00Z -n --format eml --out out >said 2>&1 || { cat said; return 1; }
	before=$(mails_sent before/Mail)
	for f in out/*.eml; do
		tr -d '\r' <"$f" | sha256sum
	done | sort >previews
	find first/Mail/new -name '1773172800.*' -exec sha256sum {} + | sed 's/ .*/  -/' | sort >sent
	wc -l <sent
	test -s sent && diff previews sent
}
check 'a preview has the bytes of the run'   preview

# Another compiler: where one has built it, see `make CC=clang`.
other=$ROOT/build/clang/digest
case $DIGEST in *clang*) other=$ROOT/build/gcc/digest ;; esac
if [ -x "$other" ] && [ -z "$(find "$ROOT/src" "$ROOT/include" "$ROOT/templates" -newer "$other" -print -quit)" ]; then
	check 'from another compiler'        'DIGEST=$other make_mails other && same_as_first other'
else
	skip 1 "$other is not built"
fi
check 'one byte more would be seen'          'cp -r first changed && for f in changed/Mail/new/*; do echo >>"$f"; break; done && ! same_as_first changed'
