"""Mails that come back, for tests: with tokens signed by the key of the store at hand, or not.

    returned.py token PURPOSE READER [EPOCH]
    returned.py dsn BOX READER PERIOD STATUS [--action A] [--token T] [--to ADDRESS] [--final ADDRESS] [--text T]
                    [--plain MAIL]              to bounce@digest.test without a token, and with the header of a mail
    returned.py arf BOX READER PERIOD [--token T]
    returned.py vacation BOX READER PERIOD
    returned.py flood BOX N READERS PERIOD      half of them bounces of readers 1..READERS, the others nothing of ours
    returned.py ask BOX READER VERB [--token T] [--id ID] [--from ADDRESS] [--header "Name: value"]... [--apple]

BOX is a Maildir; the mail goes into its folder new, and its name is printed. READER is a number. PURPOSE is that of token.h by its
number. --token takes the place of the one that would be right.
"""

import argparse
import base64
import hashlib
import hmac
import os
import struct
import sys
import time

PURPOSES = {"unsubscribe": 1, "pause": 2, "bounce": 5, "resume": 6}


def token(purpose, reader, epoch=0, key_file="digest.key"):
    with open(key_file) as f:
        number, key = next(line.split() for line in f if line.strip() and not line.startswith("#"))
    body = struct.pack(">HBqI", int(number), purpose, reader, epoch)
    mac = hmac.new(bytes.fromhex(key), b"digest token 1\0" + body, hashlib.sha256).digest()[:16]
    return base64.b32encode(body + mac).decode().rstrip("=").lower()


def period(text):
    """A day as a number of days, or the number itself."""
    if "-" not in text:
        return int(text)
    return int(time.mktime(time.strptime(text + " UTC", "%Y-%m-%d %Z")) // 86400)


def put(box, text, name=None):
    for folder in "tmp", "new", "cur":
        os.makedirs(f"{box}/{folder}", exist_ok=True)
    quiet = name is not None
    name = name or f"{time.time_ns()}.{os.getpid()}.test"
    with open(f"{box}/tmp/{name}", "wb") as f:
        f.write(text.encode())
    os.rename(f"{box}/tmp/{name}", f"{box}/new/{name}")
    if not quiet:
        print(name)


def dsn(a, name=None):
    to = f"bounce+{a.token or token(PURPOSES['bounce'], a.reader, period(a.period))}@digest.test"
    header = "From: Papers <papers@digest.test>\nSubject: Papers\n"
    if getattr(a, "plain", None):
        to = "bounce@digest.test"
        with open(a.plain, newline="", encoding="ascii") as f:
            header = f.read().replace("\r", "").partition("\n\n")[0] + "\n"
    put(
        a.box,
        f"""Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <MAILER-DAEMON@mx.digest.test>
To: {a.to or to}
Subject: Undelivered Mail Returned to Sender
Date: Tue, 03 Mar 2026 09:00:00 +0000
Message-ID: <{time.time_ns()}@mx.digest.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I am sorry to say that your mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.digest.test

Final-Recipient: rfc822; {a.final}
Action: {a.action}
Status: {a.status}
Diagnostic-Code: smtp; 550 {a.status} {a.text}

--b
Content-Type: text/rfc822-headers

{header}
--b--
""",
        name,
    )


def arf(a):
    to = f"bounce+{a.token or token(PURPOSES['bounce'], a.reader, period(a.period))}@digest.test"
    put(
        a.box,
        f"""From: <abuse@mx.digest.test>
To: <bounce@digest.test>
Subject: FW: Papers
Date: Tue, 03 Mar 2026 09:00:00 +0000
Message-ID: <{time.time_ns()}@mx.digest.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report for a mail of yours.

--b
Content-Type: message/feedback-report

Feedback-Type: {a.type}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{to}>

--b
Content-Type: message/rfc822

Return-Path: <{to}>
From: Papers <papers@digest.test>
To: somebody@digest.test
Subject: Papers

Papers

--b--
""",
    )


def vacation(a):
    to = f"bounce+{token(PURPOSES['bounce'], a.reader, period(a.period))}@digest.test"
    put(
        a.box,
        f"""From: Ada <ada@digest.test>
To: <{to}>
Subject: Out of office: Papers
Date: Tue, 03 Mar 2026 09:00:00 +0000
Message-ID: <{time.time_ns()}@mx.digest.test>
Auto-Submitted: auto-replied
Precedence: bulk

I am away. 550 5.1.1 user unknown is what I would say if I had gone.
""",
    )


def ask(a):
    word = a.token if a.token is not None else token(PURPOSES[a.verb], a.reader)
    headers = "".join(f"{h}\n" for h in a.header)
    if a.apple:
        headers += "Auto-Submitted: auto-replied\nX-Apple-Unsubscribe: true\n"
    put(
        a.box,
        f"""From: {a.sender}
To: <bounce@digest.test>
Subject: {a.verb} {word}
Date: Tue, 03 Mar 2026 09:00:00 +0000
Message-ID: <{a.id or time.time_ns()}@home.test>
{headers}
""",
    )


def flood(a):
    a.token = a.to = None
    a.final, a.status, a.action, a.text = "somebody@digest.test", "4.2.2", "failed", "full"
    for i in range(a.count):
        if i % 2 == 0:
            a.reader = 1 + i // 2 % a.readers
            dsn(a, f"{i}.flood")
        else:
            put(a.box, f"From: x{i}@spam.test\nTo: bounce@digest.test\nSubject: an offer\nMessage-ID: <{i}@spam.test>\n\nbuy\n", f"{i}.flood")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("token")
    p.add_argument("purpose", type=int)
    p.add_argument("reader", type=int)
    p.add_argument("epoch", nargs="?", default="0")
    for name in "dsn", "arf", "vacation", "ask":
        p = commands.add_parser(name)
        p.add_argument("box")
        p.add_argument("reader", type=int)
        p.add_argument("verb" if name == "ask" else "period")
        if name == "dsn":
            p.add_argument("status")
            p.add_argument("--action", default="failed")
            p.add_argument("--to")
            p.add_argument("--final", default="somebody@digest.test")
            p.add_argument("--text", default="what the server said")
            p.add_argument("--plain")
        if name == "arf":
            p.add_argument("--type", default="abuse")
        if name == "ask":
            p.add_argument("--id")
            p.add_argument("--from", dest="sender", default="Ada <ada@digest.test>")
            p.add_argument("--header", action="append", default=[])
            p.add_argument("--apple", action="store_true")
        p.add_argument("--token")
    p = commands.add_parser("flood")
    p.add_argument("box")
    p.add_argument("count", type=int)
    p.add_argument("readers", type=int)
    p.add_argument("period")
    a = parser.parse_args()
    if a.command == "token":
        print(token(a.purpose, a.reader, period(a.epoch)))
    else:
        globals()[a.command](a)


if __name__ == "__main__":
    sys.exit(main())
