#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The demo's digests byte for byte, so that a change of the look is seen in review. "make golden" renews what is compared with.
. "$(dirname "$0")/lib.sh"
plan 3

golden=$FIXTURES/golden
sed 's|\.\./\.\./build/demo/||; s|"papers.jsonl"|"'"$ROOT"'/etc/demo/papers.jsonl"|' "$ROOT/etc/demo/digest.conf" >digest.conf
DIGEST_CONFIG=$PWD/digest.conf "$DIGEST" --now 2026-08-22T07:00:00Z -n --out shown >/dev/null 2>err || cat err
same() {
	if [ -n "${RENEW:-}" ]; then
		mkdir -p "$golden" && cp "$1" "$golden/$2"
	else
		diff -u "$golden/$2" "$1" || { echo 'if it is meant to be so: make golden, and look at the difference'; exit 1; }
	fi
}
check 'the HTML part is what it was' 'same shown/grace@example.org.html grace.html'
check 'the text part is what it was' 'same shown/grace@example.org.txt grace.txt'
sed -n '/^Subject:/{p;:a;n;/^[[:blank:]]/{p;ba};}' shown/grace@example.org.eml >subject
check 'the subject is what it was'   'same subject grace.subject'
