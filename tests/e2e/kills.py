"""Kill a run at one call after the other, run again, and see what reached the readers.

usage: kills.py [-n POINTS] SCENARIO     first, next, torn, twice; -n: so many points in equal steps, else every one
Environment: DIGEST, KILLSHIM (the library built from tests/bench/killshim.c), FIXTURES, T (a folder to work in).
SINK=smtp instead of a Maildir: tests/bench/sink, built beside the library, takes the mail, and SINK=lock-step: it offers no
PIPELINING. SINK=smtp://127.0.0.1:PORT with SINK_LOG, the file that it writes with -o: one that runs already.
"""
import argparse
import concurrent.futures
import email.policy
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from email.parser import BytesParser
from pathlib import Path

READERS = 20
LEASED, INTENT, SENT, HELD = 0, 1, 2, 6
NAMES = ["leased", "intent", "sent", "failed", "deferred", "unknown", "held"]
WORK = Path(os.environ["T"])
FIXTURES = Path(os.environ["FIXTURES"])
SINK, SINK_LOG = os.environ.get("SINK", ""), os.environ.get("SINK_LOG", "")
DAYS = [("2026-03-02.json", "2026-03-03T08:0{}:00Z"), ("2026-03-03.json", "2026-03-04T08:0{}:00Z")]


def prepare(folder, day):
    """Readers and papers; for the second day with a first one behind them."""
    folder.mkdir()
    (folder / "keep").mkdir()
    readers = "".join(f'subscriber "reader{i}@digest.test" {{ when = "daily 07:00"  filter "all" {{ match = "*" }} }}\n'
                      for i in range(READERS))
    smtp = f'url = "{SINK}"  tls = none' if SINK else 'url = "maildir:Mail"'
    (folder / "digest.conf").write_text(
        'list { from = "Papers <papers@digest.test>" }\n'
        f'store {{ path = "digest.db" }}  smtp "box" {{ {smtp} }}\n'
        'source "days" { type = file  path = "days.json" }\n' + readers)
    for earlier in range(day):
        shutil.copy(FIXTURES / DAYS[earlier][0], folder / "days.json")
        if run(folder, earlier, 0).returncode != 0:
            sys.exit("the day before fails")
        shutil.rmtree(folder / "keep")
        (folder / "keep").mkdir()
    shutil.copy(FIXTURES / DAYS[day][0], folder / "days.json")


