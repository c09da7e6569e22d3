#!/bin/sh
# Run test programs one after the other, a line for each; what a failing one said comes below its line.
# Ends with the sum, which is not 0 failed when a program crashed or took longer than two minutes.
set -u
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "$@"; do
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 120 "$t" >"$log" 2>&1
	rc=$?
	ok=$(grep -c '^ok ' "$log")
	# cmocka writes what was skipped as "not ok N # SKIP name".
	bad=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
	skipped=$(grep -c '# SKIP' "$log")
	if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	printf '%-28s %3d ok' "${t##*/}" "$ok"
	[ "$skipped" -gt 0 ] && printf ', %d skipped' "$skipped"
	if [ "$bad" -gt 0 ]; then
		printf ', %d FAILED (exit %d)\n' "$bad" "$rc"
		sed 's/^/    /' "$log"
	else
		echo
	fi
done
echo "unit tests: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
