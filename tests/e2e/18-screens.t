#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# The HTML part in a browser: it fits a telephone and a desk, asks nobody for anything, and nothing of a paper runs.
. "$(dirname "$0")/lib.sh"
need_browser
plan 8

mkdir days
cp "$FIXTURES"/2026-*.json days/
python3 - <<'P'
import json
day = json.load(open("days/2026-03-05.json"))
long = dict(day[0]["paper"], id="2603.90010", title="Long" + "word" * 60 + " " + "W" * 120, summary="x" * 500 + " " + "y" * 300,
            githubRepo="https://github.com/" + "a" * 60 + "/" + "b" * 200, upvotes=99)
long["authors"] = [{"name": "N" * 150}]
long["organization"] = {"fullname": "O" * 150}
json.dump([{"paper": long, "title": long["title"]}], open("days/long.json", "w"))
P
write_config <<'X'
source "days" { type = file  path = "days/*.json" }
defaults { limit = 5 }
subscriber "ada@digest.test" { filter "splats" { match = "splatting OR nerf" } filter "a filter with a rather long name, to see whether a heading wraps" { match = "*" } }
X
"$DIGEST" --now 2026-03-06T08:00:00Z -n --format html >plain.html 2>err || cat err

# What the page has become is told in its title: its width, whether a script ran, and what it asked for.
python3 - <<'P'
page = open("plain.html", encoding="utf-8").read()
probe = """<script>
addEventListener("load", function () {
	var d = document.documentElement, wide = [];
	document.querySelectorAll("*").forEach(function (e) {
		var r = e.getBoundingClientRect();
		if (r.right > innerWidth + 1 && wide.length < 5) wide.push(e.tagName + ":" + Math.round(r.right));
	});
	var asked = performance.getEntriesByType("resource").length;
	document.body.innerHTML = "<pre>probe width=" + d.scrollWidth + " over=" + (d.scrollWidth - d.clientWidth) + " window=" + innerWidth + " asked=" + asked +
		" title=" + document.title.replace(/[^a-z]/gi, "") + " scripts=" + document.scripts.length + " wide=" + wide.join() + " end</pre>";
});
</script>"""
assert "</body>" in page
open("probe.html", "w", encoding="utf-8").write(page.replace("</body>", probe + "</body>"))
P
# A window is never narrower than 500 pixels, a frame may be.
for width in 360 800; do
	printf '<!DOCTYPE html><body style="margin:0"><iframe id="f" src="probe.html" style="border:0;width:%dpx;height:900px"></iframe>
<script>addEventListener("load", function () { document.title = "done"; document.body.append(document.getElementById("f").contentDocument.body.innerText); });</script>' $width >frame-$width.html
done
look_all() {
	for width in 360 800; do
		timeout 300 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --user-data-dir="$T/profile" \
			--allow-file-access-from-files --host-resolver-rules='MAP * ~NOTFOUND' --window-size=1000,900 --virtual-time-budget=2000 \
			--dump-dom "file://$T/frame-$width.html" >"dom-$width" 2>"browser-$width.err"
		grep -o 'probe width=.* end' "dom-$width" >"saw-$width"
	done
}
look_all
check 'the page is drawn'                      'test -s saw-360 && test -s saw-800 || { head -5 browser-360.err dom-360; exit 1; }'
check 'at 360 pixels nothing hangs over'       'cat saw-360; grep -q " over=0 window=360 .* wide= end" saw-360'
check 'at 800 pixels neither'                  'cat saw-800; grep -q " over=0 window=800 .* wide= end" saw-800'
check 'nothing is asked for'                   'cat saw-360; grep -q " asked=0 " saw-360'
check 'no script of a paper has run'           'cat saw-360; ! grep -q "title=owned " saw-360'
check 'there is no script but the probe'       'cat saw-360; grep -q " scripts=1 " saw-360 && ! grep -qi "<script" plain.html'
check 'no link but to the web and to mail'     'python3 -c "
import re
links = re.findall(r\"(?:href|src)=\\\"([^\\\"]*)\", open(\"plain.html\").read())
bad = [link for link in links if not re.match(r\"(https?://|mailto:)\", link)]
assert links and not bad, bad"'
check 'nothing is loaded by the style sheet'   '! grep -Eqi "url\(|@import|<link" plain.html'
