#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# One paper under many names: dates that move, ids in another case, all versions in one list, three sources. One mail.
. "$(dirname "$0")/lib.sh"
plan 7

# item TITLE LINK GUID [ELEMENT]
item() {
	echo "<item><title>$1</title><link>$2</link><guid isPermaLink=\"false\">$3</guid><pubDate>$date</pubDate>
<description>Words enough to tell what this paper is about.</description>${4:-}</item>"
}
rss() {
	echo "<rss version=\"2.0\" xmlns:prism=\"http://prismstandard.org/namespaces/basic/2.0/\">
<channel><title>T</title><link>http://papers.example/</link><description>D</description>$1</channel></rss>"
}
# arxiv VERSION...
arxiv() {
	for v; do item 'Knots and Braids' "https://arxiv.org/abs/2603.91001v$v" "oai:arXiv.org:2603.91001v$v"; done
}
# doi DOI GUID
doi() {
	item 'Loops in Wool' "https://doi.org/$1" "$2" "<prism:doi>$1</prism:doi>"
}
hat() {
	item 'A Hat' http://papers.example/hat "$1"
}
start_replay --script "$T/script" --log "$T/requests"
echo "{\"*\": {\"file\": \"$T/feed.xml\", \"headers\": {\"Content-Type\": \"application/rss+xml\"}}}" >script
write_config <<X
fetch { allow-private = {"127.0.0.0/8", "::1/128"} }
source "feed" { type = feed  url = "http://127.0.0.1:$PORT/feed.xml"  request-gap = 0s }
source "lines" { type = file  path = "lines.jsonl" }
source "other" { type = feed  url = "http://localhost:$PORT/other.xml"  request-gap = 0s }
defaults { outside = 0  when = always }
subscriber "ada@digest.test" { filter "all" { match = "*"  limit = 100 } }
X
at() {
	"$DIGEST" -q --now "$1" run
}
papers() { sql 'SELECT count(*) FROM paper'; }
# told TIMES TITLE: so often it stands in all mails.
told() {
	times=$(python3 -c 'import email, email.policy, sys
for name in sys.argv[1:]:
    mail = email.message_from_bytes(open(name, "rb").read(), policy=email.policy.default)
    print(next(mail.iter_parts()).get_content())' Mail/new/* | grep -c "$2")
	echo "$2: $times"
	[ "$times" = "$1" ]
}
date='Mon, 02 Mar 2026 09:00:00 GMT'
echo '{"id": "2603.91001v3", "title": "Knots and Braids", "listed": "2026-03-02"}' >lines.jsonl
rss "$(arxiv 1 2 3 4 5 6 7 8 9)$(doi 10.9999/Wool.7 first)" >feed.xml
check 'nine versions, and three sources, are one paper' 'at 2026-03-02T12:00:00Z; sql "SELECT key FROM paper"; test "$(papers)" = 2 && test "$(sql "SELECT count(DISTINCT source) FROM listing")" = 3'
at 2026-03-03T14:00:00Z
check '... in one mail, once'                    'told 1 "Knots and Braids" && told 1 "Loops in Wool"'
date='Wed, 04 Mar 2026 09:00:00 GMT'
rss "$(arxiv 9 8 7 6 5 4 3 2 1)$(doi 10.9999/WOOL.7 FIRST)" >feed.xml
: >requests
check 'the same in another order, another case, with new dates' 'at 2026-03-04T12:00:00Z; at 2026-03-05T14:00:00Z; test "$(papers)" = 2 && grep -q "feed.xml 200" requests'
check '... is mailed no more'                    'told 1 "Knots and Braids" && told 1 "Loops in Wool"'
date='Fri, 06 Mar 2026 09:00:00 GMT'
rss "$(item 'Knots and Braids' 'HTTPS://ARXIV.ORG/abs/2603.91001V9' 'OAI:ARXIV.ORG:2603.91001V9')$(doi 10.9999/wool.7 other)$(hat Hat-1)" >feed.xml
at 2026-03-06T12:00:00Z
rss "$(hat HAT-1)" >feed.xml
check 'ids that change their case'               'at 2026-03-07T12:00:00Z; at 2026-03-08T14:00:00Z; sql "SELECT key FROM paper"; test "$(papers)" = 3'
check '... are mailed once'                      'told 1 "A Hat" && told 1 "Knots and Braids" && told 1 "Loops in Wool"'
rss '' >feed.xml
check 'a list without entries takes nothing away' 'at 2026-03-09T12:00:00Z; at 2026-03-10T14:00:00Z; test "$(papers)" = 3 && "$DIGEST" show 2603.91001 | grep -q "feed on 2026-03-0" && told 1 "A Hat"'
