#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Digests of every kind in a browser: contrast in light, dark and inverted colours, with and without style sheet and images, at
# the widths of a telephone, a column and a desk; order of reading, headings, sizes, and what may stand in the HTML.
. "$(dirname "$0")/lib.sh"
python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import browser; sys.exit(not browser.find())' "$E2E" || skip_all 'no chromium here'
plan 10

python3 "$E2E/look_papers.py"

dry() {
	"$DIGEST" --now 2026-03-06T08:00:00Z -n "$@" >/dev/null 2>err || { cat err; return 1; }
}
look() {
	python3 "$E2E/look.py" "$@"
}
check 'digests of no, one, eight and 25 papers' 'dry --out shown && test "$(ls shown/*.html | wc -l)" = 6'
check '... look well'                            'look check shown/*.html'
check '... and have the papers they should'      'grep -q "<h3" shown/none@digest.test.html && exit 1; for n in one:1 eight:8 many:27 odd:8; do test "$(grep -c "<h3" "shown/${n%:*}@digest.test.html")" = "${n#*:}" || { echo "$n"; exit 1; }; done'
check 'what is wrong would be found'             'look faults shown/one@digest.test.html'

if command -v tidy >/dev/null; then
	# What centres the column in Outlook is no longer in the standard.
	check 'an HTML checker has nothing to say' 'for page in shown/*.html; do tidy -e -q "$page" 2>&1; done | grep -v "attribute \"align\" not allowed" >said; test ! -s said || { sort said | uniq -c; exit 1; }'
else
	skip 1 'no tidy here'
fi

# Every way a paper may come: popular, risen, taken back, of a new version; and after a pause.
export DIGEST_CONFIG=$T/pause.conf
cp early.jsonl now.jsonl
"$DIGEST" --now 2026-03-03T08:00:00Z run || exit
cp later.jsonl now.jsonl
check 'a digest after a pause'                   '"$DIGEST" --now 2026-03-10T08:00:00Z -n --out pause >/dev/null 2>err || { cat err; exit 1; }; for what in "since 4 Mar" "risen since" "Also matched" "Withdrawn" "New version 2" "Papers you were sent before" "Popular today"; do grep -q "$what" pause/late@digest.test.* || { echo "no $what"; exit 1; }; done'
check '... looks well'                           'look check pause/*.html'

# Pictures, when they are asked for.
export DIGEST_CONFIG=$T/digest.conf
echo 'templates { thumbnails = yes }' >>digest.conf
check 'without being asked no picture is shown'  '! grep -q "<img" shown/*.html'
check 'asked, there is one for each that has one' 'dry --out pictures -u many@digest.test && test "$(grep -c "<img src=\"https://pictures.digest.test/" pictures/many@digest.test.html)" = 25'
check '... and it looks well'                    'look check pictures/*.html'
