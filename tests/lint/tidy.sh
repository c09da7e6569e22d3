#!/bin/sh
# clang-tidy with the checks of .clang-tidy, two files at a time.
CFLAGS_TIDY="-std=c17 -D_GNU_SOURCE -DDIGEST_VERSION=\"lint\" -Iinclude -Isrc $(pkg-config --cflags libcurl sqlite3 \
	jansson libutf8proc libidn2 libsodium)"
export CFLAGS_TIDY
# The inner shell expands the variable, so that each file gets its flags as words.
# shellcheck disable=SC2016
out=$(printf '%s\n' src/*/*.c |
	xargs -P 2 -n 6 sh -c 'clang-tidy --quiet "$@" -- $CFLAGS_TIDY 2>/dev/null' sh)
[ -z "$out" ] && exit 0
echo "$out"
exit 1
