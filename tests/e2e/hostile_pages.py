#!/usr/bin/env python3
"""300 papers that would like to be more than text, and the same number of harmless ones of the same shape. Standard library only.

usage: hostile_pages.py make FOLDER PORT       hostile/ and harmless/: papers.jsonl and digest.conf, readers p0@ to p5@digest.test
       hostile_pages.py frames FOLDER          all.html, which shows the pages out of FOLDER/{hostile,harmless,control}/*.html with a
                                               probe in each, and tells what became of them
       hostile_pages.py check DOM              of all.html, as the browser wrote it: what was found
       hostile_pages.py serve LOG              a server on loopback that logs who asks for anything; prints its port
"""

import html
import http.server
import json
import os
import re
import sys

COUNT, PAGES = 300, 6

# {u} is a place on a server of ours, where a script or a picture that gets loose would ask; {j} is a script that asks there.
MARKUP = [
    "<script>{j}</script>", "<script src={u}></script>", "<SCRIPT SRC='{u}'></SCRIPT>", "<scr\0ipt>{j}</scr\0ipt>", "<script\x0c>{j}</script>",
    "<img src={u}>", "<img src=x onerror={j}>", "<img src='x'onerror='{j}'>", "<image href={u}>", "<svg onload={j}>", "<svg/onload={j}//", "<svg><script>{j}</script></svg>",
    "<svg><image href='{u}'/></svg>", "<svg><use href='data:image/svg+xml,<svg id=x xmlns=\"http://www.w3.org/2000/svg\"><image href=\"{u}\"/></svg>#x'/></svg>",
    "<body onload={j}>", "<iframe src={u}></iframe>", "<iframe srcdoc='<script>{j}</script>'></iframe>", "<object data={u}></object>", "<embed src={u}>",
    "<link rel=stylesheet href={u}>", "<link rel=prefetch href={u}>", "<style>@import '{u}';</style>", "<style>*{{background:url({u})}}</style>",
    "<div style=\"background:url({u})\">x</div>", "<meta http-equiv=refresh content='0;url={u}'>", "<base href={u}>", "<form action={u}><input autofocus onfocus={j}></form>",
    "<video src={u} autoplay>", "<audio src={u} autoplay>", "<video poster={u}>", "<input type=image src={u}>", "<details open ontoggle={j}>x</details>",
    "<marquee onstart={j}>x</marquee>", "<a href='javascript:{j}'>x</a>", "<a href={u} autofocus onfocus={j} tabindex=1>x</a>", "<table background={u}><td>x</table>",
    "<math><mtext><img src={u}></mtext></math>", "<math href='javascript:{j}'>x</math>", "<template><script>{j}</script></template>", "<noscript><img src={u}></noscript>",
    "<xmp><img src={u}></xmp>", "<textarea><img src={u}></textarea>", "<title><img src={u}></title>", "<plaintext><img src={u}>", "<listing>&lt;img src={u}&gt;</listing>",
    "</title><script>{j}</script>", "</style><script>{j}</script>", "</textarea><img src={u}>", "--><img src={u}>", "<!--><img src={u}>-->", "<!--{j}--!><img src={u}>",
    "]]><img src={u}>", "<![CDATA[<img src={u}>]]>", "<?xml version='1.0'?><img src={u}>", "<!DOCTYPE x [<!ENTITY e SYSTEM '{u}'>]>&e;", "<%<img src={u}>%>",
    "</td></tr></table><img src={u}>", "</h3></p></td></tr></table></body></html><script>{j}</script>", "</a><a href='{u}'>click</a>", "<h1>Big</h1><h2>Bigger</h2><p>p</p>",
    "<mark class=k>marked</mark>", "<b>bold</b><i>it</i>", "<p/><br><hr>", "<p id=body name=body>", "<form id=x><input name=parentNode></form>",
    "\" onmouseover=\"{j}\" x=\"", "' onmouseover='{j}' x='", "` onmouseover=`{j}` x=`", "\"><script>{j}</script>", "'><script>{j}</script>", "\"/><img src={u}>", "\\\"><img src={u}>",
    "x style=background:url({u})", "&quot;&gt;&lt;script&gt;{j}&lt;/script&gt;", "&#60;script&#62;{j}&#60;/script&#62;", "&#x3c;script&#x3e;{j}", "&lt;img src={u}&gt;", "&ampt;&amp;lt;img src={u}&amp;gt;",
    "%3Cscript%3E{j}%3C/script%3E", "\\u003cscript\\u003e{j}\\u003c/script\\u003e", "\\x3cimg src={u}\\x3e", "+ADw-script+AD4-{j}+ADw-/script+AD4-", "\ufeff<script>{j}</script>",
    "\uff1cscript\uff1e{j}\uff1c/script\uff1e", "\u2039img src={u}\u203a", "<\u0338script>{j}</script>", "<script\u2028>{j}</script>", "<img\xa0src={u}>", "<img/src={u}>", "<img\tsrc\n=\r\n{u}>",
    # Markup that changes its meaning when it is written out and read again.
    "<noscript><p title=\"</noscript><img src={u}>\">", "<svg><style><img title=\"</style><img src={u}>\"></style></svg>", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src={u}&gt;\">",
    "<form><math><mtext></form><form><mglyph><svg><mtext><textarea><path id=\"</textarea><img src={u}>\">", "<svg></p><style><a id=\"</style><img src={u}>\">", "<listing><img title=\"</listing><img src={u}>\">",
    "<table><caption><svg><title><style><!--</style></title><img src=\"--><img src={u}>\">", "<select><template><style><!--</select><img src={u}>--></style>", "<xmp><p title=\"</xmp><img src={u}>\">",
    "<p title=\"`<img src={u}>`\">", "<select><iframe></select><img src={u}>", "<math><annotation-xml encoding=text/html><img src={u}></annotation-xml></math>", "<svg><foreignObject><img src={u}></foreignObject></svg>",
    # What is a template elsewhere.
    "{{{{paper.title}}}}", "{{{{{{card}}}}}}", "{{{{> card.html}}}}", "{{{{#sections}}}}x{{{{/sections}}}}", "{{{{=<% %>=}}}}<% card %>", "{{{{! comment", "${{7*7}}<img src={u}>", "<%= 7*7 %>", "{{% import os %}}", "#{{7*7}}",
    "{{{{constructor.constructor('{j}')()}}}}", "[[${{7*7}}]]", "@{{x}}~{{y}}", "%s%n%x%p", "$(curl {u})", "`curl {u}`", "; rm -rf / #", "' OR 1=1; DROP TABLE paper; --",
    # Lines and letters.
    "\r\nContent-Type: text/html\r\n\r\n<img src={u}>", "\r\n.\r\nMAIL FROM:<x@y.z>\r\n", "\n--=_boundary\nContent-Type: text/html\n\n<img src={u}>", "=3Cimg src=3D{u}=3E", "=?UTF-8?B?PGltZyBzcmM9eD4=?=", "\0<img src={u}>\0",
    "\u202e<img src={u}>\u202c", "\u2067\u2066\u202b\u202d<b>x</b>", "x" + "\u0301" * 3000 + "<img src={u}>", "\u0336" * 2000, "\u200b<\u200bscript>{j}", "\u00ad<\u00adimg src={u}>", "\x1b]8;;{u}\x07x\x1b]8;;\x07", "\x1b[31m\x9b31m<b>",
    "<img src={u}>" * 4000, "<" * 50000, "&" * 50000, "\"" * 50000, "a" * 100000, "\u6f22" * 40000, "<div>" * 10000, "&lt;" * 20000, "\U0001f468\u200d\U0001f469\u200d" * 2000, "$<script>{j}</script>$", "\\text{{<script>{j}</script>}}",
    "$\\href{{javascript:{j}}}{{x}}$", "\\url{{{u}}}\\includegraphics{{{u}}}", "\\textbf{{<b onclick={j}>x</b>}}", "$\\unicode{{x3c}}img src={u}$", "\\symbol{{60}}img src={u}>",
]
# Of links: what is none of the web is dropped, the rest is encoded; the second says whether a link is to be expected.
LINKS = [
    ("javascript:{j}", False), ("JaVaScRiPt:{j}", False), ("\x01javascript:{j}", False), (" javascript:{j}", False), ("java\tscript:{j}", False), ("javascript&colon;{j}", False),
    ("data:text/html,<script>{j}</script>", False), ("data:text/html;base64,PHNjcmlwdD4=", False), ("vbscript:x", False), ("file:///etc/passwd", False), ("about:blank", False),
    ("blob:{u}", False), ("view-source:{u}", False), ("mailto:x@digest.test", False), ("//digest.test/x", False), ("/x", False), ("x", False), ("?x", False), ("#x", False), ("", False),
    ("https://digest.test/\"><script>{j}</script>", True), ("https://digest.test/' onclick='{j}", True), ("https://digest.test/\" onmouseover=\"{j}", True), ("https://digest.test/` x", True),
    ("https://digest.test/<img src={u}>", True), ("https://digest.test/?a=1&quot;><script>{j}</script>", True), ("https://digest.test/\u202e\u2028x", True), ("https://digest.test/{{{{x}}}}", True),
    ("https://digest.test/%22%3E%3Cimg src={u}%3E", True), ("https://digest.test/&#34;&#62;", True), ("https://digest.test/javascript:{j}", True), ("https://digest.test/" + "a" * 1500, True),
    ("https://digest.test/\\..\\x", True), ("https://digest.test/#<svg onload={j}>", True), ("HTTPS://DIGEST.TEST/x", True),
]


