#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# arXiv from end to end: the announcement, the details of its papers, the days before, and what goes wrong.
. "$(dirname "$0")/lib.sh"
plan 10

# item NUMBER KIND: of the announcement.
item() {
	cat <<X
<item><title>Paper number $1</title><link>https://arxiv.org/abs/2604.0000$1</link>
<description>arXiv:2604.0000$1v1 Announce Type: $2
Abstract: Words &amp; more about $1 & 2.</description><guid isPermaLink="false">oai:arXiv.org:2604.0000$1v1</guid>
<category>cs.LG</category><category>cs.CL</category><pubDate>Mon, 27 Apr 2026 00:00:00 -0400</pubDate>
<arxiv:announce_type>$2</arxiv:announce_type><dc:creator>Ada Bee, C. Dee (X, Y)</dc:creator></item>
X
}
# entry ID COMMENT: of the API.
entry() {
	cat <<X
<entry><id>http://arxiv.org/abs/$1</id><title>Paper $1</title><published>2026-04-23T20:00:00Z</published>
<updated>2026-04-23T20:00:00Z</updated><summary>Words.</summary><category term="cs.CL"/><category term="cs.LG"/>
<arxiv:comment>$2</arxiv:comment><arxiv:primary_category term="cs.CL"/><author><name>Ada Bee</name></author></entry>
X
}
atom() {
	cat <<X
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns:o="http://a9.com/-/spec/opensearch/1.1/"><updated>2026-04-27T09:00:00Z</updated>
<o:totalResults>$1</o:totalResults><o:startIndex>0</o:startIndex>$2</feed>
X
}
{
	echo '<rss xmlns:arxiv="http://arxiv.org/schemas/atom" version="2.0"><channel><title>cs.CL updates</title>
<lastBuildDate>Mon, 27 Apr 2026 04:00:00 +0000</lastBuildDate>'
	item 1 new; item 2 cross; item 3 replace
	echo '</channel></rss>'
} >feed.xml
atom 2 "$(entry 2604.00001v1 'Code: https://github.com/ada/bee.')$(entry 2604.00002v1 '8 pages')" >details.xml
atom 1 "$(entry 2604.00009v1 'missed')" >day.xml
atom 0 '' >nothing.xml
atom 1 '<entry><id>https://arxiv.org/api/errors#x</id><title>Error</title><summary>no such field: cat</summary></entry>' >error.xml

# script FEED API...: what is served; the last answer of the API stays.
script() {
	api=
	feed=$1
	shift
	for file; do api="$api${api:+, }{\"file\": \"$T/$file\"}"; done
	echo "{\"/rss/cs.CL+cs.LG\": {\"file\": \"$T/$feed\"}, \"/api/query\": [$api]}" >script
	: >requests
}
script feed.xml details.xml nothing.xml
start_replay --script "$T/script" --log "$T/requests"
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "ax" { type = arxiv  url = "http://127.0.0.1:$PORT/"  categories = {cs.CL, cs.LG}  request-gap = 0s }
subscriber "ada@digest.test" { when = always  filter "all" { match = "*"  limit = 100 } }
X
fetch_at() {
	"$DIGEST" --now "$1" fetch -q
}
# paper ID WORD...: its exported line has all of these.
paper() {
	"$DIGEST" export papers | grep "\"arxiv:$1\"" >line || { echo "$1 is not there"; return 1; }
	shift
	for word; do grep -qF -- "$word" line || { echo "no $word in:"; cat line; return 1; }; done
}

# Its day and kind of listing (0 new, 1 cross): 20570 is 2026-04-27.
listed() {
	sql 'SELECT paper.key, day, kind FROM listing JOIN paper ON paper.id = listing.paper ORDER BY 1, 2'
}
check 'the announcement is read'       'fetch_at 2026-04-27T10:00:00Z && test "$(listed | xargs)" = "arxiv:2604.00001|20570|0 arxiv:2604.00002|20570|1"'
check 'replacements are not taken'     '! "$DIGEST" export papers | grep -q 2604.00003'
check 'what it lacks comes from the API' 'paper 2604.00001 "https://github.com/ada/bee" "\"primary_known\":true" "\"categories\":[\"cs.CL\"" "\"published\":\"2026-04-23T20:00:00Z\""'
check 'it is asked for by id, once'    'test "$(grep -c "id_list=2604.00001,2604.00002&max_results=2" requests)" = 1'
check 'and the week before by its hours' 'test "$(grep -c "submittedDate" requests)" = 5 && grep -q "202604171800+TO+202604201759" requests'
check 'nothing is asked within the hour' ': >requests; fetch_at 2026-04-27T10:30:00Z && test ! -s requests'

missed() {
	script feed.xml details.xml day.xml
	fetch_at 2026-04-30T10:00:00Z || return 1
	listed | grep -qx 'arxiv:2604.00009|20570|0' && test "$(grep -c submittedDate requests)" = 2
}
check 'days missed come from the API'  missed

error_of_api() {
	rm -f digest.db*
	script feed.xml error.xml
	"$DIGEST" --now 2026-05-01T10:00:00Z fetch 2>said
	grep -q 'source ax: .*the service says: no such field: cat' said || { cat said; return 1; }
	paper 2604.00001
}
check 'an error of the API is told in its words, and the feed is kept' error_of_api

# The feed has an ETag; when its details failed it must be read again, not be taken for read.
details_later() {
	rm -f digest.db*
	cat >script <<-X
	{"/rss/cs.CL+cs.LG": {"file": "$T/feed.xml", "headers": {"ETag": "\"a\""}},
	 "/api/query?id_list=2604.00001,2604.00002&max_results=2": [{"status": 503}, {"file": "$T/details.xml"}],
	 "/api/query": {"file": "$T/nothing.xml"}}
	X
	"$DIGEST" --now 2026-04-27T10:00:00Z fetch 2>said
	grep -q 'source ax: details p0: the service is overloaded' said || { cat said; return 1; }
	: >requests
	fetch_at 2026-04-27T12:00:00Z && paper 2604.00001 https://github.com/ada/bee || return 1
	# Now it has been read whole, and nothing of it is asked for twice.
	: >requests
	fetch_at 2026-04-27T14:00:00Z && test "$(cat requests)" = 'GET /rss/cs.CL+cs.LG 304'
}
check 'details that fail are asked for again' details_later

not_a_feed() {
	echo '<!doctype html><title>Log in</title><p>Please' >login.html
	script login.html nothing.xml
	"$DIGEST" --now 2026-05-01T18:00:00Z fetch 2>said
	grep -q "source ax: feed: '<title>'; expected a feed of arXiv" said || { cat said; return 1; }
	paper 2604.00001
}
check 'a page in place of the feed takes nothing away' not_a_feed
