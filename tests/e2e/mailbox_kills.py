"""Kill a reading of the mailbox at one call after the other, read again, and see that nothing is lost and nothing counts twice.

usage: mailbox_kills.py [-n POINTS] [--imap]
  -n      so many points in equal steps, else every one
  --imap  the mails lie on an IMAP server, and what is sent to it counts as a point, too; else in a Maildir
Environment: DIGEST, KILLSHIM (the library built from tests/bench/killshim.c), FIXTURES, T (a folder to work in).
"""

import argparse
import concurrent.futures
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import imap_faults
import returned

WORK = Path(os.environ["T"]) / "kills"
READERS = 8
# Without write, by which the child that parses answers: what kills it is no fault of the reading, which goes on without that mail.
CALLS = "pwrite64 fsync fdatasync rename renameat renameat2 unlink unlinkat link linkat ftruncate"


class Box(imap_faults.Server):
    """The mails of a Maildir as the folder of a server, numbered by their names, that remembers what was seen."""

    def __init__(self, folder):
        self.seen = set()
        mails = {1 + i: p.read_bytes() for i, p in enumerate(sorted((folder / "in" / "new").iterdir()))}
        super().__init__({"select": self.select, "search": self.search, "store": self.store}, mails)
        config = folder / "digest.conf"
        config.write_text(config.read_text().replace(
            'maildir = "in"',
            f'url = "imap://127.0.0.1:{self.port}"  tls = none  user = "ada"  password-command = "echo {imap_faults.PASSWORD}"'))

    def select(self, _, __):
        return b"* OK [UIDVALIDITY 44] x\r\n* OK [UIDNEXT %d] x\r\n{tag} OK [READ-WRITE] done\r\n" % (len(self.mails) + 1)

    def search(self, _, __):
        asked = self.heard[-1].split(" ")
        found = [uid for uid in self.wanted(asked[4]) if uid not in self.seen or "UNSEEN" not in asked]
        return b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\n{tag} OK done\r\n"

    def store(self, _, __):
        self.seen.update(self.wanted(self.heard[-1].split(" ")[3]))
        return b"{tag} OK done\r\n"


def digest(folder, now, *arguments, at=None, trace=None, calls=CALLS):
    env = dict(os.environ, DIGEST_CONFIG=str(folder / "digest.conf"))
    if at is not None or trace:
        env.update(LD_PRELOAD=os.environ["KILLSHIM"], KILLSHIM_AT=str(at or 0), KILLSHIM_ONLY=calls)
        if trace:
            env["KILLSHIM_TRACE"] = str(trace)
    return subprocess.run([os.environ["DIGEST"], "--now", now, *arguments], cwd=folder, env=env, capture_output=True, text=True)


def must(done):
    if done.returncode != 0:
        sys.exit(f"{done.args}: {done.returncode}: {done.stderr}")


def prepare(folder):
    """Two days are mailed, the first one came back for three readers; then a mailbox of all kinds."""
    folder.mkdir(parents=True)
    shutil.copy(Path(os.environ["FIXTURES"]) / "2026-03-02.json", folder / "days.json")
    (folder / "digest.conf").write_text(
        'list { from = "Papers <papers@digest.test>"  bounce-address = "bounce@digest.test" }\n'
        'store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }\n'
        'mailbox { maildir = "in" }  filter "all" { match = "*" }\n'
        'source "days" { type = file  path = "days.json" }\n'
        + "".join(f'subscriber "r{i}@digest.test" {{ filter "all" {{}} empty = note }}\n' for i in range(1, READERS + 1)))
    os.chdir(folder)
    for name in "new", "cur", "tmp":
        (folder / "in" / name).mkdir(parents=True)
    must(digest(folder, "2026-03-03T08:00:00Z", "run"))
    for reader in 1, 2, 3:
        sys.argv[1:] = ["dsn", "in", str(reader), "2026-03-03", "5.1.1"]
        returned.main()
    must(digest(folder, "2026-03-03T09:00:00Z", "mailbox"))
    must(digest(folder, "2026-03-04T08:00:00Z", "run"))
    for path in (folder / "in").glob("*/*"):
        path.unlink()
    shutil.rmtree(folder / "Mail")
    for arguments in ("dsn in 1 2026-03-04 5.1.1", "dsn in 2 2026-03-04 5.1.1", "dsn in 1 2026-03-04 5.1.1",
                      "dsn in 3 2026-03-04 4.2.2", "arf in 4 2026-03-04", "ask in 5 unsubscribe --id a",
                      "ask in 6 pause --id b", "vacation in 7 2026-03-04", "dsn in 7 2026-03-04 5.7.1",
                      "ask in 8 unsubscribe --token x"):
        sys.argv[1:] = arguments.split()
        returned.main()


