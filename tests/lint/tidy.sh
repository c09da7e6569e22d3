#!/bin/sh
# clang-tidy with the checks of .clang-tidy, two at a time.
command -v clang-tidy >/dev/null || { echo 'clang-tidy is missing; sh etc/setup lint brings it' >&2; exit 1; }
flags="-std=c17 -D_GNU_SOURCE -Iinclude -Isrc $(pkg-config --cflags libcurl sqlite3 jansson libutf8proc libidn2 libsodium gumbo)"
export flags
# The inner shell expands $flags, as words. What is said on standard error is only the count of warnings left out.
# shellcheck disable=SC2016
printf '%s\n' src/*/*.c | xargs -P 2 -n 6 sh -c \
	'clang-tidy --quiet "$@" -- $flags "-DDIGEST_VERSION=\"lint\"" 2>/dev/null' sh
