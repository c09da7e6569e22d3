#!/usr/bin/env python3
"""Look at mails that digest made, with the standard library only.

usage: mails.py papers FOLDER          per mail one line: day, address, ids of its papers in order
       mails.py check FOLDER           no defects, two parts, both with the same papers in the same order
       mails.py token FOLDER ADDRESS   the unsubscribing token of a mail to that address
       mails.py html FOLDER ADDRESS    the HTML part of the last mail to that address, decoded; text: the other one
"""

import email
import email.policy
import email.utils
import html.parser
import os
import re
import sys

PAPER = re.compile(r"https://(?:arxiv\.org/abs|huggingface\.co/papers)/(\d{4}\.\d{4,5})")
PAPER_LINE = re.compile(r"^\s+abs: https://arxiv\.org/abs/(\d{4}\.\d{4,5})$", re.MULTILINE)


class Markup(html.parser.HTMLParser):
    """The links of headings, and whatever must not be in a mail."""

    FORBIDDEN = {"script", "iframe", "object", "embed", "form", "input", "base", "link", "svg", "img", "video", "audio"}

    def __init__(self):
        super().__init__()
        self.papers, self.faults, self.heading = [], [], 0

    def handle_starttag(self, tag, attrs):
        if tag in self.FORBIDDEN:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            value = (value or "").strip().lower()
            if name.startswith("on"):
                self.faults.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action", "background") and not re.match(r"(https?|mailto):", value):
                self.faults.append(f"{tag} {name}={value}")
            if name == "style" and ("url(" in value or "expression(" in value):
                self.faults.append(f"{tag} style={value}")
        if tag == "h3":
            self.heading += 1
        if tag == "a" and self.heading:
            match = PAPER.match(dict(attrs).get("href") or "")
            if match:
                self.papers.append(match.group(1))

    def handle_endtag(self, tag):
        if tag == "h3":
            self.heading -= 1


def mails_below(folder):
    found = []
    for name in ("new", "cur"):
        path = os.path.join(folder, name)
        for file in sorted(os.listdir(path)) if os.path.isdir(path) else []:
            with open(os.path.join(path, file), "rb") as bytes_of:
                found.append((file, email.message_from_bytes(bytes_of.read(), policy=email.policy.default)))
    return found


def parts(mail):
    return [part.get_content() for part in mail.iter_parts()]


def papers_of(mail):
    markup = Markup()
    markup.feed(parts(mail)[1])
    return markup


def check(folder):
    faults = [] if mails_below(folder) else ["no mail"]
    for file, mail in mails_below(folder):
        for part in mail.walk():
            faults += [f"{file}: {type(defect).__name__}" for defect in part.defects]
        kinds = [part.get_content_type() for part in mail.iter_parts()]
        if kinds != ["text/plain", "text/html"]:
            faults.append(f"{file}: parts {kinds}")
            continue
        markup = papers_of(mail)
        in_text = PAPER_LINE.findall(parts(mail)[0])
        if markup.papers != in_text or not in_text:
            faults.append(f"{file}: HTML has {markup.papers}, text {in_text}")
        faults += [f"{file}: {fault}" for fault in markup.faults]
    print("\n".join(faults))
    return 1 if faults else 0


def last_to(folder, address):
    mails = [mail for _, mail in mails_below(folder) if email.utils.parseaddr(mail["To"])[1] == address]
    return mails[-1]


def main():
    what, folder = sys.argv[1:3]
    if what == "check":
        sys.exit(check(folder))
    if what == "papers":
        for line in sorted("%s %s %s" % (email.utils.parsedate_to_datetime(mail["Date"]).date(),
                                         email.utils.parseaddr(mail["To"])[1], " ".join(papers_of(mail).papers))
                           for _, mail in mails_below(folder)):
            print(line)
    elif what == "token":
        link = last_to(folder, sys.argv[3])["List-Unsubscribe"]
        print(re.search(r"subject=unsubscribe%20([a-z0-9]+)>", link).group(1))
    else:
        print(parts(last_to(folder, sys.argv[3]))[what == "html"])


if __name__ == "__main__":
    main()
