#!/usr/bin/env python3
"""What readers should have been mailed, worked out anew from the days served: the same lines as "mails.py papers", with
the ids sorted. A list of day D counts from D 12:00 UTC, each run is at 13:00, and a paper is mailed to a reader once.

usage: expect.py FOLDER DAY...
"""

import json
import os
import re
import sys


def read_day(folder, day):
    for name in (f"{day}.json", f"raw-{day}.json", f"three-papers-{day}.json"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
    return []


def words(paper):
    return " ".join([paper["title"], paper.get("summary", "")] + paper.get("ai_keywords", [])).lower()


FILTERS = {
    "ada@digest.test": lambda p: re.search(r"\b(splattings?|nerfs?)\b", words(p)),
    "bob@digest.test": lambda p: re.search(r"\bagent", words(p)),
    "cleo@digest.test": lambda p: p.get("upvotes", 0) >= 20,
    "dan@digest.test": lambda p: True,
    "eve@digest.test": lambda p: re.search(r"\btea\b", words(p)) and not re.search(r"\bagents?\b", words(p)),
}


def main():
    folder, days = sys.argv[1], sys.argv[2:]
    known, sent = {}, {address: set() for address in FILTERS}
    for day in days:
        for entry in read_day(folder, day):
            known[entry["paper"]["id"]] = entry["paper"]
        for address, wants in FILTERS.items():
            new = sorted(id for id, paper in known.items() if id not in sent[address] and wants(paper))
            sent[address].update(new)
            if new:
                print(day, address, *new)


if __name__ == "__main__":
    main()
