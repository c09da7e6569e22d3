"""Kill a run at one call after the other, run again, and see what reached the readers.

usage: kills.py [-n POINTS] [-l LEVEL] SCENARIO
  first, next     the first run, which makes the store; a later one
  torn            of a write only half of the bytes are written
  twice           the run after it is killed as well
  power, mixed    the machine loses power: what was not synced is gone, or of each page and name it is left to chance
  upgrade         the store is one of an older version
  full, error     no kill: the disk is full from a call on, or one call meets an I/O error
  memory          no kill: an allocation fails, in every second point all after it, too
  -l  where the mails go: maildir, or tests/bench/sink, which stands beside the library. lockstep: without PIPELINING; envelope: a
      mail at a time on each connection; behind: the next envelope leaves behind the dot
  -n  so many points in equal steps, else every one
Environment: READERS (20), DIGEST, KILLSHIM (the library built from tests/bench/killshim.c), FIXTURES, T (a folder to work in).
"""
import argparse
import concurrent.futures
import email.policy
import errno
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from email.parser import BytesParser
from pathlib import Path

READERS = int(os.environ.get("READERS", "20"))
LEASE = 128  # mails of one lease, BATCH_MAILS
LEASED, INTENT, SENT, HELD = 0, 1, 2, 6
NAMES = ["leased", "intent", "sent", "failed", "deferred", "unknown", "held"]
WORK = Path(os.environ["T"])
FIXTURES = Path(os.environ["FIXTURES"])
SHIM = Path(os.environ["KILLSHIM"])
MALLOCSHIM = SHIM.with_name("mallocshim.so")
DAYS = [("2026-03-02.json", "2026-03-03T08:{:02}:00Z"), ("2026-03-03.json", "2026-03-04T08:{:02}:00Z")]
# What the sink is told, and connections: with one for each mail, none goes out behind the dot of another.
LEVELS = {"maildir": (None, 4), "lockstep": (["-n"], 4), "envelope": ([], READERS), "behind": ([], 2)}
POWER = ("power", "mixed")
FAULTS = {"full": {"KILLSHIM_FAIL": "{}+", "KILLSHIM_ERRNO": str(errno.ENOSPC)},
          "error": {"KILLSHIM_FAIL": "{}", "KILLSHIM_ERRNO": str(errno.EIO)},
          "memory": {"MALLOCSHIM_AT": "{}{}"}}
PAGE = 4096
MAX_ALARMS = 2  # what failed, and that it ends the run


class Sink:
    """Where the mails of one folder go; with LEVELS[level] a process of its own."""

    def __init__(self, folder, level):
        self.folder, self.process, self.url = folder, None, "maildir:Mail"
        if LEVELS[level][0] is not None:
            self.log = folder / "sink.log"
            self.process = subprocess.Popen([SHIM.with_name("sink"), "-o", self.log, *LEVELS[level][0]],
                                            stdout=subprocess.PIPE, text=True)
            self.url = f"smtp://127.0.0.1:{self.process.stdout.readline().strip()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.communicate()

    def copies(self):
        """Each reader's copies, as (Message-ID, hash, papers)."""
        found = defaultdict(list)
        if self.process:
            for line in self.log.read_text().splitlines():
                to, message_id, digest, outcome = line.split()
                if outcome == "250":
                    found[to.strip("<>")].append((message_id, digest, None))
            return found
        for path in (self.folder / "keep").iterdir():
            data = path.read_bytes()
            mail = BytesParser(policy=email.policy.default).parsebytes(data)
            text = mail.get_body(("plain",)).get_content()
            found[mail["To"].addresses[0].addr_spec].append(
                (mail["Message-ID"], hashlib.sha256(data).hexdigest(), papers(text)))
        return found


def papers(text):
    titles = {entry["title"] for name, _ in DAYS for entry in json.loads((FIXTURES / name).read_text())}
    flat = " ".join(text.split())
    return frozenset(title for title in titles if title in flat)


def write_config(folder, connections):
    readers = "".join(f'subscriber "reader{i}@digest.test" {{ when = "daily 07:00"  filter "all" {{ match = "*" }} }}\n'
                      for i in range(READERS))
    (folder / "digest.conf").write_text(
        'list { from = "Papers <papers@digest.test>" }\n'
        'store { path = "digest.db" }  smtp "box" { url = "${SINK_URL}"  tls = none  '
        f'connections = {connections} }}\n'
        'source "days" { type = file  path = "days.json" }\n' + readers)


