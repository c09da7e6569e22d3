#!/bin/sh
# The layout that .clang-format states. Headers are set by hand.
find src tests -name '*.c' | sort |
	xargs clang-format --dry-run -Werror --ferror-limit=3
