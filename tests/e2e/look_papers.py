"""Papers and readers of every kind, to look at: writes, into this folder,

digest.conf	readers of no, one, eight and 25 papers, and of odd ones in German, at 2026-03-06
pause.conf	a reader who is mailed on 2026-03-03, when now.jsonl is a copy of early.jsonl, and again on 2026-03-10, when it is one
		of later.jsonl: then there are risen, withdrawn and new versions, what is popular, and what a limit cut
"""
import json

WORDS = "light field lantern wool kettle harbour signal garden ladder copper".split()

HEAD = """list { from = "Morning Papers <papers@digest.test>"  postal-address = "1 Main Street, Exampleton" }
smtp "box" { url = "maildir:Mail" }
"""
DIGEST = HEAD + """store { path = "digest.db" }
source "papers" { type = file  path = "many.jsonl" }
source "odd" { type = file  path = "odd.jsonl" }
defaults { outside = 2 }
subscriber "none@digest.test"  { empty = note  outside = 0  filter "zebras" { match = "zebra" } }
subscriber "near@digest.test"  { empty = note  filter "zebras" { match = "knitting zebra" } }
subscriber "one@digest.test"   { outside = 0  filter "one" { match = "title:kettle"  limit = 1 } }
subscriber "eight@digest.test" {
    limit = 3
    filter "Kettles" { match = "kettle" }
    filter "Lanterns & harbours" { match = "lantern OR harbour" }
    filter "All there is" { match = "*"  limit = 2 }
}
subscriber "many@digest.test"  {
    limit = 25
    filter "a filter with a rather long name, to see whether a heading wraps" { match = "source:papers" }
}
subscriber "odd@digest.test"   { filter "odd" { match = "source:odd" } language = de }
"""
PAUSE = HEAD + """store { path = "pause.db" }
source "papers" { type = file  path = "now.jsonl"  interval = 1h }
defaults { updates = all  outside = 4  limit = 2 }
subscriber "late@digest.test" {
    filter "few" { match = 'title:("1 needles" OR "2 needles" OR "3 needles")'  limit = 3 }
    filter "liked" { match = "weaving votes>=60"  limit = 1 }
    filter "kettles" { match = "kettle" }
}
"""


def paper(i, **more):
    about = f"{WORDS[i % 10]} {WORDS[i * 3 % 7]}"
    p = {"id": f"2603.1{i:04}", "title": f"Knitting {about} with {i} needles", "listed": "2026-03-05",
         "url": f"https://arxiv.org/abs/2603.1{i:04}", "pdf_url": f"https://arxiv.org/pdf/2603.1{i:04}",
         "abstract": f"We knit {about} out of {i} threads & a <b>needle</b>. " + f"The {about} holds for a week, with 1 of 20 lost. " * 6,
         "authors": ["Ada Okafor", "Bo Lindqvist", "Mara Tanaka"], "org": "Institute of Wool", "votes": 3 * i, "comments": i % 4,
         "discussion_url": f"https://huggingface.co/papers/2603.1{i:04}", "thumbnail_url": f"https://pictures.digest.test/{i}.png"}
    p.update(more)
    return p


def odd_papers(listed):
    odd = [
        paper(50, title="نماذج لغوية صغيرة للغة العربية", abstract="نقدم نماذج لغوية صغيرة تعمل على الهاتف. النتائج جيدة.", language="ar"),
        paper(51, title="用于机器人抓取的三维高斯表示", abstract="我们提出一种用于机器人抓取的三维高斯表示方法。该方法成功。", language="zh"),
        paper(52, title="Long" + "word" * 50 + " " + "W" * 90, abstract="x" * 300 + " " + "y" * 300, authors=["N" * 150], org="O" * 150),
        paper(53, summary="A machine says what it is about, in one sentence.", summary_by="Qwen3-8B",
              code_url="https://github.com/wool/kettle", stars=12345, project_url="https://wool.example"),
        {"id": "2603.10054", "title": "Bare", "url": "https://arxiv.org/abs/2603.10054"},
        paper(55, title="A title that goes on " * 10, abstract="")]
    for p in odd:
        p["listed"] = listed
        p.pop("thumbnail_url", None)
    return odd


def weaving(i, **more):
    """A paper of the week before."""
    p = paper(i + 100, listed="2026-03-02", **more)
    p["title"] = p["title"].replace("Knitting", "Weaving").replace(f"{i + 100} needles", f"{i} needles")
    return p


def later():
    yield weaving(1, version=2, votes=3)
    yield from (weaving(i, withdrawn="2026-03-08", votes=3 * i) for i in (2, 3))
    yield from (weaving(i, votes=70 + i) for i in range(4, 18))
    yield from odd_papers("2026-03-09")


def write(name, papers):
    with open(name, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(p) + "\n" for p in papers)


write("many.jsonl", (paper(i) for i in range(1, 40)))
write("odd.jsonl", odd_papers("2026-03-05"))
write("early.jsonl", (weaving(i, votes=3 * i) for i in range(1, 13)))
write("later.jsonl", later())
for path, text in (("digest.conf", DIGEST), ("pause.conf", PAUSE)):
    with open(path, "w", encoding="utf-8") as config:
        config.write(text)
