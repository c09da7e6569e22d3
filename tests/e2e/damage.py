"""Damage a store in many ways, and run on each: nothing may be mailed from one that is not whole, and it is said how to go on.

usage: damage.py MUTATIONS     Environment: DIGEST, T (a folder with digest.conf, days.json and a store digest.db with its log)
"""
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

PAGE = 4096
WORK = Path(os.environ["T"])
NOW = "2026-03-04T08:00:00Z"


def overwrite(chance, data, log):
    page = chance.randrange(len(data) // PAGE) * PAGE
    fill = chance.choice([bytes(PAGE), b"\xff" * PAGE, chance.randbytes(PAGE)])
    return data[:page] + fill + data[page + PAGE:], log


def flip(chance, data, log):
    """Some bits of the head of a page, where its cells are told."""
    page = chance.randrange(len(data) // PAGE) * PAGE
    out = bytearray(data)
    for _ in range(4):
        out[page + chance.randrange(100)] ^= 1 << chance.randrange(8)
    return bytes(out), log


def swap(chance, data, log):
    a, b = sorted(chance.sample(range(len(data) // PAGE), 2))
    a, b = a * PAGE, b * PAGE
    return data[:a] + data[b:b + PAGE] + data[a + PAGE:b] + data[a:a + PAGE] + data[b + PAGE:], log


def cut(chance, data, log):
    return data[:chance.randrange(1, len(data))], log


def cut_pages(chance, data, log):
    return data[:chance.randrange(1, len(data) // PAGE) * PAGE], log


def empty(chance, data, log):
    return b"", log


def zeros(chance, data, log):
    return bytes(len(data)), log


def foreign(chance, data, log):
    return b"%PDF-1.7\n" + chance.randbytes(len(data)), log


def tear_log(chance, data, log):
    return data, log[:chance.randrange(len(log))]


def damage_log(chance, data, log):
    out = bytearray(log)
    at = chance.randrange(len(log))
    out[at:at + 512] = chance.randbytes(min(512, len(log) - at))
    return data, bytes(out)


def no_log(chance, data, log):
    return data, b""


KINDS = [overwrite, flip, swap, overwrite, cut, cut_pages, tear_log, damage_log, overwrite, flip, empty, zeros, foreign, no_log]


def mails(folder):
    return sum(1 for _ in folder.glob("Mail/new/*"))


def run(folder):
    env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), DIGEST_CONFIG=str(folder / "digest.conf"))
    return subprocess.run([os.environ["DIGEST"], "--now", NOW, "run"], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=600)


def is_sound(path):
    """Whether another look at it finds all in order."""
    try:
        db = sqlite3.connect(path)
        rows = db.execute("PRAGMA integrity_check").fetchall()
        db.close()
        return rows == [("ok",)]
    except sqlite3.Error:
        return False


def judge(folder, ended, wanted):
    said = ended.stderr.decode()
    if ended.returncode == 0:
        # What was hit means nothing, or was a commit that never was.
        if mails(folder) != wanted:
            return f"{mails(folder)} mails of {wanted} and no word"
        return None if is_sound(folder / "digest.db") else "a run that ends well leaves a damaged store"
    if ended.returncode != 74:
        return f"ends with {ended.returncode}: {said}"
    if "restore" not in said:
        return f"no cure is told: {said}"
    return f"{mails(folder)} mails from a damaged store" if mails(folder) else None


def main():
    data, log = (WORK / "digest.db").read_bytes(), (WORK / "digest.db-wal").read_bytes()
    wanted, bad, refused = int(sys.argv[2]), 0, 0
    for n in range(int(sys.argv[1])):
        kind, chance = KINDS[n % len(KINDS)], random.Random(n)
        folder = WORK / "damaged"
        folder.mkdir()
        for name in ("digest.conf", "days.json", "digest.key"):
            shutil.copy(WORK / name, folder / name)
        new_data, new_log = kind(chance, data, log)
        for name, content in (("digest.db", new_data), ("digest.db-wal", new_log)):
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        ended = run(folder)
        wrong = judge(folder, ended, wanted)
        refused += ended.returncode == 74
        if wrong:
            bad += 1
            print(f"{n} {kind.__name__}: {wrong}")
        shutil.rmtree(folder)
    print(f"{sys.argv[1]} damaged stores, {refused} refused, {bad} wrong")
    sys.exit(bad > 0 or refused == 0)


main()
