#!/bin/sh
# Show what digest makes of the papers beside this script: sh etc/demo/show.sh build/gcc/digest
# Writes text, HTML and mail of three readers to build/demo; asks no network and sends nothing.
set -eu
here=${0%/*}
top=$here/../..
digest=${1:-$top/build/gcc/digest}	# as `make` builds it
out=$top/build/demo
now=2026-08-22T07:00:00Z

rm -rf "$out"	# a store left there would know these papers as sent
mkdir -p "$out"
export XDG_CACHE_HOME="$out/cache"	# leaves nothing outside of build
said=$("$digest" --config "$here/digest.conf" --now $now --dry-run --out "$out" 2>&1) || {
	echo "$said" >&2
	exit 1
}
"$digest" --config "$here/digest.conf" --now $now --dry-run -u grace@example.org

cd "$out"
echo
echo "Above is what Grace gets, as text. The digests of all three readers are in $PWD:"
for file in *.html; do
	echo "  ${file%.html}: .html .txt .eml"
done
cat <<END

Now try:
  - open $PWD/ada@example.org.html in a browser, an .eml file in a mail program;
  - copy etc/demo/digest.conf to another name beside it, change a filter, and look again:
      $digest -c etc/demo/mine.conf --now $now --dry-run -u ada@example.org
  - your own: "First run" in README.md, five lines and five minutes.
END