def prepare(folder, day, connections, old_store):
    """Readers and papers; for the second day with a first one behind them."""
    folder.mkdir()
    (folder / "keep").mkdir()
    write_config(folder, connections)
    for earlier in range(day):
        shutil.copy(FIXTURES / DAYS[earlier][0], folder / "days.json")
        if run(folder, "maildir:Mail", earlier, 0).returncode != 0:
            sys.exit("the day before fails")
        shutil.rmtree(folder / "keep")
        (folder / "keep").mkdir()
    if old_store:
        db = sqlite3.connect(folder / "digest.db")
        db.executescript((FIXTURES / "store-1.sql").read_text())
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
        (folder / "digest.db").chmod(0o600)
    shutil.copy(FIXTURES / DAYS[day][0], folder / "days.json")


def run(folder, url, day, minute, **shim):
    env = dict(os.environ, DIGEST_CONFIG=str(folder / "digest.conf"), XDG_CACHE_HOME=str(folder / "cache"), SINK_URL=url,
               LD_PRELOAD=f"{MALLOCSHIM} {SHIM}" if any(k.startswith("MALLOC") for k in shim) else str(SHIM),
               KILLSHIM_KEEP=str(folder / "keep"), **{k: str(v) for k, v in shim.items()})
    # The sanitizers want to be loaded first, and take no offence when told.
    env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
    now = DAYS[day][1].format(minute)
    return subprocess.run([os.environ["DIGEST"], "--now", now, "run"], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)


# ---- power loss

def start_shadow(folder, shadow):
    """All that is there is on the disk."""
    for kind in ("files", "dirs"):
        (shadow / kind).mkdir(parents=True)
    for path in [folder, *folder.rglob("*")]:
        inode = str(path.stat().st_ino)
        if path.is_dir():
            lines = [f"{child.stat().st_ino} {child.name}\n" for child in path.iterdir()]
            (shadow / "dirs" / inode).write_text("".join(lines))
        else:
            shutil.copy(path, shadow / "files" / inode)


def blend(old, new, chance):
    """Each page from one of two states of a file."""
    length = chance.choice([len(old), len(new)])
    pages = [chance.choice([old, new])[at:at + PAGE].ljust(PAGE, b"\0") for at in range(0, length, PAGE)]
    return b"".join(pages)[:length]


def names(shadow, path):
    """The names that a folder had when it was synced; none when it never was."""
    listed = shadow / "dirs" / str(path.stat().st_ino)
    rows = [line.split(" ", 1) for line in listed.read_text().splitlines()] if listed.exists() else []
    return {name: inode for inode, name in rows}


def cut_power(folder, shadow, to, by_inode, chance):
    """The folder as the disk has it into another; with a chance, the pages and names that were not synced fall as they may."""
    to.mkdir()
    durable = names(shadow, folder)
    current = {child.name: str(child.stat().st_ino) for child in folder.iterdir()}
    for name in sorted(set(durable) | set(current)):
        inode = chance.choice([durable, current]).get(name) if chance else durable.get(name)
        if inode is None or name.endswith("-shm") or (name in ("keep", "sink.log")):
            continue
        now, old = by_inode.get(inode), shadow / "files" / inode
        if now and now.is_dir():
            cut_power(now, shadow, to / name, by_inode, chance)
            continue
        data = old.read_bytes() if old.exists() else b""
        if chance and now:
            data = blend(data, now.read_bytes(), chance)
        (to / name).write_bytes(data)
        (to / name).chmod(0o600)


def lose_power(folder, shadow, seed):
    by_inode = {str(path.stat().st_ino): path for path in folder.rglob("*")}
    to = folder.with_name(folder.name + "-after")
    cut_power(folder, shadow, to, by_inode, random.Random(seed) if seed is not None else None)
    for name in ("keep", "sink.log"):  # what has left is not of this machine
        if (folder / name).exists():
            (folder / name).rename(to / name)
    shutil.rmtree(folder)
    to.rename(folder)


# ---- judging

