#!/usr/bin/env python3
"""Hostile addresses for readers, and whether a relay heard an extra command because of them.

usage: addresses.py config FILE [ISEMAIL.xml]   write a configuration with a reader for each address; prints how many
       addresses.py list [ISEMAIL.xml]          the addresses, each ended by NUL
       addresses.py judge LOG FOLDER            what the relay heard and kept: silent when all is in order
"""

import os
import re
import sys
import xml.etree.ElementTree

COMMANDS = ["\r\nRCPT TO:<evil@digest.test>", "\nDATA", "\r\n.\r\nMAIL FROM:<x@y.z>", "> NOTIFY=NEVER", ">\r\nQUIT", "\x00",
            "\x1b[2J", "\x7f", "\u2028RSET", "\u202e", "\t", " ", "<", ">", ",b@digest.test", ";b@digest.test", "(x)", "\\",
            "\"", "%0d%0aDATA", "=0D=0A", "&#13;&#10;", "\x85", "\xad"]
PLACES = ["{}ada@digest.test", "ada{}@digest.test", "ada@{}digest.test", "ada@digest{}.test", "ada@digest.test{}",
          "\"ada{}\"@digest.test", "Ada {} <ada@digest.test>", "<ada@digest.test{}>"]
WHOLE = ["", "@", "ada", "ada@", "@digest.test", "ada@@digest.test", "ada@digest..test", ".ada@digest.test", "ada.@digest.test",
         "a" * 65 + "@digest.test", "ada@" + "d" * 64 + ".test", "ada@" + "d." * 130 + "test", "a" * 100000 + "@digest.test",
         "ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@127.0.0.1", "ada@-digest.test", "ada@digest-.test", "ada@xn--.test",
         "ada@d\u00fcrer.test", "\u00e4da@digest.test", "ada@\u0430pple.test", "-oQ/tmp@digest.test", "|cat@digest.test",
         "ada@digest.test\\r\\nRSET", "${HOME}@digest.test", "ada+tag@digest.test", "ada@localhost"]


def isemail(path):
    """The addresses of the test set; U+24xx stands for the control character xx."""
    found = []
    for test in xml.etree.ElementTree.parse(path).getroot().iter("test"):
        text = test.findtext("address") or ""
        found.append("".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c for c in text))
    return found


def hostile(corpus):
    ours = WHOLE + [place.format(command) for place in PLACES for command in COMMANDS]
    return ours + [a for a in (isemail(corpus) if corpus else [])]


def write_config(path, corpus):
    addresses = hostile(corpus)
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        for address in addresses:
            file.write("subscriber '" + address.replace("'", "\\'") + "' { filter \"all\" { match = '*' } }\n")
        file.write("subscriber \"last@digest.test\" { filter \"all\" { match = '*' } }\n")
    print(len(addresses))


def judge(log, folder):
    grammar = re.compile(r"\d+ (EHLO [\w.\[\]:-]+|AUTH \(hidden\)|MAIL FROM:<papers@digest\.test>( SIZE=\d+)?( BODY=8BITMIME)?"
                         r"( SMTPUTF8)?|RCPT TO:<([^<>\s\x00-\x1f\x7f]|\"(\\.|[^\"\\])*\")+>|DATA|RSET|NOOP|QUIT)")
    with open(log, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        lines = file.read().splitlines()
    for line in lines:
        if not grammar.fullmatch(line):
            print("heard: " + ascii(line))
    heard = {word: sum(line.split(" ", 1)[1].startswith(word) for line in lines) for word in ("MAIL", "RCPT", "DATA")}
    mails = [name for name in os.listdir(folder) if name.endswith(".eml")]
    if len(set(heard.values())) != 1 or heard["DATA"] != len(mails):
        print(f"heard {heard}, kept {len(mails)} mails")
    for name in mails:
        with open(os.path.join(folder, name), "rb") as file:
            head = file.read().split(b"\r\n\r\n", 1)[0]
        if head.count(b"X-Recipient: ") != 1 or b"evil@" in head:
            print(f"{name}: " + ascii(head[:300]))


def main():
    corpus = sys.argv[-1] if sys.argv[-1].endswith(".xml") else None
    if sys.argv[1] == "config":
        write_config(sys.argv[2], corpus)
    elif sys.argv[1] == "list":
        sys.stdout.buffer.write(b"".join(a.encode("utf-8", "surrogateescape") + b"\0" for a in hostile(corpus)
                                         if "\0" not in a and len(a) < 1000))
    else:
        judge(sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
