#!/usr/bin/env python3
"""Signed mails, and what may become of them on their way: which signatures still hold. Needs python3-dkim.

usage: dkim_check.py KEY.pem PUBLIC SIGNED-OR-NOT.eml...

KEY.pem is the private key, PUBLIC the p= of its record. A mail that has no signature is signed here, by dkimpy; one that has was
signed by somebody else. Each is read by dkimpy as it is, folded otherwise, and with another name of case for its fields; then
each header of a list is taken away or changed, which must break the signature.
"""

import re
import sys

import dkim

MUST_BE_SIGNED = ("From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Post", "MIME-Version", "Content-Type", "Auto-Submitted")


def split(mail):
    head, blank, body = mail.partition(b"\r\n\r\n")
    return re.split(rb"\r\n(?![ \t])", head), blank + body


def join(fields, body):
    return b"\r\n".join(fields) + body


def unfolded(field):
    return re.sub(rb"\r\n[ \t]+", b" ", field)


def at_every_blank(field):
    """As a relay may fold that believes in short lines."""
    name, colon, value = unfolded(field).partition(b": ")
    return name + colon + b"\r\n\t".join(value.split(b" ")) if b"DKIM-Signature" not in name else field


CHANGES = [
    ("as it is", lambda field: field),
    ("unfolded", lambda field: field if field.startswith(b"DKIM-Signature") else unfolded(field)),
    ("folded at every blank", at_every_blank),
    ("names in small letters", lambda field: re.sub(rb"^[^:]+", lambda name: name.group().lower(), field)),
    ("blanks at the ends of lines", lambda field: field if field.startswith(b"DKIM-Signature") else field + b"  "),
]


def holds(mail, record):
    return dkim.verify(mail, dnsfunc=lambda name, timeout=5: record)


def check(path, mail, key, record):
    fields, body = split(mail)
    if not any(field.startswith(b"DKIM-Signature:") for field in fields):
        signature = dkim.sign(mail, b"s1", b"digest.test", key, canonicalize=(b"relaxed", b"relaxed"), include_headers=[n.encode() for n in MUST_BE_SIGNED])
        mail = signature + mail
        fields, body = split(mail)
    signed = re.search(rb"\bh=([^;]*)", unfolded(fields[0])).group(1).lower()
    signed = [name.strip() for name in signed.decode().split(":")]
    for name in MUST_BE_SIGNED:
        yield name.lower() in signed, f"{name} is signed"
    for how, change in CHANGES:
        yield holds(join([change(field) for field in fields], body), record), f"holds {how}"
    yield holds(mail + b"\r\n\r\n", record), "holds with empty lines at the end"
    for name in (b"List-Unsubscribe", b"List-Id", b"Subject"):
        without = [field for field in fields if not field.startswith(name + b":")]
        yield len(without) < len(fields) and not holds(join(without, body), record), f"is broken without {name.decode()}"
        other = [re.sub(rb"[a-z](\W*)$", rb"#\1", field) if field.startswith(name + b":") else field for field in fields]
        yield not holds(join(other, body), record), f"is broken by another {name.decode()}"
    yield not holds(mail.replace(b"paper", b"power"), record), "is broken by another word"


def main():
    with open(sys.argv[1], "rb") as file:
        key = file.read()
    record = b"v=DKIM1; k=rsa; p=" + sys.argv[2].encode()
    bad = 0
    for path in sys.argv[3:]:
        with open(path, "rb") as file:
            mail = file.read()
        for right, what in check(path, mail, key, record):
            bad += not right
            if not right:
                print(f"{path}: not so: {what}")
    print(f"{len(sys.argv) - 3} mails")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
