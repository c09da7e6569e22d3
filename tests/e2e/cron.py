"""The command of a line of a crontab, as cron hands it to a shell: where they differ, by Debian's and by FreeBSD's."""

import sys


def command_of(field, pairs):
    out, at = "", 0
    while at < len(field) and field[at] != "%":
        if field[at] == "\\" and field[at + 1 : at + 2] != "":
            after = field[at + 1]
            out += after if after == "%" or (pairs and after == "\\") else "\\" + after
            at += 2
        else:
            out += field[at]
            at += 1
    return out


line = sys.stdin.read().rstrip("\n")
assert "\n" not in line, "more than one line"
field = line.split(None, 5)[5]
ways = {command_of(field, pairs) for pairs in (False, True)}
assert len(ways) == 1, f"not the same for all: {ways}"
print(ways.pop())
