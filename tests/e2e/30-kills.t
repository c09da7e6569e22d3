#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A run is killed at some of its writes, syncs, renames and sends; the next one mails everybody once more at most. Here some
# 40 points, in full/kills.sh all.
. "$(dirname "$0")/lib.sh"

KILLSHIM=${KILLSHIM:-$ROOT/build/bench/killshim.so}
export KILLSHIM
[ -e "$KILLSHIM" ] || skip_all 'killshim.so is not built: make bench-programs'
plan 6

sweep() {
	python3 "$E2E/kills.py" -n "$1" "$2"
}
check 'the first run, which makes the store' 'sweep 14 first'
check 'a later run'                          'sweep 14 next'
check 'half of the bytes get written'        'sweep 6 torn'
check 'the run after it is killed as well'   'sweep 6 twice'
check 'over SMTP, a command at a time'       'SINK=lock-step sweep 8 next'
check 'and with the next mail behind a dot'  'SINK=smtp sweep 8 next'
