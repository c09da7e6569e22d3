#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Digests of every kind in a browser: contrast in light, dark and inverted colours, with and without style sheet and images, at
# the widths of a telephone, a column and a desk; order of reading, headings, sizes, and what may stand in the HTML.
. "$(dirname "$0")/lib.sh"
python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import browser; sys.exit(not browser.find())' "$E2E" || skip_all 'no chromium here'
plan 10

python3 - <<'P'
import json

WORDS = "light field lantern wool kettle harbour signal garden ladder copper".split()

def paper(i, **more):
    about = f"{WORDS[i % 10]} {WORDS[i * 3 % 7]}"
    p = {"id": f"2603.1{i:04}", "title": f"Knitting {about} with {i} needles", "listed": "2026-03-05",
         "url": f"https://arxiv.org/abs/2603.1{i:04}", "pdf_url": f"https://arxiv.org/pdf/2603.1{i:04}",
         "abstract": f"We knit {about} out of {i} threads & a <b>needle</b>. " + f"The {about} holds for a week, with 1 of 20 lost. " * 6,
         "authors": ["Ada Okafor", "Bo Lindqvist", "Mara Tanaka"], "org": "Institute of Wool", "votes": 3 * i, "comments": i % 4,
         "discussion_url": f"https://huggingface.co/papers/2603.1{i:04}"}
    p.update(more)
    return p

odd = [
    paper(50, title="نماذج لغوية صغيرة للغة العربية", abstract="نقدم نماذج لغوية صغيرة تعمل على الهاتف. النتائج جيدة.", language="ar"),
    paper(51, title="用于机器人抓取的三维高斯表示", abstract="我们提出一种用于机器人抓取的三维高斯表示方法。该方法成功。", language="zh"),
    paper(52, title="Long" + "word" * 50 + " " + "W" * 90, abstract="x" * 300 + " " + "y" * 300, authors=["N" * 150], org="O" * 150),
    paper(53, summary="A machine says what it is about, in one sentence.", summary_by="Qwen3-8B",
          code_url="https://github.com/wool/kettle", stars=12345, project_url="https://wool.example"),
    {"id": "2603.10054", "title": "Bare", "url": "https://arxiv.org/abs/2603.10054", "listed": "2026-03-05"},
    paper(55, title="A title that goes on " * 10, abstract="")]
for name, papers in (("many", [paper(i, thumbnail_url=f"https://pictures.digest.test/{i}.png") for i in range(1, 40)]), ("odd", odd)):
    with open(name + ".jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(p) + "\n" for p in papers)
P
head -n 12 many.jsonl | sed 's/2603\.1/2603.3/g; s/Knitting/Weaving/; s/2026-03-05/2026-03-02/' >early.jsonl
sed 's/2603\.1/2603.4/g; s/2026-03-05/2026-03-09/; s/"votes": [0-9]*/"votes": 70/' odd.jsonl >late.jsonl

head='list { from = "Morning Papers <papers@digest.test>"  postal-address = "1 Main Street, Exampleton" }
smtp "box" { url = "maildir:Mail" }
store { path = "digest.db" }'
cat >digest.conf <<X2
$head
source "papers" { type = file  path = "many.jsonl" }
source "odd" { type = file  path = "odd.jsonl" }
defaults { outside = 2 }
subscriber "none@digest.test"  { empty = note  outside = 0  filter "zebras" { match = "zebra" } }
subscriber "near@digest.test"  { empty = note  filter "zebras" { match = "knitting zebra" } }
subscriber "one@digest.test"   { outside = 0  filter "one" { match = "title:kettle"  limit = 1 } }
subscriber "eight@digest.test" { limit = 3  filter "Kettles" { match = "kettle" } filter "Lanterns & harbours" { match = "lantern OR harbour" } filter "All there is" { match = "*"  limit = 2 } }
subscriber "many@digest.test"  { limit = 25  filter "a filter with a rather long name, to see whether a heading wraps" { match = "source:papers" } }
subscriber "odd@digest.test"   { filter "odd" { match = "source:odd" } language = de }
X2
dry() {
	"$DIGEST" --now 2026-03-06T08:00:00Z -n "$@" >/dev/null 2>err || { cat err; return 1; }
}
look() {
	python3 "$E2E/look.py" "$@"
}
check 'digests of no, one, eight and 25 papers' 'dry --out shown && test "$(ls shown/*.html | wc -l)" = 6'
check '... look well'                            'look check shown/*.html'
check '... and have the papers they should'      'grep -q "<h3" shown/none@digest.test.html && exit 1; for n in one:1 eight:8 many:27 odd:8; do test "$(grep -c "<h3" "shown/${n%:*}@digest.test.html")" = "${n#*:}" || { echo "$n"; exit 1; }; done'
check 'what is wrong would be found'             'look faults shown/one@digest.test.html'

if command -v tidy >/dev/null; then
	# What centres the column in Outlook is no longer in the standard.
	check 'an HTML checker has nothing to say' 'for page in shown/*.html; do tidy -e -q "$page" 2>&1; done | grep -v "attribute \"align\" not allowed" >said; test ! -s said || { sort said | uniq -c; exit 1; }'
else
	skip 1 'no tidy here'
fi

# Every way a paper may come: popular, risen, taken back, of a new version; and after a pause.
mkdir pause && cd pause || exit
export DIGEST_CONFIG=$PWD/digest.conf
cat >digest.conf <<X2
$head
source "papers" { type = file  path = "../now.jsonl"  interval = 1h }
defaults { updates = all  outside = 2  limit = 3 }
subscriber "late@digest.test" { filter "few" { match = 'title:("1 needles" OR "2 needles" OR "3 needles")' } filter "liked" { match = "weaving votes>=60" } filter "agents" { match = "agent" } }
X2
cp ../early.jsonl ../now.jsonl
"$DIGEST" --now 2026-03-03T08:00:00Z run || exit
{
	head -n 1 ../early.jsonl | sed 's/"url"/"version": 2, "url"/'
	sed -n 2,3p ../early.jsonl | sed 's/"url"/"withdrawn": "2026-03-08", "url"/'
	sed -n '4,$p' ../early.jsonl | sed 's/"votes": [0-9]*/"votes": 77/'
	cat ../late.jsonl
} >../now.jsonl
check 'a digest after a pause'                   '"$DIGEST" --now 2026-03-10T08:00:00Z -n --out shown >/dev/null 2>err || { cat err; exit 1; }; for what in "since 4 Mar" "risen since" "Withdrawn" "New version 2" "Papers you were sent before" "Popular today"; do grep -q "$what" shown/late@digest.test.* || { echo "no $what"; exit 1; }; done'
check '... looks well'                           'look check shown/*.html'

# Pictures, when they are asked for.
cd .. && echo 'templates { thumbnails = yes }' >>digest.conf
export DIGEST_CONFIG=$PWD/digest.conf
check 'without being asked no picture is shown'  '! grep -q "<img" shown/*.html'
check 'asked, there is one for each that has one' 'dry --out pictures -u many@digest.test && test "$(grep -c "<img src=\"https://pictures.digest.test/" pictures/many@digest.test.html)" = 25'
check '... and it looks well'                    'look check pictures/*.html'