def run(folder, day, minute, **shim):
    env = dict(os.environ, DIGEST_CONFIG=str(folder / "digest.conf"), LD_PRELOAD=os.environ["KILLSHIM"],
               KILLSHIM_KEEP=str(folder / "keep"), **{f"KILLSHIM_{k}": str(v) for k, v in shim.items()})
    # The sanitizers want to be loaded first, and take no offence when told.
    env["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
    now = DAYS[day][1].format(minute)
    return subprocess.run([os.environ["DIGEST"], "--now", now, "run"], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


def start_sink():
    """Returns the process, and where it listens and writes to."""
    log = WORK / "sink.log"
    command = [Path(os.environ["KILLSHIM"]).with_name("sink"), "-o", log] + (["-n"] if SINK == "lock-step" else [])
    sink = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return sink, f"smtp://127.0.0.1:{sink.stdout.readline().strip()}", str(log)


def logged():
    return Path(SINK_LOG).read_text().splitlines() if SINK else []


def copies(folder, before):
    """Each reader's copies, as (Message-ID, hash, papers)."""
    found = defaultdict(list)
    for line in logged()[before:]:
        to, message_id, digest, outcome = line.split()
        if outcome == "250":
            found[to.strip("<>")].append((message_id, digest, None))
    for path in (folder / "keep").iterdir():
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


def states(folder):
    """Editions of the newest period by reader, read from a copy, so that the store is met as it was left."""
    path = folder / "look"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    for suffix in ("", "-wal"):
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


def judge(got, wanted, between, after):
    """What is wrong about one point, as a sentence, or nothing. between: the states that each killed run left."""
    for reader, clean in wanted.items():
        have, state = got.get(reader, []), after.get(reader)
        in_doubt = sum(left.get(reader) == INTENT for left in between)
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


def try_point(scenario, template, day, point, wanted):
    """Kill (for a pair: twice), run to the end, judge. Returns a sentence or nothing, and how many readers got two."""
    folder = WORK / f"at-{'-'.join(map(str, point))}"
    shutil.copytree(template, folder)
    before, between = len(logged()), []
    try:
        for minute, at in enumerate(point):
            shim = {"AT": at, "HALF": 1} if scenario == "torn" else {"AT": at}
            killed = run(folder, day, minute, **shim)
            # A second run may have fewer calls than the first and live; so may any that waits for replies.
            may_live = minute > 0 or SINK
            if killed.returncode != -9 and not (may_live and killed.returncode == 0):
                return f"run {minute + 1} ends with {killed.returncode}: {killed.stdout.decode()}", 0
            between.append(states(folder))
        last = run(folder, day, len(point))
        if last.returncode != 0:
            return f"the run after it ends with {last.returncode}: {last.stdout.decode()}", 0
        got = copies(folder, before)
        after = states(folder)
        wrong = judge(got, wanted, between, after)
        # What is held waits for a person; of all others nothing half done stays.
        rest = len(list((folder / "Mail/tmp").iterdir())) if not SINK else 0
        if rest > sum(state == HELD for state in after.values()):
            wrong = wrong or f"{rest} files stay in tmp"
        return wrong, sum(len(have) > 1 for have in got.values())
    except (AssertionError, sqlite3.Error) as error:
        return f"store: {error}", 0
    finally:
        shutil.rmtree(folder)


def sweep():
    """Returns how many points are bad."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("-n", type=int, default=0)
    arguments.add_argument("scenario", choices=["first", "next", "torn", "twice"])
    options = arguments.parse_args()
    scenario = options.scenario
    day = 0 if scenario == "first" else 1

    template, clean = WORK / f"{scenario}-template", WORK / f"{scenario}-clean"
    prepare(template, day)
    shutil.copytree(template, clean)
    before = len(logged())
    if run(clean, day, 0, TRACE=clean / "trace").returncode != 0:
        sys.exit("the run without a kill fails")
    wanted = copies(clean, before)
    calls = (clean / "trace").read_text().split()
    if len(wanted) != READERS or any(len(mails) != 1 for mails in wanted.values()):
        sys.exit(f"the run without a kill mails {len(wanted)} readers")

    every = range(1, len(calls) + 1)
    if scenario == "torn":
        every = [n for n in every if calls[n - 1] in ("write", "pwrite", "pwrite64", "send", "sendto")]
    points = [(n,) for n in every]
    if scenario == "twice":
        # The second run has other calls, about as many. Steps without a common factor meet many pairs.
        points = [(n, (n * 37) % len(calls) + 1) for n in every]
    if options.n:
        points = [points[i * len(points) // options.n] for i in range(options.n)]
    bad = doubles = 0
    # A sink that is shared tells apart only what comes one after the other.
    with concurrent.futures.ThreadPoolExecutor(1 if SINK else 2) as pool:
        for point, (wrong, twice) in zip(points, pool.map(lambda p: try_point(scenario, template, day, p, wanted), points)):
            doubles += twice
            if wrong:
                bad += 1
                print(f"{scenario}: killed at call {point} ({calls[point[0] - 1]}): {wrong}")
    shutil.rmtree(template)
    shutil.rmtree(clean)
    print(f"{scenario}: {len(points) - bad}/{len(points)} points hold, of {len(calls)} calls; {doubles} mails came twice")
    return bad


def main():
    global SINK, SINK_LOG
    if SINK not in ("smtp", "lock-step"):
        sys.exit(sweep() > 0)
    sink, SINK, SINK_LOG = start_sink()
    try:
        bad = sweep()
    finally:
        sink.terminate()
        sink.wait()
    sys.exit(bad > 0)


main()
