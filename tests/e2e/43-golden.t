#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Digests byte for byte, so that a change of the look is seen in review. "make golden" renews what is compared with.
. "$(dirname "$0")/lib.sh"
plan 5

golden=$FIXTURES/golden
same() {
	if [ -n "${RENEW:-}" ]; then
		mkdir -p "$golden" && cp "$1" "$golden/$2"
	else
		diff -u "$golden/$2" "$1" || { echo 'if it is meant to be so: make golden, and look at the difference'; exit 1; }
	fi
}
dry() {
	DIGEST_CONFIG=$1 "$DIGEST" --now "$2" -n --out shown >/dev/null 2>err || cat err
}

# The demo, where no store knows its papers.
sed 's|\.\./\.\./build/demo/||; s|"papers.jsonl"|"'"$ROOT"'/etc/demo/papers.jsonl"|' "$ROOT/etc/demo/digest.conf" >demo.conf
dry "$T/demo.conf" 2026-08-22T07:00:00Z
sed -n '/^Subject:/{p;:a;n;/^[[:blank:]]/{p;ba};}' shown/grace@example.org.eml >subject
check 'the HTML part is what it was'       'same shown/grace@example.org.html grace.html'
check 'the text part is what it was'       'same shown/grace@example.org.txt grace.txt'
check 'the subject is what it was'         'same subject grace.subject'

# Everything that may come after a pause; but for the token, which is made of a key of its own each time.
python3 "$E2E/look_papers.py" && cp early.jsonl now.jsonl
DIGEST_CONFIG=$T/pause.conf "$DIGEST" --now 2026-03-03T08:00:00Z run && cp later.jsonl now.jsonl
dry "$T/pause.conf" 2026-03-10T08:00:00Z
sed -i 's/unsubscribe%20[a-z0-9]*/unsubscribe%20TOKEN/' shown/late@digest.test.*
check 'the HTML after a pause as well'     'same shown/late@digest.test.html late.html'
check '... and the text'                   'same shown/late@digest.test.txt late.txt'
