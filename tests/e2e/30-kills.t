#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A run is killed at some of its writes, syncs, renames and sends, the machine loses power, or disk or memory fail; the next one
# mails everybody once more at most. Here some 60 points, in full/kills.sh all.
. "$(dirname "$0")/lib.sh"

KILLSHIM=${KILLSHIM:-$ROOT/build/bench/killshim.so}
export KILLSHIM
[ -e "$KILLSHIM" ] || skip_all 'killshim.so is not built: make bench-programs'
plan 14

sweep() {
	python3 "$E2E/kills.py" -n "$1" -l "$3" "$2"
}
check 'the first run, which makes the store'     'sweep 8 first maildir'
check 'a later run'                              'sweep 6 next maildir'
check '... to a relay, a command at a time'      'sweep 4 next lockstep'
check '... an envelope at a time'                'sweep 4 next envelope'
check '... the next envelope behind the dot'     'sweep 8 next behind'
check 'half of the bytes get written'            'sweep 4 torn behind'
check 'the run after it is killed as well'       'sweep 4 twice behind'
check 'the run after it is of the next day'      'sweep 6 tomorrow behind && sweep 3 tomorrow maildir'
check 'power loss: what was not synced is gone'  'sweep 5 power behind'
check '... or some of it'                        'sweep 4 mixed maildir'
check 'while an old store is brought up to date' 'sweep 4 upgrade maildir'
check 'the disk is full from some moment on'     'sweep 4 full behind'
check 'the disk fails once'                      'sweep 4 error behind'
if "$DIGEST" version | grep -q sanitize || ldd "$DIGEST" | grep -q asan; then
	skip 1 'sanitizers have an allocator of their own'
else
	check 'memory is short'                  'sweep 8 memory behind'
fi
