#!/usr/bin/env python3
"""A scripted client of tests/bench/sink.c: what the sink must get right for the others to believe it. Standard library only.

usage: sink_test.py CASE     a name of CASES; SINK is the program, T a folder with s.pem, s.key and ca.pem
"""
import concurrent.futures
import os
import socket
import ssl
import subprocess
import sys
import time

ENVELOPE = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n"
READ_SIZE = 256 * 1024
HELLO = b"EHLO c.test\r\n"


class Sink:
    """The program, with these options; what it said at its end is in mails, bytes, checksum and log."""

    def __init__(self, *options):
        self.path = os.path.join(os.environ["T"], "sink.log")
        self.process = subprocess.Popen([os.environ["SINK"], "-o", self.path, *options], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        mails, size, self.checksum = self.process.stdout.readline().split()
        self.mails, self.bytes = int(mails), int(size)
        self.process.wait()
        with open(self.path, encoding="utf-8") as log:
            self.log = [line.split() for line in log]

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s


def replies(s, until_closed=True, count=None):
    """All replies, as codes; of several lines the last one counts."""
    return codes(hear(s, until_closed, count))


def hear(s, until_closed=True, count=None):
    """All that is said, or as far as so many replies."""
    data = b""
    while until_closed or len(codes(data)) < count:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            break
        if not more:
            break
        data += more
    return data


def codes(data):
    return [int(line[:3]) for line in data.split(b"\r\n")[:-1] if line[3:4] != b"-"]


def send(s, stream, pieces):
    """In pieces that the server reads one by one: by their ends, or of so many bytes."""
    ends = pieces if isinstance(pieces, (list, tuple)) else range(pieces, len(stream), pieces)
    at = 0
    for end in [*ends, len(stream)]:
        if at > 0:
            time.sleep(0.0015)
        s.sendall(stream[at:end])
        at = end


def talk(sink, stream, pieces=()):
    with sink.connect() as s:
        send(s, stream, pieces)
        return replies(s)


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got}, expected {wanted}")


# What is not the end of a content, and is not to be found as one.
CONTENTS = [b"", b"\r\n", b"x\r\n", b"..\r\n", b"..\r\n..\r\n", b"a\n.\nb\r\n", b"a\r\n.\nb\r\n", b"a\n.\r\nb\r\n", b"a\r\n.\rb\r\n",
            b"a\r\n.b\r\n", b"\r\n\r\n", b"a.\r\n", b"a\r\r\n", b"\r\n.\r.\r\n", b".x\r\n", b"\n.\r\n\r\n"]


def edges():
    """Each content, cut at each byte of its session, and sent byte by byte: the same mails."""
    rest = b".\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<second@y.test>\r\nDATA\r\nsecond\r\n.\r\nQUIT\r\n"

    def session(row):
        content, pieces = row
        same(f"{content} in {pieces}", talk(sink, ENVELOPE + content + rest, pieces), [220, 250, 250, 354, 250, 250, 250, 354, 250, 221])

    rows = []
    for content in CONTENTS:
        begin = len(ENVELOPE) - len(b"DATA\r\n")
        rows += [(content, pieces) for pieces in [(), 1, *[[cut] for cut in range(begin, len(ENVELOPE + content) + 12)]]]
    with Sink() as sink, concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(session, rows))
    for to, wanted in (("b@y.test", len(CONTENTS)), ("second@y.test", 1)):
        same(f"hashes of mails to {to}", len({line[2] for line in sink.log if line[0] == to}), wanted)
    same("mails", sink.mails, 2 * len(rows))
    same("bytes", sink.bytes, sum(len(content) + 8 for content, _ in rows))


def blocks():
    """An end of a content around the end of what is read at once."""
    sizes = [READ_SIZE * k + d for k in (1, 2) for d in range(-8 - len(ENVELOPE), 9, 1)]
    with Sink() as sink:
        for size in sizes:
            stream = ENVELOPE + b"x" * (size - 2) + b"\r\n.\r\n" + ENVELOPE + b"y\r\n.\r\nQUIT\r\n"
            same(f"{size} bytes", talk(sink, stream), [220, 250, 250, 354, 250, 250, 250, 354, 250, 221])
    same("mails, bytes", (sink.mails, sink.bytes), (2 * len(sizes), sum(sizes) + 3 * len(sizes)))


