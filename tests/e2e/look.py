"""The HTML part of a mail as people see it, in a browser: contrast, order, sizes, structure, what may stand in it.

look.py check FILE.html...    says what is wrong with each, a line for each finding; exit status 1 when there is any
look.py faults FILE.html      plants faults into a good page and wants each to be found
"""
import functools
import html.parser
import os
import re
import sys
import tempfile

import browser

WIDTHS = (360, 600, 800)
LEAST_CONTRAST, LEAST_SIZE = 4.5, 14
LEAST_PADDING = 80  # letters wide is what hides the text of the mail from the line behind the subject

# S-34, S-36, S-40: what mail programs understand and none takes for an attack.
TAGS = set("html head meta title style body div table tr td h1 h2 h3 p a b mark img".split())
ATTRIBUTES = set("lang dir charset name content class style role width height cellpadding cellspacing border align href src alt".split())
PROPERTIES = set("""color background-color border-top border-bottom border-color border-radius color-scheme supported-color-schemes display font
    font-family font-size font-weight line-height margin height max-height max-width object-fit overflow overflow-wrap padding padding-left padding-right
    mso-hide text-align text-decoration width word-break -webkit-box-orient -webkit-line-clamp -webkit-text-size-adjust""".split())
BAD_VALUES = re.compile(r"url\(|var\(|expression|calc\(|@import|\bflex|\bgrid|\d(?:r?em|v[wh]|ex|ch|in|cm|mm|pt)\b", re.I)

# Each text that is seen, with the colours it is drawn in, and where its block begins.
TEXTS = """(() => {
    const found = [], blocks = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
        const text = node.textContent.trim(), e = node.parentElement;
        if (text === "" || e.getClientRects().length === 0) continue;
        const style = getComputedStyle(e);
        let ground = e, opacity = 1, block = e;
        for (let up = e; up; up = up.parentElement) opacity *= getComputedStyle(up).opacity;
        while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
        while (getComputedStyle(block).display === "inline") block = block.parentElement;
        found.push({text: text.slice(0, 60), ink: style.color, opacity: opacity, size: parseFloat(style.fontSize),
            ground: ground ? getComputedStyle(ground).backgroundColor : "none"});
        if (!blocks.length || blocks[blocks.length - 1].e !== block)
            blocks.push({e: block, text: text.slice(0, 60), top: block.getBoundingClientRect().top});
    }
    return {texts: found, blocks: blocks.map(b => [b.text, b.top]), wide: document.documentElement.scrollWidth - innerWidth,
        over: [...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName)};
})()"""

STRUCTURE = """(() => {
    const all = selector => [...document.querySelectorAll(selector)], said = [];
    const say = text => said.push(text);
    const root = document.documentElement, outer = document.querySelector("table");
    if (!root.lang || !root.dir || outer.lang !== root.lang || outer.dir !== root.dir) say("lang and dir of page and outer table");
    for (const table of all("table")) if (table.getAttribute("role") !== "presentation") say("a table that is no layout");
    const levels = all("h1,h2,h3,h4,h5,h6").map(h => +h.tagName[1]);
    if (levels.filter(level => level === 1).length !== 1 || levels[0] !== 1) say("not one h1 at the top: " + levels);
    levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) say("a heading skips a level: " + levels); });
    for (const h of all("h1,h2,h3")) if (!h.textContent.trim()) say("an empty heading");
    for (const a of all("a")) {
        const text = a.textContent.trim();
        if (!text || /^(https?:|mailto:|www\\.)/i.test(text)) say("a link without words: " + (text || a.href));
        if (!/^(https?:|mailto:)/.test(a.getAttribute("href"))) say("a link elsewhere: " + a.getAttribute("href"));
    }
    for (const img of all("img")) {
        if (!img.hasAttribute("alt") || !+img.getAttribute("width") || !+img.getAttribute("height")) say("an image without alt or size");
        if (!/^https:/.test(img.getAttribute("src"))) say("an image not by https: " + img.getAttribute("src"));
    }
    for (const e of all("[style*=max-width]")) if (e.tagName !== "TABLE") say("max-width of a " + e.tagName);
    for (const td of all("td")) if (td.getAttribute("style") && !td.closest("table[width]")) say("a table without a width");
    const first = document.body.firstElementChild;
    const lead = first ? first.textContent : "";
    if (getComputedStyle(first).display !== "none" || !lead.trim()) say("no line behind the subject");
    else if (!/mso-hide:all/.test(first.getAttribute("style"))) say("the line behind the subject is seen in Outlook");
    else if (2 * (lead.split("\u2003").length - 1) < LEAST) say("the line behind the subject has too little padding");
    return said;
})()""".replace("LEAST", str(LEAST_PADDING))


