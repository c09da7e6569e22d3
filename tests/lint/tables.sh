#!/bin/sh
# Help, manuals, completions and example configuration have each command, option and key of the program's tables. Argument:
# the build folder.
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/e2e/manual.py "$1/digest" .