def payloads(port):
    """The texts, more than one for each kind: as they are, behind what may close a place, and in the middle of words."""
    url = f"http://127.0.0.1:{port}/loose"
    script = f"(new(Image)).src='{url}?'+document.title;document.title='owned'"
    fill = {"u": url, "j": script}
    wraps = ["{}", "\"'>{}", "--></title></style></a></p>{}", "x {} y"]
    made = [(wrap.replace("{}", "\1"), text) for wrap in wraps for text in MARKUP]
    texts = [wrap.replace("\1", text.format(**fill)) for wrap, text in made][:COUNT]
    links = [(link.format(**fill), kept) for link, kept in LINKS]
    return texts, links


def paper(number, text, links, harmless):
    """The same members are there in both, and as many sentences, so that both make the same elements."""
    say = (lambda what, most=2000: f"{what} {number}") if harmless else (lambda what, most=2000: f"{what} {number} {text[:most]}")
    # A line of JSON has 256 KiB at most, and a letter six bytes.
    made = {"id": f"2603.{10000 + number}", "title": say("Title", 100000 if text.isascii() else 20000), "summary": say("Summary"), "summary_by": say("model"), "abstract": "One sentence stands here. " + say("Another"),
            "authors": [say("Ada"), say("Bo")], "org": say("Org"), "venue": say("Venue"), "comment": say("Note"), "keywords": [say("word")],
            "listed": "2026-03-03", "votes": 1000 - number, "comments": 7, "stars": 3, "tex": number % 2 == 0}
    for k, member in enumerate(("code_url", "project_url", "discussion_url", "html_url", "pdf_url", "thumbnail_url")):
        link, kept = links[(number * 6 + k) % len(links)]
        if harmless:
            link = f"https://digest.test/{number}" if kept else ""
        made[member] = link
    return made


