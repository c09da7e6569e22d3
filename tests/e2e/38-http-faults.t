#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# A server that fails in every way: the right sentence, little memory, and nothing that is known changes.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all "openssl is missing"
plan 1

make_certificates
mkdir faults && mv s.pem s.key faults/ && mkdir faults/days && cp "$FIXTURES"/2026-03-0*.json faults/days/
check 'each fault' 'python3 "$E2E/http_faults.py" "$DIGEST" faults >cells; grep -A9 "^not ok" cells; n=$(sed -n "s/^1\.\.//p" cells); test "$n" -ge 48 && test "$(grep -c "^ok" cells)" = "$n"'
