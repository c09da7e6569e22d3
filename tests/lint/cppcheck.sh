#!/bin/sh
exec cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--suppress=missingIncludeSystem --suppress=unknownMacro:src/run/templates.c -D_GNU_SOURCE '-DDIGEST_VERSION="lint"' \
	-Iinclude -Isrc -j 2 src
