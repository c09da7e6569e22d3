#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The HTML part before tidy, which knows the standard; gumbo, as strict as a browser is forgiving, reads it in 43-many-mails.t.
. "$(dirname "$0")/lib.sh"
command -v tidy >/dev/null || skip_all 'no tidy here; see etc/setup look'
plan 5

python3 "$E2E/many_mails.py" . 0 12 >/dev/null
mkdir html
python3 - <<'Y'
import email, email.policy, os
for number, name in enumerate(os.listdir("Mail/new")):
    with open("Mail/new/" + name, "rb") as file:
        _, page = email.message_from_bytes(file.read(), policy=email.policy.default).iter_parts()
    with open(f"html/{number}.html", "w", encoding="utf-8") as out:
        out.write(page.get_content())
Y

# What tidy says and we keep: Outlook centres a table by this attribute alone.
accepted='Warning: <td> attribute "align" not allowed for HTML5'
# complaints FILE...: what is left of what it says, each with its place.
complaints() {
	for f in "$@"; do
		tidy -e -q -utf8 "$f" 2>&1 | grep -v "$accepted" | sed "s|^|$f: |"
	done
}
check 'there are pages'                    'test "$(ls html | wc -l)" -ge 40'
check 'of digests nothing is wrong'        'complaints html/*.html >said; cat said; test ! -s said'
check 'of a preview neither'               '"$DIGEST" -c "$ROOT/etc/demo/digest.conf" --now 2026-08-22T07:00:00Z -n -u ada@example.org --format html >demo.html 2>err; test -s demo.html && complaints demo.html >said; cat said; test ! -s said'
spoilt() {
	sed "$1" demo.html >spoilt.html
	complaints spoilt.html | grep -q "$2"
}
check 'an element left open would be told' 'spoilt "s,</td></tr>,</tr>," "missing </td>" || spoilt "s,</h1>,," "missing </h1>"'
check 'so would an attribute of none'      'spoilt "s,<h1 ,<h1 colour=red ," "colour"'