def look(folder, box):
    """What is known afterwards, and which mails are marked; the answers."""
    db = sqlite3.connect(folder / "digest.db")
    rows = db.execute("SELECT hex(id), reader, period, kind, class, status, decided, counted, paused_until FROM incoming"
                      " ORDER BY id").fetchall()
    gone = db.execute("SELECT hex(hash), reason FROM suppression ORDER BY hash").fetchall()
    pauses = db.execute("SELECT id, state, paused_until FROM reader ORDER BY id").fetchall()
    (whole,) = db.execute("PRAGMA integrity_check").fetchone()
    db.close()
    mails = sorted(f"{p.parent.name}/{p.name}" for d in ("new", "cur") for p in (folder / "in" / d).iterdir())
    marked = sorted(box.seen) if box else [m.partition("/")[2] for m in mails if m.endswith("S")]
    sent = folder / "Mail" / "new"
    answers = sorted(line for p in (sent.iterdir() if sent.is_dir() else []) for line in p.read_text().splitlines()
                     if line.startswith("To: "))
    return (rows, gone, pauses, whole, [m.partition(":")[0].partition("/")[2] for m in mails], marked), answers


def read_twice(folder, imap, **first):
    """Read the mailbox, then once more, which is all well; the first is done with what is given."""
    box = Box(folder) if imap else None
    calls = CALLS + " send" * imap
    begun = digest(folder, "2026-03-04T09:00:00Z", "mailbox", calls=calls, **first)
    done = digest(folder, "2026-03-04T09:00:00Z", "mailbox")
    if box:
        box.close()
    return begun, done, look(folder, box)


def try_point(n, base, want, most, imap):
    folder = WORK / f"at{n}"
    # With its times: a place in the mailbox goes by them.
    shutil.copytree(base, folder, symlinks=True)
    killed, done, (got, answers) = read_twice(folder, imap, at=n)
    wrong = []
    if killed.returncode != -9:
        wrong.append(f"was not killed: {killed.returncode} {killed.stderr}")
    if done.returncode != 0:
        wrong.append(f"then: {done.returncode} {done.stderr}")
    wrong += [f"{name}: {a}, expected {b}" for name, a, b in
              zip(("rows", "suppressed", "readers", "store", "mails", "marked"), got, want) if a != b]
    if len(set(answers)) != len(answers) or not set(answers) <= set(most):
        wrong.append(f"answers: {answers}")
    shutil.rmtree(folder)
    return [f"point {n}: {w}" for w in wrong]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int)
    parser.add_argument("--imap", action="store_true")
    a = parser.parse_args()
    base = WORK / "base"
    prepare(base)
    clean = WORK / "clean"
    shutil.copytree(base, clean)
    begun, done, (want, most) = read_twice(clean, a.imap, trace=WORK / "trace")
    must(begun)
    must(done)
    ncalls = len((WORK / "trace").read_text().splitlines())
    if len(want[1]) != 4 or len(want[5]) != 8 or len(most) != 2 or ncalls < 20:
        sys.exit(f"nothing to see: {want} {most} {ncalls}")
    points = range(1, ncalls + 1)
    if a.n and a.n < ncalls:
        points = sorted({1 + i * (ncalls - 1) // (a.n - 1) for i in range(a.n)})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = [w for ws in pool.map(lambda n: try_point(n, base, want, most, a.imap), points) for w in ws]
    print("\n".join(wrong) or f"{len(points)} of {ncalls} points")
    shutil.rmtree(WORK)
    sys.exit(bool(wrong))


main()
