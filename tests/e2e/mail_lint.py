#!/usr/bin/env python3
"""Check mails that digest made against the rules it promises (RFC 5322, 2045-2047, 2369, 2919, 3834, 8058).

usage: mail_lint.py [--lf] [--delivered] [--smtputf8] FILE-OR-FOLDER...

A folder stands for every file below it (also a Maildir). One line per finding, "file: rule: what"; exit 1 if there is
one, 2 if there is no mail at all. Uses the standard library only and none of digest's own code.

--lf          lines end in LF, as in a Maildir, not in CRLF
--delivered   the mail passed a server, whose Return-Path, Received and the like do not count
--smtputf8    headers may hold raw UTF-8 (an address that needs it)
--html-limit  what templates.html-limit says, when it is not 80000
--decoded     also print a hash of each header and part as it was read, in the form of tests/mail/lint.c
"""

import argparse
import base64
import binascii
import datetime
import email
import email.header
import email.policy
import email.utils
import hashlib
import html.parser
import multiprocessing
import os
import re
import sys
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from markup_lint import check_markup  # noqa: E402

ONE_OF_EACH = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
               "List-Unsubscribe", "List-Post", "Auto-Submitted", "Precedence")
AT_MOST_ONE = ("Reply-To", "List-Unsubscribe-Post", "List-Help", "List-Archive", "List-Subscribe", "Sender")
NEVER = ("Bcc", "Return-Path", "Received", "Resent-From", "Resent-To")
NO_THREADS = ("In-Reply-To", "References")  # each digest stands alone: none may refer to a mail its reader never got
BY_SERVERS = {"return-path", "received", "delivered-to", "x-original-to", "received-spf", "authentication-results",
              "dkim-signature"}
ENCODED_WORD = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
PLAIN_URL = re.compile(r"https?://[^\s<>\"]+")
# A line that is a link, "pdf: https://..." or the URL alone; prose may hold URLs, too, and is none.
LINK_LINE = re.compile(r"^(?:[ \t]*[^:\n]{1,60}: )?(https?://[^\s<>\"]+)\r?$", re.MULTILINE)
COUNTS = re.compile(r"[0-9.,]+ (?:papers?|Artikel) (?:read from|gelesen aus) [^\n]*; [0-9.,]+ (?:matched|passend); [0-9.,]+ (?:shown|gezeigt)")
NUMBERED = re.compile(r"^ {0,3}(\d{1,4})\. \S", re.MULTILINE)
MORE = re.compile(r"\b(?:and|und) [0-9,.]+ (?:more|weitere)")
WAY_OUT = re.compile(r"unsubscribe|abbestellen|abmelden", re.IGNORECASE)
SIZE_LIMIT = 80000  # unless --html-limit says otherwise
MANY = 40  # mails are worth several processes


class Findings:
    """What is wrong with one mail."""

    def __init__(self, name):
        self.name = name
        self.lines = []

    def add(self, rule, what):
        text = "".join(c if c.isprintable() else "\\x%02x" % ord(c) for c in what)
        self.lines.append(f"{self.name}: {rule}: {text}")


class Links(html.parser.HTMLParser):
    """All links of the HTML part, and those that stand in a paper's heading."""

    def __init__(self):
        super().__init__()
        self.all, self.papers, self.words, self.shown = set(), set(), {}, ""
        self.heading, self.open = 0, None
        self.titles, self.titled, self.more = [], False, False

    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "h3"):
            self.heading += 1
        if tag == "h3":
            self.titles.append("")
            self.titled = True
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self.all.add(href)
            self.open = href
            if self.heading:
                self.papers.add(href)

    def handle_endtag(self, tag):
        if tag in ("h2", "h3"):
            self.heading -= 1
            self.titled = False
        if tag == "a":
            self.open = None

    def handle_data(self, data):
        self.shown += data
        self.more = self.more or MORE.search(data) is not None
        if self.titled:
            self.titles[-1] += data
        if self.open:
            self.words[self.open] = self.words.get(self.open, "") + data


def check_lines(raw, end, find):
    """S-06, S-07: one kind of line end, nothing else that a receiver may take for one."""
    other = raw.replace(b"\r\n", b"") if end == b"\r\n" else raw
    if b"\r" in other or (end == b"\r\n" and b"\n" in other):
        find.add("S-06", "a CR or LF alone")
    if not raw.endswith(end):
        find.add("S-06", "the last line has no end")
    if b"\0" in raw:
        find.add("S-06", "a NUL")
    for number, line in enumerate(raw.split(end), 1):
        if len(line) > 998:
            find.add("S-07", f"line {number} has {len(line)} bytes")


