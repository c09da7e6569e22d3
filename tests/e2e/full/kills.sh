#!/bin/sh
# shellcheck source=../lib.sh disable=SC2034,SC2154
# Every point at which a run can be killed; about ten minutes. See 30-kills.t.
E2E=$(cd "$(dirname "$0")/.." && pwd)
. "$E2E/lib.sh"

KILLSHIM=${KILLSHIM:-$ROOT/build/bench/killshim.so}
export KILLSHIM
[ -e "$KILLSHIM" ] || skip_all 'killshim.so is not built: make bench-programs'
plan 8
for scenario in first next torn twice; do
	check "every point: $scenario" "python3 \"\$E2E/kills.py\" $scenario >&3" 3>&1
done
for sink in lock-step smtp; do
	for scenario in next torn; do
		check "every point: $scenario, $sink" "SINK=$sink python3 \"\$E2E/kills.py\" $scenario >&3" 3>&1
	done
done
