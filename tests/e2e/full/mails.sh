#!/bin/sh
# 10,000 digests of all kinds before two readers of mails, Python's, and libetpan with gumbo: no fault, and the same read by both.
# Each seed is a configuration and some days of papers of its own; it takes about five minutes. MAILS=500 looks at fewer.
E2E=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
plan 1

WANTED=${MAILS:-10000}
# limit_of SEED: the html-limit of its configuration.
limit_of() {
	PYTHONPATH=$E2E python3 -c 'import many_mails, sys; print(many_mails.html_limit(int(sys.argv[1])))' "$1"
}

# batch SEED: its mails are made, read twice, compared; adds to $made and $right.
batch() {
	rm -rf mails
	python3 "$E2E/many_mails.py" mails "$1" 100 >count || return 1
	limit=$(limit_of "$1")
	made=$((made + $(cat count)))
	for reader in "python3 $E2E/mail_lint.py" "$ROOT/build/bench/mail_lint"; do
		# shellcheck disable=SC2086 # a program, maybe with its script
		$reader --decoded --lf --smtputf8 --html-limit "$limit" mails/Mail >told
		grep -v ' = ' told && echo "seed $1: the faults above are told by $reader"
		grep ' = ' told | sort >"read-${reader##*/}"
	done
	diff read-mail_lint.py read-mail_lint >differ || { echo "seed $1: read differently:" && head -n 4 differ; }
	# Right is what both readers read alike, in batches without a fault.
	grep -v -q ' = ' told || right=$((right + $(comm -12 read-mail_lint.py read-mail_lint | wc -l)))
}

all() {
	made=0 right=0 seed=100
	while [ "$made" -lt "$WANTED" ]; do
		batch "$seed" || return 1
		seed=$((seed + 1))
	done
	echo "$right/$made" >sum
	test "$right" -eq "$made"
}
check "$WANTED mails, both readers" all
sed 's/^/# mails right: /' sum