def split_fields(head, end, find):
    """The header block as (name, raw value with folding, unfolded value)."""
    fields = []
    for line in head.split(end):
        text = line.decode("utf-8", "surrogateescape")
        if len(text) > 78 and " " in text[1:].split(": ", 1)[-1].strip():
            find.add("S-07", f"a header line of {len(text)} columns that could be folded: {text[:40]}...")
        if text[:1] in (" ", "\t"):
            if not text.strip():
                find.add("S-21", "a folded line of blanks only")
            if fields:
                fields[-1][1].append(text)
                continue
        name, colon, value = text.partition(":")
        if not colon or not re.fullmatch(r"[!-9;-~]+", name):
            find.add("RFC 5322 2.2", f"no header field: {text[:60]}")
            continue
        fields.append((name, [value]))
    return [(name, lines, "".join(lines).strip(" \t")) for name, lines in fields]


def check_fields(fields, options, find):
    """S-15, S-18, S-22, S-23: which headers there are, and that none holds what a value brought along."""
    names = [name.lower() for name, _, _ in fields]
    for name in ONE_OF_EACH:
        if names.count(name.lower()) != 1:
            find.add("S-15", f"{names.count(name.lower())} headers {name}; expected one")
    for name in AT_MOST_ONE:
        if names.count(name.lower()) > 1:
            find.add("S-15", f"{names.count(name.lower())} headers {name}")
    for name in NEVER:
        if name.lower() in names and not (options.delivered and name.lower() in BY_SERVERS):
            find.add("S-23", f"a header {name}")
    for name in NO_THREADS:
        if name.lower() in names:
            find.add("S-22", f"a header {name}")
    for name, _, value in fields:
        if CONTROL.search(value) or CONTROL.search(decoded(value)):
            find.add("S-18", f"{name} holds a control character")
        if not options.smtputf8 and not value.isascii():
            find.add("S-18", f"{name} holds 8-bit bytes")


def decoded(value):
    """A header value as it is shown."""
    if not value.isascii():
        # RFC 6532: raw UTF-8 beside encoded words, which the email package does not expect.
        return re.sub(r"(=\?[^?\s]+\?[bqBQ]\?[^?\s]*\?=)(?:\s+(?==\?))?", lambda word: decoded(word.group(1)), value)
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (UnicodeError, LookupError, ValueError, email.errors.HeaderParseError):
        return "\x00"


def check_words(fields, find):
    """S-19: encoded words, each complete in itself."""
    for name, lines, value in fields:
        for line in [name + ":" + lines[0]] + lines[1:]:
            if ENCODED_WORD.search(line) and len(line) > 76:
                find.add("S-19", f"{name}: a line with an encoded word has {len(line)} columns")
        quoted_or_address = re.findall(r'"(?:[^"\\]|\\.)*"|<[^>]*>', value)
        # A subject has neither quotes nor addresses, only such signs.
        if name != "Subject" and any(ENCODED_WORD.search(part) for part in quoted_or_address):
            find.add("S-19", f"{name}: an encoded word inside quotes or an address")
        for match in ENCODED_WORD.finditer(value):
            charset, coding, text = match.groups()
            if len(match.group(0)) > 75:
                find.add("S-19", f"{name}: an encoded word of {len(match.group(0))} bytes")
            around = value[:match.start()][-1:] + value[match.end():][:1]
            if around.strip():
                find.add("S-19", f"{name}: no blank beside an encoded word")
            try:
                if coding.upper() == "B":
                    data = base64.b64decode(text, validate=True)
                else:
                    data = binascii.a2b_qp(text.replace("_", " "))
                data.decode(charset)
            except (ValueError, LookupError):
                find.add("S-19", f"{name}: {match.group(0)} is not whole by itself")


