#!/usr/bin/env python3
"""A web server on loopback that answers as recorded; standard library only. Prints its port, then serves until it is killed.

usage: replay.py [--days FOLDER] [--arxiv FILE] [--today FILE] [--script FILE] [--log FILE]

--days FOLDER   /api/daily_papers?date=D as Hugging Face answers it: from D.json, raw-D.json or three-papers-D.json of
                the folder, "[]" for a day without a file; with an ETag, and 304 to who has it
--arxiv FILE    /rss/CATEGORIES and /api/query as arXiv answers them, made from a JSON object {DAY: [paper, ...]} of what was
                announced on each day; a paper is {"id": "2603.00001v1", "title", "abstract", "authors", "categories" (the
                first is the primary one), "kind", "comment", "submitted": "2026-03-02T10:00:00Z", "doi"}
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
import datetime
import hashlib
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import xml.sax.saxutils


ATOM = '''<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns="http://www.w3.org/2005/Atom">
<id>https://arxiv.org/api/made-up</id><title>arXiv Query</title><updated>{now}</updated>
<opensearch:itemsPerPage>{n}</opensearch:itemsPerPage><opensearch:totalResults>{total}</opensearch:totalResults>
<opensearch:startIndex>{start}</opensearch:startIndex>{entries}</feed>'''
RSS = '''<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>
<title>{names} updates on arXiv.org</title><link>http://rss.arxiv.org/rss/{names}</link>
<lastBuildDate>{day} 04:00:01 +0000</lastBuildDate><pubDate>{day} 00:00:00 -0400</pubDate>
<skipDays><day>Saturday</day><day>Sunday</day></skipDays>{items}</channel></rss>'''


class Arxiv:
    """What was announced on which day, in arXiv's own two forms."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.days = json.load(file)

    def today(self, options):
        if options.today:
            with open(options.today, encoding="utf-8") as file:
                return file.read().strip()
        return max(self.days)

    def rss(self, names, today):
        """The newest announcement, of one or several categories joined by +."""
        day = max(day for day in self.days if day <= today)
        date = datetime.date.fromisoformat(day).strftime("%a, %d %b %Y")
        items = ""
        for paper in self.days[day]:
            if set(names.split("+")) & {c for name in paper["categories"] for c in (name, name.split(".")[0])}:
                items += self.item(paper, date)
        return RSS.format(names=names, day=date, items=items)

    @staticmethod
    def item(paper, date):
        def tag(name, text, attributes=""):
            return f"<{name}{attributes}>{xml.sax.saxutils.escape(text)}</{name}>\n"
        bare = paper["id"].split("v")[0]
        return "<item>" + tag("title", paper["title"]) + tag("link", "https://arxiv.org/abs/" + bare) + \
            tag("description", f"arXiv:{paper['id']} Announce Type: {paper['kind']} \nAbstract: {paper['abstract']}") + \
            tag("guid", "oai:arXiv.org:" + paper["id"], ' isPermaLink="false"') + \
            "".join(tag("category", c) for c in paper["categories"]) + tag("pubDate", date + " 00:00:00 -0400") + \
            tag("arxiv:announce_type", paper["kind"]) + tag("dc:creator", ", ".join(paper["authors"])) + "</item>\n"

    def query(self, query, today):
        """By ids, the newest version of each; or by the minutes of submission, whatever the categories asked for."""
        known = {}
        for day in sorted(day for day in self.days if day <= today):
            known.update({paper["id"].split("v")[0]: paper for paper in self.days[day]})
        if "id_list" in query:
            found = [known[name.split("v")[0]] for name in query["id_list"][0].split(",") if name.split("v")[0] in known]
        else:
            first, last = re.search(r"submittedDate:\[(\d+) TO (\d+)\]", query["search_query"][0]).groups()
            found = sorted((p for p in known.values() if first <= re.sub(r"\D", "", p["submitted"])[:12] <= last),
                           key=lambda p: p["submitted"])
        start, most = int(query.get("start", ["0"])[0]), int(query.get("max_results", ["10"])[0])
        return ATOM.format(now=today + "T00:00:00Z", n=most, total=len(found), start=start,
                           entries="".join(map(self.entry, found[start:start + most])))

    @staticmethod
    def entry(paper):
        def tag(name, text):
            return f"<{name}>{xml.sax.saxutils.escape(text)}</{name}>\n"
        return "<entry>" + tag("id", "http://arxiv.org/abs/" + paper["id"]) + tag("title", paper["title"]) + \
            tag("updated", paper.get("updated", paper["submitted"])) + tag("summary", paper["abstract"]) + \
            "".join(f'<category term="{c}" scheme="http://arxiv.org/schemas/atom"/>' for c in paper["categories"]) + \
            tag("published", paper["submitted"]) + (tag("arxiv:comment", paper["comment"]) if paper.get("comment") else "") + \
            (tag("arxiv:doi", paper["doi"]) if paper.get("doi") else "") + \
            f'<arxiv:primary_category term="{paper["categories"][0]}"/>' + \
            "".join("<author>" + tag("name", name) + "</author>" for name in paper["authors"]) + "</entry>\n"


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

    def with_etag(self, body, kind):
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == etag:
            return {"status": 304, "headers": {"ETag": etag}}
        return {"headers": {"ETag": etag, "Content-Type": kind}, "body": body}

    def recorded(self, url):
        options = self.server.options
        query = urllib.parse.parse_qs(url.query)
        if options.arxiv and url.path.startswith("/rss/"):
            service = Arxiv(options.arxiv)
            return self.with_etag(service.rss(url.path[5:], service.today(options)).encode(), "text/xml")
        if options.arxiv and url.path == "/api/query":
            service = Arxiv(options.arxiv)
            return {"headers": {"Content-Type": "application/atom+xml; charset=utf-8"},
                    "body": service.query(query, service.today(options)).encode()}
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
        return self.with_etag(body, "application/json; charset=utf-8")


def main():
    parser = argparse.ArgumentParser(description="Answer as recorded.")
    for name in ("days", "arxiv", "today", "script", "log"):
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
