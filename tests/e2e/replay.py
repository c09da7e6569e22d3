#!/usr/bin/env python3
"""A web server on loopback that answers as recorded; standard library only. Prints its port, then serves until it is killed.

usage: replay.py [--days FOLDER] [--today FILE] [--script FILE] [--log FILE]

--days FOLDER   /api/daily_papers?date=D as Hugging Face answers it: from D.json, raw-D.json or three-papers-D.json of
                the folder, "[]" for a day without a file; with an ETag, and 304 to who has it
--today FILE    holds the day of the service's clock, read again at each request; a later date is answered with 400
--script FILE   answers for single paths, read again at each request, before the days: a JSON object from path, or path
                and query, to {"status", "headers", "body" or "file", "delay", "truncate", "chunked"}:
                delay     seconds before the first byte
                truncate  bytes of the body after which the connection is closed, with the length of all of it announced
                chunked   true: chunked coding, and with truncate no end of it
                A list of such objects is taken one a request; its last one stays.
                An ETag among the headers is compared: 304 to who has it
--log FILE      one line a request: method, path with query, status
"""

import argparse
import hashlib
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse


class Replay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "replay"
    wbufsize = 65536  # headers and body in one packet
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        answer = self.scripted(url)
        if answer is None:
            answer = self.recorded(url)
        status = answer.get("status", 200)
        self.note(status)
        time.sleep(answer.get("delay", 0))
        try:
            self.put(status, answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def note(self, status):
        if self.server.options.log:
            with self.server.lock, open(self.server.options.log, "a", encoding="utf-8") as log:
                log.write(f"{self.command} {self.path} {status}\n")

    def put(self, status, answer):
        body = answer.get("body", b"")
        if "file" in answer:
            with open(answer["file"], "rb") as file:
                body = file.read()
        elif not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "surrogateescape")
        sent = body[:answer["truncate"]] if "truncate" in answer else body
        headers = {"Content-Type": "application/json; charset=utf-8", **answer.get("headers", {})}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
        elif status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.get("chunked"):
            sent = b"%x\r\n%s\r\n" % (len(body), sent) if len(sent) < len(body) else \
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        if status not in (204, 304):
            self.wfile.write(sent)
        if "truncate" in answer:
            self.close_connection = True

    def scripted(self, url):
        if not self.server.options.script:
            return None
        with open(self.server.options.script, encoding="utf-8") as file:
            script = json.load(file)
        for key in (self.path, url.path, "*"):
            if key not in script:
                continue
            answer = script[key]
            if isinstance(answer, list):
                with self.server.lock:
                    turn = self.server.turns.get(key, 0)
                    self.server.turns[key] = turn + 1
                answer = answer[min(turn, len(answer) - 1)]
            etag = answer.get("headers", {}).get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                return {"status": 304, "headers": {"ETag": etag}}
            return answer
        return None

    def recorded(self, url):
        options = self.server.options
        query = urllib.parse.parse_qs(url.query)
        if not options.days or url.path != "/api/daily_papers" or "date" not in query:
            return {"status": 404, "body": {"error": "Not Found"}}
        day = query["date"][0]
        if options.today:
            with open(options.today, encoding="utf-8") as file:
                if day > file.read().strip():
                    return {"status": 400, "body": {"error": f"Invalid date: {day} is in the future"}}
        limit, page = int(query.get("limit", ["50"])[0]), int(query.get("p", ["0"])[0])
        entries = []
        for name in (f"{day}.json", f"raw-{day}.json", f"three-papers-{day}.json"):
            path = os.path.join(options.days, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    entries = json.load(file)
                break
        body = json.dumps(entries[page * limit:(page + 1) * limit]).encode()
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == etag:
            return {"status": 304, "headers": {"ETag": etag}}
        return {"headers": {"ETag": etag}, "body": body}


def main():
    parser = argparse.ArgumentParser(description="Answer as recorded.")
    for name in ("days", "today", "script", "log"):
        parser.add_argument("--" + name)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    server.options = parser.parse_args()
    server.daemon_threads = True
    server.turns = {}
    server.lock = threading.Lock()
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
