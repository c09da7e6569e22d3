#!/usr/bin/env python3
"""Many mails of all kinds, made by the real program, for those who look at mails. Standard library only.

usage: many_mails.py FOLDER SEED READERS [KEY-FILE]

Makes a configuration with so many readers and some days of papers in FOLDER, and runs $DIGEST on four of those days: a
first mail, the next one, one after a week without, and one more, with updates. The mails are in FOLDER/Mail afterwards;
prints how many. With STOP=1 all is made ready for the last run, which is not made. With RELAY=PORT
the mails go there by SMTP instead; with ASCII=1 no reader's address needs SMTPUTF8. The same seed makes the same mails, with the same key file; without one each folder gets its own.
"""

import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile  # noqa: E402

RUNS = [("2026-03-02T20:00:00Z", ["2026-02-27", "2026-03-02"]), ("2026-03-03T20:00:00Z", ["2026-03-03"]),
        ("2026-03-09T20:00:00Z", ["2026-03-04", "2026-03-06", "2026-03-09"]), ("2026-03-10T20:00:00Z", ["2026-03-10"])]

PLAIN = ("agents splatting diffusion scenes memory graph robots proofs vision language speech proteins planning sparse "
         "attention benchmark retrieval alignment rendering quantum survey tokens video audio code learning").split()
ABROAD = [("he", "למידה עמוקה של סצנות גדולות"), ("ar", "تعلم الآلة للمشاهد الكبيرة"), ("zh", "大規模場景的神經渲染與學習方法研究"),
          ("ja", "大規模言語モデルの推論を速くする"), ("ko", "대규모 언어 모델의 추론"), ("ru", "Обучение больших моделей"),
          ("hi", "बड़े दृश्यों का प्रतिपादन"), ("th", "การเรียนรู้เชิงลึกสำหรับฉากขนาดใหญ่"), ("vi", "Học sâu cho các cảnh lớn")]
LATEX = ["$\\mathcal{O}(n \\log n)$", "$\\alpha$-\\emph{divergence}", "\\textbf{bold}", "{\\\"U}ber", "$x^2_{ij}$", "$\\frac{a}{b}$",
         "costs $5 and $6", "\\cite{x}", "\\unknown{y}", "100\\%", "$\\mathbb{R}^n$", "\\(\\sqrt{2}\\)", "\\'e", "~\\ref{fig:1}"]
HOSTILE = [title for title, _ in hostile.titles() if len(title) < 2000]
NAMES = ["", "Ada Ray", "Zoë Ünal", "李雷", "עדה לב", "O'Hara, Maureen", "A \"Q\" B", "back\\slash", "(comment)", "a@b.c", "<x@y.z>",
         "=?UTF-8?Q?x?=", "x; y: z,", "Dr. A. B. C. von und zu Langenscheidt-Oberhausen der Dritte, Ritter des Ordens " + "Lang" * 20, "😀 emoji",
         "é" * 60, "dot.", "e\u0301\u0323", "\u202eevil", "50 $ ${x} {{y}}", "李" * 70]
LOCALS = ["ada{}", "o'hara{}", "a.b{}", "x+tag{}", "under_score{}", "UPPER{}", "a!#%&*{}", "grüße{}", "long" + "n" * 50 + "{}"]
DOMAINS = ["digest.test", "sub.sub.digest.test", "m\u00fcller.test", "xn--mller-kva.test", "\u4f8b\u3048.test"]
ZONES = ["", "UTC", "Europe/London", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "Australia/Lord_Howe"]
SORTS = ["best", "relevance", "votes", "trending", "newest"]
SECTIONS = ["mine", "two words", "<b>&amp; \"x\"", "{{name}} {{{x}}}", "ünï 名前", "=?utf-8?q?x?=", "'quoted'", "x" * 150, "$(id)", "שלום"]
QUERIES = ["agents OR splatting", "diffusion", "learning -survey", "*", "votes>=20", "title:vision OR abstract:speech", "\"large scenes\" OR memory",
           "graph* OR robot*", "author:ray", "is:new", "code OR tokens", "nosuchwordanywhere"]