def orders():
    """Commands out of order, groups with refused recipients, RSET: each one answered, and only real mails counted."""
    rows = [
        (b"RCPT TO:<b@y.test>\r\nDATA\r\nNOOP\r\n", [503, 503, 250]),
        (b"MAIL FROM:<a@x.test>\r\nMAIL FROM:<a@x.test>\r\nDATA\r\nRSET\r\n", [250, 503, 554, 250]),
        (b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nRSET\r\nDATA\r\n", [250, 250, 250, 503]),
        (b"STARTTLS\r\nHELP\r\nnoop\r\n", [502, 502, 250]),
        (b"MAIL FROM:<>\r\nRCPT TO:<1@y.test>\r\nRCPT TO:<2@y.test>\r\nRCPT TO:<3@y.test>\r\nDATA\r\nx\r\n.\r\nRSET\r\n",
         [250, 250, 250, 250, 354, 250, 250]),
    ]
    with Sink() as sink:
        for pieces in [(), 1]:
            for stream, wanted in rows:
                same(f"{stream} in {pieces}", talk(sink, HELLO + stream + b"QUIT\r\n", pieces), [220, 250, *wanted, 221])
    same("recipients", [line[0] for line in sink.log], ["1@y.test,2@y.test,3@y.test"] * 2)
    same("mails, bytes", (sink.mails, sink.bytes), (2, 6))


def faults():
    rows = [
        ("rcpt:450:1", ENVELOPE + ENVELOPE + b"x\r\n.\r\n", [250, 450, 554, 503, 250, 354, 250, 221], ["250"]),
        ("rcpt:550:1 data:354:1", ENVELOPE + b".\r\n", [250, 550, 354, 554, 221], ["554"]),
        ("dot:451:2", (ENVELOPE + b"x\r\n.\r\n") * 3, [250, 250, 354, 250, 250, 250, 354, 451, 250, 250, 354, 250, 221], ["250", "451", "250"]),
        ("dot:drop:1", (ENVELOPE + b"x\r\n.\r\n") * 2, [250, 250, 354], ["drop"]),
        ("mail:421:2+", (ENVELOPE + b"x\r\n.\r\n") * 2, [250, 250, 354, 250, 421], ["250"]),
        ("noop:599:1", b"NOOP\r\nNOOP\r\n", [599, 250, 221], []),
    ]
    for script, stream, wanted, log in rows:
        with Sink("-f", script) as sink:
            same(script, talk(sink, stream + b"QUIT\r\n"), [220, *wanted])
        same(f"{script}: log", [line[3] for line in sink.log], log)
        same(f"{script}: mails", sink.mails, log.count("250"))
    for script in ["rcpt:450", "nowhere:450:1", "rcpt:99:1", "rcpt:x:1"]:
        done = subprocess.run([os.environ["SINK"], "-f", script], stderr=subprocess.PIPE, timeout=60, check=False)
        same(script, done.returncode, 64)


def no_pipelining():
    """It is not offered, and refused when it is done all the same; a polite client is served."""
    with Sink("-n") as sink:
        same("at once", talk(sink, HELLO + b"NOOP\r\n"), [220, 250, 503])
        with sink.connect() as s:
            for line in [b"", HELLO, *[line + b"\r\n" for line in ENVELOPE.split(b"\r\n")[:3]]]:
                s.sendall(line)
                same(f"{line} by itself", [code < 400 for code in replies(s, False, 1)], [True])
            s.sendall(b"x\r\ny\r\n")
            time.sleep(0.01)
            s.sendall(b".\r\nMAIL FROM:<a@x.test>\r\n")
            same("an envelope behind the dot", replies(s), [250, 503])
        with sink.connect() as s:
            s.sendall(HELLO)
            same("PIPELINING", b"PIPELINING" in hear(s, False, 2), False)
    same("mails", sink.mails, 1)
    with Sink() as sink, sink.connect() as s:
        s.sendall(HELLO)
        same("PIPELINING", b"250-PIPELINING\r\n" in hear(s, False, 2), True)


def delay():
    """Each answer comes that much later, those to one packet in one; packets under way together do not add up."""
    mail = ENVELOPE + b"x\r\n.\r\n"
    with Sink("-d", "1000") as sink:
        begin = time.monotonic()
        with sink.connect() as s:
            same("greeting", replies(s, False, 1), [220])
            first = time.monotonic() - begin
            send(s, mail * 8, len(mail))
            same("replies", len(replies(s, False, 32)), 32)
            rest = time.monotonic() - begin - first
    # One second for all of them, where one after the other took eight.
    same(f"after 1 s: {first}, {rest}", (first >= 0.99, 0.99 <= rest < 7), (True, True))
    same("mails", sink.mails, 8)
    with Sink() as sink, sink.connect() as s:
        replies(s, False, 1)
        s.sendall(mail * 100)
        same("replies to one packet", len(replies(s, False, 400)), 400)


def checksum():
    """It is of the mails, not of their order, and differs by one byte."""
    bodies = [b"one\r\n", b"two\r\n" * 5000, b"three\r\n"]

    def of(*mails):
        with Sink() as sink:
            for pieces, body in mails:
                talk(sink, ENVELOPE + body + b".\r\nQUIT\r\n", pieces)
        return sink.checksum

    wanted = of(*[((), body) for body in bodies])
    same("another order", of(*[(700, body) for body in bodies[::-1]]), wanted)
    same("another byte", of(*[((), body.replace(b"three", b"thrfe")) for body in bodies]) == wanted, False)
    same("one twice", of(*[((), body) for body in [*bodies, bodies[0]]]) == wanted, False)


def tls():
    pem = os.path.join(os.environ["T"], "both.pem")
    with open(pem, "wb") as both:
        for name in ("s.pem", "s.key"):
            with open(os.path.join(os.environ["T"], name), "rb") as part:
                both.write(part.read())
    client = ssl.create_default_context(cafile=os.path.join(os.environ["T"], "ca.pem"))
    big = b"z" * 78 + b"\r\n"
    stream = ENVELOPE + big * 5000 + b".\r\n" + ENVELOPE + b"x\r\n.\r\nQUIT\r\n"
    with Sink("-k", pem, "-t") as sink:
        for pieces in [(), [1, 50], [len(stream) - 50]]:
            with client.wrap_socket(sink.connect(), server_hostname="localhost") as s:
                send(s, stream, pieces)
                same(f"TLS in {pieces}", replies(s), [220, 250, 250, 354, 250, 250, 250, 354, 250, 221])
    same("mails, bytes", (sink.mails, sink.bytes), (6, 3 * (400000 + 3)))
    with Sink("-k", pem) as sink:
        plain = sink.connect()
        plain.sendall(HELLO)
        same("STARTTLS", b"250-STARTTLS\r\n" in hear(plain, False, 2), True)
        plain.sendall(b"STARTTLS\r\nNOOP\r\n")
        same("STARTTLS", replies(plain, False, 1), [220])
        with client.wrap_socket(plain, server_hostname="localhost") as s:
            s.sendall(HELLO)
            same("no STARTTLS within TLS", b"STARTTLS" in hear(s, False, 1), False)
            s.sendall(stream)
            same("after STARTTLS", replies(s), [250, 250, 354, 250, 250, 250, 354, 250, 221])
    same("mails", sink.mails, 2)


def others():
    """Who reads no answers, or leaves in the middle, is nobody else's trouble."""
    with Sink() as sink:
        deaf = sink.connect()
        deaf.setblocking(False)
        try:
            while deaf.send(b"NOOP\r\n" * 20000):
                pass
        except BlockingIOError:
            pass
        gone = sink.connect()
        gone.sendall(ENVELOPE + b"half a")
        gone.close()
        same("another client", talk(sink, ENVELOPE + b"x\r\n.\r\nQUIT\r\n"), [220, 250, 250, 354, 250, 221])
        same("a long line", talk(sink, b"NOOP " + b"x" * 300000), [220])
        deaf.close()
    same("mails", sink.mails, 1)


CASES = [edges, blocks, orders, faults, no_pipelining, delay, checksum, tls, others]

if __name__ == "__main__":
    {case.__name__: case for case in CASES}[sys.argv[1]]()
