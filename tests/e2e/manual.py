#!/usr/bin/env python3
"""Do the help, the manuals, the completions and the example configuration say what the tables of the program hold?

usage: manual.py DIGEST ROOT      ROOT: the folder of the sources; one line per difference; exit 1 if there is one

What the tables hold is taken from `digest help`, `digest help COMMAND` and `digest config --all --json`. Compared with these
are digest(1) and digest.conf(5), both ways; the completions of bash, zsh and fish; `digest help BLOCK`; and
etc/digest.conf.example, which must load once the # of its examples are off.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

MIN_COMMANDS, MIN_OPTIONS, MIN_KEYS = 12, 20, 50  # what found fewer has looked at the wrong place


def say(digest, *arguments):
    return subprocess.run([digest, *arguments], capture_output=True, text=True, check=True).stdout


def sections(text, mark):
    """From name to text, where a line 'mark NAME ...' begins a section; sections of one name are joined."""
    found = {}
    for head, rest in re.findall(rf"(?ms)^\{mark} (\S+)(.*?)(?=^\{mark} |\Z)", text):
        found[head] = found.get(head, "") + rest
    return found


def read_commands(digest):
    """From command to its own options."""
    names = re.findall(r"(?m)^  ([a-z]+) +\S", say(digest, "help").partition("\nSet up\n")[2].partition("\nOptions of")[0])
    return {name: re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", say(digest, "help", name)) for name in names}


def read_keys(digest):
    """From block to its keys."""
    keys = {}
    for line in say(digest, "config", "--all", "--json").splitlines():
        key = json.loads(line)
        keys.setdefault(key["block"], set()).add(key["key"])
    return keys


def check_commands(commands, page):
    written = sections(page.partition(".Sh COMMANDS")[2].partition("\n.Sh ")[0], ".It Cm")
    dry_run = page.partition(".Sh THE DRY RUN")[2].partition("\n.Sh ")[0]
    if len(commands) < MIN_COMMANDS or sum(map(len, commands.values())) < MIN_OPTIONS:
        yield f"only {len(commands)} commands with {sum(map(len, commands.values()))} options"
    yield from (f"digest(1) tells of a command '{name}'" for name in written if name not in commands)
    for name, options in commands.items():
        if name not in written:
            yield f"digest(1) lacks the command '{name}'"
            continue
        told = re.findall(r"Fl (?:\w , )?-([a-z][a-z-]+)", written[name] + (dry_run if name == "run" else ""))
        yield from (f"digest(1) lacks --{o} of '{name}'" for o in options if o not in told)


def check_completions(digest, commands, keys):
    everywhere = re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", say(digest, "help").partition("\nOptions of")[2])
    for shell in "bash", "zsh":
        script = say(digest, "completion", shell)
        found = set(re.search(r"(?m)^\t'?'?\) choices='([a-z ]+)' ;;$", script)[1].split())
        yield from (f"{shell} lacks the command '{c}'" for c in commands if c not in found)
        common = re.search(r"(?m)^\t\tchoices='([^']*)'$", script)[1].split()
        yield from (f"{shell} lacks --{o}" for o in everywhere if f"--{o}" not in common)
        for name, options in commands.items():
            found = re.search(rf'(?m)^\t\t{name}\) choices="\$choices([^"]*)" ;;$', script)
            found = found[1].split() if found else []
            yield from (f"{shell} has --{o} of '{name}' or lacks it" for o in {f[2:] for f in found} ^ set(options))
    script = say(digest, "completion", "fish")
    yield from (f"fish lacks the command '{c}'" for c in commands if f" -a {c} -d " not in script)
    for name, options in commands.items():
        found = re.findall(rf"(?m)^complete -c digest -n '__fish_seen_subcommand_from {name}'.* -l ([a-z-]+) ", script)
        yield from (f"fish has --{o} of '{name}' or lacks it" for o in set(found) ^ set(options))
    words = set(say(digest, "completion", "keys").split())
    yield from (f"completion lacks {b}.{k}" for b in keys for k in keys[b] if f"{b}.{k}" not in words or b not in words)


def check_keys(digest, keys, page):
    if sum(map(len, keys.values())) < MIN_KEYS:
        yield f"only {sum(map(len, keys.values()))} keys"
    blocks = sections(page.partition(".Sh BLOCKS")[2].partition("\n.Sh ")[0], ".Ss")
    for block, names in keys.items():
        told = set(re.findall(r"(?m)^\.It Ic (\S+)", blocks.get(block, "")))
        yield from (f"digest.conf(5) lacks {block}.{name}" for name in sorted(names - told))
        yield from (f"digest.conf(5) tells of {block}.{name}" for name in sorted(told - names))
        helped = set(re.findall(rf"(?m)^{block}\.(\S+)  ", say(digest, "help", block)))
        if block not in ("filter", "source", "list"):  # keys of other blocks have these names
            yield from (f"digest help {block}: {name} too much or missing" for name in sorted(names ^ helped))
        yield from (f"digest help {block} lacks {name}" for name in sorted(names - helped))
    yield from (f"digest.conf(5) tells of a block {block}" for block in blocks if block not in keys and block != "defaults")


def uncomment(text):
    """Examples begin right behind the #, or four blanks and more; sentences behind one."""
    return re.sub(r"(?m)^#(?=[^ #\n]|    +[a-z}])", "", text)


def keys_given(text):
    """Pairs of block and key of a configuration; the keys of defaults are a subscriber's."""
    found, stack, last = set(), [], ""
    for token in re.findall(r"'(?:\\'|[^'])*'|\"(?:\\.|[^\"])*\"|#[^\n]*|= *\{|[{}=]|[A-Za-z0-9._:/@+*-]+", text):
        if token[0] == "#":
            continue
        if token in "{}" or token.endswith("{"):
            if token == "}":
                stack.pop()
            else:
                stack.append("" if token[0] == "=" else last)
        if token[0] == "=":
            found.add(({"defaults": "subscriber"}.get(stack[-1 - (token != "=")], stack[-1 - (token != "=")]), last))
        elif re.match(r"[a-z]", token):
            last = token
    return found


def check_example(digest, keys, text):
    plain = uncomment(text)
    given = keys_given(plain)
    for block, names in keys.items():
        # A key may also be named in the sentences above its block.
        words = " ".join(p for p in text.split("\n\n") if re.search(rf"(?m)^#?{block}\b.*\{{", p))
        words = set(re.findall(r"[a-z][a-z-]+", " ".join(re.findall(r"(?m)^# (.*)$", words))))
        yield from (f"the example lacks {block}.{n}" for n in sorted(names) if (block, n) not in given and n not in words)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "digest.conf")
        for name, content in ("as it is", text), ("with all examples", plain):
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            got = subprocess.run([digest, "-c", path, "config"], capture_output=True, text=True, check=False)
            if got.returncode != 0 or got.stderr:
                yield f"the example, {name}, does not load: {got.stderr}"


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def main():
    digest, root = sys.argv[1:3]
    commands, keys = read_commands(digest), read_keys(digest)
    found = list(check_commands(commands, read(root, "man/digest.1"))) + list(check_keys(digest, keys, read(root, "man/digest.conf.5")))
    found += list(check_completions(digest, commands, keys)) + list(check_example(digest, keys, read(root, "etc/digest.conf.example")))
    for line in found:
        print(line)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
