#!/usr/bin/env python3
"""Every way a relay can fail at every step, against the real program: prints one TAP line a cell, and what differs. Each
from MAIL on is tried with a relay that takes a command at a time, with one that offers PIPELINING, and there with the mail
of a second reader, whose envelope is behind the dot of the first.

usage: faults.py DIGEST FOLDER [CELL]...

FOLDER holds ca.pem, s.pem and s.key (a server's certificate for 127.0.0.1) and papers.json. Each cell has one reader. Two
runs: the first meets the fault, the second, two hours later, does not. Looked at are the state of the mail after the
first run, the exit codes, the sentence, how many mails the relay accepted in the end, and that the password is nowhere.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import smtp_server

CANARY = "c4nary-Pa55word"

CONFIG = """list {{ from = "Papers <papers@digest.test>" }}
store {{ path = "digest.db" }}
smtp "main" {{ url = "{scheme}://127.0.0.1:{port}"  user = "me"  password-file = "secret"  ca-file = "../ca.pem"
    connections = 1 }}
source "days" {{ type = file  path = "../papers.json" }}
{readers}"""
READER = 'subscriber "{}@digest.test" {{}}\n'

# step, what happens there, state after the first run, its exit code, words of its -v output, mails in the end
LATER, NEVER, BYE = "451 4.3.0 come back later", "554 5.0.0 no", "421 4.3.2 closing"
DROP, RUBBISH = None, "wonderful weather today"
CELLS = [
    ("connect", LATER, "deferred", 75, "will not serve us .451 4.3.0 .*try again later", 1),
    ("connect", NEVER, "deferred", 78, "will not serve us .554 5.0.0 .*are url and port right", 1),
    ("connect", BYE, "deferred", 75, "will not serve us .421 4.3.2 .*try again later", 1),
    ("connect", DROP, "deferred", 75, "the connection was lost before its greeting", 1),
    ("connect", RUBBISH, "deferred", 75, "does not speak SMTP; is the port right", 1),
    ("EHLO", LATER, "deferred", 75, "refuses EHLO .451 4.3.0 .*try again later", 1),
    ("EHLO", NEVER, "deferred", 78, "refuses EHLO .554 5.0.0 .*helo", 1),
    ("EHLO", BYE, "deferred", 75, "refuses EHLO .421 4.3.2 .*try again later", 1),
    ("EHLO", DROP, "deferred", 75, "the connection was lost at EHLO", 1),
    ("AUTH", LATER, "deferred", 75, "refuses the login .451 4.3.0 .*try again later", 1),
    ("AUTH", "535 5.7.8 who are you", "deferred", 78, "refuses user and password .535 5.7.8", 1),
    ("AUTH", BYE, "deferred", 75, "refuses the login .421 4.3.2 .*try again later", 1),
    ("AUTH", DROP, "deferred", 75, "the connection was lost at the login", 1),
    ("MAIL", LATER, "deferred", 75, "waits for a later run: 451 4.3.0", 1),
    ("MAIL", NEVER, "deferred", 78, "refuses mail from papers@digest.test .554 5.0.0 .*may this account send as list.from", 1),
    ("MAIL", BYE, "deferred", 75, "waits for a later run: 421 4.3.2", 1),
    ("MAIL", DROP, "deferred", 75, "waits for a later run: the connection was lost", 1),
    ("MAIL", RUBBISH, "deferred", 75, "waits for a later run: an answer that is not SMTP", 1),
    ("RCPT", LATER, "deferred", 75, "waits for a later run: 451 4.3.0", 1),
    ("RCPT", "552 5.2.2 mailbox full", "deferred", 75, "waits for a later run: 552 5.2.2", 1),
    ("RCPT", "550 5.7.1 not from you", "deferred", 75, "waits for a later run: 550 5.7.1", 1),
    ("RCPT", "550 5.1.1 no such user", "failed", 0, "refused for good: 550 5.1.1", 0),
    ("RCPT", BYE, "deferred", 75, "waits for a later run: 421 4.3.2", 1),
    ("RCPT", DROP, "deferred", 75, "waits for a later run: the connection was lost", 1),
    ("RCPT", RUBBISH, "deferred", 75, "waits for a later run: an answer that is not SMTP", 1),
    ("DATA", LATER, "deferred", 75, "waits for a later run: 451 4.3.0", 1),
    ("DATA", NEVER, "failed", 0, "refused for good: 554 5.0.0", 0),
    ("DATA", BYE, "deferred", 75, "waits for a later run: 421 4.3.2", 1),
    ("DATA", DROP, "deferred", 75, "waits for a later run: the connection was lost", 1),
    ("DATA", RUBBISH, "deferred", 75, "waits for a later run: an answer that is not SMTP", 1),
    (".", LATER, "deferred", 75, "waits for a later run: 451 4.3.0", 1),
    (".", NEVER, "failed", 0, "refused for good: 554 5.0.0", 0),
    # 421 may be said whatever was asked: nobody knows what became of the mail.
    (".", BYE, "unknown", 75, "may have arrived or not: 421 4.3.2", 1),
    (".", DROP, "unknown", 75, "may have arrived or not: the connection was lost", 1),
    (".", RUBBISH, "unknown", 75, "may have arrived or not: an answer that is not SMTP", 1),
    ("QUIT", LATER, "sent", 0, "", 1),
    ("QUIT", BYE, "sent", 0, "", 1),
    ("QUIT", DROP, "sent", 0, "", 1),
    ("QUIT", RUBBISH, "sent", 0, "", 1),
]

# How the relay is spoken to; the mail that is looked at is that of the last reader.
ALONE, GROUP, BEHIND = "", ", in a group", ", behind a dot"
READERS = {ALONE: ["ada"], GROUP: ["ada"], BEHIND: ["ada", "bob"]}


def variants(cell):
    if cell[0] in ("connect", "EHLO", "AUTH"):
        return [cell + (ALONE,)]
    found = [cell + (ALONE,), cell + (GROUP,)]
    if cell[0] == "MAIL" and cell[1] in (BYE, DROP, RUBBISH):
        # It took one mail and says nothing of the next: that goes over another connection.
        found.append(cell[:2] + ("sent", 0, "", 2, BEHIND))
    elif cell[0] != "QUIT":
        found.append(cell[:5] + (cell[5] + 1, BEHIND))
    return found


def name_of(cell):
    action = cell[1] if cell[1] is not DROP else "hangs up"
    return f"{cell[0]}: {action}{cell[6]}"


class Relay:
    """One SMTP server in a thread, with one step that fails once."""

    def __init__(self, folder, cell):
        options = argparse.Namespace(tls="implicit", cert=os.path.join(folder, "..", "s.pem"),
                                     key=os.path.join(folder, "..", "s.key"), max_tls=None, auth="me:" + CANARY,
                                     mechanisms="PLAIN LOGIN", auth_plain=False, auth_before=False, extension=["PIPELINING"] if cell[6] else [], inject="", together=False,
                                     dump=os.path.join(folder, "box"), log=os.path.join(folder, "log"), script=None)
        os.mkdir(options.dump)
        self.server = smtp_server.Server(("127.0.0.1", 0), smtp_server.Talk)
        self.server.state = smtp_server.State(options)
        step = {"expect": cell[0], "skip": int(cell[6] == BEHIND)}
        step.update({"reply": "", "close": True} if cell[1] is DROP else
                    {"reply": cell[1], "close": cell[1] == BYE})
        # What a refused greeting, hello or login was is asked again on every connection.
        if cell[0] in ("connect", "EHLO", "AUTH"):
            step["times"] = 0
        self.server.state.steps = [step]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def port(self):
        return self.server.server_address[1]

    def mend(self):
        self.server.state.steps = []

    def mails(self):
        return len([n for n in os.listdir(self.server.state.options.dump) if n.endswith(".eml")])


def run(digest, folder, now, *words):
    done = subprocess.run([digest, "-c", "digest.conf", "--now", now, *words], cwd=folder, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=600, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def holds_canary(folder, texts):
    found = [text for text in texts if CANARY in text]
    for root, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(root, name), "rb") as file:
                if name != "secret" and CANARY.encode() in file.read():
                    found.append(name)
    return found


def try_cell(digest, folder, cell):
    """What differs from the table, as lines."""
    _, _, state, code, words, total, variant = cell
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    relay = Relay(folder, cell)
    with open(os.path.join(folder, "digest.conf"), "w", encoding="utf-8") as file:
        file.write(CONFIG.format(scheme="smtps", port=relay.port(), readers="".join(map(READER.format, READERS[variant]))))
    with open(os.open(os.path.join(folder, "secret"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(CANARY + "\n")
    wrong = []
    got, out, err = run(digest, folder, "2026-03-03T08:00:00Z", "run", "-v")
    if got != code:
        wrong.append(f"exit code {got}, expected {code}")
    lines = run(digest, folder, "2026-03-03T08:01:00Z", "history", "--json")[1].splitlines()
    history = next(row for row in map(json.loads, lines) if row["address"].startswith(READERS[variant][-1]))
    if history["state"] != state:
        wrong.append(f"state {history['state']}, expected {state}")
    if not re.search(words, err):
        wrong.append(f"no line says '{words}'")
    relay.mend()
    _, out2, err2 = run(digest, folder, "2026-03-03T10:00:00Z", "run", "-v")
    if relay.mails() != total:
        wrong.append(f"{relay.mails()} mails in the end, expected {total}")
    wrong += [f"the password is in {place[:60]}" for place in holds_canary(folder, [out, err, out2, err2])]
    if wrong:
        wrong += ["said: " + line for line in err.splitlines()] + ["reply: " + history["reply"]]
    relay.server.shutdown()
    return wrong


def main():
    digest, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    cells = [cell for row in CELLS for cell in variants(row) if not sys.argv[3:] or name_of(cell) in sys.argv[3:]]
    print(f"1..{len(cells)}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(try_cell, digest, os.path.join(folder, f"cell-{number}"), cell)
                   for number, cell in enumerate(cells, 1)]
        for number, future in enumerate(futures, 1):
            wrong = future.result()
            print(f"{'not ' if wrong else ''}ok {number} - {name_of(cells[number - 1])}")
            for line in wrong:
                print("#   " + line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
