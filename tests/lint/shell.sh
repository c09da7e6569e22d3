#!/bin/sh
# Every script of the project. Of black-box tests the errors only.
rc=0
find etc tests .ci -type f \( -name '*.sh' -o -name setup -o -path '.ci/run' \) -exec shellcheck -x -e SC1091 {} + || rc=1
find tests -name '*.t' -exec shellcheck -x -S error -e SC1091 {} + || rc=1
exit "$rc"
