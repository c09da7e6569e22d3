#!/usr/bin/env python3
"""Talk to a command on a terminal: wait for what it asks, type an answer. Standard library only.

usage: dialogue.py [--columns N] [--show FILE] STEPS [NAME=VALUE]... COMMAND...

STEPS is a file of lines: the text that is waited for, " => ", and what is typed then, ended by a newline; "^C" and "^D" are
these keys, and an answer that ends in "^I" ends in that key alone. All that came to the screen goes to standard output, or to FILE. Ends with the exit code of the
command (128 + n by a signal), or with 99 when a text does not come within a minute, which is said on standard error.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

KEYS = {"^C": b"\x03", "^D": b"\x04"}
WAIT_S = 60


def keys(answer):
    return answer[:-2].encode() + b"\t" if answer.endswith("^I") else KEYS.get(answer, answer.encode() + b"\n")


def waits(pid, fd, hidden):
    """Whether the command sleeps and has the terminal as it reads an answer: what is typed before that may be thrown away."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        state = file.read().rpartition(") ")[2][0]
    return state in "SZ" and not (hidden and termios.tcgetattr(fd)[3] & termios.ECHO)


def main():
    args, columns, show = sys.argv[1:], 80, None
    while args[0].startswith("--"):
        if args[0] == "--columns":
            columns = int(args[1])
        elif args[0] == "--show":
            show = args[1]
        args = args[2:]
    with open(args[0], encoding="utf-8") as file:
        steps = [line.rstrip("\n").partition(" => ")[::2] for line in file if line.strip()]
    command, environment = args[1:], {"TERM": "xterm", "NO_COLOR": "1", "PAGER": "cat"}
    while "=" in command[0]:
        name, _, environment[name] = command.pop(0).partition("=")

    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.execvpe(command[0], command, {**os.environ, **environment})
    seen, looked_at, failed = bytearray(), 0, None
    deadline = time.monotonic() + WAIT_S
    while True:
        if steps and steps[0][0].encode() in seen[looked_at:]:
            wanted, answer = steps.pop(0)
            looked_at = seen.index(wanted.encode(), looked_at) + len(wanted.encode())
            time.sleep(0.02)
            while not waits(pid, fd, wanted.startswith("Password")) and time.monotonic() < deadline:
                time.sleep(0.02)
            os.write(fd, keys(answer))
            deadline = time.monotonic() + WAIT_S
            continue
        if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
            failed = steps[0][0] if steps else "its end"
            os.kill(pid, 9)
            break
        try:
            part = os.read(fd, 65536)
        except OSError:  # Linux ends a pseudo-terminal so
            break
        if not part:
            break
        seen += part
    text = seen.decode("utf-8", "replace").replace("\r\n", "\n")
    if show:
        with open(show, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)
    status = os.waitpid(pid, 0)[1]
    if failed or steps:
        print(f"did not come: {failed or steps[0][0]}\nseen: {text[-1500:]}", file=sys.stderr)
        sys.exit(99)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
