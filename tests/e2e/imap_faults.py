#!/usr/bin/env python3
"""A scripted IMAP server that misbehaves in one way at a time, and what the reader of the mailbox makes of it.

usage: imap_faults.py INBOX FOLDER [NAME...]    "ok NAME" or "not ok NAME" for each case, with what was seen

FOLDER has ca.pem, s.pem and s.key. In the environment: SHIM, the library that lets allocations fail; CUT_STEP, SHORTAGE_STEP, 1 for
every byte and every allocation; DIGEST_SANITIZED, when INBOX needs more memory than it should.
"""
import base64
import concurrent.futures
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

PASSWORD = "c4nary-Pa55word"
TOKEN = "c4nary-t0ken-c4nary-t0ken"
MAILS = {5: b"Subject: five\r\n\r\nD4 OK\r\n)\r\n* BYE\r\n", 7: b"Subject: seven\r\n\r\n", 9: b"Subject: nine\r\n\r\nx\r\n"}
# Steps of a session in their order.
STEPS = ["greeting", "capability", "login", "capability again", "select", "search", "fetch", "store"]


class End(Exception):
    pass


class Server(threading.Thread):
    """Serves sessions until it is closed. answers: step -> bytes to send in place of the usual ones, a list of
    pieces, or a function of (server, tag) that gives one of these; {tag} is put in."""

    def __init__(self, answers=None, mails=None, caps="IMAP4rev1 AUTH=PLAIN SASL-IR", late_caps="UIDPLUS MOVE", tls=None,
                 cut=None, pieces=None, after_starttls=b"", token=None):
        super().__init__(daemon=True)
        self.answers, self.mails, self.caps, self.late_caps = answers or {}, mails or MAILS, caps, late_caps
        self.tls, self.cut, self.pieces, self.after_starttls, self.token = tls, cut, pieces, after_starttls, token
        self.heard, self.sent, self.under_tls, self.stopped = [], 0, False, False
        self.nsessions = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                self.link, _ = self.listener.accept()
            except OSError:
                return
            self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.buffer, self.under_tls, self.known = b"", False, False
            self.nsessions += 1
            try:
                if self.tls == "implicit":
                    self.begin_tls()
                self.session()
            except (OSError, End, ssl.SSLError):
                pass
            finally:
                self.link.close()

    def close(self):
        self.stopped = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def begin_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("s.pem", "s.key")
        self.link = context.wrap_socket(self.link, server_side=True)
        self.under_tls = True

    def send(self, data):
        if self.cut is not None and self.sent + len(data) > self.cut:
            self.link.sendall(data[: self.cut - self.sent])
            raise End
        self.sent += len(data)
        size = self.pieces or max(1, len(data))
        for i in range(0, len(data), size):
            self.link.sendall(data[i : i + size])

    def line(self):
        while b"\n" not in self.buffer:
            more = self.link.recv(65536)
            if not more:
                raise End
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def say(self, step, tag, usual):
        """True: as usual."""
        answer = self.answers.get(step, usual)
        if callable(answer):
            answer = answer(self, tag)
        for piece in [answer] if answer is None or isinstance(answer, bytes) else answer:
            if piece is None:
                raise End
            self.send(piece.replace(b"{tag}", tag.encode()))
        return step not in self.answers

    def session(self):
        self.say("greeting", "", b"* OK ready\r\n")
        while True:
            text = self.line()
            self.heard.append(text)
            tag, _, command = text.partition(" ")
            self.command(tag, command)

    def command(self, tag, command):
        words = command.upper().split(" ")
        verb = " ".join(words[:2]) if words[0] == "UID" else words[0]
        # What is said for people may begin as data does.
        ok = f"{tag} OK {verb.replace('UID ', '')} 6 8 9999 AUTH=NONE\r\n".encode()
        if verb == "CAPABILITY":
            caps = self.caps + (" " + self.late_caps if self.known else "")
            if self.tls == "starttls" and not self.under_tls:
                caps += " STARTTLS LOGINDISABLED"
            ours = tag.startswith("D")
            step = "capability again" if self.known else "capability" if ours else "libcurl's capability"
            self.say(step, tag, b"* CAPABILITY " + caps.encode() + b"\r\n" + ok)
        elif verb == "STARTTLS":
            self.send(ok + self.after_starttls)
            self.begin_tls()
        elif verb in ("LOGIN", "AUTHENTICATE"):
            good = self.log_in(verb, command)
            if self.say("login", tag, ok if good else tag.encode() + b" NO [AUTHENTICATIONFAILED] no\r\n"):
                self.known = good
        elif verb == "SELECT":
            self.say("select", tag, b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 44] x\r\n* OK [UIDNEXT 10] x\r\n"
                     + tag.encode() + b" OK [READ-WRITE] done\r\n")
        elif verb == "UID SEARCH":
            self.say("search", tag, b"* SEARCH " + b" ".join(b"%d" % uid for uid in self.mails) + b"\r\n" + ok)
        elif verb == "UID FETCH":
            self.say("fetch", tag, b"".join(self.fetch(i, uid) for i, uid in enumerate(self.wanted(words[2]))) + ok)
        elif verb == "LOGOUT":
            raise End
        else:
            self.say("store" if verb in ("UID STORE", "UID MOVE", "UID COPY") else verb.lower(), tag, ok)

    def log_in(self, verb, command):
        words = command.split(" ")
        if verb == "LOGIN":
            return command == f'LOGIN "ada" "{PASSWORD}"'
        if len(words) > 2:
            given = words[2]
        else:
            self.send(b"+ \r\n")
            given = self.line()
        given = base64.b64decode(given)
        if words[1].upper() == "PLAIN":
            return given == b"\0ada\0" + PASSWORD.encode()
        if given == f"user=ada\1auth=Bearer {TOKEN}\1\1".encode():
            return True
        self.send(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")
        self.line()
        return False

    def wanted(self, uids):
        for part in uids.split(","):
            first, _, last = part.partition(":")
            yield from (uid for uid in range(int(first), int(last or first) + 1) if uid in self.mails)

    def fetch(self, number, uid):
        mail = self.mails[uid]
        return b"* %d FETCH (UID %d RFC822.SIZE %d BODY[]<0> {%d}\r\n%s)\r\n" % (number + 1, uid, len(mail), len(mail), mail)


def at(step, *answer, **more):
    return dict(answers={step: answer[0] if len(answer) == 1 else list(answer)}, **more)


def endless(data):
    def pieces(server, _):
        while not server.stopped:
            yield data
    return pieces


def drip(data, gap):
    def pieces(server, _):
        for byte in data:
            time.sleep(gap)
            yield bytes([byte])
    return pieces


def silence(server, _):
    while not server.stopped:
        time.sleep(0.05)
    return [None]


def one(text, uid=b"5"):
    """An answer to FETCH with these items, then the end."""
    return at("fetch", b"* 1 FETCH (UID " + uid + b" " + text + b")\r\n{tag} OK\r\n")


def but(*bad):
    """The server cannot read these mails."""
    def answer(server, tag):
        asked = list(server.wanted(server.heard[-1].split(" ")[3]))
        good = [uid for uid in asked if uid not in bad]
        end = b"{tag} OK\r\n" if good == asked else b"{tag} NO [SERVERBUG] broken\r\n"
        return b"".join(server.fetch(i, uid) for i, uid in enumerate(asked[: asked.index(bad[0])] if bad[0] in asked else good)) + end
    return dict(answers={"fetch": answer})


# What a mailbox of three gives when all is well.
ALL = r"^44-5 .*\n44-7 .*\n44-9 .*\nfound=3 taken=3 handed=3 marked=3 .*\nplace=44 9 0\n"
OPEN = ["-n"]

# name: (server, options of inbox, exit code, pattern of standard error, pattern of standard output)
CASES = {
    # --- slowness, first as it takes so long; every time-out is shorter, but long enough for a busy machine to serve what comes before
    "a byte now and then": (at("search", drip(b"* OK x" * 100, 0.05)), OPEN + ["-s", "0.015"], 75, "too slow: 900 s", "^$"),
    "silence instead of a greeting": (at("greeting", silence), OPEN + ["-s", "0.02"], 75, "no greeting within", "^$"),
    "silence at the search": (at("search", silence), OPEN + ["-s", "0.03"], 75, "no answer within 120 s", "^$"),
    # --- nothing at all
    "all is well": ({}, OPEN, 0, "^$", ALL),
    "byte by byte": (dict(pieces=1), OPEN, 0, "^$", ALL),
    # --- sizes and numbers
    "a literal of 2^31": (one(b"BODY[]<0> {2147483648}\r\nabc"), OPEN, 75, "^net: .* literal that is larger", "handed=0"),
    "a literal of 2^63": (one(b"BODY[]<0> {9223372036854775808}\r\nabc"), OPEN, 75, "^net: .* literal that is larger", ""),
    "a literal of 2^64 + 3": (one(b"BODY[]<0> {18446744073709551619}\r\nabc"), OPEN, 75, "^net: .* literal that is larger", ""),
    "a literal of a thousand digits": (one(b"BODY[]<0> {" + b"9" * 1000 + b"}\r\nabc"), OPEN, 75, "larger", ""),
    "a literal a byte too large": (one(b"BODY[]<0> {1048577}\r\nabc"), OPEN, 75, "larger", ""),
    "a literal of the largest size": (one(b"RFC822.SIZE 5000000 BODY[]<0> {1048576}\r\n" + b"x" * 1048576), OPEN, 0, "^$",
                                      "^44-5 5000000 1048576 cut "),
    "a literal below zero": (one(b"BODY[]<0> {-3}\r\nabc"), OPEN, 75, "no sense", "handed=0"),
    "an empty literal": (one(b"BODY[]<0> {0}\r\n"), OPEN, 0, "^$", "^44-5 0 0 whole done"),
    "no literal": (one(b"BODY[]<0> NIL"), OPEN, 0, "^$", "^44-5 0 0 whole"),
    "a quoted mail": (one(b'BODY[]<0> "a\\"b"'), OPEN, 0, "^$", '^44-5 3 3 whole done a"b'),
    "two literals": (one(b"X {1}\r\na BODY[]<0> {1}\r\nb"), OPEN, 75, "several literals", "handed=0"),
    "an endless literal": (dict(answers={"fetch": lambda s, t: iter([b"* 1 FETCH (UID 5 BODY[]<0> {1048576}\r\n" + b"x" * 99, None])}),
                           OPEN, 75, "connection was lost", "handed=0"),
    "a size of 2^63": (one(b"RFC822.SIZE 9223372036854775808 BODY[]<0> {1}\r\na"), OPEN, 75, "no sense", ""),
    "a size that is no number": (one(b"RFC822.SIZE five BODY[]<0> {1}\r\na"), OPEN, 75, "no sense", ""),
    "a UID of 0": (one(b"BODY[]<0> {1}\r\na", b"0"), OPEN, 75, "no sense", ""),
    "a UID of 2^32 + 5": (one(b"BODY[]<0> {1}\r\na", b"4294967301"), OPEN, 75, "no sense", "handed=0"),
    "a UID that is no number": (one(b"BODY[]<0> {1}\r\na", b"x"), OPEN, 75, "no sense", ""),
    "no UID": (at("fetch", b"* 1 FETCH (BODY[]<0> {1}\r\na)\r\n{tag} OK\r\n"), OPEN, 0, "^$", "^found=3 taken=3 handed=0"),
    # --- what nobody asked for
    "a mail of another UID": (one(b"BODY[]<0> {1}\r\na", b"6"), OPEN, 0, "^$", "^found=3 taken=3 handed=0"),
    "a mail twice": (one(b"BODY[]<0> {1}\r\na)\r\n* 1 FETCH (UID 5 BODY[]<0> {1}\r\nb"), OPEN, 0, "^$", "^44-5 1 1 whole done a\nfound=3 taken=3 handed=1"),
    "mails in another order": (at("fetch", b"* 3 FETCH (UID 9 BODY[]<0> {1}\r\na)\r\n* 1 FETCH (UID 5 BODY[]<0> {1}\r\nb)\r\n* 2 FETCH (UID 7 BODY[]<0> {1}\r\nc)\r\n{tag} OK\r\n"),
                               OPEN, 0, "^$", "^44-9 .*a\n44-5 .*b\n44-7 .*c\nfound=3 taken=3 handed=3 marked=3"),
    "unsolicited data": (at("fetch", b"* 4 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 9 EXPUNGE\r\n* LIST (\\A) \"/\" \"../../etc\"\r\n* OK {5}\r\n* BAD x\r\n* 1 FETCH (UID 5 FLAGS (\\Seen ($x \"q\")) BODY[HEADER] {2}\r\nhi)\r\n{tag} OK\r\n"),
                         OPEN, 0, "^$", "handed=0"),
    "lists in lists": (one(b"X " + b"(" * 4000 + b")" * 4000), OPEN, 75, "no sense", ""),
    "a list that is not closed": (one(b"X (((a)"), OPEN, 75, "no sense", ""),
    "a quote that is not closed": (one(b'X "a'), OPEN, 75, "no sense", ""),
    "no end of the answer": (at("fetch", endless(b"* 5 EXISTS\r\n" * 5000)), OPEN, 75, "more than 5[0-9]{7} bytes", ""),
    "no end of a line": (at("fetch", endless(b"x" * 65536)), OPEN, 75, "more than 8,192 bytes", ""),
    "no end of a line of blanks": (at("search", endless(b" " * 65536)), OPEN, 75, "more than 8,192 bytes", ""),
    "no end of the search": (at("search", endless(b"* SEARCH " + b"5 " * 32768)), OPEN, 75, "more than 16777216 bytes", ""),
    "a search without blanks": (at("search", endless(b"* SEARCH " + b"5" * 32768)), OPEN, 75, "more than 8,192 bytes", ""),
    "a search of odd numbers": (at("search", b"* SEARCH 9 5 5 0 4294967296 -1 7x 99999999999999999999 1000 9 7 (MODSEQ 5)\r\n{tag} OK\r\n"), OPEN, 0, "^$",
                                r"^44-5 .*\n44-7 .*\n44-9 .*\nfound=5 taken=3 handed=3 marked=3"),
    "a search in many lines": (at("search", b"* SEARCH 9\r\n* SEARCH\r\n* SEARCH 5\r\n* SEARCH 7\r\n{tag} OK\r\n"), OPEN, 0, "^$", ALL),
    "a search for 100,000": (dict(answers={"select": b"* OK [UIDVALIDITY 44]\r\n* OK [UIDNEXT 200000]\r\n{tag} OK\r\n",
                                           "search": b"* SEARCH " + b" ".join(b"%d" % i for i in range(100000, 0, -1)) + b"\r\n{tag} OK\r\n"}),
                             OPEN + ["-m", "3"], 0, "^$", r"found=100000 taken=3 handed=0 .*\nplace=44 3 0"),
    "a NUL": (at("select", b"* OK a\0b\r\n{tag} OK\r\n"), OPEN, 75, "NUL outside", "^$"),
    "garbage": (at("select", b"\x80\xff\x00\x1b]0;x\x07\r\n"), OPEN, 75, "no sense", "^$"),
    "a line that is none": (at("select", b"\x1b[2J evil\r\n"), OPEN, 75, r"no sense: '\\x1B", "^$"),
    "another tag": (at("select", b"D99 OK\r\n"), OPEN, 75, "no sense", "^$"),
    "a question": (at("select", b"+ go on\r\n"), OPEN, 75, "out of order", "^$"),
    "bare line feeds": (at("search", b"* SEARCH 5 7 9\n{tag} OK\n"), OPEN, 0, "^$", ALL),
    "a mail that the server cannot read": (but(7), OPEN, 0, "^$", r"^44-5 .*\n44-9 .*\nfound=3 taken=3 handed=2 marked=2 unreadable=1\nplace=44 9 0\n"),
    "the first one": (but(5), OPEN, 0, "^$", r"^44-7 .*\n44-9 .*\nfound=3 taken=3 handed=2 marked=2 unreadable=1\nplace=44 9 0\n"),
    "the last one is tried again": (but(9), OPEN, 0, "^$", r"^44-5 .*\n44-7 .*\nfound=3 taken=3 handed=2 marked=2 unreadable=1\nplace=44 7 0\n"),
    "no mail can be read": (but(5, 7, 9), OPEN, 75, "^net: .*give out", r"handed=0 marked=0 unreadable=2\nplace=44 0 0\n"),
    # --- the folder
    "no such folder": (at("select", b"{tag} NO [NONEXISTENT] no such mailbox\r\n"), OPEN, 78, "^config: .*does not open the folder 'INBOX'", "^$"),
    "no UIDVALIDITY": (at("select", b"{tag} OK\r\n"), OPEN, 78, "UIDVALIDITY", "^$"),
    "a UIDVALIDITY of 0": (at("select", b"* OK [UIDVALIDITY 0]\r\n{tag} OK\r\n"), OPEN, 78, "UIDVALIDITY", "^$"),
    "a UIDVALIDITY of 2^32": (at("select", b"* OK [UIDVALIDITY 4294967296]\r\n{tag} OK\r\n"), OPEN, 78, "UIDVALIDITY", "^$"),
    "only to be read": (at("select", b"* OK [UIDVALIDITY 44]\r\n{tag} OK [READ-ONLY] x\r\n"), OPEN, 78, "may only be read", "^$"),
    "no UIDNEXT": (at("select", b"* OK [UIDVALIDITY 44]\r\n{tag} OK\r\n"), OPEN, 0, "^$", ALL),
    "marking is refused": (at("store", b"{tag} NO [NOPERM] no\r\n"), OPEN, 78, "^config: .*marked as dealt with", "handed=3 marked=0 .*\nplace=44 0 0"),
    "marking fails for now": (at("store", b"{tag} NO [INUSE] later\r\n"), OPEN, 75, "^net: .*later", "marked=0 .*\nplace=44 0 0"),
    "moving": ({}, OPEN + ["-d", "move:Done & \"dü\""], 0, "^$", ALL, r'D\d+ UID MOVE 5,7,9 "Done &- \\"d&APw-\\""'),
    "moving without MOVE": (dict(late_caps="UIDPLUS"), OPEN + ["-d", "move:Done"], 0, "^$", ALL, r'(?s)UID COPY 5,7,9 "Done".*UID STORE 5,7,9 .FLAGS.SILENT \(.Deleted\).*UID EXPUNGE 5,7,9'),
    "deleting": ({}, OPEN + ["-d", "delete"], 0, "^$", ALL, r"(?s)UID STORE 5,7,9 .FLAGS.SILENT \(.Deleted\).*UID EXPUNGE 5,7,9"),
    "deleting without UIDPLUS": (dict(late_caps=""), OPEN + ["-d", "delete"], 0, "^$", ALL, r"(?s)^(?!.*EXPUNGE).*Deleted"),
    "left mails are not touched": ({}, OPEN + ["-l", "Subject"], 0, "^$", "handed=3 marked=0 .*\nplace=44 9 0", "(?s)^(?!.*STORE)"),
    "a folder that wants to be a command": ({}, OPEN + ["/a%22%20%5C%0d"], 78, "folder", "^$"),
    "a folder above": ({}, OPEN + ["/../../etc/passwd"], 0, "^$", ALL, r'SELECT "../../etc/passwd"'),
    # --- logging in
    "a wrong password": ({}, OPEN + ["-w", "wr0ng"], 78, "^config: .*refuses user and password .*app password", "^$"),
    "the login is not possible now": (at("login", b"{tag} NO [UNAVAILABLE] later\r\n"), OPEN, 75, "^net: .*try again later", "^$"),
    "the password comes back": (at("login", b"{tag} NO you said " + PASSWORD.encode() + b"\r\n"), OPEN, 78, "repeat the password", "^$"),
    "the password comes back in base64": (at("login", b"{tag} NO " + base64.b64encode(b"\0ada\0" + PASSWORD.encode()) + b"\r\n"), OPEN, 78, "repeat the password", "^$"),
    "questions at the login": (at("login", endless(b"+ why\r\n")), OPEN, 75, "too many questions", "^$"),
    "PLAIN in two steps": (dict(caps="IMAP4rev1 AUTH=PLAIN"), OPEN, 0, "^$", ALL, "AUTHENTICATE PLAIN\n"),
    "the command LOGIN": (dict(caps="IMAP4rev1"), OPEN, 0, "^$", ALL, "LOGIN \"ada\""),
    "auth = login": (dict(caps="IMAP4rev1 AUTH=PLAIN"), OPEN + ["-a", "login"], 0, "^$", ALL, "LOGIN \"ada\""),
    "LOGINDISABLED": (dict(caps="IMAP4rev1 LOGINDISABLED"), OPEN, 78, "offers no login here, so the password was not sent", "^$", "(?s)^(?!.*LOGIN)"),
    "CRAM-MD5 only": (dict(caps="IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5"), OPEN, 78, "offers login by CRAM-MD5 only", "^$"),
    "a new token": (dict(caps="IMAP4rev1 AUTH=XOAUTH2 SASL-IR"), OPEN + ["-t", f"echo {TOKEN}", "-w", "old"], 0, "^$", ALL),
    "no token is good": (dict(caps="IMAP4rev1 AUTH=XOAUTH2"), OPEN + ["-t", "echo bad", "-w", "old"], 78, "also a new one", "^$"),
    # --- the connection
    "a garbage greeting": (at("greeting", b"\x00\x01\x02\r\nGET / HTTP/1.0\r\n"), OPEN, 75, "does not speak IMAP", "^$"),
    "an SMTP greeting": (at("greeting", b"220 mail ESMTP\r\n"), OPEN, 75, "does not speak IMAP .*port", "^$"),
    "an endless greeting": (at("greeting", endless(b"* OK x" + b"x" * 65536)), OPEN, 75, "^net: ", "^$"),
    "no end of greetings": (at("greeting", endless(b"* NOPE x\r\n" * 100)), OPEN, 78, "is the port right", "^$"),
    "BYE as greeting": (at("greeting", b"* BYE too many\r\n", None), OPEN, 75, "will not serve us", "^$"),
    "PREAUTH": (at("greeting", b"* PREAUTH hi\r\n"), [], 78, "STARTTLS", "^$"),
    "STARTTLS is not offered": ({}, [], 78, "STARTTLS, so nothing was sent", "^$", "(?s)^(?!.*(LOGIN|AUTH))"),
    "STARTTLS": (dict(tls="starttls"), ["-c", "ca.pem"], 0, "^$", ALL),
    "STARTTLS, and more before it": (dict(tls="starttls", after_starttls=b"* CAPABILITY IMAP4rev1\r\nA003 OK\r\n"), ["-c", "ca.pem"], 78, "^config: .*between", "^$"),
    "STARTTLS with a strange authority": (dict(tls="starttls"), [], 78, "nobody this machine trusts", "^$", "(?s)^(?!.*(LOGIN|AUTH))"),
    "TLS": (dict(tls="implicit"), ["-c", "ca.pem"], 0, "^$", ALL),
    "TLS where there is none": (dict(), ["imaps"], 78, "no TLS 1.2", "^$"),
}
for number, step in enumerate(STEPS):
    code = 75
    CASES[f"lost at the {step}"] = (at(step, None), OPEN, code, "^net: ", "")
    if number > 0:
        CASES[f"BYE at the {step}"] = (at(step, b"* BYE Power\x1b off\r\n", None), OPEN, code, "ended the session: Power.x1B off", "")
        CASES[f"BAD at the {step}"] = (at(step, b"{tag} BAD what?\r\n"), OPEN, 78, r"^config: .*\(what\?\)", "")


def run(inbox, case, seconds=120):
    server = Server(**case[0])
    try:
        options, path, scheme = [], "", "imaps" if server.tls == "implicit" else "imap"
        for option in case[1]:
            if option.startswith("/"):
                path = option
            elif option == "imaps":
                scheme = option
            else:
                options.append(option)
        if "-w" not in options:
            options += ["-w", PASSWORD]
        done = subprocess.run([inbox, "-u", "ada", *options, f"{scheme}://127.0.0.1:{server.port}{path}"], timeout=seconds,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode(), "\n".join(server.heard) + "\n"
    finally:
        server.close()


def judge(inbox, case):
    try:
        code, out, err, heard = run(inbox, case)
    except subprocess.TimeoutExpired:
        return ["no end"]
    wrong = []
    if code != case[2]:
        wrong.append(f"ended with {code}, expected {case[2]}")
    if not re.search(case[3], err):
        wrong.append(f"standard error does not match {case[3]}")
    if not re.search(case[4], out):
        wrong.append(f"standard output does not match {case[4]}")
    if len(case) > 5 and not re.search(case[5], heard):
        wrong.append(f"what the server heard does not match {case[5]}")
    if PASSWORD in out + err or TOKEN in out + err:
        wrong.append("the secret is shown")
    if re.search("runtime error|Sanitizer", err):
        wrong.append("a sanitizer complains")
    memory = re.search(r"^memory=(\d+)$", out, re.M)
    if memory and int(memory[1]) > 24000 and "DIGEST_SANITIZED" not in os.environ:
        wrong.append(f"{memory[1]} KB of memory")
    return wrong + [f"  {line}" for line in (err + out + heard).splitlines()[-12:]] if wrong else []


def cuts(inbox):
    """The link breaks after each so many bytes: an ordinary error, and no mail is marked that was not handed out."""
    whole = Server()
    subprocess.run([inbox, "-n", "-u", "ada", "-w", PASSWORD, f"imap://127.0.0.1:{whole.port}"], capture_output=True, check=True)
    whole.close()
    wrong = []

    def one_cut(n):
        code, out, err, heard = run(inbox, (dict(cut=n), OPEN))
        handed, marked = (int(x) for x in (re.search(r"handed=(\d+) marked=(\d+)", out) or [0, 0, 0]).groups()) \
            if "handed=" in out else (0, 0)
        # Marking may have been answered in full before the link broke at the goodbye.
        good = code == 75 and err.startswith("net: ") and handed <= 3 and marked == 0 and heard.count("STORE") <= 1
        if not good:
            wrong.append(f"cut after {n} of {whole.sent}: {code} {err} {out}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one_cut, range(0, whole.sent, int(os.environ.get("CUT_STEP", "11")))))
    return wrong


def shortages(inbox, shim):
    """Every so many-th allocation fails: an ordinary error, or all goes well."""
    def one_shortage(at, count=""):
        server = Server()
        done = subprocess.run([inbox, "-n", "-u", "ada", "-w", PASSWORD, f"imap://127.0.0.1:{server.port}"], capture_output=True, check=False,
                              env=dict(os.environ, LD_PRELOAD=shim, MALLOCSHIM_AT=str(at), MALLOCSHIM_COUNT=count))
        server.close()
        good = done.returncode in (74, 75) or (done.returncode == 0 and b"handed=3 marked=3" in done.stdout)
        return [] if good else [f"allocation {at}: {done.returncode} {done.stderr.decode()} {done.stdout.decode()}"]

    one_shortage(10**9, "allocations")
    with open("allocations", encoding="ascii") as file:
        total = int(file.read())
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return sum(pool.map(one_shortage, range(1, total + 1, int(os.environ.get("SHORTAGE_STEP", "23")))), [])


def tell(name, wrong):
    print(f"not ok {name}" if wrong else f"ok {name}", *(f"  {line}" for line in wrong[:20]), sep="\n")


def main():
    inbox, folder, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.chdir(folder)
    chosen = {name: case for name, case in CASES.items() if not names or name in names}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for name, wrong in zip(chosen, pool.map(lambda case: judge(inbox, case), chosen.values())):
            tell(name, wrong)
    if not names:
        tell("the link breaks anywhere", cuts(inbox))
    if not names and "SHIM" in os.environ:
        tell("memory is short anywhere", shortages(inbox, os.environ["SHIM"]))


if __name__ == "__main__":
    main()