def states(folder):
    """Editions of the newest period by reader, read from a copy, so that the store is met as it was left."""
    path = folder / "look"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for suffix in ("", "-wal", "-journal"):
        if (folder / f"digest.db{suffix}").exists():
            shutil.copy(folder / f"digest.db{suffix}", path / f"digest.db{suffix}")
    if not (path / "digest.db").exists():
        return {}
    db = sqlite3.connect(path / "digest.db")
    try:
        sound = [row[0] for row in db.execute("PRAGMA integrity_check")] + list(db.execute("PRAGMA foreign_key_check"))
        if sound != ["ok"]:
            raise AssertionError(sound)
        rows = db.execute("SELECT r.canonical, e.period, e.state FROM edition e JOIN reader r ON r.id = e.reader").fetchall()
    finally:
        db.close()
    newest = max((row[1] for row in rows), default=0)
    return {row[0]: row[2] for row in rows if row[1] == newest}


def judge(got, wanted, between, after, doubtful):
    """What is wrong about one point, as a sentence, or nothing. between: the states that each killed run left; doubtful: those
    of them in which a copy may be out."""
    for reader, clean in wanted.items():
        have, state = got.get(reader, []), after.get(reader)
        in_doubt = sum(left.get(reader) in doubtful for left in between)
        held = state == HELD and in_doubt == 2
        if len(have) > 2:
            return f"{reader} has {len(have)} copies"
        if len(have) == 2 and in_doubt == 0:
            left = [NAMES[s[reader]] if reader in s else "no edition" for s in between]
            return f"{reader} has two copies, though the killed run left it {left}"
        if not have and not held:
            return f"{reader} has no mail; its edition is {NAMES[state] if state is not None else 'missing'}"
        if state != SENT and not held:
            return f"{reader}: the edition ends {NAMES[state] if state is not None else 'missing'}"
        if len(set(have)) > 1:
            return f"{reader}: the two copies differ: {have}"
        if have and (have[0][0], have[0][2]) != (clean[0][0], clean[0][2]):
            return f"{reader} got {have[0]}, expected {clean[0]}"
    strangers = set(got) - set(wanted)
    return f"mail to {strangers}" if strangers else None


