#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# All sources together: recorded answers give what is known of them, the same answers change nothing, and a paper that
# several sources list is one card.
. "$(dirname "$0")/lib.sh"
plan 17

# Everything that is known of papers, as text.
dump() {
	python3 -c 'import sqlite3
with sqlite3.connect("file:digest.db?mode=ro", uri=True) as db:
    for table in ("paper", "alias", "listing", "signal", "snapshot"):
        for row in sorted(map(str, db.execute(f"SELECT * FROM {table}"))): print(table, row)'
}

# --- what several services tell of the same papers
echo 2026-03-03 >today
start_replay --arxiv "$FIXTURES/arxiv-2026-03.json" --days "$FIXTURES/with-arxiv" --today "$T/today" --log "$T/requests"
config() {
	write_config <<X
fetch { allow-private = {"127.0.0.0/8"} }
source "arxiv" { url = "http://127.0.0.1:$PORT"  categories = {cs.LG}  announce = {new, cross, replace}  request-gap = 0s }
source "huggingface" { url = "http://127.0.0.1:$PORT" }
defaults { outside = 0  when = always }
subscriber "ada@digest.test" { filter "all" { match = "*"  limit = 100 } }
subscriber "bob@digest.test" { filter "new versions" { match = "is:replaced" }  filter "liked" { match = "votes>=30" } }
X
}
run_at() {
	"$DIGEST" --now "$1" run
}
# paper ID: the JSON line of a paper as p, for Python on standard input.
paper() {
	"$DIGEST" show "$1" --json >paper.json && { printf 'import json\np = json.load(open("paper.json", encoding="utf-8"))\n'; cat; } | python3
}
config
check 'the announcement, its details and the day of votes' 'silent 0 run_at 2026-03-03T22:00:00Z && grep -q "^GET /rss/cs.LG 200" requests && grep -q "^GET /api/query.id_list=2603.9100" requests && grep -q "daily_papers.date=2026-03-03" requests'
check 'three papers, each once'               'test "$(sql "SELECT count(*) FROM paper")" = 3 && test "$(sql "SELECT count(*) FROM listing")" = 5'
check 'one card: categories, comment and code of arXiv, votes of Hugging Face' 'paper 2603.91001 <<X
assert p["categories"] == ["cs.LG", "cs.CL"] and p["primary_known"], p
assert p["comment"].startswith("9 pages") and p["code_url"] == "https://github.com/example/knit", p
assert p["votes"] == 41 and p["comments"] == 3 and p["abstract"].startswith("A scarf"), p
assert p["authors"] == ["Nora Purl", "Ken Knit"] and p["version"] == 1, p
X'
check 'a cross-list keeps its own primary category' 'paper 2603.91002 <<X
assert p["categories"][0] == "cs.RO" and p["votes"] == 7 and p["authors"] == ["R. Umbrella"], p
X'
check 'what only arXiv has, with its DOI'     'paper 10.9999/teapot.1 <<X
assert p["key"] == "arxiv:2603.91003" and "votes" not in p and "\u03b1 almost surely" in p["abstract"], p
X'
check 'show names both sources'               '"$DIGEST" show 2603.91001 >out && grep -q "arxiv on 2026-03-03 (new)" out && grep -q "huggingface on 2026-03-03 (new)" out'
once() {
	python3 "$E2E/mails.py" text "${2:-Mail}" "$1" >text
	shift 2
	for title in "$@"; do
		[ "$(grep -c "$title" text)" = 1 ] || { cat text; return 1; }
	done
}
check 'and in the mail each stands once'      'once ada@digest.test Mail "Knitting as Sequence" "Robots that Dislike" "Lemma about Teapots" && python3 "$E2E/mail_lint.py" --lf Mail'
check 'the same answers again change nothing' 'dump >before && "$DIGEST" --now 2026-03-03T22:00:00Z fetch --force && dump >after && test -s before && { diff before after | cut -c1-300; cmp before after; }'
check '... nor an hour later'                 '"$DIGEST" --now 2026-03-03T23:30:00Z fetch && sql "SELECT key, revision, change_seq FROM paper" >a && sql "SELECT paper, source, day, kind, votes FROM listing" >b && "$DIGEST" --now 2026-03-04T00:45:00Z fetch && sql "SELECT key, revision, change_seq FROM paper" | cmp - a && sql "SELECT paper, source, day, kind, votes FROM listing" | cmp - b'
run_at 2026-03-04T00:50:00Z # votes of Hugging Face begin to count
sent=$(mails_sent)

