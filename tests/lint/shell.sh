#!/bin/sh
# Every script of the project. Black-box tests hand commands to check as text and share variables with lib.sh, which
# looks to shellcheck like quotes gone wrong (SC2016) and like variables nobody reads or sets (SC2034, SC2154); lists in
# them are meant to fall into words (SC2046), and a cd that fails fails the checks after it (SC2164).
{
	find etc tests -type f \( -name '*.sh' -o -name setup -o -path 'etc/debian/p*' \)
	echo .ci/run
} | sort | xargs shellcheck -x -e SC1091 || bad=1
find tests/e2e -name '*.t' -exec shellcheck -S warning -e SC1091,SC2016,SC2034,SC2046,SC2154,SC2164 {} + || bad=1
exit "${bad:-0}"