def numbers(colour):
    """"rgb(17, 34, 51)" as red, green, blue and opacity, each from 0 to 1."""
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)]
    return [part / 255 for part in parts[:3]], parts[3] if len(parts) > 3 else 1.0


def luminance(rgb):
    """WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def as_it_is(rgb):
    return rgb


def turned(rgb):
    """invert(1) hue-rotate(180deg) of Filter Effects, as programs do that turn a whole mail dark."""
    r, g, b = (1 - c for c in rgb)
    rows = ((-0.574, 1.430, 0.144), (0.426, 0.430, 0.144), (0.426, 1.430, -0.856))
    return [min(1, max(0, x * r + y * g + z * b)) for x, y, z in rows]


def lightness_turned(rgb):
    """The lightness of HSL upside down, hue and saturation kept, as programs do that turn each colour by itself."""
    shift = 1 - max(rgb) - min(rgb)
    return [c + shift for c in rgb]


DRAWN = {"as it is": as_it_is, "inverted": turned, "with lightness inverted": lightness_turned}


def contrast(ink, ground):
    high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@functools.lru_cache(None)
def contrasts(ink, ground):
    """By the ways to draw a mail; none for colours that let others through."""
    (ink, ink_alpha), (ground, ground_alpha) = numbers(ink), numbers(ground)
    if ink_alpha < 1 or ground_alpha < 1:
        return {}
    return {name: contrast(turn(ink), turn(ground)) for name, turn in DRAWN.items()}


class Markup(html.parser.HTMLParser):
    """Tags, attributes and style sheets against the lists."""

    def __init__(self):
        super().__init__()
        self.said, self.in_style = [], False

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.said.append(f"a tag {tag}")
        self.in_style = tag == "style"
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.said.append(f"an attribute {name} of {tag}")
            if name == "style":
                self.check_declarations(value or "")

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_data(self, data):
        if self.in_style:
            if len(data) > 16 * 1024:
                self.said.append("a style sheet above 16 KB")
            for block in re.findall(r"\{([^{}]*)\}", data):
                self.check_declarations(block)

    def check_declarations(self, text):
        for declaration in filter(str.strip, text.split(";")):
            name, _, value = declaration.partition(":")
            if name.strip().lower() not in PROPERTIES:
                self.said.append(f"a property {name.strip()}")
            if BAD_VALUES.search(value):
                self.said.append(f"a value {value.strip()} of {name.strip()}")


def without_style(page):
    return re.sub(r"<style>.*?</style>", "", page, flags=re.S)


def without_images(page):
    return re.sub(r'(<img\b[^>]*?)\bsrc="[^"]*"', r'\1src=""', page)


def check_texts(seen, way, say):
    for text in seen["texts"]:
        ratios = contrasts(text["ink"], text["ground"]) if text["ground"] != "none" and text["opacity"] == 1 else {}
        if not ratios:
            say(f"{way}: '{text['text']}' is seen through")
        for name, ratio in ratios.items():
            if ratio < LEAST_CONTRAST:
                say(f"{way}, {name}: contrast {ratio:.2f} of {text['ink']} on {text['ground']}: '{text['text']}'")
        if text["size"] < LEAST_SIZE:
            say(f"{way}: {text['size']:g} pixels: '{text['text']}'")


def check_order(seen, way, say):
    for (above, top), (below, bottom) in zip(seen["blocks"], seen["blocks"][1:]):
        if bottom < top - 1:
            say(f"{way}: '{below}' stands above '{above}', which comes before it")
    if seen["wide"] > 0 or seen["over"]:
        say(f"{way}: {seen['wide']} pixels too wide: {' '.join(seen['over'][:5])}")


def check_page(page, view, folder, widths=WIDTHS):
    """All findings of one page; none twice."""
    said = []

    def say(text):
        if text not in said:
            said.append(text)

    def draw(text):
        path = os.path.join(folder, "page.html")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        view.open(path)

    markup = Markup()
    markup.feed(page)
    for finding in markup.said:
        say(finding)
    orders = set()
    ways = [("", page, widths), (" without style sheet", without_style(page), widths[::2])]
    if "<img" in page:
        ways.append((" without images", without_images(page), widths[:1]))
    for name, text, these in ways:
        for width in these:
            view.look(width)
            draw(text)
            for dark in (False, True):
                view.look(width, dark=dark)
                seen, way = view.run(TEXTS), f"{width} pixels{', dark' if dark else ''}{name}"
                check_texts(seen, way, say)
                check_order(seen, way, say)
                orders.add(tuple(text["text"] for text in seen["texts"]))
            if [url for url in view.asked if not url.startswith("https://")] or view.asked and "<img" not in page:
                say(f"the page asks for {view.asked[0]}")
        if not name:
            for finding in view.run(STRUCTURE):
                say(finding)
    if len(orders) != 1:
        say("not every way shows the same texts in the same order")
    return said


# What is put in place of what, and what is to be found then.
FAULTS = (
    (r'(<p class="m" style="[^"]*)color:#[0-9a-f]+', r"\1color:#999", "contrast 2."),
    (r"</style>", r"@media (prefers-color-scheme:dark){.m{color:#555!important}}\g<0>", "dark, as it is: contrast"),
    (r'<h2 style="', r'\g<0>color:#666;background-color:#fff;opacity:.4;', "is seen through"),
    (r'(<p class="m" style="[^"]*)font-size:14px', r"\1font-size:11px", "11 pixels"),
    (r"<h1(.*?)</h1>", r"<h2\1</h2>", "not one h1"),
    (r"<h2(.*?)</h2>", r"<p\1</p>", "a heading skips a level"),
    (r' role="presentation"', "", "a table that is no layout"),
    (r"(<table[^>]*) lang=\"en\"", r"\1", "lang and dir of page"),
    (r">abs</a>", ">https://arxiv.org/abs/1</a>", "a link without words"),
    (r'href="https', 'href="javascript', "a link elsewhere"),
    (r"</h3>", "</h3><img src=\"http://x.example/a.png\" width=\"1\" height=\"1\" alt=\"\">", "an image not by https"),
    (r"</h3>", "</h3><img src=\"https://x.example/a.png\">", "an image without alt"),
    (r"</h3>", "</h3><p style=\"position:relative;top:900px\">x</p>", "stands above"),
    (r"</h3>", "</h3><p style=\"position:relative\">x</p>", "a property position"),
    (r"</h3>", "</h3><p style=\"width:900px\">x</p>", "too wide"),
    (r"</h3>", "</h3><p style=\"width:90vw\">x</p>", "a value 90vw of width"),
    (r"</h3>", "</h3><video></video>", "a tag video"),
    (r"</h3>", "</h3><p onclick=\"\">x</p>", "an attribute onclick"),
    (r"(<style>)", r"\1.b{display:flex}", "a value flex of display"),
    (r"(<style>)", r"\1.s{display:none}", "the same texts"),
    (r"(&emsp;&#847;)+", "", "too little padding"),
    ("mso-hide:all;", "", "seen in Outlook"),
    (r'<div style="display:none', '<div style="', "no line behind"),
)


def plant_faults(page, view, folder):
    """The faults that were not found."""
    for pattern, by, wanted in FAULTS:
        planted, n = re.subn(pattern, by, page, count=1, flags=re.S)
        if n == 0:
            yield f"{pattern} is not in the page"
            continue
        said = check_page(planted, view, folder, WIDTHS[1:2])
        if not any(wanted in finding for finding in said):
            yield f"{pattern} -> {by}: '{wanted}' is not among {said[:3]}"


def main():
    bad = False
    with browser.Browser() as view, tempfile.TemporaryDirectory() as folder:
        for path in sys.argv[2:]:
            with open(path, encoding="utf-8") as file:
                page = file.read()
            look = plant_faults if sys.argv[1] == "faults" else check_page
            for finding in look(page, view, folder):
                print(f"{os.path.basename(path)}: {finding}")
                bad = True
    return bad


if __name__ == "__main__":
    sys.exit(main())
