#!/usr/bin/env python3
"""Papers as nobody should publish them, and a look at what became of them in mails. Standard library only.

usage: hostile.py make FOLDER     papers.jsonl, and readers.conf with a reader for each paper
       hostile.py check MAILDIR   each reader's mail: subject, both parts and headers hold the title as it should be
"""

import email
import email.header
import email.policy
import email.utils
import html.parser
import json
import os
import random
import re
import sys
import unicodedata

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
DROPPED = re.compile("[" + BIDI + "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
HEADERS = {"date", "from", "to", "subject", "message-id", "mime-version", "content-type", "list-id", "list-unsubscribe",
           "list-post", "auto-submitted", "precedence", "reply-to", "feedback-id", "x-auto-response-suppress"}

# What a title is, and what of it must be read in the mail (the whole of it where the second is None).
TITLES = [
    ("Harmless\r\nBcc: victim@digest.test\r\n\r\n<h1>Body</h1>", "Harmless Bcc: victim@digest.test <h1>Body</h1>"),
    ("Harmless\nSubject: other\n.\nMAIL FROM:<x@digest.test>", "Harmless Subject: other . MAIL FROM:<x@digest.test>"),
    ("Line\u2028and paragraph\u2029and next\x85line\x0bform\x0cfeed", "Line and paragraph and next line form feed"),
    ("=?utf-8?q?=0D=0ABcc=3A_a=40b?= =?utf-8?b?QmNj?=", None),
    ("Long " + "a" * 100000, "Long aaaaaaaa"),
    ("Wide " + "\u6f22" * 20000, "Wide \u6f22\u6f22"),
    ("Emoji " + "\U0001f468\u200d\U0001f469\u200d\U0001f467 " * 1000, "Emoji \U0001f468"),
    ("Override \u202eevil\u202c and isolate \u2067x\u2069 end", "Override evil and isolate x end"),
    ("Open override \u202e\u2066", "Open override"),
    ("\u05e9\u05dc\u05d5\u05dd and \u0645\u0631\u062d\u0628\u0627 (1) <b>", None),
    ("Zero\u200bwidth\u2060join\ufeffer\u00adsoft", "width"),
    ("Zalgo e" + "\u0301" * 10000 + "nd", "Zalgo"),
    ("Marks first " + "\u0336" * 10000, "Marks first"),
    ("%s %n %x %99999d %*s %% %1$s", None),
    ("{{title}} {{{list.name}}} {{#sections}}x{{/sections}} {{! gone }} {{> card.txt}} {{=<% %>=}}", None),
    ("${HOME} $(id) `id` \\x41 \\u0041 \\n %0a &amp; &#60;b&#62; &lt;", None),
    ("$5 and $6 and $", None),
    ("<% 7*7 %> #{7*7} {% raw %} [[x]] @{x} ~{x}", None),
    ("<script>alert(1)</script><!-- --><svg onload=alert(1)> ]]> </title></textarea>", None),
    ("\" onmouseover=\"alert(1)\" x='", None),
    ("From me to you\n.\n..\nFrom: x", "From me to you . .. From: x"),
    (".", None),
    ("\x1b[31mred\x07\x9b31m \x00nul", "red"),
    ("\ud800 lone \udfff halves", "\ufffd lone \ufffd halves"),
    ("A, B; C: D <a@b.c> (d) \"e\" \\f", None),
    ("<math><mi>x</mi></math> &Sigma; \u2211 \u222b", None),
    ("soft=0Abreak= =\n=3D", "soft=0Abreak= = =3D"),
    ("-- ", "--"),
    ("begin 644 x\n`\nend", "begin 644 x ` end"),
    ("\ufffe\uffff\U0010ffff \ue000 noncharacters", "noncharacters"),
]
PIECES = ["\r\n", "\n.\n", "Bcc: a@b", "{{x}}", "{{{y}}}", "%s", "%n", "$x$", "\\", "\u202e", "\u2067", "\u0301" * 20, "\u200d", "\x00",
          "<b>", "</a>", "\"", "'", "&amp;", "=?", "?=", "=20", "\u6f22", "\U0001f600", "\u05d0", "\x1b[", " ", "a", "\t", "-", ".", "From ", "\ud83d"]


def titles():
    """The table, then a hundred put together by a die that falls the same way each time."""
    die = random.Random(5)
    made = []
    for number in range(100):
        text = f"N{number} " + "".join(die.choice(PIECES) for _ in range(die.randrange(1, 60)))
        made.append((text, f"N{number}"))
    return TITLES + made


def make(folder):
    readers = []
    with open(os.path.join(folder, "papers.jsonl"), "w", encoding="utf-8") as lines:
        for number, (title, _) in enumerate(titles()):
            long = len(title) > 5000
            paper = {"id": f"2603.{10000 + number}", "title": title, "tex": False, "abstract": title if long else title * 3,
                     "listed": "2026-03-03", "org": title[:100], "venue": title[:50], "comment": title[:400],
                     "authors": [title[:150], "Ada " + title[:10]], "keywords": [title[:40]],
                     "code_url": "https://code.digest.test/" + title[:60], "project_url": "javascript:" + title[:20],
                     "summary": "S " + title[:300], "summary_by": title[:30]}
            lines.write(json.dumps(paper, ensure_ascii=True) + "\n")
            readers.append(f'subscriber "r{number}@digest.test" {{ filter "one" {{ match = \'id:2603.{10000 + number}\' }} }}\n')
    with open(os.path.join(folder, "readers.conf"), "w", encoding="utf-8") as conf:
        conf.writelines(readers)


class Text(html.parser.HTMLParser):
    """The words of a page, and the elements it has."""

    def __init__(self):
        super().__init__()
        self.text, self.skip, self.tags = "", 0, set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.skip += tag in ("style", "title")

    def handle_endtag(self, tag):
        self.skip -= tag in ("style", "title")

    def handle_data(self, data):
        if not self.skip:
            self.text += data


def squeezed(text):
    return " ".join(text.split())


def is_cut(text, wanted):
    """A subject ends early, in an ellipsis."""
    return text.endswith("\u2026") and len(text) > 40 and wanted.startswith(text[:-1])


def runs_of_marks(text):
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        longest = max(longest, run)
    return longest


def faults_of(raw, wanted):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    head = raw.split(b"\n\n", 1)[0].decode("ascii", "replace")
    names = {line.split(":", 1)[0].lower() for line in re.sub(r"\n[ \t]", " ", head).split("\n")}
    for name in sorted(names - HEADERS):
        yield f"a header '{name}'"
    subject = str(email.header.make_header(email.header.decode_header(re.search(r"(?ms)^Subject: (.*?)(?=^\S|\Z)", head + "\n").group(1)
                                                                    .replace("\n", ""))))
    plain, markup = (part.get_content() for part in mail.iter_parts())
    page = Text()
    page.feed(markup)
    for name, text in (("subject", subject), ("text part", plain), ("HTML part", page.text)):
        if squeezed(wanted) not in squeezed(text) and not is_cut(squeezed(text), squeezed(wanted)):
            yield f"the {name} does not say {wanted[:80]!r}: {squeezed(text)[:200]!r}"
        found = DROPPED.search(text)
        if found:
            yield f"the {name} holds {found.group()!r}"
        if runs_of_marks(text) > 8:
            yield f"the {name} has {runs_of_marks(text)} marks in a row"
    if len(subject) > 600:
        yield f"a subject of {len(subject)} characters"
    for tag in page.tags & {"script", "svg", "math", "img", "iframe", "textarea"}:
        yield f"an element <{tag}>"


def check(maildir):
    mails = {}
    for name in os.listdir(os.path.join(maildir, "new")):
        with open(os.path.join(maildir, "new", name), "rb") as file:
            raw = file.read()
        mails.setdefault(email.utils.parseaddr(email.message_from_bytes(raw)["To"])[1], []).append(raw)
    bad = 0
    for number, (title, wanted) in enumerate(titles()):
        of_reader = mails.get(f"r{number}@digest.test", [])
        faults = list(faults_of(of_reader[0], wanted or title)) if len(of_reader) == 1 else [f"{len(of_reader)} mails"]
        for fault in faults:
            print(f"paper {number}: {fault}")
        bad += len(faults)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        check(sys.argv[2])