LISTS = [
    'from = "Papers <papers@digest.test>"',
    'from = "Zoë\'s Übersicht 論文 <papers@digest.test>"  reply-to = "\\"Answers, Inc.\\" <answers@digest.test>"  postal-address = "1 Main Street <b>, Exämpleton"  help-url = "mailto:answers@digest.test?subject=help"  archive-url = "https://papers.digest.test/old?a=1&b=2%27c"',
    'from = "\\"Papers, daily (all)\\" <papers@digest.test>"  name = "<Papers> & {{co}} \\"x\\""  base-url = "https://papers.digest.test/a?b=c&d"',
    'from = "papers@m\u00fcller.test"  name = "' + "論文" * 30 + '"  bounce-address = "bounce@digest.test"',
    'from = "papers@digest.test"  name = "=?utf-8?q?List?="  id = "a.stable.id"  operator = "op@digest.test"',
]
LIMITS = ["", "templates { html-limit = 20000 }", "", "templates { html-limit = 200K }"]


def html_limit(seed):
    """What the mails of a seed promise."""
    return {0: 80000, 1: 20000, 2: 80000, 3: 200 * 1024}[seed % 4]


def quoted(text):
    return '"' + "".join("\\" + c if c in '"\\$' else c for c in text) + '"'


class Papers:
    """Papers of one seed, some of which come again."""

    def __init__(self, die):
        self.die, self.made = die, []

    def words(self, low, high):
        return " ".join(self.die.choice(PLAIN) for _ in range(self.die.randint(low, high)))

    def text(self, low, high):
        """Prose, with something in it that is not."""
        text = self.words(low, high).capitalize()
        kind = self.die.random()
        if kind < 0.12:
            text += " " + self.die.choice(LATEX)
        elif kind < 0.2:
            text += ": " + self.die.choice(ABROAD)[1]
        elif kind < 0.26:
            text = self.die.choice(HOSTILE) + " " + text
        elif kind < 0.29:
            text += " " + "Long-" * self.die.randint(1, 40) + "w" * self.die.randint(1, 120)
        elif kind < 0.32:
            text += " z" + "\u0301\u0336" * self.die.randint(1, 40)
        return text

    def link(self, kind):
        number = self.die.randrange(10**6)
        return self.die.choice([
            f"https://{kind}.digest.test/{number}", f"https://{kind}.digest.test/{number}?a=1&b=2#c", f"http://{kind}.digest.test/{number}/(x)_y,z;",
            f"https://{kind}.digest.test/{number} \"><script>", f"https://{kind}.digest.test/{number}/" + "a/" * 150, f"https://m\u00fcller.test/{number}/\u00fc",
            f"https://{kind}.digest.test/{number}'\\`{{}}|^", "javascript:alert(1)", f"https://{kind}.digest.test/=3D{number}.", ""])

    def paper(self, day):
        die, number = self.die, len(self.made)
        p = {"title": self.text(3, 12), "abstract": ". ".join(self.text(8, 30) for _ in range(die.randint(0, 7))), "listed": day}
        p["id"] = die.choice((f"2603.{10000 + number}", f"10.9999/x.{number}", f"tr-{number}"))
        if p["id"].startswith("tr"):
            p["url"] = f"https://lab.digest.test/{number}?q=a&b={die.choice(('1', 'ü', '%41', '<', 'x y'))}"
        p["authors"] = [die.choice(("Ada Ray", "Bo Li", "Zoë Ünal", "李雷", "J. \\'Alvarez", "<i>X</i> & Y")) for _ in range(die.choice((0, 1, 2, 3, 9, 60)))]
        if die.random() < 0.2:
            p["language"], p["title"] = die.choice(ABROAD)
            p["title"] += f" {number}"
        for member, chance in (("summary", 0.5), ("org", 0.3), ("venue", 0.2), ("comment", 0.2)):
            if die.random() < chance:
                p[member] = self.text(2, 14)
        p["summary_by"] = die.choice(("", "AI", "Model <7B>"))
        for kind in ("code", "project", "discussion", "html", "pdf", "thumbnail"):
            if die.random() < 0.3:
                p[kind + "_url"] = self.link(kind)
        for member in ("votes", "comments", "stars"):
            if die.random() < 0.5:
                p[member] = die.choice((0, 1, 7, 40, 1234567))
        self.made.append(p)
        return p

    def day(self, day, new):
        """New ones, and some of the days before again: more votes, a new version, a withdrawal."""
        again = [dict(p, listed=day) for p in self.die.sample(self.made, min(len(self.made), new // 5))]
        for p in again:
            kind = self.die.random()
            if kind < 0.4:
                p["version"], p["kind"], p["updated"] = 2, "replace", day
            elif kind < 0.6:
                p["withdrawn"] = day
            else:
                p["votes"] = p.get("votes", 0) + 30
        return [self.paper(day) for _ in range(new)] + again


def write_config(path, die, seed, readers):
    box = 'url = "maildir:Mail"'
    if "RELAY" in os.environ:
        box = f'url = "smtp://127.0.0.1:{os.environ["RELAY"]}"  tls = none  helo = client.digest.test'
    local_parts = [part for part in LOCALS if part.isascii() or "ASCII" not in os.environ]
    with open(path, "w", encoding="utf-8") as conf:
        conf.write(f'list {{ {LISTS[seed % len(LISTS)]} }}\n{LIMITS[seed % len(LIMITS)]}\n'
                   f'store {{ path = "digest.db" }}  smtp "box" {{ {box} }}\n'
                   'source "arXiv cs.CV" { type = file  path = "days/*.jsonl" }\n'
                   'defaults { timezone = "Europe/Paris" }\n'
                   'filter "shared" { match = "attention OR survey"  limit = 3 }\n')
        for number in range(readers):
            address = die.choice(local_parts).format(number) + "@" + die.choice(DOMAINS)
            conf.write(f'subscriber {quoted(address)} {{\n  name = {quoted(die.choice(NAMES))}  language = {die.choice(("en", "de", "en", "fr"))}\n'
                       f'  limit = {die.choice((1, 3, 10, 10, 40))}  max-papers = {die.choice((5, 25, 25, 100))}  outside = {die.choice((0, 3, 3, 12))}\n'
                       f'  empty = {die.choice(("skip", "note", "note"))}  updates = {die.choice(("withdrawn", "all", "off"))}\n'
                       f'  when = {die.choice(("always", "daily", "daily", "weekdays"))}\n')
            zone = die.choice(ZONES)
            if zone:
                conf.write(f'  timezone = "{zone}"\n')
            if die.random() < 0.3:
                conf.write('  use = {shared}\n')
            names = die.sample(SECTIONS, die.choice((0, 1, 1, 2, 3, 9)))
            names += [f"filter {k}" for k in range(die.choice((0, 0, 0, 0, 0, 0, 0, 30)))]
            for name in names:
                conf.write(f"  filter {quoted(name)} {{ match = '{die.choice(QUERIES)}'  sort = {die.choice(SORTS)} }}\n")
            conf.write("}\n")


def main():
    folder, seed, readers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if len(sys.argv) > 4:
        os.makedirs(folder, exist_ok=True)
        shutil.copy(sys.argv[4], os.path.join(folder, "digest.key"))
        os.chmod(os.path.join(folder, "digest.key"), 0o600)
    die = random.Random(seed)
    papers = Papers(die)
    os.makedirs(os.path.join(folder, "days"))
    write_config(os.path.join(folder, "digest.conf"), die, seed, readers)
    for now, days in RUNS:
        last = now == RUNS[-1][0] and "STOP" in os.environ
        for day in days:
            with open(os.path.join(folder, "days", day + ".jsonl"), "w", encoding="utf-8") as lines:
                lines.writelines(json.dumps(p, ensure_ascii=True) + "\n" for p in papers.day(day, die.choice((5, 40, 60))))
        if last:
            return
        done = subprocess.run([os.environ["DIGEST"], "-c", "digest.conf", "--now", now, "run"], cwd=folder, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0 or done.stdout:
            sys.exit(f"many_mails: the run of {now} ends with {done.returncode}: {done.stdout[:2000]}")
    shutil.rmtree(os.path.join(folder, "days"))
    if "RELAY" not in os.environ:
        print(len(os.listdir(os.path.join(folder, "Mail", "new"))))


if __name__ == "__main__":
    main()
