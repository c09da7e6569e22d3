"""The HTML part of a digest against the rules of layout: what mail programs understand, and what readers need. Of mail_lint.py."""

import html.parser
import re

TAGS = {"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "h3", "p", "a", "b", "i", "strong",
        "em", "mark", "span", "br", "img"}
VOID = {"meta", "br", "img"}
ATTRIBUTES = {"lang", "dir", "charset", "name", "content", "class", "style", "role", "width", "height", "cellpadding", "cellspacing", "border",
              "align", "valign", "href", "src", "alt", "title", "aria-hidden", "http-equiv"}
BAD_CSS = re.compile(r"\bflex\b|\bgrid\b|float\s*:|position\s*:|var\(|url\(|@import|@font-face|\drem\b|expression\(|behavior\s*:|-moz-binding", re.IGNORECASE)
LINK = re.compile(r"(https?://|mailto:)[!-~]+")
SPACER = re.compile(r"font-size:\s*1px|display:\s*none|mso-hide")
MAX_STYLE = 16 * 1024
TOP = 20 * 1024


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    """WCAG 2: 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def declarations(style):
    found = {}
    for part in style.split(";"):
        name, colon, value = part.partition(":")
        if colon:
            found[name.strip().lower()] = value.replace("!important", "").strip().lower()
    return found


class Page(html.parser.HTMLParser):
    """Walks the page once; finds as it goes."""

    def __init__(self, find):
        super().__init__()
        self.find, self.stack, self.counts = find, [], {}
        self.css, self.links, self.heading = "", [], ""
        self.colours = {}

    def say(self, rule, what):
        self.find.add(rule, f"text/html: {what}")

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in TAGS:
            self.say("S-40" if tag == "script" else "S-34", f"an element <{tag}>")
        for name, value in attrs:
            self.check_attribute(tag, name, value or "")
        if len(values) != len(attrs):
            self.say("S-34", f"an attribute twice in <{tag}>")
        self.check_element(tag, values)
        if tag not in VOID:
            self.stack.append(tag)

    def check_attribute(self, tag, name, value):
        if name.startswith("on"):
            self.say("S-40", f"an event in <{tag}>: {name}")
        elif name not in ATTRIBUTES:
            self.say("S-34", f"an attribute of <{tag}>: {name}")
        if name in ("href", "src") and not LINK.fullmatch(value):
            self.say("S-40", f"a link '{value[:80]}'")
        if name == "style":
            self.check_style(tag, value)

    def check_style(self, tag, value):
        if BAD_CSS.search(value):
            self.say("S-34", f"style of <{tag}>: {BAD_CSS.search(value).group()}")
        style = declarations(value)
        if "max-width" in style and tag != "table":
            self.say("S-36", f"max-width on <{tag}>")
        if any(unit in style.get("font-size", "") for unit in ("em", "pt", "vw")):
            self.say("S-36", f"font-size {style['font-size']}")
        check_colours(style, f"<{tag}>", self.say)
        size = re.match(r"(\d+)px", style.get("font-size", ""))
        if size and int(size.group(1)) < 14 and not SPACER.search(value):
            self.say("S-39", f"text of {size.group()} in <{tag}>")

    def check_element(self, tag, values):
        if tag == "table":
            if values.get("role") != "presentation":
                self.say("S-39", "a table without role=presentation")
            if "width" not in values:
                self.say("S-36", "a table without width")
        if tag == "html" or (tag == "table" and self.counts["table"] == 1):
            if not values.get("lang") or values.get("dir") not in ("ltr", "rtl"):
                self.say("S-38", f"<{tag}> without lang and dir")
        if "class" in values and "style" not in values:
            self.say("S-35", f"<{tag} class={values['class']}> without a style of its own")
        if tag == "style" and "head" not in self.stack:
            self.say("S-35", "<style> outside of the head")
        if tag == "img" and "alt" not in values:
            self.say("S-39", "<img> without alt")
        if tag in ("h2", "h3"):
            above = "h1" if tag == "h2" else "h2"
            if not self.counts.get(above):
                self.say("S-39", f"<{tag}> before any <{above}>")
        if tag == "a":
            self.links.append([values.get("href", ""), ""])

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.say("S-34", f"</{tag}> closes what is not open")

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "style":
            self.css += data
        if "a" in self.stack:
            self.links[-1][1] += data

    def handle_comment(self, data):
        self.say("S-34", f"a comment: {data[:40]}")

    def unknown_decl(self, data):
        self.say("S-34", f"a declaration: {data[:40]}")

    def handle_pi(self, data):
        self.say("S-34", f"an instruction: {data[:40]}")


def check_colours(style, where, say):
    """S-37: one colour never without the other, and both far enough apart."""
    front, back = style.get("color"), style.get("background-color")
    if (front is None) != (back is None):
        say("S-37", f"{where} has a colour alone")
    elif front:
        if front == back == "inherit":
            return
        front, back = (re.sub("^#(.)(.)(.)$", r"#\1\1\2\2\3\3", colour) for colour in (front, back))
        if not re.fullmatch("#[0-9a-f]{6}", front) or not re.fullmatch("#[0-9a-f]{6}", back):
            say("S-37", f"{where} has colours that cannot be compared: {front}, {back}")
        elif contrast(front, back) < 4.5:
            say("S-37", f"{where} has a contrast of {contrast(front, back):.1f}")


def check_sheet(css, say):
    if len(css) > MAX_STYLE:
        say("S-35", f"<style> of {len(css)} bytes")
    if BAD_CSS.search(css):
        say("S-34", f"<style>: {BAD_CSS.search(css).group()}")
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        check_colours(declarations(body), selector.strip(), say)


def check_markup(markup, way_out, find):
    """Everything but what the text part has to do with. way_out: of the words of a link"""
    page = Page(find)
    page.feed(markup)
    page.close()
    if page.stack:
        page.say("S-34", f"<{page.stack[-1]}> is not closed")
    if not markup.startswith("<!DOCTYPE html>"):
        page.say("S-34", "no <!DOCTYPE html> at the beginning")
    check_sheet(page.css, page.say)
    for tag in ("html", "head", "title", "body", "h1"):
        if page.counts.get(tag, 0) != 1:
            page.say("S-39" if tag == "h1" else "S-34", f"{page.counts.get(tag, 0)} elements <{tag}>")
    for url, words in page.links:
        if not words.strip() or re.match(r"https?://|mailto:", words.strip()):
            page.say("S-39", f"a link without words: {url[:80]}")
    top = Page(Silent())
    top.feed(markup.encode()[:TOP].decode("utf-8", "ignore"))
    if not any(way_out.search(words) for _, words in top.links):
        page.say("S-33", "no link to unsubscribe in the first 20 KB")


class Silent:
    """Finds nothing."""

    def add(self, rule, what):
        pass
