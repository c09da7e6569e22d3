#!/bin/sh
# shellcheck source=lib.sh disable=SC2034,SC2154
# Papers of the store by the language of the filters: what `try` counts, `search` finds, whether the index knows it yet or not.
. "$(dirname "$0")/lib.sh"
plan 33

now=2026-03-04T08:00:00Z
d() {
	"$DIGEST" --now $now "$@"
}
write_config <<'X'
source "later" { type = file  path = "later*.jsonl" }
filter "popular" { match = 'votes>=20' }
subscriber "ada@digest.test" { filter "mine" { match = 'title:splatting' } }
X
check 'no store: which command makes one'      'says 74 "no store at .*digest run" d search x && test ! -e digest.db'

cat >papers.jsonl <<'X'
{"id": "2603.00001", "title": "Gaussian Splatting on a Phone", "abstract": "We splat Gaussians at 900 frames a second. Pre-training of a radiance field makes the splats sharp, and a mesh comes for free. The phone stays cold.", "authors": ["Yann Le Cun", "Ada O'Brien", "Li Qiang", "Jürgen Müller"], "org": "Nordlicht Research", "categories": ["cs.CV"], "primary_known": true, "keywords": ["radiance fields", "real-time rendering"], "url": "https://arxiv.org/abs/2603.00001", "published": "2026-03-02", "listed": "2026-03-02", "votes": 12}
{"id": "2603.00002", "title": "Radiance Fields without Networks: Splatting Meshes", "abstract": "Meshes are splatted as Gaussians; the radiance field needs no network. Rendering is in real time on a phone.", "authors": ["Ines Okafor"], "categories": ["cs.CV", "cs.GR"], "primary_known": true, "url": "https://arxiv.org/abs/2603.00002", "published": "2026-03-01", "listed": "2026-03-01", "votes": 40, "code_url": "https://code.example/x"}
{"id": "2603.00003", "title": "Pretraining $\\mu$P in C++ and C#", "abstract": "A study of studies: universities, the universe, H$_2$O. GPT-4o and .NET are compared by k-NN.", "authors": ["Y. LeCun"], "categories": ["cs.LG"], "primary_known": true, "comment": "NeurIPS 2025, 12 pages", "url": "https://arxiv.org/abs/2603.00003", "published": "2026-03-03", "listed": "2026-03-03", "votes": 20}
{"id": "2603.00004", "title": "大規模言語モデルの事前学習", "abstract": "言語モデルを学習する。", "authors": ["山田 太郎"], "categories": ["cs.CL"], "url": "https://arxiv.org/abs/2603.00004", "published": "2026-02-20", "listed": "2026-02-20"}
{"id": "2603.00005", "title": "LLMs, RAG and the rag trade", "abstract": "Large language models and retrieval-augmented generation. Models of models.", "authors": ["Ada Lovelace", "Grace Hopper"], "categories": ["cs.CL"], "url": "https://arxiv.org/abs/2603.00005", "published": "2026-02-27", "listed": "2026-02-27", "votes": 3, "doi": "10.1000/rag"}
{"id": "2603.00006", "title": "Diffusion is not fusion", "abstract": "\u001b[31mred\u001b]8;;http://evil.example\u0007 colours colors of the naïve Erdős graph; tokenise and tokenize.", "authors": ["Eve \u001b[2J Hostile"], "categories": ["cs.CR"], "url": "https://arxiv.org/abs/2603.00006", "published": "2026-01-05", "listed": "2026-01-05", "votes": 1}
{"id": "2603.00007", "title": "Old work on splatting", "abstract": "Fields of wheat.", "authors": ["Old Author"], "categories": ["math.AG"], "url": "https://arxiv.org/abs/2603.00007", "published": "2019-01-05", "listed": "2019-01-05", "votes": 500}
{"id": "2603.00008", "title": "No day is told", "abstract": "Of splatting.", "authors": ["Somebody Else"], "url": "https://arxiv.org/abs/2603.00008"}
X
check 'an empty store: what fills it'          ': >none.jsonl && d import none.jsonl && says 65 "holds no paper yet; .digest fetch" d search x'
d import papers.jsonl >/dev/null

