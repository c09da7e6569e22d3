#!/usr/bin/env python3
"""Do the manuals say what the program does? Compares `digest help` and `digest config` with digest(1) and digest.conf(5), both ways.

usage: manual.py DIGEST FOLDER-OF-MANUALS      one line per difference; exit 1 if there is one
"""

import json
import os
import re
import subprocess
import sys

MIN_COMMANDS, MIN_OPTIONS, MIN_KEYS = 12, 20, 50  # what found fewer has looked at the wrong place


def say(digest, *arguments):
    return subprocess.run([digest, *arguments], capture_output=True, text=True, check=True).stdout


def sections(text, mark):
    """From name to text, where a line 'mark NAME ...' begins a section; sections of one name are joined."""
    found = {}
    for head, rest in re.findall(rf"(?ms)^\{mark} (\S+)(.*?)(?=^\{mark} |\Z)", text):
        found[head] = found.get(head, "") + rest
    return found


def check_commands(digest, page):
    commands = re.findall(r"(?m)^  ([a-z]+) +\S", say(digest, "help").partition("\nSet up\n")[2].partition("\nOptions of")[0])
    written = sections(page.partition(".Sh COMMANDS")[2].partition("\n.Sh ")[0], ".It Cm")
    dry_run = page.partition(".Sh THE DRY RUN")[2].partition("\n.Sh ")[0]
    noptions = 0
    if len(commands) < MIN_COMMANDS:
        yield f"only {len(commands)} commands"
    yield from (f"digest(1) tells of a command '{name}'" for name in written if name not in commands)
    for name in commands:
        if name not in written:
            yield f"digest(1) lacks the command '{name}'"
            continue
        text = written[name] + (dry_run if name == "run" else "")
        options = re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", say(digest, "help", name))
        noptions += len(options)
        told = re.findall(r"Fl (?:\w , )?-([a-z][a-z-]+)", text)
        yield from (f"digest(1) lacks --{o} of '{name}'" for o in options if o not in told)
    if noptions < MIN_OPTIONS:
        yield f"only {noptions} options of commands"


def check_keys(digest, page):
    keys = {}
    for line in say(digest, "config", "--all", "--json").splitlines():
        key = json.loads(line)
        keys.setdefault(key["block"], set()).add(key["key"])
    if sum(map(len, keys.values())) < MIN_KEYS:
        yield f"only {sum(map(len, keys.values()))} keys"
    blocks = sections(page.partition(".Sh BLOCKS")[2].partition("\n.Sh ")[0], ".Ss")
    for block, names in keys.items():
        told = set(re.findall(r"(?m)^\.It Ic (\S+)", blocks.get(block, "")))
        yield from (f"digest.conf(5) lacks {block}.{name}" for name in sorted(names - told))
        yield from (f"digest.conf(5) tells of {block}.{name}" for name in sorted(told - names))
    yield from (f"digest.conf(5) tells of a block {block}" for block in blocks if block not in keys and block != "defaults")


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def main():
    digest, folder = sys.argv[1:3]
    found = list(check_commands(digest, read(folder, "digest.1"))) + list(check_keys(digest, read(folder, "digest.conf.5")))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
