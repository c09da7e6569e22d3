#!/usr/bin/env python3
"""A week of mails, and what explain says of every reader and paper of it; standard library only. Works in the folder it is
started in; $DIGEST is the program.

usage: explain_week.py run       seven days of 12 papers whose votes grow, one run a day
       explain_week.py compare   every verdict against the mails: prints the differences, then how often each verdict was given
"""

import collections
import datetime
import email
import email.policy
import json
import os
import pathlib
import random
import re
import subprocess
import sys

DAYS = [datetime.date(2026, 3, 2) + datetime.timedelta(days=n) for n in range(7)]
WORDS = "tea cake jam robot agent graph proof river stone cloud".split()
CONFIG = """
list { from = "Papers <papers@digest.test>" }
store { path = "digest.db" }  smtp "box" { url = "maildir:Mail" }
source "club" { type = file  path = "papers.jsonl"  interval = 1h }
defaults { outside = 0  when = "daily 12:00" }
subscriber "all@digest.test"    { limit = 500  max-papers = 500  filter "all" { match = '*' } }
subscriber "tea@digest.test"    { filter "tea" { match = 'tea' }  filter "jam or tea" { match = 'jam OR tea' } }
subscriber "few@digest.test"    { limit = 2  filter "things" { match = 'river OR stone OR cloud' } }
subscriber "narrow@digest.test" { max-papers = 3  filter "a" { match = 'robot' }  filter "b" { match = 'agent OR graph' } }
subscriber "liked@digest.test"  { filter "liked" { match = 'votes>=20' } }
subscriber "out@digest.test"    { outside = 2  filter "proof" { match = 'proof' } }
subscriber "week@digest.test"   { filter "cake" { match = 'cake' }  filter "best" { match = '*'  sort = votes  limit = 3  when = "thu 12:00" } }
subscriber "nobody@digest.test" { filter "none" { match = 'zebra' } }
"""


def digest(when, *args):
    done = subprocess.run([os.environ["DIGEST"], "-c", "digest.conf", "--now", when, *args],
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(f"{args}: {done.returncode}: {done.stderr}")
    return done.stdout


def run():
    rng = random.Random(1)
    pathlib.Path("digest.conf").write_text(CONFIG, encoding="utf-8")
    papers = []
    for day in DAYS:
        for _ in range(12):
            number = len(papers) + 1
            words = rng.sample(WORDS, 3)
            papers.append({"id": f"2603.{number:05}", "title": f"Paper {number:03} on " + " and ".join(words),
                           "abstract": "About it.", "listed": day.isoformat(), "votes": rng.randrange(8), "slope": rng.random() ** 3})
        with open("papers.jsonl", "w", encoding="utf-8") as file:
            for paper in papers:
                paper["votes"] += int(rng.randrange(16) * paper["slope"])
                file.write(json.dumps({k: v for k, v in paper.items() if k != "slope"}) + "\n")
        digest(f"{day}T13:00:00Z", "run")


def sections(text):
    """Of a mail in plain text: (section, title, whether it was only named) in order. A risen paper says whose it is."""
    name, named, risen = None, False, None
    for line in text.splitlines():
        if match := re.fullmatch(r"== (.*) ==", line):
            name, named = match[1], False
        elif line == "Also matched:":
            named = True
        elif match := re.match(r"(?: *\d+\. | +- )(Paper \d{3} on .*)", line):
            if name == "Risen":
                risen = match[1]
            else:
                yield name, match[1], named
        elif match := re.match(r" +risen since your last digest · in (.*?): ", line):
            assert name == "Risen", line
            yield match[1], risen, named


def mailed():
    """What the mails hold: (reader, title) to (day, section, whether only named)."""
    found = {}
    for path in pathlib.Path("Mail/new").iterdir():
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        day = email.utils.parsedate_to_datetime(mail["Date"]).date().isoformat()
        reader = mail["To"].addresses[0].addr_spec
        for section, title, named in sections(next(mail.iter_parts()).get_content()):
            before = found.get((reader, title))
            if before and not before[2] and not named:
                print(f"{reader} got {title} twice")
            # What was named and comes whole later counts as that; of two namings the newer.
            if not before or before[2] and (not named or before[0] < day):
                found[reader, title] = (day, section, named)
    return found


def compare():
    found = mailed()
    verdicts = collections.Counter()
    titles = {}
    with open("papers.jsonl", encoding="utf-8") as file:
        for line in file:
            paper = json.loads(line)
            titles[paper["id"]] = paper["title"]
    for key, title in titles.items():
        for line in digest(f"{DAYS[-1]}T14:00:00Z", "explain", "--json", "--all", key).splitlines():
            said = json.loads(line)
            verdict = said["verdict"]
            verdicts[verdict] += 1
            mail = found.pop((said["address"], title), None)
            if verdict in ("picked", "cut", "outside"):
                section = "Popular today, outside your filters" if verdict == "outside" else said["section"]
                told = (said["period"], section, verdict == "cut")
            else:
                told = None
            if verdict == "no-match" and any(f["holds"] for f in said["filters"]):
                print(f"{said['address']}: {title}: no match, but a filter holds")
            if told != mail:
                print(f"{said['address']}: {title}: explain says {verdict} {told}, the mails {mail}")
    for (reader, title), mail in found.items():
        print(f"{reader}: {title}: mailed {mail}, and explain never spoke of it")
    print("verdicts:", " ".join(f"{name}={n}" for name, n in sorted(verdicts.items())))


{"run": run, "compare": compare}[sys.argv[1]]()