cat >queries <<'X'
splatting
splats
gaussian splatting
"gaussian splatting"
"real time"
real-time
realtime
"pre training"
pretraining
pre-training
pretrain*
c++
c#
.net
gpt-4o
k-nn
μP
H2O
studies
study
university
univers*
モデル
"言語モデル"
学習 -大規模
=RAG
=rag
=LLM
models
"models models"~3
"radiance mesh"~20
"large models"~1
title:splatting
abstract:phone
author:"y lecun"
author:"yann lecun"
author:"le cun"
author:obrien
author:"o'brien"
author:(hopper OR okafor)
author:y*
first-author:"ada lovelace"
last-author:müller
author:=LeCun
org:nordlicht
keyword:"radiance field"
keyword:rendering
venue:neurips
venue:"neurips 2025"
source:file
cat:cs.CV
cat:cs
primary:cs.LG
id:2603.00005
id:10.1000/rag
votes>=20
votes>=20 OR splatting
has:code
has:doi -models
-splatting
NOT votes>=1
colour
tokenise
naive erdos
fusion
diffus*
age<7d
published>=2026-03-01 phone
authors<=1
rank<=1
@popular
@popular splatting
(splatting OR models) -(phone OR mesh)
((((((((((((((((splatting OR a) b) OR c) OR (d e)) phone) OR (mesh OR (field -x))) OR zzz))))))))))
*
X
cat >agree.py <<'P'
"""Each query by search and by try: the same number, and exactly the papers that search shows are matched by each of its words."""
import json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

def run(*args):
    got = subprocess.run([sys.argv[1], "--now", sys.argv[2], "--json", *args], capture_output=True, text=True)
    return got.returncode, got.stdout, got.stderr

def compare(job):
    query, days = job
    tried, found = run("try", "--days", days, "--", query), run("search", "--days", days, "--limit", "100", "--", query)
    if tried[0] != 0 or not found[1]:
        return f"{query} in {days} days: {tried} {found}"
    code, tried, found = found[0], json.loads(tried[1]), json.loads(found[1])
    n = len({f["key"] for f in found["found"]})
    if (found["matched"], n, found["papers"], code) != (tried["matched"], tried["matched"], tried["papers"], 0 if n else 65):
        return f"{query} in {days} days: try {tried['matched']} of {tried['papers']}, search {found['matched']} of {found['papers']}, shown {n}, exit {code}"

queries = [line.rstrip("\n") for line in open("queries")]
with ThreadPoolExecutor(4) as pool:
    wrong = [w for w in pool.map(compare, [(q, days) for q in queries for days in sys.argv[3:]]) if w]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(queries) < 70)
P
agree() {
	python3 agree.py "$DIGEST" $now "$@"
}
# found QUERY...: the numbers of the papers, in their order.
found() {
	d search --json "$@" | python3 -c '
import json, sys
v = json.loads(sys.stdin.readline())
print(*[f["key"][-1] for f in v["found"]])'
}
check 'search and try agree'                   'test "$(sql "SELECT count(*) FROM search_due")" = 0 && agree 4 400'
sql 'INSERT INTO search_due SELECT id FROM paper WHERE id % 2'
check '... while half of the index is due'     'sql "UPDATE search SET title = \"\", abstract = \"\" WHERE rowid % 2" && agree 400'
sql 'DELETE FROM search'
sql 'INSERT OR IGNORE INTO search_due SELECT id FROM paper'
check '... and without any of it'              'agree 400'
check 'what is old, or told no day, is there'  'test "$(found --sort newest splatting)" = "1 2 7 8"'
check 'nothing is written'                     'same_store "d search splatting >/dev/null && d search --similar 2603.00001 >/dev/null"'
check 'nor need it be writable'                'chmod 777 . && chmod 444 digest.db* && unprivileged "$DIGEST" -c digest.conf --now $now search splatting >ro; rc=$?; chmod 600 digest.db*; test $rc = 0 && grep -q "^4 of 8 papers match" ro'
echo '{"id": "2603.00009", "title": "A graph of graphs", "abstract": "Planar.", "listed": "2026-03-03", "published": "2026-03-03"}' >more.jsonl
d import more.jsonl >/dev/null
check 'the next run brings the index up'       'test "$(sql "SELECT count(*) FROM search_due")" = 0 && test "$(found graph)" = "9 6"'

