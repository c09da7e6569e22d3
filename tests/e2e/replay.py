#!/usr/bin/env python3
"""A web server on 127.0.0.1 that answers from files, for black-box tests of the whole program.

    replay.py --days DIR [--today YYYY-MM-DD | --control DIR] [--log FILE]
    replay.py --table FILE.json [--log FILE]

It prints the port it listens on as its first line and serves until it is killed.

--days DIR   plays Hugging Face: /api/daily_papers?date=D is answered with DIR/D.json, raw-D.json or
             three-papers-D.json, with [] when there is none, and with status 400 and a JSON error for a date after
             today. limit and p cut the answer into pages, with a Link to the next. ETag and 304 work.
--today D    what the server takes for today; without it the real day in UTC.
--control D  a folder that is looked into at every request: its file "today" overrides --today; its file "status"
             ("503", or "429 120" with a Retry-After) is answered to every request while it exists; its file
             "delay" holds seconds to wait before each answer.
--table F    {"/path?query": {"file": F, "body": TEXT, "status": N, "headers": {...}, "delay": S}, ...}; file is relative
             to the table; all members may be missing. A path without its query matches where the whole does not.
--log FILE   one line for each request: method, path and query, status, a tab between them; then If-None-Match or "-".
"""

import argparse
import datetime
import hashlib
import http.server
import json
import os
import sys
import time
import urllib.parse

NAMES = ("{}.json", "raw-{}.json", "three-papers-{}.json")


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Answer:
    def __init__(self, status=200, body=b"", headers=None, delay=0.0):
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.delay = delay


def json_error(status, text):
    body = json.dumps({"error": text}).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8"})


class Days:
    """The Daily Papers of recorded days."""

    def __init__(self, folder, today, control):
        self.folder = folder
        self.fixed_today = today
        self.control = control

    def control_text(self, name):
        if self.control is None:
            return ""
        try:
            return read(os.path.join(self.control, name)).decode().strip()
        except FileNotFoundError:
            return ""

    def today(self):
        text = self.control_text("today") or self.fixed_today
        if text:
            return datetime.date.fromisoformat(text)
        return datetime.datetime.now(datetime.timezone.utc).date()

    def recorded(self, day):
        for name in NAMES:
            path = os.path.join(self.folder, name.format(day.isoformat()))
            if os.path.exists(path):
                return path
        return None

    def forced(self):
        """The answer that the control folder asks for, or None."""
        words = self.control_text("status").split()
        if not words:
            return None
        answer = json_error(int(words[0]), "told to answer so")
        if len(words) > 1:
            answer.headers["Retry-After"] = words[1]
        return answer

    def page(self, path, query, day, limit, number):
        """One page of a day; the whole file, byte for byte, when it fits on one."""
        recorded = self.recorded(day)
        body = b"[]" if recorded is None else read(recorded)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        entries = json.loads(body)
        if len(entries) > limit or number > 0:
            part = entries[number * limit : (number + 1) * limit]
            body = json.dumps(part).encode()
            if (number + 1) * limit < len(entries):
                query = dict(query, p=str(number + 1))
                headers["Link"] = '<{}?{}>; rel="next"'.format(path, urllib.parse.urlencode(query))
        headers["ETag"] = '"{}"'.format(hashlib.sha256(body).hexdigest()[:32])
        return Answer(200, body, headers)

    def list_day(self, path, query):
        try:
            day = datetime.date.fromisoformat(query["date"])
            limit, number = int(query.get("limit", "50")), int(query.get("p", "0"))
        except (KeyError, ValueError):
            return json_error(400, "date, limit or p is missing or malformed")
        if day > self.today():
            return json_error(400, "date must not be in the future")
        if not 1 <= limit <= 100 or number < 0:
            return json_error(400, "limit must be 1 to 100")
        return self.page(path, query, day, limit, number)

    def answer(self, target):
        parts = urllib.parse.urlsplit(target)
        answer = self.forced()
        if answer is None and parts.path == "/api/daily_papers":
            answer = self.list_day(parts.path, dict(urllib.parse.parse_qsl(parts.query)))
        if answer is None:
            answer = json_error(404, "no such page")
        answer.delay = float(self.control_text("delay") or 0)
        return answer


class Table:
    """Fixed answers by path and query; the table is read again at every request."""

    def __init__(self, path):
        self.path = path

    def answer(self, target):
        table = json.loads(read(self.path))
        row = table.get(target, table.get(urllib.parse.urlsplit(target).path))
        if row is None:
            return Answer(404, b"no such page\n", {"Content-Type": "text/plain"})
        if "file" in row:
            body = read(os.path.join(os.path.dirname(os.path.abspath(self.path)), row["file"]))
        else:
            body = row.get("body", "").encode()
        return Answer(row.get("status", 200), body, row.get("headers"), row.get("delay", 0))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        answer = self.server.source.answer(self.path)
        etag = answer.headers.get("ETag")
        if etag is not None and etag == self.headers.get("If-None-Match"):
            answer = Answer(304, b"", {"ETag": etag}, answer.delay)
        time.sleep(answer.delay)
        self.note(answer.status)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers and answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def note(self, status):
        if self.server.log is None:
            return
        words = (self.command, self.path, str(status), self.headers.get("If-None-Match", "-"))
        with open(self.server.log, "a", encoding="utf-8") as f:
            f.write("\t".join(words) + "\n")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, source, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.source = source
        self.log = log

    def handle_error(self, request, client_address):
        # Clients that hang up are part of many tests.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="answer web requests from files")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--days", help="folder of recorded days of Hugging Face")
    what.add_argument("--table", help="JSON file of fixed answers")
    parser.add_argument("--today", help="YYYY-MM-DD")
    parser.add_argument("--control", help="folder with the files today, status, delay")
    parser.add_argument("--log", help="file to which each request is noted")
    options = parser.parse_args()
    if options.days is not None:
        source = Days(options.days, options.today, options.control)
    else:
        source = Table(options.table)
    server = Server(source, options.log)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
