#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Feeds of any site: read, found behind a page, broken, moved, repeated.
. "$(dirname "$0")/lib.sh"
plan 19

# item NUMBER TITLE DATE [MORE]: one entry of an RSS feed.
item() {
	printf '<item><title>%s</title><link>https://lab.example/%s</link><guid isPermaLink="false">lab-%s</guid><pubDate>%s</pubDate>%s</item>' "$2" "$1" "$1" "$3" "${4:-}"
}
rss() {
	printf '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Lab Notes</title>%s</channel></rss>' "$*"
}
# answers PATH=FILE...: what the server says; a file that ends in .html is a page.
answers() {
	python3 - "$@" <<'P' >script.json
import json, sys
out = {}
for pair in sys.argv[1:]:
    path, name = pair.split("=", 1)
    kind = "text/html" if name.endswith(".html") else "application/rss+xml"
    with open(name, encoding="utf-8") as file:
        out[path] = {"headers": {"Content-Type": kind, "ETag": '"%s"' % hash(name)}, "body": file.read()}
json.dump(out, sys.stdout)
P
}
now=2026-03-03T08:00:00Z
d() {
	"$DIGEST" --now "$now" "$@"
}
papers() {
	sql 'SELECT count(*) FROM paper'
}
titles() {
	sql 'SELECT title FROM paper ORDER BY title' | tr '\n' '|'
}

rss "$(item 1 'Knots &amp;amp; Braids' 'Mon, 02 Mar 2026 10:00:00 GMT' '<dc:creator>Purl, N., Knit, K.</dc:creator><description>&lt;p&gt;On &lt;i&gt;knots&lt;/i&gt;.&lt;/p&gt;</description>')$(item 2 'Loops' 'Mon, 02 Mar 2026 11:00:00 GMT')" >one.xml
printf '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body>Hello</body></html>' >page.html
printf '<html><body>Please log in</body></html>' >login.html
answers /feed.xml=one.xml /=page.html /login=login.html
start_replay --script "$T/script.json" --log "$T/requests"
config() {
	write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "lab" { type = feed  url = "http://127.0.0.1:$PORT$1" }
subscriber "ada@digest.test" { filter "all" { match = "*" }  when = always }
X
}

config /feed.xml
check 'a feed is read and mailed'                'silent 0 d run && test "$(papers)" = 2 && test "$(mails_sent)" = 1'
check 'text comes out of markup'                 'test "$(titles)" = "Knots & Braids|Loops|" && d show lab.example/1 >/dev/null; d show https://lab.example/1 | grep -q "On knots\."'
check 'names are put in order'                   'd show https://lab.example/1 | grep -q "N. Purl, K. Knit"'
check 'its listing has the date of the entry'    'test "$(sql "SELECT DISTINCT day * 86400 FROM listing" | head -1)" = "$(date -u -d 2026-03-02 +%s)"'
now=2026-03-03T10:00:00Z
check 'unchanged, it is not sent twice (304)'    'd fetch -v && tail -1 requests | grep -q " 304$" && test "$(papers)" = 2'

# --- the same papers with new dates
rss "$(item 1 'Knots &amp;amp; Braids' 'Tue, 03 Mar 2026 11:00:00 GMT')$(item 2 'Loops' 'Tue, 03 Mar 2026 11:00:00 GMT')" >again.xml
answers /feed.xml=again.xml
now=2026-03-03T12:00:00Z
check 'new dates alone are no news'              'd run && test "$(sql "SELECT count(*) FROM listing")" = 2 && test "$(mails_sent)" = 1'

# --- an old date in a feed that is known
rss "$(item 2 'Loops' 'Tue, 03 Mar 2026 11:00:00 GMT')$(item 3 'Late in Print' '1 Dec 2025 10:00 GMT')" >late.xml
answers /feed.xml=late.xml
now=2026-03-03T14:00:00Z
check 'what is new in a known feed is news, however old its date' 'd run && test "$(mails_sent)" = 2 && grep -rq "Late in Print" Mail/new'

# --- broken
rss "$(item 4 'Before the Break' 'Tue, 03 Mar 2026 13:00:00 GMT')$(item 5 'After' 'x')" | sed 's,After.*,,' >cut.xml
answers /feed.xml=cut.xml
now=2026-03-03T16:00:00Z
check 'what stands before a break is read'       'says 69 "line 1, column" d run -v && sql "SELECT title FROM paper" | grep -q "Before the Break"'
check 'and the source is told to fail'           'd status >out; grep -q "line 1, column" out'
answers /feed.xml=login.html
now=2026-03-03T18:00:00Z
check 'a login page is a fault, not an end'      'says 69 "names no feed" d run -v && test "$(papers)" = 4'
printf '' >empty.xml
answers /feed.xml=empty.xml
now=2026-03-03T23:00:00Z
check 'so is nothing at all'                     'says 69 "nothing at all" d run -v && test "$(papers)" = 4'
answers /feed.xml=one.xml
now=2026-03-04T12:00:00Z
check 'it comes back'                            'silent 0 d run && d status sources >/dev/null && ! d status | grep -q "nothing at all"'

# --- a page
rm -rf digest.db* Mail
: >requests
answers /=page.html /feed.xml=one.xml
config /
now=2026-03-03T08:00:00Z
check 'the feed behind a page is found'          'silent 0 d run && test "$(papers)" = 2 && test "$(grep -c "^GET" requests)" = 2'
now=2026-03-03T10:00:00Z
check 'and then asked directly'                  ': >requests; d run && grep -q "^GET /feed.xml 304" requests && test "$(grep -c "^GET" requests)" = 1'
answers /=page.html /new.xml=one.xml
now=2026-03-04T10:00:00Z
check 'a feed that is gone is a fault'           'says 69 "no such page" d run -v'
sed -i 's/feed.xml/new.xml/' page.html
answers /=page.html /new.xml=one.xml
now=2026-03-11T12:00:00Z
check 'after a week the page is asked again'     ': >requests; d run && grep -q "^GET / " requests && grep -q "^GET /new.xml 200" requests'

# --- the configuration
check 'a feed needs a url'                       'printf "source \"x\" { type = feed }\n" | write_config bad.conf; says 78 "of type feed has no url" "$DIGEST" -c bad.conf config'
check 'an arxiv source needs categories'         'printf "source \"arxiv\" { }\n" | write_config bad.conf; says 78 "has no categories" "$DIGEST" -c bad.conf config'

# --- one paper in a journal's feed and in our own lines
rm -rf digest.db* Mail
rss "$(item 9 'A Shared Result' 'Mon, 02 Mar 2026 10:00:00 GMT' '<dc:identifier>doi:10.1000/shared.1</dc:identifier>')" >doi.xml
answers /feed.xml=doi.xml
config /feed.xml
printf 'source "own" { type = file  path = "own.jsonl" }\n' >>digest.conf
printf '{"id":"10.1000/SHARED.1","title":"A shared result","votes":5,"listed":"2026-03-02"}\n' >own.jsonl
now=2026-03-03T08:00:00Z
check 'a DOI makes one paper of two sources'     'silent 0 d run && test "$(papers)" = 1 && d show 10.1000/shared.1 | grep -q "own"'
