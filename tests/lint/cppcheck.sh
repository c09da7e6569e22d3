#!/bin/sh
# What cppcheck warns of. cppcheck.txt holds what it gets wrong, each with the reason.
mkdir -p build/cppcheck && exec cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 --cppcheck-build-dir=build/cppcheck -j 2 \
	--include=tests/lint/cppcheck.h -D_GNU_SOURCE '-DDIGEST_VERSION="lint"' -Iinclude -Isrc src