def check_identity(get, find):
    """S-16, S-17, S-20, S-23: Message-ID, Date, one address each."""
    for name in ("From", "To", "Reply-To"):
        addresses = email.utils.getaddresses([get(name)]) if get(name) else []
        if get(name) and (len(addresses) != 1 or "@" not in addresses[0][1]):
            find.add("S-20", f"{name} is not one address: {get(name)[:80]}")
    if get("Sender") and email.utils.parseaddr(get("Sender"))[1] == email.utils.parseaddr(get("From"))[1]:
        find.add("S-23", "a Sender that From names already")
    domain = email.utils.parseaddr(get("From"))[1].rpartition("@")[2].lower()
    match = re.fullmatch(r"<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([A-Za-z0-9.-]+)>", get("Message-ID"))
    if not match:
        find.add("S-16", f"Message-ID '{get('Message-ID')}' is not <left@right>")
    elif match.group(2).lower() != domain:
        find.add("S-16", f"Message-ID is not of {domain}")
    match = re.fullmatch(r"([A-Z][a-z]{2}), (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) ([+-]\d{4})", get("Date"))
    if not match:
        find.add("S-17", f"Date '{get('Date')}' is not of RFC 5322 with a numeric zone")
        return
    try:
        date = datetime.datetime.strptime(match.group(2), "%d %b %Y %H:%M:%S")
    except ValueError:
        find.add("S-17", f"Date '{get('Date')}' is no date")
        return
    if date.strftime("%a") != match.group(1):
        find.add("S-17", f"Date '{get('Date')}' has the wrong day of the week")


def check_list(get, find):
    """S-42 to S-48."""
    if not re.fullmatch(r"(.* )?<[A-Za-z0-9._-]+>", get("List-Id")) or len(get("List-Id")) > 255:
        find.add("S-42", f"List-Id '{get('List-Id')}'")
    links = re.fullmatch(r"<([^<>\s]+)>(?:,\s*<([^<>\s]+)>)?", get("List-Unsubscribe"))
    schemes = [link.partition(":")[0] for link in links.groups() if link] if links else []
    if schemes not in (["mailto"], ["https", "mailto"]):
        find.add("S-43", f"List-Unsubscribe '{get('List-Unsubscribe')[:80]}'")
    for link in links.groups() if links else []:
        if link and link.startswith("mailto:") and not re.fullmatch(r"mailto:[^?@]+@[^?@]+\?subject=unsubscribe%20[a-z0-9]+", link):
            find.add("S-43", f"no token in the subject of {link[:80]}")
    post = get("List-Unsubscribe-Post")
    if ("https" in schemes) != bool(post) or (post and post != "List-Unsubscribe=One-Click"):
        find.add("S-44", f"List-Unsubscribe-Post '{post}' with {schemes}")
    if get("List-Post") != "NO":
        find.add("S-47", f"List-Post '{get('List-Post')}'")
    for name in ("List-Help", "List-Archive", "List-Subscribe"):
        if get(name) and not re.fullmatch(r"<(https?://|mailto:)[!-;=?-~]+>", get(name)):
            find.add("S-47", f"{name} '{get(name)[:80]}'")
    if get("Auto-Submitted") != "auto-generated":
        find.add("S-48", f"Auto-Submitted '{get('Auto-Submitted')}'")
    if get("Precedence") != "bulk":
        find.add("S-48", f"Precedence '{get('Precedence')}'")
    return links.group(1) if schemes[:1] == ["https"] else None


def split_parts(body, end, boundary, find):
    """S-25: the raw parts, without a word before, between or after them."""
    mark = b"--" + boundary.encode()
    pieces = (end + body).split(end + mark)
    if len(pieces) != 4 or pieces[0] or pieces[3] != b"--" + end:
        find.add("S-25", f"expected two parts between boundaries and nothing around them, found {len(pieces) - 2}")
        return []
    if not all(piece.startswith(end) for piece in pieces[1:3]):
        find.add("S-25", "the boundary stands in a part")
    return [piece[len(end):] for piece in pieces[1:3]]