check 'by votes'                               'test "$(found --sort votes splatting)" = "7 2 1 8"'
check 'by relevance: title, twice'             'set -- $(found --sort relevance "splatting OR mesh") && test "$1" = 2'
check 'by trend, ties by day'                  'test "$(found --sort trending "votes>=1 age<30d" | wc -w)" = 4'
check 'best: votes and freshness count'        'set -- $(found splatting) && test "$1" = 2 || test "$1" = 1'
check 'the score is the sum of its parts'      'd search --json splatting | python3 -c "
import json, sys
f = json.loads(sys.stdin.readline())[\"found\"]
assert all(abs(p[\"score\"] - sum(p[\"score_\" + x] for x in (\"text\", \"votes\", \"trend\", \"freshness\"))) < 1e-5 for p in f), f
assert [p[\"score\"] for p in f] == sorted((p[\"score\"] for p in f), reverse=True)
assert f[0][\"score_text\"] > 0"'
check '--limit, and how many there are'        'd search --limit 2 splatting >out && test "$(grep -c "^  *[0-9]*\. " out)" = 2 && grep -qx "4 of 9 papers match; these are the best." out'
check 'the marks are the words'                'd search --json "splatting OR \"radiance field\"" | python3 -c "
import json, sys
for p in json.loads(sys.stdin.readline())[\"found\"]:
    for text in \"title\", \"abstract\":
        raw = p[text].encode()
        words = [raw[a:b].decode().lower() for a, b in p[text + \"_marks\"]]
        assert all(w in (\"splatting\", \"radiance field\", \"radiance fields\", \"splatted\") for w in words), words
    assert p[\"title_marks\"] or p[\"abstract_marks\"], p"'

check 'plain where it is no terminal'          'd search splatting >out && ! grep -q "$(printf "\033")" out && grep -q "Yann Le Cun … Jürgen Müller (4 authors) · 2026-03-02 · 12 votes" out && grep -q "^     https://arxiv.org/abs/2603.00001$" out'
check 'marked where it is one'                 'd --color=always search splatting >out && grep -q "Gaussian $(printf "\033\\[1m")Splatting$(printf "\033\\[0m") on a Phone" out && test "$(sed "s/$(printf "\033")\[[0-9;]*m//g" out | grep -vc "^$")" = "$(d search splatting | grep -vc "^$")"'
check 'lines fit an old screen'                'd search "radiance OR model" >out && test "$(python3 -c "print(max(len(l.rstrip(chr(10))) for l in open(\"out\")))")" -le 80'
check 'the place of the words is shown'        'd search "mesh free" >out && grep -q "mesh comes for free" out'
check 'hostile bytes reach no terminal'        'd --color=always search fusion >out && python3 -c "
import re
raw = open(\"out\", \"rb\").read().decode()
rest = re.sub(\"\\x1b\\\\[[0-9;]*m\", \"\", raw)
assert \"Hostile\" in rest and not [c for c in rest if ord(c) < 32 and c != \"\\n\" or 127 <= ord(c) < 160], rest"'

check 'more like this, itself left out'        'set -- $(found --similar 2603.00001) && test "$1" = 2 && ! echo "$*" | grep -q "^1\| 1"'
check '... by title words, and which words'    'd search --similar "splatting on a phone" >out && grep -q "^Like Gaussian Splatting on a Phone" out && grep -q "^by the words: .*splat" out && grep -q "Radiance Fields without Networks" out'
check '... narrowed by a query'                'test "$(found --similar 2603.00001 "votes>=500")" = 7 && set -- $(found --similar 2603.00001 --days 4) && test "$1" = 2 && ! echo "$*" | grep -q 7'
check '... in a paper with no words of others' 'says 65 "nothing found" d search --similar 2603.00004'
check '... the index lags, all the same'       'cp digest.db keep && sql "INSERT INTO search_due SELECT id FROM paper" && sql "DELETE FROM search" && set -- $(found --similar 2603.00001) && mv keep digest.db && rm -f digest.db-wal digest.db-shm && test "$1" = 2'
check '... of a paper there is not'            'says 65 "is no paper of the store; expected an id, a DOI" d search --similar 2603.99999'

check 'nothing: a word spelled nearly so'      'says 65 "nothing found in 9 papers; no paper has .spplatting.: did you mean .splatting." d search spplatting'
check 'nothing in these days, but before'      'says 65 "nothing found in the 4 papers of these days, but 1 in the whole store: leave out --days" d search --days 4 wheat'
check 'a bad query shows its place'            'says 65 "did you mean .title:" d search "(titel:x" && d search "a AND (" 2>&1 | grep -q "^ *^"'
d run
check '@names: of the reader, or shared'       'test "$(found -u ada@digest.test --sort newest @mine)" = "1 2 7" && says 65 "mine" d search @mine && says 64 "not a reader" d -u eve@digest.test search x'
check 'bad numbers and orders are refused'     'says 64 "from 1 to 500" d search --limit 0 x && says 64 "expected a number" d search --days x x && says 64 "expected best" d search --sort x x'
check 'neither query nor paper'                'says 64 "usage: digest search QUERY" d search'
