#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Digests of all kinds before two readers of mails that share nothing: Python's, and libetpan with gumbo. 10,000 of
# them are for `make check-full` (full/mails.sh).
. "$(dirname "$0")/lib.sh"
plan 9

# Seeds differ in the list's own names, its links and its html-limit.
check 'mails are made'                          'for s in 0 1; do python3 "$E2E/many_mails.py" $s $s 22 || exit 1; done'
check '... four for most readers'              'test "$(mails_sent 0/Mail)" -ge 70 && test "$(mails_sent 1/Mail)" -ge 70'
etpan() {
	"$ROOT/build/bench/mail_lint" --lf --smtputf8 "$@"
}
python() {
	python3 "$E2E/mail_lint.py" --lf --smtputf8 "$@"
}
check 'libetpan finds nothing wrong'            'etpan 0/Mail && etpan --html-limit 20000 1/Mail'
check 'Python finds nothing wrong'              'python --decoded 0/Mail >python0 && python --decoded --html-limit 20000 1/Mail >python1 || { grep -v " = " python0 python1; exit 1; }'
check 'both have read the same'                 'etpan --decoded 0/Mail | sort >etpan0 && sort python0 | diff - etpan0 && test "$(wc -l <etpan0)" = "$(mails_sent 0/Mail)"'
check 'what they read would differ'             'cp -r 0/Mail Other && for f in Other/new/*; do sed -i "s/^\(Subject: .*\)/\1x/" "$f"; done && ! python --decoded Other | sed "s,Other/,0/Mail/," | sort | diff -q - etpan0'
check 'all kinds are among them'                'for w in "Welcome\. This" "^Willkommen\. D" "papers since [0-9]* Mar" "Artikel seit [0-9]*\. M" "Popular today" "Papers you were sent" "and [0-9]* more" "^To: .*=?UTF-8?" "^Subject: =?UTF-8?" "^Subject: Since " "0545$" "Also matched" "^List-Help: <mailto:" "^List-Archive: <https:"; do grep -rq -- "$w" 0/Mail 1/Mail || { echo "none has: $w"; exit 1; }; done'
check 'the limit of 20,000 shortens'            'test "$(cat 1/Mail/new/* | grep -c "<h3")" -lt "$(cat 0/Mail/new/* | grep -c "<h3")" && ! etpan --html-limit 19000 1/Mail >/dev/null'
# The first one is shown to find them in 00-house.t.
check 'the second reader finds planted faults' 'python3 "$E2E/mail_lint_test.py" "$ROOT/build/bench/mail_lint"'
