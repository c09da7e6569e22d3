#!/bin/sh
# run.sh - let each fuzz target run for FUZZTIME seconds; the first finding stops and its input is kept in build/findings.
#   tests/fuzz/run.sh FOLDER NAME...
set -eu
programs=$1
shift
mkdir -p build/findings
for name in "$@"; do
	learnt=build/corpus/$name
	seeds=tests/fuzz/corpus/$name
	log=build/findings/$name.log
	mkdir -p "$learnt"
	set -- "$learnt"
	[ ! -d "$seeds" ] || set -- "$@" "$seeds"
	[ ! -f "tests/fuzz/$name.dict" ] || set -- -dict="tests/fuzz/$name.dict" "$@"
	if ! "$programs/fuzz_$name" -max_total_time="${FUZZTIME:-10}" -timeout=10 -rss_limit_mb=1024 \
	    -print_final_stats=1 -artifact_prefix="build/findings/$name-" "$@" >"$log" 2>&1; then
		tail -n 60 "$log" >&2
		echo "fuzz_$name: a finding; the whole log is $log" >&2
		exit 1
	fi
	awk -v name="$name" '/number_of_executed_units/ { n = $2 } END { printf "fuzz_%-12s %9d inputs\n", name, n }' "$log"
done
