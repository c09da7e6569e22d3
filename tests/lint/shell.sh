#!/bin/sh
# Every script of the project.
exec find etc tests .ci -type f \( -name '*.sh' -o -name '*.t' -o -name setup -o -path '.ci/run' \) \
	-exec shellcheck -x -e SC1091 {} +