def decode_part(part, end, subtype, find):
    """S-28, S-29: the text of a part."""
    head, _, body = part.partition(end + end)
    fields = {}
    for line in head.decode("latin-1").split(end.decode()):
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    if fields.get("content-type", "").lower().replace('"', "") != f"text/{subtype}; charset=utf-8":
        find.add("S-25", f"part is '{fields.get('content-type')}', expected text/{subtype} in UTF-8")
    if fields.get("content-transfer-encoding", "").lower() != "quoted-printable":
        find.add("S-28", f"text/{subtype} is coded as '{fields.get('content-transfer-encoding')}'")
    if not part.isascii():
        find.add("S-28", f"text/{subtype} holds 8-bit bytes")
    so_far = b""
    for number, line in enumerate(body.split(end), 1):
        text = line.decode("latin-1")
        where = f"text/{subtype} line {number}"
        if len(text) > 76:
            find.add("S-28", f"{where} has {len(text)} columns")
        if text[-1:] in (" ", "\t"):
            find.add("S-28", f"{where} ends in a blank")
        if text.startswith((".", "From ")):
            find.add("S-06", f"{where} begins with a dot or 'From '")
        if re.search(r"=(?![0-9A-F]{2}|$)", text):
            find.add("S-28", f"{where} has a '=' that means nothing")
        so_far += binascii.a2b_qp(line)
        if text.endswith("="):
            try:
                so_far.decode("utf-8")
            except UnicodeDecodeError:
                find.add("S-28", f"{where}: a soft break inside a character")
        else:
            so_far = b""
    try:
        return binascii.a2b_qp(body).decode("utf-8")
    except UnicodeDecodeError:
        find.add("S-29", f"text/{subtype} is not UTF-8")
        return binascii.a2b_qp(body).decode("utf-8", "replace")


