#!/usr/bin/env python3
"""An SMTP server on loopback that behaves as scripted; standard library only. Prints its port, then serves until it is
killed.

usage: smtp_server.py [options]

--tls MODE      none (default), implicit (smtps), starttls
--cert FILE --key FILE          PEM, for TLS
--max-tls 1.1   the newest version of TLS that it speaks
--auth USER:PASSWORD            offer AUTH (under TLS only, unless --auth-plain) and require it before MAIL
--mechanisms "PLAIN LOGIN"      offered and understood; XOAUTH2 and OAUTHBEARER as well: there PASSWORD is the name of a file
                that has the token, read at each login; another one is answered by a challenge, then refused
--auth-plain    offer AUTH without TLS as well
--rude          a challenge repeats the token instead of telling what is wrong
--auth-before   offer AUTH only as long as there is no TLS
--extension LINE                a further EHLO line, again and again: "SIZE 1000000"
--inject TEXT   sent in one piece with the "220" of STARTTLS, before TLS; \\r and \\n are understood
--together      answers to commands that came together go out together: under TLS, in one record
--dump DIR      each accepted mail as DIR/000001.eml, as it came with dots undone, after X-Sender and X-Recipient lines
--log FILE      one line a command, "NUMBER COMMAND", NUMBER of the connection; passwords of AUTH are not written
--stamp         each line of the log begins with the time, in seconds since 1970
--script FILE   JSON, a list of steps; each is taken for the first command it fits, and then gone:
                expect    beginning of the command; "connect" is the greeting, "." the final dot
                skip      so many of these commands are answered as usual first
                times     how often it is used, 0 = always; default 1
                reply     text, or a list of lines; "" = silence; without it the usual answer
                delay     seconds before the answer
                bytes     true: the answer goes byte by byte
                close     true: hang up afterwards
"""

import argparse
import base64
import json
import os
import socket
import socketserver
import ssl
import sys
import threading
import time
import warnings


warnings.filterwarnings("ignore", category=DeprecationWarning)  # TLS 1.1 is asked for by name


