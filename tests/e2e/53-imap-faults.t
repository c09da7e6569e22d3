#!/bin/sh
# shellcheck source=lib.sh
# An IMAP server that misbehaves in a hundred ways, and is lost at any byte: each ends in a sentence and with the right code,
# in little memory, and no mail is marked that was not dealt with.
. "$(dirname "$0")/lib.sh"
inbox=$(dirname "$DIGEST")/inbox
[ -x "$inbox" ] || skip_all 'the test program inbox is not built; make bench-programs does'
command -v openssl >/dev/null || skip_all 'openssl is missing'
plan 2

make_certificates
case $DIGEST in
*/san-*)	export DIGEST_SANITIZED=1 ;;
*)		export SHIM="$ROOT/build/bench/mallocshim.so" ;;
esac
python3 "$E2E/imap_faults.py" "$inbox" "$T" >cells 2>&1
check 'each fault'                      '! grep -A20 "^not ok\|Traceback" cells'
check 'all of them were tried'          'test "$(grep -c "^ok" cells)" -ge 110'