def columns(text):
    """Display width: wide characters two, marks none."""
    return sum(0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def check_plain(text, find):
    """S-27."""
    for number, line in enumerate(text.splitlines(), 1):
        lone_word = len(line.split()) <= 1
        if columns(line) > 78 and not lone_word:
            find.add("S-27", f"text/plain line {number} is {columns(line)} columns wide")


def check_same(text, markup, one_click, find):
    """S-26: both parts name the same papers and the same way out."""
    links = Links()
    links.feed(markup)
    links.close()
    check_titles(text, links, find)
    in_plain = {url.rstrip(".,;:!?)") for url in PLAIN_URL.findall(text)} | set(PLAIN_URL.findall(text))
    for url in sorted(links.papers - in_plain):
        find.add("S-26", f"only the HTML names the paper {url}")
    for url in sorted(links.all - in_plain):
        if url.startswith("http"):
            find.add("S-26", f"only the HTML links to {url}")
    # The text part has room for papers that the HTML could only count.
    for url in sorted(LINK_LINE.findall(text)) if not links.more else ():
        if url not in links.all and url not in links.shown:
            find.add("S-26", f"only the text names {url}")
    ways_out = [url for url, words in links.words.items() if WAY_OUT.search(words)]
    if not ways_out:
        find.add("S-26", "the HTML has no link to unsubscribe")
    for url in ways_out:
        if url not in text:
            find.add("S-26", f"only the HTML names the way out {url}")
    if one_click and one_click not in links.all:
        find.add("S-26", "the link of List-Unsubscribe does not stand in the HTML")


def check_titles(text, links, find):
    """S-26: the same papers under the same titles, in the same order. Lines may end anywhere in them."""
    plain = "".join(text.split())
    at = plain.find("==")
    for title in links.titles:
        found = plain.find("".join(title.split()), max(at, 0))
        if found == -1:
            find.add("S-26", f"the text does not name '{title[:60]}' behind the paper before it")
        at = max(at, found)
    counts = COUNTS.search(links.shown)
    if not counts:
        find.add("S-26", "the HTML does not say how many papers were read")
    elif "".join(counts.group().split()) not in plain:
        find.add("S-26", f"the text does not say '{counts.group()[:80]}'")
    numbers = [int(number) for number in NUMBERED.findall(text)]
    if len(set(numbers)) != len(numbers) or numbers != sorted(numbers):
        find.add("S-26", "the papers of the text are not numbered in order")


def check_size(part, markup, limit, find):
    """S-32."""
    if len(part) > limit or len(markup.encode()) > limit:
        find.add("S-32", f"HTML of {len(part)} bytes coded, {len(markup.encode())} decoded")


def check_mail(raw, options, find):
    """All rules; returns the Message-ID."""
    end = b"\n" if options.lf else b"\r\n"
    check_lines(raw, end, find)
    head, blank, body = raw.partition(end + end)
    if not blank:
        find.add("RFC 5322 2.1", "no empty line after the headers")
    if len(head) > 32 * 1024:
        find.add("S-21", f"{len(head)} bytes of headers")
    fields = split_fields(head, end, find)
    values = {name.lower(): value for name, _, value in reversed(fields)}

    def get(name):
        return values.get(name.lower(), "")

    check_fields(fields, options, find)
    check_words(fields, find)
    check_identity(get, find)
    one_click = check_list(get, find)
    if get("MIME-Version") != "1.0":
        find.add("S-15", f"MIME-Version '{get('MIME-Version')}'")
    match = re.fullmatch(r'multipart/alternative;\s*boundary="([^"]{1,70})"', get("Content-Type"))
    if not match:
        find.add("S-25", f"Content-Type '{get('Content-Type')}'")
        return get("Message-ID")
    parts = split_parts(body, end, match.group(1), find)
    if len(parts) == 2:
        text = decode_part(parts[0], end, "plain", find)
        markup = decode_part(parts[1], end, "html", find)
        check_plain(text, find)
        check_same(text, markup, one_click, find)
        check_size(parts[1], markup, options.html_limit, find)
        check_markup(markup, WAY_OUT, find)
    for part in email.message_from_bytes(raw, policy=email.policy.default).walk():
        for defect in part.defects:
            find.add("MIME", f"Python's parser says {type(defect).__name__}")
    return get("Message-ID")


def files_below(paths):
    for path in paths:
        if not os.path.isdir(path):
            yield path
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                yield os.path.join(folder, name)


def told(name, text):
    return " %s:%s" % (name, hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()) + (
        f"[{text}]" if "MAIL_LINT_SHOW" in os.environ else "")


def decoded_line(path, raw):
    """What Python's email package reads, one hash for each header and part: tests/mail/lint.c says the same of libetpan."""
    # Not by its newer policy, which leaves the blanks between the encoded words of a name in it (RFC 2047 6.2).
    mail = email.message_from_bytes(raw)
    line = f"{path} ="
    for name, value in mail.raw_items():
        value = re.sub(r"\r?\n", "", value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if name in ("From", "To", "Reply-To"):
            shown, address = email.utils.parseaddr(value)
            line += told(name.lower() + "-name", decoded(shown)) + told(name.lower(), address)
        elif name == "Date":
            line += told("date", email.utils.parsedate_to_datetime(value).strftime("%Y-%m-%d %H:%M:%S %z"))
        elif name == "Message-ID":
            line += told("message-id", value.strip("<>"))
        elif name == "Subject" or name.startswith("List-"):
            line += told("subject" if name == "Subject" else name, decoded(value))
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    for name, part in zip(("plain", "html"), parts):
        line += told(name, part.get_payload(decode=True).decode("utf-8", "surrogateescape").replace("\r\n", "\n"))
    return line


def look(job):
    """One mail: what is wrong with it, its Message-ID, and a hash of its bytes."""
    path, options = job
    with open(path, "rb") as file:
        raw = file.read()
    find = Findings(path)
    message_id = check_mail(raw, options, find)
    if options.decoded:
        return path, [*find.lines, decoded_line(path, raw)], message_id, hashlib.blake2b(raw).digest()
    return path, find.lines, message_id, hashlib.blake2b(raw).digest()


def main(argv=None):
    """The exit status."""
    parser = argparse.ArgumentParser(description="Check mails that digest made.")
    parser.add_argument("--lf", action="store_true", help="lines end in LF")
    parser.add_argument("--delivered", action="store_true", help="ignore what servers add")
    parser.add_argument("--smtputf8", action="store_true", help="headers may hold UTF-8")
    parser.add_argument("--decoded", action="store_true", help="also print what was read, for comparison with another reader")
    parser.add_argument("--html-limit", type=int, default=SIZE_LIMIT, metavar="BYTES", help="of the HTML part")
    parser.add_argument("paths", nargs="+", metavar="FILE-OR-FOLDER")
    options = parser.parse_args(argv)
    jobs = [(path, options) for path in files_below(options.paths)]
    if not jobs:
        print("mail_lint: no mail found", file=sys.stderr)
        return 2
    seen, nfindings = {}, 0
    pool = multiprocessing.Pool() if len(jobs) >= MANY else None
    for path, lines, message_id, digest in pool.imap(look, jobs, 16) if pool else map(look, jobs):
        if not options.delivered and seen.setdefault(message_id, digest) != digest:
            lines.append(f"{path}: S-16: another mail has the same Message-ID {message_id} and other bytes")
        for line in lines:
            print(line)
        nfindings += len(lines) - options.decoded
    return 1 if nfindings else 0


if __name__ == "__main__":
    sys.exit(main())
