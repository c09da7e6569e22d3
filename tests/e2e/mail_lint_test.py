#!/usr/bin/env python3
"""Does mail_lint.py find what it promises to find? One right mail, and one fault in it at a time; speaks TAP."""

import os
import subprocess
import sys
import tempfile

LINT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mail_lint.py")

GOOD = """\
Date: Fri, 21 Aug 2026 07:45:00 +0100
From: Papers <me@example.org>
To: =?UTF-8?Q?Zo=C3=AB?= <ada@example.net>
Subject: Splatting =?UTF-8?B?5LiA56eN?= + 7 more
Message-ID: <0123456789abcdef@example.org>
List-Id: Papers <papers.example.org>
List-Unsubscribe: <https://papers.example.org/u/abc>,
 <mailto:me@example.org?subject=unsubscribe%20abc>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
List-Post: NO
Auto-Submitted: auto-generated
Precedence: bulk
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_b"

--=_b
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

Zo=C3=AB, https://arxiv.org/abs/2312.00752 is new.
It draws with https://code.example.org/x and is fast.
https://papers.example.org/u/abc
=2E

--=_b
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<h2><a href=3D"https://arxiv.org/abs/2312.00752">Mamba</a></h2>
<a href=3D"https://papers.example.org/u/abc">Unsubscribe</a>

--=_b--
"""

# rule, what to replace, by what (CRLF is put in afterwards; "<CR>" and "<LF>" stand for the bytes alone)
FAULTS = [
    ("S-06", "is new.", "is<LF>new."),
    ("S-06", "is new.", "is<CR>new."),
    ("S-06", "is new.", "is\0new."),
    ("S-06", "\n=2E\n", "\n.\n"),
    ("S-06", "Zo=C3=AB, ", "From Zo=C3=AB, "),
    ("S-07", "7 more", "7" * 1000),
    ("S-07", "7 more", "7 more " * 12),
    ("S-15", "Precedence: bulk\n", ""),
    ("S-15", "Precedence: bulk\n", "Precedence: bulk\n" * 2),
    ("S-15", "MIME-Version: 1.0", "MIME-Version: 2.0"),
    ("S-15", "List-Post", "Reply-To: a@b.org\nReply-To: a@b.org\nList-Post"),
    ("S-16", "abcdef@example.org", "abcdef@host.local"),
    ("S-16", "<0123456789abcdef@example.org>", "0123456789abcdef"),
    ("S-17", "Fri, ", "Thu, "),
    ("S-17", "+0100", "BST"),
    ("S-17", "21 Aug", "31 Feb"),
    ("S-18", "Splatting", "Splätting"),
    ("S-18", "5LiA56eN", "4oCueA=="),
    ("S-18", "Splatting", "=?UTF-8?Q?a=0D=0Ab?="),
    ("S-19", "Splatting ", "Splatting"),
    ("S-19", "5LiA56eN", "5LiA56c="),
    ("S-19", "=?UTF-8?Q?Zo=C3=AB?=", '"=?UTF-8?Q?Zo=C3=AB?="'),
    ("S-19", "Zo=C3=AB?=", "Zo=C3=AB" + "x" * 60 + "?="),
    ("S-20", "ada@example.net>", "ada@example.net>, eve@example.net"),
    ("S-21", "List-Post", " \nList-Post"),
    ("S-21", "List-Post", "X: " + "\n x".join("y" * 60 for _ in range(600)) + "\nList-Post"),
    ("S-23", "List-Post", "Bcc: eve@example.net\nList-Post"),
    ("S-23", "List-Post", "Sender: me@example.org\nList-Post"),
    ("S-22", "List-Post", "In-Reply-To: <a@b.org>\nList-Post"),
    ("S-22", "List-Post", "References: <a@b.org>\nList-Post"),
    ("S-25", "text/plain", "text/html"),
    ("S-25", "charset=UTF-8", "charset=ISO-8859-1"),
    ("S-25", "multipart/alternative", "multipart/mixed"),
    ("S-25", "is new.", "is new.\n--=_b\nmore"),
    ("S-25", "--=_b--", "--=_b--\nepilogue"),
    ("S-26", "2312.00752 is", "2312.00753 is"),
    ("S-26", "Unsubscribe<", "Leave<"),
    ("S-26", "\n=2E\n", "\n  pdf: https://arxiv.org/pdf/2312.00752\n=2E\n"),
    ("S-26", "\n=2E\n", "\nhttps://arxiv.org/pdf/2312.00752\n=2E\n"),
    ("S-26", "\nhttps://papers.example.org/u/abc", "\n"),
    ("S-27", "is new.", "is new and told=\n" * 6),
    ("S-28", "is new.", "is new. "),
    ("S-28", "is new.", "is" + "x" * 80),
    ("S-28", "Zo=C3=AB, ", "Zo=C3=\n=AB, "),
    ("S-28", "is new.", "is =new."),
    ("S-28", "Encoding: quoted-printable", "Encoding: 8bit"),
    ("S-29", "Zo=C3=AB, ", "Zo=EB, "),
    ("S-32", "</h2>", "</h2>" + "<p>x</p>\n" * 10000),
    ("S-42", "<papers.example.org>", "papers"),
    ("S-43", "<mailto:me@example.org?subject=unsubscribe%20abc>", "<ftp://example.org>"),
    ("S-43", "<https://papers.example.org/u/abc>,\n ", "<http://papers.example.org/u/abc>,\n "),
    ("S-43", "?subject=unsubscribe%20abc", ""),
    ("S-44", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", ""),
    ("S-47", "List-Post: NO", "List-Post: <mailto:me@example.org>"),
    ("S-48", "auto-generated", "no"),
    ("S-48", "Precedence: bulk", "Precedence: list"),
]


def lint(folder, text, *options, end="\r\n", copies=("a.eml",)):
    """Exit status and output for a mail."""
    for name in copies:
        bytes_ = text.replace("\n", end).replace("<CR>", "\r").replace("<LF>", "\n")
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bytes_.encode())
    done = subprocess.run([sys.executable, LINT, *options, folder], capture_output=True, text=True, check=False)
    for name in copies:
        os.unlink(os.path.join(folder, name))
    return done.returncode, done.stdout + done.stderr


def main():
    results = []
    with tempfile.TemporaryDirectory() as folder:
        status, output = lint(folder, GOOD)
        results.append((status == 0 and output == "", "the right mail passes", output))
        status, output = lint(folder, GOOD, "--lf", end="\n")
        results.append((status == 0, "with LF it passes under --lf", output))
        status, output = lint(folder, GOOD, end="\n")
        results.append((status == 1, "with LF it fails without", output))
        status, output = lint(folder, "Received: from a\n" + GOOD, "--delivered")
        results.append((status == 0, "what servers add passes under --delivered", output))
        status, output = lint(folder, GOOD, copies=("a.eml", "b.eml"))
        results.append((status == 0, "two equal copies pass", output))
        status, output = lint(folder, "", copies=())
        results.append((status == 2, "no mail at all is an error", output))
        for rule, old, new in FAULTS:
            assert old in GOOD, old
            status, output = lint(folder, GOOD.replace(old, new, 1))
            results.append((status == 1 and f": {rule}: " in output, f"{rule}: '{old[:30]!r}' as {new[:30]!r}", output))
    print(f"1..{len(results)}")
    for number, (passed, name, output) in enumerate(results, 1):
        print(f"{'ok' if passed else 'not ok'} {number} - {name}")
        if not passed:
            print("# " + output.replace("\n", "\n# "))
    sys.exit(0 if all(result[0] for result in results) else 1)


if __name__ == "__main__":
    main()
