"""The recorded mails of $DIGEST_CORPUS, one to each reader, as if they had come back for a digest of that reader.

    corpus.py put BOX PERIOD     into a Maildir, readers numbered from 1 in the order of the files
    corpus.py compare <LINES     "NUMBER STATE" of each reader, against expected.tsv
    corpus.py count
"""

import os
import sys

import returned

ROOT = os.path.join(os.environ["DIGEST_CORPUS"], "mail")
FILES = sorted(f"{d}/{f}" for d in os.listdir(ROOT) if os.path.isdir(f"{ROOT}/{d}") for f in os.listdir(f"{ROOT}/{d}"))

# Where another program calls an address dead, and we do not take it off, or the reverse; tests/unit/test_incoming_corpus.c has
# the same of what is read.
OTHERWISE = {
    "arf/arf-18.eml": "auth-failure, which is no complaint",
    "bounce/enmime-dsn_with_multipart_alternative.eml": "5.1.10; expected.tsv does not have it",
    "bounce/lhost-domino-02.eml": "5.0.0 and words, which never make an address dead",
    "bounce/lhost-exim-31.eml": "words alone, which leave open what is at fault",
    "bounce/lhost-sendmail-02.eml": "both recipients: 5.1.1, and 5.2.1 User Unknown",
}


def put(box, period):
    for folder in "tmp", "new", "cur":
        os.makedirs(f"{box}/{folder}", exist_ok=True)
    for number, name in enumerate(FILES, 1):
        with open(f"{ROOT}/{name}", "rb") as f:
            mail = f.read()
        if mail.startswith(b"From "):  # of an mbox, and no line of the mail
            mail = mail.partition(b"\n")[2]
        token = returned.token(returned.PURPOSES["bounce"], number, returned.period(period))
        end = b"\r\n" if b"\r\n" in mail[:2000] else b"\r" if b"\n" not in mail[:2000] else b"\n"
        with open(f"{box}/tmp/{number}", "wb") as f:
            f.write(f"Delivered-To: bounce+{token}@digest.test".encode() + end + mail)
        os.rename(f"{box}/tmp/{number}", f"{box}/new/{period}.{number}.corpus")


def expected():
    """Readers who are to be gone: those of whose reports every recipient is dead; and those who complain."""
    hard = {}
    with open(f"{ROOT}/expected.tsv", encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                name, *_, is_hard = line.rstrip("\n").split("\t")
                hard.setdefault(name, []).append(is_hard == "true")
    return {name for name, all_hard in hard.items() if all(all_hard)}


def compare():
    gone = {FILES[int(line.split()[0]) - 1] for line in sys.stdin if line.split()[1] == "left"}
    want = {name for name in expected() if name.startswith("bounce/")} | {n for n in FILES if n.startswith("arf/")}
    for name, why in OTHERWISE.items():
        if (name in gone) == (name in want):
            print(f"{name}: needs no reason")
    wrong = [n for n in sorted(gone ^ want) if n not in OTHERWISE]
    for name in wrong:
        print(f"{name}: {'taken off' if name in gone else 'still mailed'}")
    return len(wrong)


if __name__ == "__main__":
    if sys.argv[1] == "put":
        put(*sys.argv[2:])
    elif sys.argv[1] == "count":
        print(len(FILES))
    else:
        sys.exit(1 if compare() else 0)
