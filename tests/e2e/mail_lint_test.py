#!/usr/bin/env python3
"""Does mail_lint.py find what it promises to find? One right mail, and one fault in it at a time; speaks TAP.

usage: mail_lint_test.py [PROGRAM]    the same faults for another reader, build/bench/mail_lint
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mail_lint  # noqa: E402

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

Zo=C3=AB, here is what is new.
=3D=3D mine =3D=3D

  1. Mamba, or how a long title of a paper goes on in the line
     below
     abs: https://arxiv.org/abs/2312.00752

  2. Second
     It draws with https://code.example.org/x and is fast.
     abs: https://arxiv.org/abs/2312.00753

412 papers read from arXiv cs.CV; 11 matched; 2
shown.
https://papers.example.org/u/abc
=2E

--=_b
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<!DOCTYPE html>
<html lang=3D"en" dir=3D"ltr">
<head>
<meta charset=3D"utf-8">
<title>Mamba</title>
<style>
@media (prefers-color-scheme:dark){
=2Eb{color:#e9ecef!important;background-color:#1a1e24!important}
}
</style>
</head>
<body style=3D"margin:0;color:#1b1f24;background-color:#ffffff">
<table role=3D"presentation" lang=3D"en" dir=3D"ltr" width=3D"100%">
<tr><td class=3D"b" style=3D"color:#1b1f24;background-color:#ffffff">
<h1 style=3D"font-size:28px">Papers</h1>
<p><a href=3D"https://papers.example.org/u/abc">Unsubscribe</a></p>
<h2 style=3D"font-size:21px">mine</h2>
<h3><a href=3D"https://arxiv.org/abs/2312.00752">Mamba, or how a long =
title of a paper goes on in the line below</a></h3>
<p><a href=3D"https://arxiv.org/abs/2312.00752">abs</a></p>
<h3><a href=3D"https://arxiv.org/abs/2312.00753">Second</a></h3>
<p style=3D"font-size:15px">It draws with https://code.example.org/x</p>
<p>412 papers read from arXiv cs.CV; 11 matched; 2 shown.</p>
</td></tr>
</table>
</body>
</html>

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
    ("S-26", "abs: https://arxiv.org/abs/2312.00752", "abs: https://arxiv.org/abs/2312.00759"),
    ("S-26", "     abs: https://arxiv.org/abs/2312.00752\n", ""),
    ("S-26", "     abs: https://arxiv.org/abs/2312.00752\n", "     abs: https://arxiv.org/abs/2312.00752\n     pdf: https://arxiv.org/pdf/2312.00752\n"),
    ("S-26", ">abs</a></p>", ">abs</a> <a href=3D\"https://arxiv.org/pdf/1\">pdf</a></p>"),
    ("S-26", "  2. Second", "  2. Third"),
    ("S-26", "11 matched; 2\n", "12 matched; 2\n"),
    ("S-26", "<p>412 papers read", "<p>412 things seen"),
    ("S-26", "  2. Second", "  1. Second"),
    ("S-26", "  1. Mamba", "  3. Mamba"),
    ("S-26", "Unsubscribe<", "Leave<"),
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
    ("S-33", "<p><a href=3D\"https://papers.example.org/u/abc\">Unsubscribe</a></p>\n", "<p>Hello</p>\n" * 2000
     + "<p><a href=3D\"https://papers.example.org/u/abc\">Unsubscribe</a></p>\n"),
    ("S-34", "<h1 ", "<svg></svg><h1 "),
    ("S-34", "<h1 ", "<form></form><h1 "),
    ("S-34", "<h1 ", "<h1 onclickx=3D\"1\" data-x=3D\"1\" "),
    ("S-34", "<h1 ", "<h1 style=3D\"float:left\" "),
    ("S-34", "margin:0", "display:flex"),
    ("S-34", "margin:0", "background:url(x)"),
    ("S-34", "=2Eb{", "@import 'x';=2Eb{"),
    ("S-34", "<h1 ", "<!-- note --><h1 "),
    ("S-34", "</h1>", "</h2>"),
    ("S-34", "</table>", "</table></div>"),
    ("S-34", "</table>", "</table><div>"),
    ("S-34", "<!DOCTYPE html>\n", ""),
    ("S-34", "<title>Mamba</title>\n", ""),
    ("S-35", "<td class=3D\"b\" style=3D\"color:#1b1f24;background-color:#ffffff\">", "<td class=3D\"b\">"),
    ("S-35", "=2Eb{", "td{margin:0}\n" * 1500 + "=2Eb{"),
    ("S-35", "<h1 ", "<style>.x{margin:0}</style><h1 "),
    ("S-36", "margin:0", "max-width:600px"),
    ("S-36", "font-size:28px", "font-size:2em"),
    ("S-36", " width=3D\"100%\"", ""),
    ("S-37", "color:#1b1f24;background-color:#ffffff\">\n<table", "color:#1b1f24\">\n<table"),
    ("S-37", "#1b1f24;background-color:#ffffff\">\n<table", "#b0b0b0;background-color:#ffffff\">\n<table"),
    ("S-37", "#1b1f24;background-color:#ffffff\">\n<table", "black;background-color:#ffffff\">\n<table"),
    ("S-37", ";background-color:#1a1e24!important", ""),
    ("S-37", "#e9ecef!important", "#404040!important"),
    ("S-38", "<html lang=3D\"en\" dir=3D\"ltr\">", "<html lang=3D\"en\">"),
    ("S-38", "presentation\" lang=3D\"en\"", "presentation\""),
    ("S-39", "role=3D\"presentation\" ", ""),
    ("S-39", "<h2 style=3D\"font-size:21px\">mine</h2>\n", ""),
    ("S-39", "</h1>", "</h1><h1>Again</h1>"),
    ("S-39", ">abs</a></p>", ">https://arxiv.org/abs/2312.00752</a></p>"),
    ("S-39", ">abs</a></p>", "></a></p>"),
    ("S-39", "font-size:15px", "font-size:11px"),
    ("S-39", "<h1 ", "<img src=3D\"https://x.example.org/a.png\"><h1 "),
    ("S-40", "<h1 ", "<script>1</script><h1 "),
    ("S-40", "<h1 ", "<h1 onclick=3D\"1\" "),
    ("S-40", "https://arxiv.org/abs/2312.00753\">Second", "javascript:alert(1)\">Second"),
    ("S-40", "https://arxiv.org/abs/2312.00753\">Second", "#top\">Second"),
    ("S-40", "https://arxiv.org/abs/2312.00753\">Second", "data:text/html,x\">Second"),
    ("S-42", "<papers.example.org>", "papers"),
    ("S-43", "<mailto:me@example.org?subject=unsubscribe%20abc>", "<ftp://example.org>"),
    ("S-43", "<https://papers.example.org/u/abc>,\n ", "<http://papers.example.org/u/abc>,\n "),
    ("S-43", "?subject=unsubscribe%20abc", ""),
    ("S-44", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", ""),
    ("S-47", "List-Post: NO", "List-Post: <mailto:me@example.org>"),
    ("S-47", "List-Post", "List-Help: help me\nList-Post"),
    ("S-47", "List-Post", "List-Archive: <ftp://example.org/>\nList-Post"),
    ("S-47", "List-Post", "List-Subscribe: <mailto:a@b.org>, <mailto:c@d.org>\nList-Post"),
    ("S-48", "auto-generated", "no"),
    ("S-48", "Precedence: bulk", "Precedence: list"),
]


def lint(folder, text, *options, end="\r\n", copies=("a.eml",)):
    """Exit status and output for a mail."""
    for name in copies:
        bytes_ = text.replace("\n", end).replace("<CR>", "\r").replace("<LF>", "\n")
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bytes_.encode())
    status, output = read([*options, folder])
    for name in copies:
        os.unlink(os.path.join(folder, name))
    return status, output


def read(arguments):
    if len(sys.argv) > 1:
        done = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, errors="replace", check=False)
        return done.returncode, done.stdout + done.stderr
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = mail_lint.main(arguments)
    return status, output.getvalue()


def main():
    results = []
    with tempfile.TemporaryDirectory() as folder:
        status, output = lint(folder, GOOD)
        results.append((status == 0 and output == "", "the right mail passes", output))
        status, output = lint(folder, GOOD, "--lf", end="\n")
        results.append((status == 0, "with LF it passes under --lf", output))
        status, output = lint(folder, GOOD, end="\n")
        results.append((status == 1, "with LF it fails without", output))
        if len(sys.argv) == 1:
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
            print("# " + output[:2000].replace("\n", "\n# "))
    sys.exit(0 if all(result[0] for result in results) else 1)


if __name__ == "__main__":
    main()
