#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Why nothing came: each reason has its own true sentence in `status` and, where a reader is concerned, in the mail.
. "$(dirname "$0")/lib.sh"
plan 43

# day DATE COUNT [TITLE]: so many papers on that day; one of them has the title.
mkdir days
day() {
	python3 - "$@" >"days/$1.json" <<'P'
import json, sys
day, n, title = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
number = (int(day[5:7]) * 31 + int(day[8:])) * 100
print(json.dumps([{"paper": {"id": f"2603.{number + i:05}", "title": title if i == 0 and title else f"Widget {number + i}",
    "summary": f"Words about fusion. Number {i}." if i == 1 else "Words.", "publishedAt": day + "T00:00:00.000Z", "upvotes": i,
    "authors": [{"name": "Ada Bee"}]}, "publishedAt": day + "T00:00:00.000Z"} for i in range(n)]))
P
}
for d in 02-02 02-03 02-04 02-05 02-06 02-09 02-10 02-11 02-12 02-13 02-16 02-17 02-18 02-19 02-20 \
	02-23 02-24 02-25 02-26 02-27 03-02 03-03 03-04 03-05; do
	day 2026-$d 10
done
day 2026-03-06 10 'Gadgets That Glow'
echo '{}' >script
start_replay --days "$T/days" --script "$T/script" --log "$T/requests"
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "hf" { type = huggingface  url = "http://127.0.0.1:$PORT" }
defaults { when = "daily 07:00"  outside = 0 }
subscriber "ada@digest.test" { filter "energy" { match = "fusion reactor" } }
subscriber "bob@digest.test" { empty = note  filter "energy" { match = "fusion reactor" } }
subscriber "cyd@digest.test" { paused-until = 2026-04-01  filter "all" { match = "*" } }
subscriber "dan@digest.test" { empty = never  filter "energy" { match = "fusion reactor" } }
subscriber "eve@digest.test" { filter "all" { match = "*"  limit = 3 } }
subscriber "fay@digest.test" { empty = note  language = de  filter "glow" { match = "gadget" } }
X
at() {
	now=2026-$1Z
	shift
	"$DIGEST" --now "$now" "$@"
}
# ran MOMENT: a run; afterwards status is in ./status.
ran() {
	at "$1" run -q 2>run.err
	rc=$?
	at "$1" status >status
	return $rc
}
told() { grep -Eq -- "$1" status || { cat status; return 1; }; }
# mail NAME: the text part of the newest mail to somebody, its lines joined.
mail() { python3 "$E2E/mails.py" text Mail "$1@digest.test" | tr '\n' ' ' | tr -s ' ' >mail && sed 's/^/# /' mail >&2; }
mails_to() { grep -lE "^To: .*$1@digest.test" Mail/new/* 2>/dev/null | wc -l | tr -d ' '; }
counted() { sql "SELECT sum(counted) FROM listing WHERE day = (SELECT CAST(julianday('2026-$1') - 2440587.5 AS INTEGER))"; }

# --- what is usual is learned from the days before
at 03-05T06:00:00 fetch --since 2026-02-02 -q
ran 03-05T12:30:00
rm -rf Mail

# --- not settled yet; nothing matched; paused
ran 03-06T08:00:00
check 'not settled yet'                     'told "hf listed 10 papers on 2026-03-06, which count from Fri 6 Mar 12:00 UTC on$"'
check '... in the mail'                     'mail bob && grep -q "The papers that hf listed on 6 Mar do not count yet; they come later\." mail'
check '... and without a reason to skip it, none' 'test "$(mails_to ada)$(mails_to dan)" = 00'
check 'paused'                              'told "^paused *cyd@digest.test until 2026-04-01$" && test "$(mails_to cyd)" = 0'
ran 03-06T13:00:00
check 'as usual'                            'told "^ *hf listed 10 papers on 2026-03-06$"'

# --- weekend; all sent before
ran 03-07T08:00:00
check 'nothing matched'                     'told "ada@digest.test, digest of 2026-03-07: none of 50 new papers matched$"'
check '... in the mail'                     'mail bob && grep -q "None of the 10 new papers matches your filters\." mail'
check '... with the three nearest misses'   'mail bob && grep -q "== Nearest to your filters == - Widget" mail && test "$(grep -o "abs: \|- Widget" mail | wc -l)" = 3 && ! grep -q "Also matched" mail'
check 'an ordinary mail says nothing'       'mail eve && grep -q "Widget" mail && ! grep -q " \* " mail'
check 'JSON has it, too'                    'at 03-07T08:00:00 status --json | python3 -c "
import json, sys
v = json.load(sys.stdin)
assert v[\"paused\"] == 1 and {r[\"reason\"] for r in v[\"empty\"] if r[\"period\"] == \"2026-03-07\"} == {\"none of 50 new papers matched\"}, v
assert v[\"sources\"][0][\"silence\"].startswith(\"it is Saturday, when hf lists nothing\"), v"'
check 'the paper that one waited for'       'mail fay && grep -q "Gadgets That Glow" mail'
ran 03-08T08:00:00
check 'weekend'                             'told "^ *it is Sunday, when hf lists nothing$"'
check '... in the mail'                     'mail bob && grep -q "hf lists nothing at the weekend\." mail && grep -q "There is no new paper to choose from\." mail'
check 'all sent before'                     'at 03-08T08:00:00 status --json | grep -q . && mail fay && grep -q "Alles, was zu Ihren Filtern passt, haben Sie schon bekommen\." mail && grep -q "hf listet am Wochenende nichts" mail'
sed -i 's/empty = note  language = de/language = en/' digest.conf
ran 03-09T08:00:00
check '... in status'                       'told "fay@digest.test, digest of 2026-03-09: nothing new; all that matches was sent before$"'
check 'nothing yet today'                   'told "^ *hf has listed nothing since 2026-03-06$"'

# --- the fifth silent day in a row, one of them when nothing was due
check 'four silent days bring nothing, the fifth a note' 'test "$(mails_to ada)" = 1 && mail ada && grep -q "Nothing new has matched on 5 scheduled days in a row\\. None of the 50 new papers matches your filters\\. hf has listed nothing since 6 Mar\\." mail && grep -q "== Nearest to your filters ==" mail'
check '... and never the one who wants none' 'test "$(mails_to dan)" = 0'
check 'a near miss was not sent'            'sql "SELECT state, nmatched FROM edition WHERE reader = 1 ORDER BY period DESC LIMIT 1" | grep -q "^2|0$" && d=$(sed -n "s/.*arxiv.org.abs.\\(2603[.0-9]*\\).*/\\1/p" mail) && at 03-09T08:05:00 explain ada@digest.test "$d" | grep -qi "no filter"'

# --- a half-filled day waits until it has filled up, or a day
day 2026-03-09 3
ran 03-09T13:00:00
check 'half filled: it waits'               'told "^ *hf 2026-03-09 is only half filled: 3 of about 10; it waits until Tue 10 Mar 12:00 UTC$" && test "$(counted 03-09)" = 0'
day 2026-03-09 8
ran 03-09T15:00:00
check '... until it has filled up'          'told "^ *hf listed 8 papers on 2026-03-09$" && test "$(counted 03-09)" = 8'
day 2026-03-10 3
ran 03-10T13:00:00
ran 03-11T08:00:00
check '... in the note mail'                'mail bob && grep -q "hf is only half filled on 10 Mar: 3 of about 10; these papers come later\." mail'
check '... in the dry run'                  'says 0 "^warning: hf 2026-03-10 is only half filled: 3 of about 10; it waits until Wed 11 Mar 12:00 UTC$" at 03-11T08:05:00 --dry-run --offline && grep -q "3 listings do not count yet, 3 of them on half-filled days; the first will Wed 11 Mar 12:00 UTC" .err'
day 2026-03-11 10
ran 03-11T12:30:00
check '... for a day: then it counts as it is' 'test "$(counted 03-10)" = 3 && told "^ *hf 2026-03-10 is only half filled: 3 of about 10$" && told "^ *hf listed 10 papers on 2026-03-11$"'
check 'the count began anew'                'test "$(mails_to ada)" = 1'

# --- the source fails: down, refused, another shape
fails_with() { echo "{\"*\": $1}" >script; }
fails_with '{"status": 503, "body": {"error": "tea time"}}'
ran 03-12T08:00:00
check 'upstream down'                       'told "^ *hf cannot be read since Thu 12 Mar 08:00 UTC: .*503.*asked again"'
check '... in an ordinary mail, with the half-filled day' 'mail eve && grep -q " \* hf cannot be read since 12 Mar\. hf is only half filled on 10 Mar: 3 of about 10\. " mail'
before=$(mails_to bob)
check '... which an empty one waits for'    'test "$before" = 6 && at 03-12T08:05:00 --dry-run --offline -u bob@digest.test 2>&1 | grep -q "a source is out of reach"'
ran 03-12T20:00:00
check '... at most twelve hours'            'mail bob && grep -q "hf cannot be read since 12 Mar\. " mail'
check '... and comes once'                  'test "$(mails_to bob)" = 7'
fails_with '{"status": 403, "body": {"error": "who are you"}}'
ran 03-13T20:00:00
check 'refused'                             'told "^ *hf cannot be read since Thu 12 Mar 08:00 UTC; it refuses: .*403" && mail bob && grep -q "hf cannot be read since 12 Mar; it refuses to answer\. " mail'
fails_with '{"body": {"papers": []}}'
ran 03-14T20:00:00
check 'changed shape'                       'told "^ *hf cannot be read since Thu 12 Mar 08:00 UTC; it sends something else than expected: .*expected a JSON array" && mail bob && grep -q "since 12 Mar; it sends something else than expected\. " mail'

# --- a note that could not leave: the same bytes on the next try, whatever the sources do meanwhile
# full MOMENT: a run that finds no room for its mails.
full() {
	mount -t tmpfs -o size=4k none Mail
	ran "$1"
	rc=$?
	umount Mail
	[ $rc -eq 75 ]
}
mv Mail Mail.before
mkdir Mail
if mount -t tmpfs -o size=4k none Mail 2>/dev/null; then
	umount Mail
	check 'a note finds no room'                'full 03-15T20:00:00 && test "$(mails_to bob)" = 0'
	fails_with '{"status": 503}'
	ran 03-16T04:00:00
	check '... and is the same on the next try' 'test "$(mails_to bob)" = 1 && mail bob && grep -q "since 12 Mar; it sends something else than expected\." mail && grep -q "Nearest to your filters" mail && told "cannot be read since .*503"'
	sed -i '/^subscriber "bob/s/empty = note/empty = skip/' digest.conf
	for d in 16 17 18 19; do ran 03-${d}T20:00:00; done
	check 'a note of five days finds no room'   'test "$(mails_to bob)" = 1 && full 03-20T20:00:00'
	ran 03-21T20:00:00
	check '... and comes with the next digest'  'test "$(mails_to bob)" = 2 && mail bob && grep -q "Saturday 21 Mar 2026.*There is no new paper" mail'
	ran 03-22T20:00:00
	check '... once'                            'test "$(mails_to bob)" = 2'
else
	skip 5 'no file system can be mounted here, to be full'
fi

# --- arXiv: a holiday, and a list that stands still
kill "$replay_pid"
mkdir ax
python3 - <<'P'
import json
def paper(n):
    return {"id": f"2603.{n:05}v1", "title": f"Paper {n}", "abstract": "Words.", "authors": ["Ada Bee"], "categories": ["cs.CL"],
            "kind": "new", "submitted": "2026-03-02T10:00:00Z"}
days = {"2026-03-03": [paper(1), paper(2)], "2026-03-04": [], "2026-03-05": [paper(3), paper(4)]}
days["2026-03-06"] = days["2026-03-05"]
json.dump(days, open("ax.json", "w"))
P
echo 2026-03-03 >today
start_replay --arxiv "$T/ax.json" --today "$T/today"
cd ax || exit 1
DIGEST_CONFIG=$T/ax/digest.conf
write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "ax" { type = arxiv  url = "http://127.0.0.1:$PORT"  categories = {cs.CL}  request-gap = 0s }
subscriber "bob@digest.test" { when = "daily 07:00"  empty = note  filter "energy" { match = "fusion reactor" } }
X
ran 03-03T08:00:00
check 'arXiv as usual'                      'told "^ *ax listed 2 papers on 2026-03-03$"'
echo 2026-03-04 >../today
ran 03-04T08:00:00
check 'holiday'                             'told "^ *ax made an empty list on 2026-03-04, as on holidays$" && mail bob && grep -q "ax made an empty list on 4 Mar, as on holidays\." mail'
sed -i 's/type = arxiv/& holidays = {2026-03-04}/' digest.conf
check '... by the configuration'            'at 03-04T08:05:00 status | grep -q "^ *ax has a holiday on 2026-03-04$"'
echo 2026-03-05 >../today
ran 03-05T08:00:00
check 'and on'                              'told "^ *ax listed 2 papers on 2026-03-05$"'
echo 2026-03-06 >../today
ran 03-06T08:00:00
check 'stale batch'                         'told "^ *ax made a list on 2026-03-06, but its newest paper is the same since Thu 5 Mar 08:00 UTC$" && mail bob && grep -q "ax made a new list on 6 Mar, but its newest paper is an old one\." mail'
ran 03-07T08:00:00
check 'never read'                          'sed -i "s/^source/source \"other\" { type = file  path = \"none.json\" }  source/" digest.conf && at 03-07T08:05:00 status | grep -q "^source *other: not read yet"'
