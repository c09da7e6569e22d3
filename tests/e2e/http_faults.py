#!/usr/bin/env python3
"""Every way an HTTP server can fail, against the real program: prints one TAP line a cell, and what differs.

usage: http_faults.py DIGEST FOLDER [CELL]...

FOLDER holds s.pem and s.key, a certificate that nobody trusts, and days/, what the source lists when all is well. Each cell
is one source that was read before; the next read meets the fault, the one after it does not. Looked at are the sentence,
how much memory was used, that another source is read all the same, that nothing of what was known changed, and that the
last read brings everything.
"""

import concurrent.futures
import ctypes
import ctypes.util
import functools
import os
import re
import shutil
import socket
import socketserver
import sqlite3
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

MAX_RSS_KB = 64 * 1024
BOMB = 128 << 20
HOUR = 3600

CONFIG = """list {{ from = "Papers <papers@digest.test>" }}
store {{ path = "digest.db" }}
fetch {{ allow-private = {{"127.0.0.1/32"}} }}
smtp "box" {{ url = "maildir:Mail" }}
source "bad" {{ type = huggingface  url = "{url}"  timeout = {timeout} }}
source "good" {{ type = file  path = "good.jsonl" }}
subscriber "ada@digest.test" {{}}
"""


def head(status, *lines):
    return ("\r\n".join([f"HTTP/1.1 {status}", *lines]) + "\r\n\r\n").encode()


def sends(*pieces):
    """The bytes as they stand, or of a function that makes them."""
    return lambda conn: [conn.sendall(piece if isinstance(piece, bytes) else piece()) for piece in pieces]


def status(code, *lines):
    return sends(head(f"{code} No", "Content-Length: 2", *lines), b"no")


def redirect(target, code=302):
    return sends(head(f"{code} There", "Location: " + target, "Content-Length: 0"))


def repeats(start, piece, pause=0.0):
    """For as long as somebody listens."""
    def send(conn):
        conn.sendall(start)
        while True:
            conn.sendall(piece)
            time.sleep(pause)
    return send


def reset(conn):
    conn.sendall(head("200 OK", "Content-Length: 1000") + b'[{"paper"')
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def gzipped(pieces):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(piece) for piece in pieces] + [packer.flush()])


