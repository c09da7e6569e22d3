#!/bin/sh
# The layout that .clang-format states. Headers of include/ are set by hand.
find src tests -name '*.c' -o -path 'src/*' -name '*.h' | sort |
	xargs clang-format --dry-run -Werror --ferror-limit=3
