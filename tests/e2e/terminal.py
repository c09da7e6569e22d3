#!/usr/bin/env python3
"""Run a command on a terminal, and look at each sequence that it sends there. Standard library only.

usage: terminal.py COLUMNS [NAME=VALUE]... COMMAND...

Prints what a person would see; the sequences of colour are left out, and an OSC 8 link is written {address|text}. Anything else
that is no text ends in an exit code of 1: an unknown sequence, a control character, a link that does not end, a style
that goes on behind the end of its line, an address that is not all printable ASCII. Behind the text stands a line
"colours N links N widest N": the last is the widest line that is no address.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
import unicodedata

STYLES = {"0", "1", "2", "33", "36"}
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m|\x1b\]8;;([^\x07\x1b]*)\x1b\\")


def run(columns, environment, command):
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.execvpe(command[0], command, {**os.environ, **environment})
    out = bytearray()
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:  # Linux ends a pseudo-terminal so
            break
        if not part:
            break
        out += part
    return out.decode("utf-8"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def width(line):
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def read(text, faults):
    """The text as it is seen; what is wrong goes to faults."""
    seen, at, link, style, ncolours, nlinks = [], 0, None, False, 0, 0
    for match in list(SEQUENCE.finditer(text)) + [None]:
        plain = text[at:match.start() if match else len(text)].replace("\r\n", "\n")
        for c in plain:
            if c != "\n" and unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
                faults.append(f"character {ord(c):#x}")
        if "\n" in plain and (style or link):
            faults.append(f"goes on behind its line: {plain!r}")
        seen.append(plain)
        if not match:
            break
        at = match.end()
        if match[1] is not None:
            ncolours += 1
            style = match[1] != "0"
            if match[1] not in STYLES:
                faults.append(f"style {match[1]!r}")
        elif match[2]:
            nlinks += 1
            if link or not re.fullmatch(r"(https?://|mailto:)[!-~]+", match[2]):
                faults.append(f"link {match[2]!r} in {link!r}")
            link = match[2]
            seen.append("{" + link + "|")
        else:
            if not link:
                faults.append("the end of no link")
            link = None
            seen.append("}")
    if link or style:
        faults.append("something does not end")
    return "".join(seen), ncolours, nlinks


def main():
    columns, rest, environment = int(sys.argv[1]), sys.argv[2:], {"TERM": "xterm-256color", "PAGER": "cat"}
    while "=" in rest[0]:
        name, _, environment[name] = rest.pop(0).partition("=")
    faults = []
    text, code = run(columns, environment, rest)
    seen, ncolours, nlinks = read(text, faults)
    lines = SEQUENCE.sub("", text).replace("\r\n", "\n").split("\n")
    widest = max(width(line) for line in lines if "://" not in line and "mailto:" not in line)
    print(f"{seen}colours {ncolours} links {nlinks} widest {widest}")
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else code)


main()