def zeros():
    piece = bytes(1 << 20)
    return (piece for _ in range(BOMB // len(piece)))


@functools.cache
def gzip_bomb():
    return gzipped(zeros())


@functools.cache
def nested_bomb():
    return gzipped([gzip_bomb()])


@functools.cache
def below_ratio():
    """Twenty-four MiB that shrink only some twenty times: the size stops them."""
    return gzipped(os.urandom(50) + bytes(974) for _ in range(24 << 10))


def zstd_bomb():
    """One byte, 128 KiB times in each block (RFC 8878 3.1.1.2.2)."""
    block = struct.pack("<I", (128 << 10) << 3 | 1 << 1)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (BOMB >> 17)


def brotli_bomb():
    library = ctypes.CDLL(ctypes.util.find_library("brotlienc"))
    size, out = ctypes.c_size_t(1 << 16), ctypes.create_string_buffer(1 << 16)
    # A page of zeros that nobody wrote to takes no memory.
    if not library.BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(BOMB), bytes(BOMB), ctypes.byref(size), out):
        raise RuntimeError("brotli")
    return out.raw[:size.value]


def encoded(name, body):
    return sends(head("200 OK", "Content-Encoding: " + name, "Connection: close"), body)


def text(kind, body):
    return sends(head("200 OK", "Content-Type: " + kind, f"Content-Length: {len(body)}"), body)


LOGIN = b"<!doctype html><title>Log in</title><form><input name=password type=password></form>"
OK = head("200 OK", "Transfer-Encoding: chunked")
JUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"
UNPACKS, LARGER = "grows more than 100 times when unpacked", r"larger than 16777216 bytes \(fetch.max-body\)"

# Name, what the server does, the words of the warning, and how long nobody asks again (seconds; None: not looked at).
# An address in place of what the server does is asked instead of it.
CELLS = [
    ("no such host", "http://papers.invalid", "no such host", None),
    ("connection refused", "http://127.0.0.1:1", "cannot connect", None),
    ("TLS: a certificate nobody trusts", "https://127.0.0.1:{tls}", "the TLS certificate is not valid", None),
    ("TLS: no TLS there", "https://127.0.0.1:{port}", "TLS could not be agreed on", None),
    ("reset", reset, "the connection broke while the answer came", None),
    ("closed without a word", sends(b""), "closed without an answer", None),
    ("400", status(400), "status 400|refuse", None),
    ("403", status(403), "status 403|refuse", None),
    ("404", status(404), "status 404|no such|not there", None),
    ("410", status(410), "status 410|gone", None),
    ("500", status(500), "status 500|out of order|fails", None),
    ("503", status(503), "status 503|overloaded", None),
    ("503, later", status(503, "Retry-After: 7200"), "status 503|overloaded", 2 * HOUR),
    ("429, later", status(429, "Retry-After: 10800"), "status 429|too many", 3 * HOUR),
    ("429, in a year: a day", status(429, "Retry-After: 31536000"), "status 429|too many", 24 * HOUR),
    ("a length too great", sends(head("200 OK", "Content-Length: 100"), b"[]"), "the answer ends early", None),
    ("a length too small", sends(head("200 OK", "Content-Length: 9"), b'[{"paper":{"id":"2603.00001"}}]'),
     "line 1, column", None),
    ("a chunk cut short", sends(OK, b"ff\r\n[]"), "the answer ends early", None),
    ("no last chunk", sends(OK, b"2\r\n[]\r\n"), "the answer ends early", None),
    ("gzip cut short", encoded("gzip", lambda: gzipped([os.urandom(2000).hex().encode().join([b'["', b'"]'])])[:-12]),
     "ends early|cannot be unpacked|JSON line 1", None),
    ("not HTTP", sends(b"220 mail.example.org ESMTP\r\n"), "not HTTP", None),
    ("headers without end", repeats(b"HTTP/1.1 200 OK\r\n", b"X-More: 0123456789\r\n" * 1000),
     "more than 65536 bytes of header lines", None),
    ("10,000 headers", sends(b"HTTP/1.1 200 OK\r\n" + b"X: 12345\r\n" * 10000 + b"Content-Length: 2\r\n\r\n[]"),
     "more than 65536 bytes of header lines", None),
    ("a header line without end", repeats(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10000), "more than 65536 bytes of header lines", None),
    ("a status line without end", repeats(b"HTTP/1.1 200 ", b"x" * 10000), "more than 65536 bytes of header lines", None),
    ("slow headers", repeats(b"HTTP/1.1 200 OK\r\n", b"X", 0.1), "no (whole )?answer within 1 s", None),
    ("slow body", repeats(head("200 OK", "Content-Length: 100000"), b" ", 0.1), "no whole answer within 1 s", None),
    ("silence", lambda conn: conn.recv(1), "no answer within 1 s", None),
    ("10 GB, announced", repeats(head("200 OK", "Content-Length: 10737418240"), b" " * 65536), LARGER, None),
    ("10 GB, in chunks", repeats(OK, JUNK), LARGER, None),
    ("10 GB, until the end", repeats(head("200 OK", "Connection: close"), b" " * 65536), LARGER, None),
    ("gzip bomb", encoded("gzip", gzip_bomb), UNPACKS, None),
    ("gzip bomb in gzip", encoded("gzip, gzip", nested_bomb), UNPACKS, None),
    ("gzip in gzip in gzip ... in gzip", encoded(", ".join(["gzip"] * 20), b"x" * 100), "unpacked|encoding", None),
    ("gzip, large", encoded("gzip", below_ratio), LARGER, None),
    ("zstd bomb", encoded("zstd", zstd_bomb), UNPACKS, None),
    ("br bomb", encoded("br", brotli_bomb), UNPACKS, None),
    ("redirect to itself", redirect("?again"), "more than 5 redirects", None),
    ("redirect to file:", redirect("file:///etc/passwd"), "only http and https are fetched", None),
    ("redirect to ftp:", redirect("ftp://127.0.0.1:{port}/"), "only http and https are fetched", None),
    ("redirect to gopher:", redirect("gopher://127.0.0.1:{port}/_x"), "only http and https are fetched", None),
    ("redirect to dict:", redirect("dict://127.0.0.1:{port}/d:x"), "only http and https are fetched", None),
    ("redirect to smtp:", redirect("smtp://127.0.0.1:{port}/x"), "only http and https are fetched", None),
    ("redirect to a private host", redirect("http://127.0.0.2:{port}/"), "127.0.0.2 is a loopback address", None),
    ("a login page", text("text/html", LOGIN), "expected a JSON array", None),
    ("an empty body", text("application/json", b""), "expected|empty", None),
    ("another shape", text("application/json", b'{"papers": []}'), "expected a JSON array", None),
    ("all papers gone", text("application/json", b"[]"), "the list is empty, but it had", None),
]
# What has to wait for the end of its time; it is short for these.
SLOW = {"slow headers", "slow body", "silence"}
# The days that never had a paper are read.
READ_ON = {"all papers gone"}


def missing(name):
    """Why a cell cannot be made here, or None."""
    if name == "br bomb" and not ctypes.util.find_library("brotlienc"):
        return "no encoder for brotli"
    for word in ("br", "zstd"):
        if name == word + " bomb" and word not in Talk.accepted:
            return f"libcurl does not unpack {word}"
    return None


class Talk(socketserver.BaseRequestHandler):
    """A GET of /NUMBER/... meets the fault of that cell until it is mended."""
    accepted = set()  # encodings that the program asks for
    mended = set()
    served = None     # folder
    ports = {}

    def handle(self):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = self.request.recv(65536)
            if not piece:
                return
            request += piece
            if request[0] == 0x16:  # TLS, which is not spoken here
                self.request.sendall(head("400 No") + b"speak HTTP")
                return
        for names in re.findall(rb"(?im)^accept-encoding:(.*)$", request):
            Talk.accepted |= {name.strip() for name in names.decode().split(",")}
        url = urllib.parse.urlsplit(request.split()[1].decode())
        number = url.path.split("/")[1]
        try:
            if number in ("base", "") or number in Talk.mended:
                self.list_day(url)
            else:
                self.fail(CELLS[int(number)][1])
        except OSError:
            pass  # the program hung up, which most cells want

    def list_day(self, url):
        day = urllib.parse.parse_qs(url.query).get("date", ["none"])[0]
        try:
            with open(os.path.join(Talk.served, day + ".json"), "rb") as file:
                body = file.read()
        except FileNotFoundError:
            body = b"[]"
        text("application/json", body)(self.request)

    def fail(self, action):
        conn = self.request

        class Filled:  # the ports of this server, where an answer names them
            recv, setsockopt, close = conn.recv, conn.setsockopt, conn.close

            @staticmethod
            def sendall(data):
                for name, port in Talk.ports.items():
                    data = data.replace(b"{%s}" % name.encode(), str(port).encode()) if len(data) < 1000 else data
                conn.sendall(data)
        action(Filled)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64
    context = None

    def get_request(self):
        conn, address = super().get_request()
        return (self.context.wrap_socket(conn, server_side=True) if self.context else conn), address

    def handle_error(self, request, client_address):
        pass


def start(context=None):
    server = Server(("127.0.0.1", 0), Talk)
    server.context = context
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server.server_address[1]


def fetch(digest, folder, now):
    """Exit code, what it said, most memory in KB."""
    with open(os.path.join(folder, "said"), "wb") as said:
        child = subprocess.Popen([digest, "-c", "digest.conf", "--now", now, "fetch", "-f"], cwd=folder,
                                 stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, code, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(code)
    with open(os.path.join(folder, "said"), encoding="utf-8", errors="replace") as said:
        return child.returncode, said.read(), usage.ru_maxrss


def prepare(folder, url, day, timeout="30s"):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "digest.conf"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(url=url, timeout=timeout))
    with open(os.path.join(folder, "good.jsonl"), "w", encoding="utf-8") as file:
        file.write(f'{{"id": "good-{day}", "title": "Good news of {day}", "listed": "{day}"}}\n')


def known(folder):
    """Everything that came from the source, and where it goes on; and the rows about the other one."""
    with sqlite3.connect(f"file:{folder}/digest.db?mode=ro", uri=True) as db:
        def rows(sql):
            return sorted(map(str, db.execute(sql)))
        mine = "(SELECT id FROM paper WHERE key NOT LIKE 'good:%')"
        state = {"papers": rows("SELECT * FROM paper WHERE id IN " + mine) +
                 rows("SELECT * FROM alias WHERE paper IN " + mine) +
                 rows("SELECT * FROM snapshot WHERE paper IN " + mine),
                 "listings": rows("SELECT * FROM listing WHERE source = 'bad'"),
                 "votes": rows("SELECT * FROM signal WHERE paper IN " + mine),
                 "pages": rows("SELECT * FROM page WHERE source = 'bad'"),
                 "cursor": rows("SELECT cursor_day, last_success_utc, newest FROM source WHERE name = 'bad'")}
        return state, len(rows("SELECT * FROM listing WHERE source = 'good'")), \
            db.execute("SELECT nfailures, next_allowed_utc - last_try_utc FROM source WHERE name = 'bad'").fetchone()


def listed(folder):
    with sqlite3.connect(f"file:{folder}/digest.db?mode=ro", uri=True) as db:
        return sorted(db.execute("SELECT p.key, l.day FROM paper p JOIN listing l ON l.paper = p.id WHERE source = 'bad'"))


def try_cell(digest, base, number, sanitized):
    """What differs from the table, as lines."""
    _, action, words, wait_s = CELLS[number]
    folder = f"{base}-{number}"
    shutil.copytree(base, folder)
    url = f"http://127.0.0.1:{Talk.ports['port']}/{number}"
    prepare(folder, action.format(**Talk.ports) if isinstance(action, str) else url, "2026-03-04",
            "1s" if CELLS[number][0] in SLOW else "30s")
    before = known(folder)
    code, said, rss = fetch(digest, folder, "2026-03-04T08:00:00Z")
    after = known(folder)
    wrong = [] if code == 0 else [f"exit code {code}"]
    if not re.search("source bad: .*(" + words + ")", said):
        wrong.append(f"no line says '{words}'")
    if rss > MAX_RSS_KB and not sanitized:
        wrong.append(f"{rss} KB of memory")
    for what, rows in before[0].items():
        if after[0][what] != rows and (what not in ("pages", "cursor") or CELLS[number][0] not in READ_ON):
            wrong.append(f"{what} changed: {rows[:3]} became {after[0][what][:3]}")
    if after[1] != before[1] + 1:
        wrong.append("the other source was not read")
    if after[2][0] != 1 or (wait_s is not None and after[2][1] != wait_s):
        wrong.append(f"failures and pause: {after[2]}")
    Talk.mended.add(str(number))
    prepare(folder, url, "2026-03-05")
    said += fetch(digest, folder, "2026-03-05T12:00:00Z")[1]
    if listed(folder) != listed(base + "-whole"):
        wrong.append(f"in the end it has {listed(folder)}, expected {listed(base + '-whole')}")
    return wrong + ["said: " + line for line in said.splitlines()] if wrong else []


def main():
    digest, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    Talk.served = os.path.join(folder, "days")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "s.pem"), os.path.join(folder, "s.key"))
    Talk.ports = {"port": start(), "tls": start(context)}
    base = os.path.join(folder, "cell")
    with open(digest, "rb") as file:
        sanitized = b"__asan_init" in file.read()
    # What is there before the fault, and what is there when there never was one.
    prepare(base, f"http://127.0.0.1:{Talk.ports['port']}/base", "2026-03-03")
    code, said, _ = fetch(digest, base, "2026-03-03T08:00:00Z")
    if code != 0 or not known(base)[0]["listings"]:
        sys.exit(f"the first read fails: {code} {said}")
    shutil.copytree(base, base + "-whole")
    fetch(digest, base + "-whole", "2026-03-05T12:00:00Z")
    if len(listed(base + "-whole")) <= len(listed(base)):
        sys.exit("nothing is left to read")
    numbers = [i for i, cell in enumerate(CELLS) if not sys.argv[3:] or cell[0] in sys.argv[3:]]
    for make in (gzip_bomb, nested_bomb, below_ratio):
        make()
    print(f"1..{len(numbers)}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [(i, missing(CELLS[i][0]) or pool.submit(try_cell, digest, base, i, sanitized)) for i in numbers]
        for at, (i, future) in enumerate(futures, 1):
            wrong = [] if isinstance(future, str) else future.result()
            skip = f" # SKIP {future}" if isinstance(future, str) else ""
            print(f"{'not ' if wrong else ''}ok {at} - {CELLS[i][0]}{skip}")
            for line in wrong:
                print("#   " + line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
