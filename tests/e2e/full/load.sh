#!/bin/sh
# shellcheck disable=SC2016,SC2119
# 50,000 papers in one day: they are read, matched and mailed in bounded memory, and none is lost unsaid.
E2E=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
plan 4

python3 "$E2E/budget.py" make all.jsonl 50000
split -l 10000 --additional-suffix=.jsonl all.jsonl part
rm all.jsonl
write_config <<'Y'
source "lines" { type = file  path = "part*.jsonl" }
templates { html-limit = 80000 }
subscriber "ada@digest.test" { when = always  limit = 500  max-papers = 500  outside = 0  filter "things" { match = "about things"  sort = votes } }
Y
sed -i 's/list { /list { postal-address = "1 Main Street"  /' digest.conf
# measured COMMAND...: its memory at most, in KiB, into $T/memory.
measured() {
	python3 -c 'import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)' "$@" >memory
}
check '50,000 papers are read and mailed'       'measured "$DIGEST" --now 2026-03-04T08:00:00Z run && test "$(mails_sent)" = 1'
check '... in half a gigabyte'                  'cat memory; test "$(tail -n 1 memory)" -lt 524288'
check '... and none is lost unsaid'             'python3 "$E2E/budget.py" check Mail 50000 80000 && python3 "$E2E/mail_lint.py" --lf Mail'
check 'the next run is a quiet one'             'silent 0 "$DIGEST" --now 2026-03-04T09:00:00Z run && test "$(mails_sent)" = 1'
