#!/usr/bin/env python3
"""Has an object exactly the members that digest(1) lists? Prints each difference; exit 1 if there is one.

usage: members.py MANUAL ITEM <OBJECT      ITEM as in the list of section JSON, such as "run , send , fetch"; of several
                                       lines the first is looked at

In the manual ".Va a , b" names members; "(a list of" after one begins the names of what is in it.
"""

import json
import re
import sys


def read_item(path, item):
    """From member to the set of names inside it, or None."""
    with open(path, encoding="utf-8") as file:
        section = file.read().partition("\n.Sh JSON\n")[2].partition("\n.Sh ")[0]
    found = re.search(rf"(?ms)^\.It (?:Cm )?{re.escape(item)}\n(.*?)(?=^\.It |\Z)", section)
    if not found:
        sys.exit(f"digest(1) lists no '{item}'")
    members, inside, last = {}, False, None
    for line in found[1].splitlines():
        if line.startswith("(a list of") and "objects" not in line:
            inside = True
            members[last] = set()
        elif line.startswith(".Va "):
            names = re.findall(r"[a-z][a-z_]*", line[4:])
            if inside:
                members[last].update(names)
            else:
                members.update(dict.fromkeys(names))
                last = names[-1]
        if inside and ")" in line:
            inside = False
    return members


def main():
    members = read_item(sys.argv[1], sys.argv[2])
    got = json.loads(sys.stdin.readline())
    wrong = [f"digest(1) lacks {name}" for name in got if name not in members]
    wrong += [f"digest(1) tells of {name}, which is not there" for name in members if name not in got]
    for name, inner in members.items():
        for row in got.get(name) or [] if inner else []:
            if set(row) != inner:
                wrong.append(f"{name}: {sorted(row)}, digest(1) says {sorted(inner)}")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
