#!/bin/sh
# Run test programs, one more at a time than there are processors, as some of them wait; a line for each when it ends, and
# below the line of a failing one what it said.
# Ends with the sum, which is not 0 failed when a program crashed or took longer than ten minutes.
set -u

# run_one FOLDER PROGRAM: its log, and what is told of it, into files of the folder.
run_one() {
	log=$(mktemp "$1/${2##*/}.XXXXXX")
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 600 "$2" >"$log" 2>&1
	rc=$?
	ok=$(grep -c '^ok ' "$log")
	# cmocka writes what was skipped as "not ok N # SKIP name".
	bad=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
	skipped=$(grep -c '# SKIP' "$log")
	if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$ok $bad" >"$log.sum"
	{
		printf '%-28s %3d ok' "${2##*/}" "$ok"
		[ "$skipped" -gt 0 ] && printf ', %d skipped' "$skipped"
		if [ "$bad" -gt 0 ]; then
			printf ', %d FAILED (exit %d)\n' "$bad" "$rc"
			sed 's/^/    /' "$log"
		else
			echo
		fi
	} >"$log.told"
	cat "$log.told"
}

if [ "${1-}" = --one ]; then
	run_one "$2" "$3"
	exit 0
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# The longest are the last by name.
printf '%s\n' "$@" | sort -r | xargs -n 1 -P $(($(nproc) + 1)) sh "$0" --one "$logs"
awk -v programs=$# '
{ passed += $1; failed += $2 }
END {
	failed += programs - NR # nothing is known of it
	printf "unit tests: %d passed, %d failed\n", passed, failed
	exit failed > 0
}' "$logs"/*.sum
