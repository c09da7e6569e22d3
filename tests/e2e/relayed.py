#!/usr/bin/env python3
"""Compare mails that were sent with what a relay delivered. Standard library only.

usage: relayed.py DELIVERED SENT...     Maildirs; those of what was sent are digest's own

Every mail must be there, once, byte by byte, and before it nothing but header fields that relays add on the way (RFC 5321
4.4, 4.1.1.4). Prints how many there are.
"""
import os
import re
import sys
from collections import defaultdict

ADDED = ("return-path", "received", "delivered-to", "x-original-to")
FIELD = re.compile(rb"([!-9;-~]+):[^\n]*\n(?:[ \t][^\n]*\n)*")


def load(maildir):
    folder = os.path.join(maildir, "new")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as mail:
            yield name, mail.read()


def message_id(mail):
    return re.search(rb"^Message-ID: (\S+)", mail, re.M | re.I).group(1)


def added_fields(trace):
    """The names of header fields, or None when there is anything else."""
    names, at = [], 0
    while at < len(trace):
        field = FIELD.match(trace, at)
        if field is None:
            return None
        names.append(field.group(1).decode().lower())
        at = field.end()
    return names


def first_difference(sent, got):
    ours, theirs = sent.split(b"\n"), got.split(b"\n")
    start = next((i for i, line in enumerate(theirs) if line == ours[0]), 0)
    pairs = zip(ours, theirs[start:])
    return next((f"{a!r} became {b!r}" for a, b in pairs if a != b), f"{len(sent)} bytes became {len(got)}")


def main():
    sent = defaultdict(list)  # batches may share Message-IDs
    for maildir in sys.argv[2:]:
        for _, mail in load(maildir):
            sent[message_id(mail)].append(mail)
    count, faults = sum(map(len, sent.values())), []
    for name, mail in load(sys.argv[1]):
        wanted = sent[message_id(mail)]
        same = next((one for one in wanted if mail.endswith(one)), None)
        if same is None:
            faults.append(f"{name}: {first_difference(wanted[0], mail) if wanted else 'never sent, or not that often'}")
            continue
        wanted.remove(same)
        names = added_fields(mail[:-len(same)])
        if names is None or not set(names) <= set(ADDED) or "received" not in names:
            faults.append(f"{name}: added: {names}")
    faults += [f"{key.decode()}: not delivered as it was sent" for key, mails in sent.items() if mails]
    if faults or count == 0:
        sys.exit("\n".join(faults[:10]) or "nothing was sent")
    print(count)


if __name__ == "__main__":
    main()