def quoted(text):
    return '"' + re.sub(r'(["\\$])', r"\\\1", re.sub("[\0-\x1f]", " ", text[:180])) + '"'


def make(folder, port):
    texts, links = payloads(port)
    for kind in ("hostile", "harmless"):
        harmless = kind == "harmless"
        os.makedirs(os.path.join(folder, kind))
        with open(os.path.join(folder, kind, "papers.jsonl"), "w", encoding="ascii") as lines:
            for number, text in enumerate(texts):
                lines.write(json.dumps(paper(number, text, links, harmless)) + "\n")
        with open(os.path.join(folder, kind, "digest.conf"), "w", encoding="utf-8") as conf:
            say = (lambda n: f"Name {n}") if harmless else (lambda n: f"Name {n} {texts[n]}")
            conf.write(f'list {{ from = "papers@digest.test"  name = {quoted(say(0))}  postal-address = {quoted(say(69))} }}\n'
                       'store { path = "digest.db" }  templates { html-limit = 1000000 }\n'
                       f'smtp "box" {{ url = "maildir:Mail" }}\nsource {quoted(say(6))} {{ type = file  path = "papers.jsonl" }}\n')
            for page in range(PAGES):
                ids = " OR ".join(f"id:2603.{10000 + n}" for n in range(page, COUNT, PAGES))
                conf.write(f'subscriber "p{page}@digest.test" {{ name = {quoted(say(page + 9))}  when = always  limit = 100  max-papers = 100  outside = 0\n'
                           f"  filter {quoted(say(page + 66))} {{ match = '{ids}'  sort = votes }} }}\n")