# --- a new version, a day later
echo 2026-03-04 >today
check 'the next announcement is read'         'silent 0 run_at 2026-03-04T22:00:00Z && "$DIGEST" show 2603.91004 >/dev/null && "$DIGEST" show 2603.91001 | grep -q "arxiv on 2026-03-04 (new version)"'
check 'the new version is on the card'        'paper 2603.91001 <<X
assert p["version"] == 2 and p["title"].endswith("Revised") and p["votes"] == 41 and p["comment"].startswith("11 pages"), p
X'
again() {
	for f in Mail/new/*; do
		python3 - "$f" <<'P'
import email, email.policy, sys
mail = email.message_from_bytes(open(sys.argv[1], "rb").read(), policy=email.policy.default)
text = next(mail.iter_parts()).get_content()
print(mail["To"].addresses[0].username, text.count("Knitting as Sequence"), text.count("Sequence Modelling, Revised"), text.count("A Paper of the Next Day"))
P
	done | awk -v who="$1" '$1 == who { n += $2; r += $3; d += $4 } END { print n, r, d }'
}
check 'who has had the paper gets the next day'"'"'s alone' 'test "$(again ada)" = "1 0 1" || { again ada; exit 1; }'
check 'who asks for new versions gets it once more' 'test "$(again bob)" = "2 1 0" || { again bob; exit 1; }'
check 'and nobody anything after that'        'n=$(mails_sent); silent 0 run_at 2026-03-04T23:30:00Z && silent 0 run_at 2026-03-05T03:00:00Z && test "$(mails_sent)" = "$n"'

# --- recorded answers
if [ -z "${DIGEST_CORPUS:-}" ]; then
	skip 3 'DIGEST_CORPUS is not set'
	exit 0
fi
facts() {
	awk -F '\t' -v folder="$1/" 'index($1, folder) == 1 { print $1 "\t" $2 "\t" $5 }' "$DIGEST_CORPUS/FACTS.tsv"
}
# counts FILE ENTRIES DISTINCT: so many listings and papers are in the store.
counts() {
	got=$(sql 'SELECT (SELECT count(*) FROM listing), (SELECT count(*) FROM paper)')
	[ "$got" = "$2|$3" ] && return 0
	echo "$1: listings and papers $got, expected $2 $3"
	return 1
}
twice() {
	dump >before
	"$DIGEST" --now "$1" fetch --force && dump >after && cmp before after
}
fresh() {
	rm -rf digest.db* digest.key
}
days() {
	mkdir -p one
	start_replay --days "$T/one"
	config
	sed -i '/^source "arxiv"/d' digest.conf
	facts huggingface >list
	while IFS="$(printf '\t')" read -r file entries distinct; do
		day=$(echo "$file" | grep -o '20[0-9-]*')
		rm -f one/*
		fresh
		cp "$DIGEST_CORPUS/$file" one/
		"$DIGEST" --now "${day}T20:00:00Z" fetch && counts "$file" "$entries" "$distinct" && twice "${day}T20:00:00Z" || return 1
	done <list
}
check 'each recorded day of Hugging Face, twice' days
announcements() {
	echo '{}' >script
	start_replay --script "$T/script"
	facts arxiv-rss >list
	while IFS="$(printf '\t')" read -r file entries distinct; do
		day=$(echo "$file" | grep -o '20[0-9]*-[0-9]*-[0-9]*')
		category=$(echo "$file" | sed 's/.*-cs-\([a-z]*\)-.*/cs.\1/' | sed 's/ai$/AI/; s/lg$/LG/; s/cl$/CL/')
		fresh
		config
		sed -i "/^source \"huggingface\"/d; s/cs.LG/$category/; s/replace}/replace, replace-cross}/" digest.conf
		empty='<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:o=\"http://a9.com/-/spec/opensearch/1.1/\"><id>http://arxiv.org/api/x</id><o:totalResults>0</o:totalResults></feed>'
		echo "{\"/rss/$category\": {\"file\": \"$DIGEST_CORPUS/$file\"}, \"*\": {\"body\": \"$empty\"}}" >script
		"$DIGEST" --now "${day}T20:00:00Z" fetch && counts "$file" "$entries" "$distinct" && twice "${day}T20:00:00Z" || return 1
	done <list
}
check 'each recorded announcement of arXiv, twice' announcements
answers() {
	facts arxiv-api | grep -v error- >list
	fresh
	while IFS="$(printf '\t')" read -r file entries distinct; do
		echo "source \"$file\" { type = file  path = \"$DIGEST_CORPUS/$file\" }"
	done <list | write_config
	"$DIGEST" --now 2026-11-01T08:00:00Z fetch || return 1
	sql 'SELECT source, count(*), count(DISTINCT paper) FROM listing GROUP BY source ORDER BY source' | tr '|' '\t' >got
	awk -F '\t' '$2 > 0' list | sort | diff - got && twice 2026-11-01T08:00:00Z
}
check 'each recorded answer of its query interface, twice' answers