class Sweep:
    def __init__(self, scenario, level):
        self.scenario, self.level = scenario, level
        self.day = 0 if scenario in ("first", "upgrade") else 1
        self.template = WORK / f"{scenario}-{level}-template"
        self.wanted, self.calls = {}, []
        self.most_doubtful = self.most_lost = 0

    def rehearse(self):
        """The run without a kill: what it calls, and what the readers get."""
        prepare(self.template, self.day, LEVELS[self.level][1], self.scenario == "upgrade")
        clean = WORK / f"{self.scenario}-{self.level}-clean"
        shutil.copytree(self.template, clean)
        count = {"MALLOCSHIM_COUNT": clean / "count"} if self.scenario == "memory" else {}
        with Sink(clean, self.level) as sink:
            ended = run(clean, sink.url, self.day, 0, KILLSHIM_TRACE=clean / "trace", **count)
            if ended.returncode != 0:
                sys.exit(f"the run without a kill fails: {ended.stdout.decode()}")
            self.wanted = sink.copies()
        self.calls = (clean / "trace").read_text().split()
        if self.scenario == "memory":
            self.calls = ["malloc"] * int((clean / "count").read_text())
        if len(self.wanted) != READERS or any(len(mails) != 1 for mails in self.wanted.values()):
            sys.exit(f"the run without a kill mails {len(self.wanted)} readers")
        shutil.rmtree(clean)

    def points(self, wanted):
        every = range(1, len(self.calls) + 1)
        if self.scenario == "torn":
            every = [n for n in every if self.calls[n - 1] in ("write", "pwrite", "pwrite64", "send")]
        points = [(n,) for n in every]
        if self.scenario == "twice":
            # The second run has other calls, about as many. Steps without a common factor meet many pairs.
            points = [(n, (n * 37) % len(self.calls) + 1) for n in every]
        return [points[i * len(points) // wanted] for i in range(wanted)] if wanted else points

    def kill(self, folder, url, minute, at):
        """One run that is killed. Returns what is wrong with its end, or nothing."""
        shim = {"KILLSHIM_AT": at}
        shadow = folder.with_name(folder.name + "-shadow")
        if self.scenario == "torn":
            shim["KILLSHIM_HALF"] = 1
        if self.scenario in POWER:
            start_shadow(folder, shadow)
            shim.update(KILLSHIM_SHADOW=shadow, KILLSHIM_BOOT=boot(minute))
        if self.scenario in FAULTS:
            shim = {name: value.format(at, at % 2 * "+") for name, value in FAULTS[self.scenario].items()}
        killed = run(folder, url, self.day, minute, **shim)
        if self.scenario in FAULTS:
            # 75: the disk of a Maildir is no worse than a relay that is down; 69: the sources could not be read.
            good = killed.returncode in (0, 74, 75, *([69] if self.scenario == "memory" else [])) and killed.stdout.count(b"\n") <= MAX_ALARMS
            return None if good else f"the run ends with {killed.returncode}: {killed.stdout.decode()}"
        if self.scenario in POWER:
            lose_power(folder, shadow, at if self.scenario == "mixed" else None)
            shutil.rmtree(shadow)
        # A second run may have fewer calls than the first and live; so may any that waits for replies.
        may_live = minute > 0 or LEVELS[self.level][0] is not None
        if killed.returncode != -9 and not (may_live and killed.returncode == 0):
            return f"run {minute + 1} ends with {killed.returncode}: {killed.stdout.decode()}"
        return None

    def try_point(self, point):
        """Kill (for a pair: twice), run to the end, judge. Returns a sentence or nothing, and how many readers got two."""
        folder = WORK / f"{self.scenario}-{self.level}-at-{'-'.join(map(str, point))}"
        shutil.copytree(self.template, folder)
        doubtful = (LEASED, INTENT) if self.scenario in POWER else (INTENT,)
        between = []
        try:
            with Sink(folder, self.level) as sink:
                for minute, at in enumerate(point):
                    wrong = self.kill(folder, sink.url, minute, at)
                    if wrong:
                        return wrong, 0
                    between.append(states(folder))
                later = {"KILLSHIM_BOOT": boot(len(point))} if self.scenario in POWER else {}
                # What a failing disk deferred is not due at once.
                minute = 59 if self.scenario in FAULTS else len(point)
                last = run(folder, sink.url, self.day, minute, **later)
                if last.returncode != 0:
                    return f"the run after it ends with {last.returncode}: {last.stdout.decode()}", 0
                got, after = sink.copies(), states(folder)
            wrong = judge(got, self.wanted, between, after, doubtful)
            if self.scenario in POWER:
                doubt = max((sum(state in doubtful for state in left.values()) for left in between), default=0)
                self.most_lost = max(self.most_lost, doubt)
                if doubt > 2 * LEASE:
                    wrong = wrong or f"{doubt} mails are in doubt, more than two leases"
            intended = max((sum(state == INTENT for state in left.values()) for left in between), default=0)
            self.most_doubtful = max(self.most_doubtful, intended)
            if LEVELS[self.level][0] is not None and intended > LEVELS[self.level][1]:
                wrong = wrong or f"{intended} mails were intended at once over {LEVELS[self.level][1]} connections"
            # What is held waits for a person; of all others nothing half done stays.
            rest = len(list((folder / "Mail/tmp").iterdir())) if LEVELS[self.level][0] is None else 0
            if rest > sum(state == HELD for state in after.values()) and self.scenario not in POWER:
                wrong = wrong or f"{rest} files stay in tmp"
            return wrong, sum(len(have) > 1 for have in got.values())
        except (AssertionError, sqlite3.Error) as error:
            return f"store: {error}", 0
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, wanted):
        """Returns how many points are bad."""
        self.rehearse()
        points = self.points(wanted)
        bad = doubles = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for point, (wrong, twice) in zip(points, pool.map(self.try_point, points)):
                doubles += twice
                if wrong:
                    bad += 1
                    print(f"{self.scenario}: killed at call {point} ({self.calls[point[0] - 1]}): {wrong}")
        shutil.rmtree(self.template)
        print(f"{self.scenario}, {self.level}: {len(points) - bad}/{len(points)} points hold, of {len(self.calls)} calls; "
              f"{doubles} mails came twice, {self.most_doubtful} at most were intended at one kill"
              + (f", {self.most_lost} in doubt after one power loss" if self.scenario in POWER else ""))
        return bad


def boot(n):
    """A file with another boot id for each boot; killed processes of one share it."""
    path = WORK / f"boot-{n}"
    if not path.exists():
        path.write_text(f"00000000-0000-0000-0000-{n:012}\n")
    return path


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("-n", type=int, default=0)
    arguments.add_argument("-l", choices=LEVELS, default="maildir")
    arguments.add_argument("scenario", choices=["first", "next", "torn", "twice", "upgrade", *POWER, *FAULTS])
    options = arguments.parse_args()
    sys.exit(Sweep(options.scenario, options.l).run(options.n) > 0)


main()