class State:
    """What all connections share."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.nmails = 0
        self.nconnections = 0
        self.log = open(options.log, "a", encoding="utf-8") if options.log else None
        self.steps = []
        if options.script:
            with open(options.script, encoding="utf-8") as file:
                self.steps = json.load(file)
        self.tls = None
        if options.tls != "none":
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.cert, options.key)
            if options.max_tls:
                self.tls.set_ciphers("ALL:@SECLEVEL=0")
                self.tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                self.tls.maximum_version = getattr(ssl.TLSVersion, "TLSv" + options.max_tls.replace(".", "_").replace("_0", ""))

    def note(self, number, text):
        with self.lock:
            if self.log:
                stamp = f"{time.time():.3f} " if getattr(self.options, "stamp", False) else ""
                self.log.write(f"{stamp}{number} {text}\n")
                self.log.flush()

    def step(self, command):
        """The step of the script for this command, or None."""
        with self.lock:
            for step in self.steps:
                if not command.upper().startswith(step["expect"].upper()):
                    continue
                if step.get("skip", 0) > 0:
                    step["skip"] -= 1
                    return None
                times = step.get("times", 1)
                if times == 1:
                    self.steps.remove(step)
                elif times > 1:
                    step["times"] = times - 1
                return step
        return None

    def keep(self, sender, recipients, body):
        with self.lock:
            self.nmails += 1
            if self.options.dump:
                path = os.path.join(self.options.dump, f"{self.nmails:06d}.eml")
                head = f"X-Sender: {sender}\r\n" + "".join(f"X-Recipient: {r}\r\n" for r in recipients)
                with open(path + ".part", "wb") as file:
                    file.write(head.encode() + body)
                os.rename(path + ".part", path)


class Talk(socketserver.BaseRequestHandler):
    def setup(self):
        self.state = self.server.state
        with self.state.lock:
            self.state.nconnections += 1
            self.number = self.state.nconnections
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.under_tls = False
        self.known = False
        self.sender = None
        self.recipients = []
        self.buffer = b""
        self.unsent = b""

    def handle(self):
        try:
            if self.state.options.tls == "implicit":
                self.begin_tls()
            self.say("connect", "220 relay.example.org ESMTP")
            while True:
                line = self.line()
                text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
                self.state.note(self.number, "AUTH (hidden)" if text.upper().startswith("AUTH") else text)
                if not self.command(text):
                    return
        except (OSError, EOFError, ssl.SSLError):
            pass

    def begin_tls(self):
        self.request = self.state.tls.wrap_socket(self.request, server_side=True)
        self.under_tls = True
        self.buffer = b""

    def line(self):
        while b"\n" not in self.buffer:
            if self.unsent:
                self.request.sendall(self.unsent)
                self.unsent = b""
            more = self.request.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"

    def send(self, text, by_bytes=False):
        data = text.encode()
        if self.state.options.together and self.buffer:
            self.unsent += data
            return
        data, self.unsent = self.unsent + data, b""
        for i in range(0, len(data), 1 if by_bytes else max(1, len(data))):
            self.request.sendall(data[i : i + 1] if by_bytes else data)

    def say(self, command, usual, keep=lambda: None):
        """Answer, as usual or as the script says. True: as usual; then what is to be kept is so before anybody hears of it."""
        step = self.state.step(command) or {}
        time.sleep(step.get("delay", 0))
        reply = step.get("reply", usual)
        if isinstance(reply, list):
            reply = "\r\n".join(reply)
        good = reply[:1] == usual[:1]
        if good and not step.get("close"):
            keep()
        if reply:
            self.send(reply + "\r\n", step.get("bytes", False))
        if step.get("close"):
            raise EOFError
        return good

    def hello(self):
        options = self.state.options
        lines = ["relay.example.org"] + options.extension
        if options.tls == "starttls" and not self.under_tls:
            lines.append("STARTTLS")
        if options.auth and (not self.under_tls if options.auth_before else self.under_tls or options.auth_plain):
            lines.append("AUTH " + options.mechanisms)
        lines.append("HELP")
        return "\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{l}" for i, l in enumerate(lines))

    def login(self, words):
        def ask(prompt):
            self.send(f"334 {prompt}\r\n")
            return self.line().strip().decode()

        mechanism = words[1].upper() if len(words) > 1 else ""
        if mechanism == "PLAIN":
            token = words[2] if len(words) > 2 else ask("")
            given = base64.b64decode(token).split(b"\0")[1:]
        elif mechanism == "LOGIN":
            user = words[2] if len(words) > 2 else ask("VXNlcm5hbWU6")
            given = [base64.b64decode(user), base64.b64decode(ask("UGFzc3dvcmQ6"))]
        elif mechanism in ("XOAUTH2", "OAUTHBEARER"):
            # A long one does not stand on the line of the command (RFC 4954 4).
            sent = words[2] if len(words) > 2 else ask("")
            given = base64.b64decode(sent)
            user, path = self.state.options.auth.split(":")
            with open(path, encoding="utf-8") as file:
                token = file.read().strip()
            address = self.server.server_address
            good = {"XOAUTH2": f"user={user}\1auth=Bearer {token}\1\1",
                    "OAUTHBEARER": f"n,a={user},\1host=127.0.0.1\1port={address[1]}\1auth=Bearer {token}\1\1"}
            if given.decode() == good[mechanism]:
                return True
            # What came is repeated, as a server may that is debugged.
            ask(base64.b64encode(b'{"status":"401"}').decode() if self.state.options.polite else sent)
            return False
        else:
            return False
        return b":".join(given).decode() == self.state.options.auth

    def command(self, text):
        verb = text.split(" ")[0].upper()
        options = self.state.options
        if verb in ("EHLO", "HELO"):
            self.say(text, self.hello())
        elif verb == "STARTTLS" and options.tls == "starttls" and not self.under_tls:
            inject = options.inject.replace("\\r", "\r").replace("\\n", "\n")
            if self.say(text, "220 2.0.0 go ahead" + ("\r\n" + inject.rstrip("\r\n") if inject else "")):
                self.begin_tls()
        elif verb == "AUTH" and options.auth:
            self.known = self.login(text.split(" "))
            self.say("AUTH", "235 2.7.0 welcome" if self.known else "535 5.7.8 authentication failed")
        elif verb == "MAIL" and options.auth and not self.known:
            self.say(text, "530 5.7.0 log in first")
        elif verb == "MAIL":
            if self.say(text, "250 2.1.0 Ok"):
                self.sender, self.recipients = text[10:].split(">")[0].lstrip("<"), []
        elif verb == "RCPT" and self.sender is None:
            self.say(text, "503 5.5.1 need MAIL before RCPT")
        elif verb == "RCPT":
            if self.say(text, "250 2.1.5 Ok"):
                self.recipients.append(text[8:].split(">")[0].lstrip("<"))
        elif verb == "DATA" and not self.recipients:
            self.say(text, "554 5.5.1 no valid recipients")
        elif verb == "DATA":
            if self.say(text, "354 go on"):
                self.body()
        elif verb == "RSET":
            self.sender, self.recipients = None, []
            self.say(text, "250 2.0.0 Ok")
        elif verb == "QUIT":
            self.say(text, "221 2.0.0 bye")
            return False
        else:
            self.say(text, "250 2.0.0 Ok" if verb == "NOOP" else "500 5.5.1 what?")
        return True

    def body(self):
        lines = []
        while (line := self.line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        self.say(".", f"250 2.0.0 Ok: queued as {self.number}",
                 lambda: self.state.keep(self.sender, self.recipients, b"".join(lines)))
        self.sender, self.recipients = None, []


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=("none", "implicit", "starttls"), default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--max-tls")
    parser.add_argument("--auth")
    parser.add_argument("--mechanisms", default="PLAIN LOGIN")
    parser.add_argument("--auth-plain", action="store_true")
    parser.add_argument("--rude", dest="polite", action="store_false")
    parser.add_argument("--auth-before", action="store_true")
    parser.add_argument("--extension", action="append", default=[])
    parser.add_argument("--inject", default="")
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--dump")
    parser.add_argument("--log")
    parser.add_argument("--script")
    parser.add_argument("--stamp", action="store_true")
    options = parser.parse_args()
    with Server(("127.0.0.1", options.port), Talk) as server:
        server.state = State(options)
        server.handle_error = lambda *args: None
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
