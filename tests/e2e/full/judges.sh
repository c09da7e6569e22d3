#!/bin/sh
# shellcheck disable=SC2016,SC2034,SC2119
# Mails before those who judge them on their way: SpamAssassin by its local rules, and DKIM, signed by two programs and checked by one
# after what relays do to headers. Each is skipped where it is missing: sh etc/setup full.
E2E=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
plan 9

# Mails as they would be sent, line ends and all: those of the demo, many papers, none, another language, a catch-up.
python3 "$E2E/budget.py" make many.jsonl 600
cp "$FIXTURES"/2026-03-0?.json .
write_config <<'Y'
source "days" { type = file  path = "*.json*" }
defaults { when = always  timezone = UTC  empty = note }
subscriber "ada@digest.test" { name = "Ada Ray"  filter "splats" { match = "splatting OR nerf" } filter "agents" { match = "agent*" } }
subscriber "zoe@digest.test" { name = "Zoë Ünal"  language = de  filter "alles" { match = "*" } }
subscriber "bob@digest.test" { filter "many" { match = "things"  limit = 500 }  max-papers = 500 }
subscriber "eve@digest.test" { outside = 0  filter "none" { match = "nosuchword" } }
Y
make_mails() {
	mkdir eml
	"$DIGEST" -c "$ROOT/etc/demo/digest.conf" --now 2026-08-22T07:00:00Z -n --out eml >said 2>&1 || { cat said; return 1; }
	"$DIGEST" --now 2026-03-06T08:00:00Z -n --out eml >said 2>&1 || { cat said; return 1; }
	rm -f eml/*.html eml/*.txt
	ls eml
	test "$(find eml -name '*.eml' | wc -l)" = 7
}
check 'seven mails are made'                    make_mails

# score FILE: what SpamAssassin gives without asking the network.
score() {
	spamassassin -L -t <"$1" 2>/dev/null | sed -n '1,/^$/s/^X-Spam-Status:.* score=\(-*[0-9.]*\).*/\1/p'
}
# not_spam MOST FILE...: at most so many points.
not_spam() {
	most=$1 rc=0
	shift
	for f in "$@"; do
		points=$(score "$f")
		echo "$f: $points"
		python3 -c 'import sys; sys.exit(not float(sys.argv[1]) <= float(sys.argv[2]))' "$points" "$most" || { rc=1; spamassassin -L -t <"$f" 2>/dev/null | sed -n '/Content analysis/,$p'; }
	done
	return $rc
}
if command -v spamassassin >/dev/null; then
	check 'SpamAssassin gives at most 1.0'  'not_spam 1.0 eml/[!b]*.eml'
	# MPART_ALT_DIFF_COUNT, 2.8: the text part of a mail beyond its budget names 500 papers, the HTML has room for 190.
	check 'of 500 papers at most 2.0'       'not_spam 2.0 eml/bob*.eml'
	check 'advertising would get more'      'f=$(find eml -name "ada@d*"); sed "s/^Subject: .*/Subject: MAKE MONEY FAST!!! 100% FREE VIAGRA \$\$\$/; s/^Date: .*/Date: Mon, 02 Mar 1998 08:00:00 +0000/; s/^Papers\r*$/XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X/" "$f" >spam.eml; test "$(score spam.eml | cut -d. -f1)" -ge 5'
else
	skip 3 'no spamassassin here'
fi

python=
for name in python3 /usr/bin/python3; do
	$name -c 'import dkim' 2>/dev/null && python=$name && break
done
openssl genrsa -out key.pem 2048 2>/dev/null
public=$(openssl rsa -in key.pem -pubout -outform DER 2>/dev/null | base64 | tr -d '\n')
if [ -n "$python" ]; then
	check 'signed by dkimpy: folding is no harm, a header less is' '$python "$E2E/dkim_check.py" key.pem "$public" eml/*.eml'
	check 'another key verifies nothing'    'openssl genrsa -out other.pem 2048 2>/dev/null; ! $python "$E2E/dkim_check.py" other.pem "$public" eml/bob*.eml >/dev/null'
else
	skip 2 'no python3-dkim here'
fi
if [ -n "$python" ] && command -v opendkim-testmsg >/dev/null; then
	mkdir signed
	check 'OpenDKIM signs all of them'      'for f in eml/*.eml; do opendkim-testmsg -C -d digest.test -s s1 -k key.pem <"$f" >"signed/${f##*/}" || exit 1; done; test "$(grep -l "^DKIM-Signature" signed/* | wc -l)" = 7'
	check 'dkimpy finds its signatures right, folded or not' '$python "$E2E/dkim_check.py" key.pem "$public" signed/*.eml'
	check 'one byte more in the body breaks them' 'f=$(find signed -name "ada@d*"); sed "s/is new/is now/; s/papers/pipers/" "$f" >broken.eml; ! $python "$E2E/dkim_check.py" key.pem "$public" broken.eml >said; grep -q "not so: holds as it is" said'
else
	skip 3 'no opendkim-tools here, or no python3-dkim'
fi
