#!/usr/bin/env python3
"""Digests of many papers: what each paper became in both parts. Standard library only.

usage: budget.py make FILE COUNT [WIDE]    so many papers as JSON lines; the first has the most votes; WIDE: in Chinese
       budget.py check MAILDIR COUNT LIMIT    the one mail in it keeps the limit, and loses nothing without saying so
"""

import email
import email.policy
import html
import json
import os
import re
import sys

FULL, SHORT, LINE, NONE = 3, 2, 1, 0


def title(number):
    return f"Paper number {number} about things"


def make(path, count, wide):
    with open(path, "w", encoding="utf-8") as lines:
        for n in range(count):
            abstract = f"We study lead {n}. " + (("這是一項關於大規模場景的研究。" * 30) if wide else "Much is learnt and little is forgotten. " * 20) + f" At last rest {n} comes."
            lines.write(json.dumps({"id": f"2603.{10000 + n}", "title": title(n), "abstract": abstract, "listed": "2026-03-03", "votes": 90000 - n,
                                    "authors": ["Ada Ray", "Bo Li"], "code_url": f"https://code.digest.test/{n}"}) + "\n")


TITLE = re.compile(title(1).replace("1", r"(\d+)"))


def numbers(pattern, text):
    return {int(number) for number in re.findall(pattern, text)}


def sizes_of(markup, count):
    """What each paper has become."""
    cards = numbers(r"<h3[^>]*>(?:<[^>]*>)*" + TITLE.pattern + "<", markup)
    whole = numbers(r"rest (\d+) comes", markup)
    lines = numbers(">" + TITLE.pattern + "<", markup[markup.index("<h1"):])
    return [(FULL if n in whole else SHORT) if n in cards else LINE if n in lines else NONE for n in range(count)]


def more_in(text):
    """Of all lines 'and N more'."""
    return sum(int(n.replace(",", "")) for n in re.findall(r"\band ([0-9,]+) more\b", text))


def check(maildir, count, limit):
    names = os.listdir(os.path.join(maildir, "new"))
    assert len(names) == 1, names
    with open(os.path.join(maildir, "new", names[0]), "rb") as file:
        raw = file.read()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    plain, page = mail.iter_parts()
    coded = page.as_bytes().split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")  # as it goes over the wire
    text, markup = plain.get_content(), page.get_content()
    decoded, markup = len(markup.encode()), re.sub("</?mark[^>]*>", "", markup)
    print(f"{count} papers: HTML {len(coded)} coded, {decoded} decoded; text {len(text.encode())}; mail {len(raw)}")
    assert len(coded) <= limit and decoded <= limit, "the HTML part is too large"
    sizes = sizes_of(markup, count)
    print("full, short, lines, none:", [sizes.count(s) for s in (FULL, SHORT, LINE, NONE)])
    assert sizes == sorted(sizes, reverse=True), "a paper is larger than a better one"
    said = re.search(r">Papers</h1>", markup) and html.unescape(re.sub("<[^>]*>", " ", markup))
    assert sizes.count(NONE) == more_in(said), f"{sizes.count(NONE)} have no place, {more_in(said)} are told"
    # What is cut is cut late: there is no room for a step less.
    if sizes.count(FULL) < min(count, 500):
        step = 3000 if text.isascii() else 6000  # the rest of an abstract
        assert len(coded) > limit - step, "there was room for more"
    named = sorted(numbers(TITLE, text))
    assert named == list(range(len(named))), "the text leaves one out"
    assert len(named) + more_in(text) == count, f"the text names {len(named)} and tells {more_in(text)} more"
    assert len(named) >= min(count, 530), "the text has room for all that limits allow"
    if more_in(said):
        assert re.search(r"more: digest -u ada@digest\.test search '@\"things\"'", said), "where the rest is"
    for part in (text, markup):
        assert part.count("subject=unsubscribe") >= 2, "unsubscribe at both ends"
        assert "1 Main Street" in part and "read from" in part, "the foot"
    assert markup.rstrip().endswith("</html>") and markup.index("subject=unsubscribe") < 20480


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), len(sys.argv) > 4)
    else:
        check(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
