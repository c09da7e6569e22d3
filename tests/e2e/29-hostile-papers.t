#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Papers as nobody should publish them, all the way to the mail: nothing gets out of its place, nothing comes twice.
. "$(dirname "$0")/lib.sh"
plan 17

# --- texts: line ends and headers in titles, 100 KB, right to left, marks without end, template and format syntax
python3 "$E2E/hostile.py" make .
write_config <<'X'
source "lines" { type = file  path = "papers.jsonl" }
defaults { when = always  outside = 0 }
include "readers.conf"
X
readers=$(wc -l <readers.conf)
check 'a mail for each of them'               'silent 0 "$DIGEST" --now 2026-03-04T08:00:00Z run && test "$(mails_sent)" = $readers'
check 'each says its title and no more'       'python3 "$E2E/hostile.py" check Mail'
check 'the lint has nothing to say'           'python3 "$E2E/mail_lint.py" --lf Mail'
plant() {
	rm -rf Spoilt
	cp -r Mail Spoilt
	for f in Spoilt/new/*; do
		sed -i "$1" "$f"
	done
	! python3 "$E2E/hostile.py" check Spoilt >found
}
check 'a header too many would be seen'       'plant "1i Bcc: victim@digest.test" && grep -q "a header .bcc." found'
check 'a title that is lost would be seen'    'plant "s/Harmless/Harmful/g" && grep -q "does not say" found'
check 'an override would be seen'             'plant "s/Override/=E2=80=AE&/" && grep -q "holds" found'

# The same through an answer of Hugging Face, where LaTeX is read.
python3 - <<'P'
import json
with open("papers.jsonl", encoding="utf-8") as lines:
    papers = [json.loads(line) for line in lines]
day = [{"paper": {"id": p["id"], "title": p["title"], "summary": p["abstract"], "authors": [{"name": n} for n in p["authors"]],
                  "ai_summary": p["summary"], "ai_summary_model": p["summary_by"], "ai_keywords": p["keywords"],
                  "organization": {"name": p["org"], "fullname": p["org"]}, "githubRepo": p["code_url"],
                  "projectPage": p["project_url"], "submittedOnDailyAt": "2026-03-03T00:00:00Z"},
        "title": p["title"], "mediaUrls": [p["title"][:100]], "thumbnail": p["project_url"]} for p in papers]
with open("day.json", "w", encoding="ascii") as out:
    json.dump(day, out)
P
sed 's/papers.jsonl/day.json/; s/digest.db/day.db/; s/maildir:Mail/maildir:DayMail/' digest.conf >day.conf
check 'the same as an answer of a service'    'silent 0 "$DIGEST" -c day.conf --now 2026-03-04T08:00:00Z run && test "$(mails_sent DayMail)" = $readers && python3 "$E2E/mail_lint.py" --lf DayMail'
check '... brings no header and no element'   'python3 "$E2E/hostile.py" check DayMail >found; ! grep -E "a header|an element|holds|marks in a row|characters$|mails$" found'

# --- one paper, whatever the number of its names, days and spellings
cat >one.py <<'P'
"""Each day of March: four sources that list the same three papers, with other spellings, dates and orders each time."""
import json, random, sys
die = random.Random(7)
def case(text):
    return "".join(die.choice((c.upper(), c.lower())) for c in text)
def save(name, papers):
    die.shuffle(papers)
    with open(name, "w", encoding="utf-8") as out:
        if name.endswith(".json"):
            json.dump(papers, out)
        else:
            out.writelines(json.dumps(p) + "\n" for p in papers)
day, version = sys.argv[1], int(sys.argv[2])
arxiv = lambda n: f"2603.{n}v{version}" if version == 12 else die.choice((f"2603.{n}", f"2603.{n}v{version}", case("arxiv:") + f"2603.{n}", f"https://arxiv.org/abs/2603.{n}v{version}",
                              case("10.48550/arxiv.") + f"2603.{n}", f"http://arxiv.org/pdf/2603.{n}"))
doi = lambda: die.choice(("", "https://doi.org/", "doi:", "http://dx.doi.org/")) + case("10.9999/abc.Def-1")
save("hf.json", [{"paper": {"id": f"2603.{n}", "title": f"Only Once {n}", "submittedOnDailyAt": day + "T00:00:00Z", "upvotes": version}}
                 for n in (10001, 10002)])
save("a.jsonl", [{"id": arxiv(n), "title": f"Only Once {n}", "listed": day, "published": day} for n in (10001, 10002)])
save("b.jsonl", [{"id": "lab-1", "doi": doi(), "title": "Only Once 10003", "listed": day}, {"id": arxiv(10001), "title": "Only Once 10001"}])
save("c.jsonl", [{"doi": doi(), "title": "Only Once 10003", "published": day},
                 {"id": "x", "aliases": ["arxiv:2603.10002"], "title": "Only Once 10002", "listed": day}])
P
mkdir once && cd once
export DIGEST_CONFIG="$T/once/digest.conf"
write_config <<'X'
source "hf" { type = file  path = "hf.json" }
source "a" { type = file  path = "a.jsonl" }
source "b" { type = file  path = "b.jsonl" }
source "c" { type = file  path = "c.jsonl" }
defaults { when = always  outside = 0 }
subscriber "ada@digest.test" { filter "all" { match = "*"  limit = 100 } }
subscriber "bob@digest.test" { filter "once" { match = "title:once" }  filter "again" { match = "votes>=1 OR id:2603.10001" } }
X
month() {
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		date=$(printf '2026-03-%02d' $n)
		python3 ../one.py "$date" $n || return 1
		# A file that changes within the second is read again.
		says 0 '' "$DIGEST" -v --now "${date}T20:00:00Z" run || return 1
	done
}
check 'twelve days of the same three papers'  month
check '... are three papers'                  'test "$(sql "SELECT count(*) FROM paper")" = 3'
check '... known under their best names'      '"$DIGEST" export papers | python3 -c "
import json, sys
keys = {json.loads(line)[\"key\"] for line in sys.stdin}
assert keys == {\"arxiv:2603.10001\", \"arxiv:2603.10002\", \"doi:10.9999/abc.def-1\"}, keys"'
check '... and one mail to each reader'       'test "$(mails_sent)" = 2'
check '... with each of them once'            'for a in ada bob; do python3 "$E2E/mails.py" text Mail $a@digest.test >text; for n in 10001 10002 10003; do test "$(grep -c "^ *[0-9]*[.)]* *Only Once $n" text)" = 1 || { cat text; exit 1; }; done; done'
check 'the newest version is remembered'      '"$DIGEST" show 2603.10001 --json | grep -q "\"version\":12,"'
check 'show names each source that listed it' 'for s in hf a b; do "$DIGEST" show 2603.10001 | grep -q " $s on 2026-03-" || exit 1; done'

# Authors who give the DOI of a whole volume must not make their papers vanish in one.
cat >volume.jsonl <<'X'
{"id": "2603.20001", "title": "First of a Volume", "doi": "10.9999/volume", "listed": "2026-03-12"}
{"id": "2603.20002", "title": "Second of a Volume", "doi": "10.9999/volume", "listed": "2026-03-12"}
{"doi": "10.9999/volume", "title": "The Volume", "listed": "2026-03-12"}
X
check 'one DOI of two papers of arXiv'        '"$DIGEST" --now 2026-03-13T08:00:00Z import volume.jsonl | grep -q "3 papers read: 2 new," && "$DIGEST" show 2603.20001 | grep -q "First of" && "$DIGEST" show 2603.20002 | grep -q "Second of"'
check '... found by it is the first'          '"$DIGEST" show 10.9999/volume --json | grep -q "\"key\":\"arxiv:2603.20001\""'
