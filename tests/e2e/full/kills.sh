#!/bin/sh
# shellcheck source=../lib.sh disable=SC2034,SC2154
# Every point at which a run can be killed, power be lost, or the disk fail, to each kind of relay; about ten minutes. Of
# allocations, of which a run makes 17,000, a part. Then 280 damaged stores. See 30-kills.t and 47-store-faults.t.
E2E=$(cd "$(dirname "$0")/.." && pwd)
. "$E2E/lib.sh"

KILLSHIM=${KILLSHIM:-$ROOT/build/bench/killshim.so}
export KILLSHIM
[ -e "$KILLSHIM" ] || skip_all 'killshim.so is not built: make bench-programs'
plan 26
sweep() {
	check "every point: $1, $2" "python3 \"\$E2E/kills.py\" -n ${3:-0} -l $2 $1 >&3" 3>&1
}
for level in maildir lockstep envelope behind; do
	sweep first $level
	sweep next $level
done
for level in lockstep envelope behind; do
	sweep power $level
done
# Of more readers than two leases hold.
READERS=600
export READERS
sweep power behind 60
unset READERS
sweep torn maildir
sweep torn behind
sweep twice maildir
sweep twice behind
sweep tomorrow maildir
sweep tomorrow behind
sweep mixed maildir
sweep mixed behind
sweep full behind
sweep error behind
sweep upgrade maildir
sweep memory maildir 1000
sweep memory behind 1000

write_config <<'X'
source "days" { type = file  path = "days.json" }
X
seq -f 'subscriber "reader%g@digest.test" { when = "daily 07:00"  filter "all" { match = "*" } }' 20 >>digest.conf
cp "$FIXTURES/2026-03-02.json" days.json
"$DIGEST" --now 2026-03-03T08:00:00Z run
cp "$FIXTURES/2026-03-03.json" days.json
KILLSHIM_AT=20 KILLSHIM_ONLY=pwrite64 LD_PRELOAD=$KILLSHIM "$DIGEST" --now 2026-03-04T06:00:00Z run 2>/dev/null
rm -rf Mail
check 'damaged stores never send' "python3 \"\$E2E/damage.py\" 280 20 >&3" 3>&1