PROBE = """<script>
addEventListener("load", function () { setTimeout(function () {
	function shape(node) {
		var out = [];
		for (var e of node.querySelectorAll("*")) {
			if (e.id == "probe" || e.closest("head script")) continue;
			var names = Array.from(e.attributes, function (a) { return a.name; }).filter(function (n) { return n != "lang" && n != "dir"; });
			out.push(e.tagName + "[" + names.sort() + "]");
		}
		return out.join(" ");
	}
	document.querySelectorAll("script").forEach(function (e) { if (e.textContent.indexOf("probe") >= 0) e.id = "probe"; });
	var again = new DOMParser().parseFromString(document.documentElement.outerHTML, "text/html");
	var links = Array.from(document.querySelectorAll("[href],[src]"), function (e) { return e.getAttribute("href") || e.getAttribute("src"); });
	window.saw = JSON.stringify({ shape: shape(document), again: shape(again), owned: document.title.indexOf("owned") == 0, papers: document.querySelectorAll("h3").length,
		links: links.filter(function (l) { return !/^(https?:\\/\\/|mailto:)[!-~]+$/.test(l); }), asked: performance.getEntriesByType("resource").length });
}, 200); });
</script>"""


def frames(folder):
    """One page with all pages in it, so that the browser is started once."""
    names = []
    for kind in ("hostile", "harmless", "control"):
        for name in sorted(os.listdir(os.path.join(folder, kind))):
            if not name.endswith(".html"):
                continue
            path = os.path.join(folder, kind, name)
            with open(path, encoding="utf-8") as file:
                page = file.read()
            before, end, behind = page.rpartition("</body>")
            with open(path[:-5] + ".probe", "w", encoding="utf-8") as file:
                file.write(before + PROBE + end + behind)
            os.rename(path[:-5] + ".probe", path[:-5] + "-probe.html")
            names.append(f"{kind}/{name[:-5]}-probe.html")
    with open(os.path.join(folder, "all.html"), "w", encoding="utf-8") as file:
        file.write("<!DOCTYPE html><body>" + "".join(f'<iframe src="{name}" width=600 height=400></iframe>' for name in names) + """
<script>addEventListener("load", function () { setTimeout(function () {
	var out = document.createElement("pre");
	out.id = "saw";
	out.textContent = JSON.stringify(Array.from(frames, function (f, i) { return [document.querySelectorAll("iframe")[i].getAttribute("src"), f.saw || ""]; }));
	document.body.replaceChildren(out);
}, 1500); });</script>""")


def check(path):
    with open(path, encoding="utf-8") as file:
        found = re.search(r'<pre id="saw">(.*?)</pre>', file.read(), re.DOTALL)
    assert found, "the browser tells nothing"
    saw = {name: json.loads(text) for name, text in json.loads(html.unescape(found.group(1))) if text}
    kinds = {kind: {name.split("/")[1]: page for name, page in saw.items() if name.startswith(kind)} for kind in ("hostile", "harmless", "control")}
    assert len(kinds["hostile"]) == len(kinds["harmless"]) == PAGES, sorted(saw)
    papers = 0
    for name, page in kinds["hostile"].items():
        papers += page["papers"]
        assert not page["owned"], f"{name}: a script has run"
        assert not page["links"], f"{name}: links {page['links'][:3]}"
        assert page["asked"] == 0, f"{name}: {page['asked']} requests"
        assert page["shape"] == page["again"], f"{name}: reads differently when it is read again"
        mine, other = page["shape"].split(" "), kinds["harmless"][name]["shape"].split(" ")
        for k, (one, two) in enumerate(zip(mine, other)):
            assert one == two, f"{name}: element {k} is {one}, of harmless papers {two}; behind {mine[max(0, k - 4):k]}"
        assert len(mine) == len(other), f"{name}: {len(mine)} elements, of harmless papers {len(other)}"
    assert papers == COUNT, f"{papers} papers"
    for name, page in kinds["control"].items():
        assert page["owned"] and page["asked"] > 0, f"{name}: the probe does not see what it is there for"
    assert kinds["control"], "no control"
    print(f"{papers} papers in {PAGES} pages, the elements of harmless ones")


def serve(log):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with open(log, "a", encoding="utf-8") as file:
                file.write(self.requestline + "\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    else:
        {"frames": frames, "check": check, "serve": serve}[sys.argv[1]](sys.argv[2])
