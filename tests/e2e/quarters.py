"""Run digest each quarter of an hour and hold the mails against the clocks of the readers.

usage: quarters.py FROM UNTIL      times as 2026-03-28T12:00; the readers are those of digest.conf, each on a line of its own:
                                   subscriber "x@digest.test" { timezone = "Zone/Name"  when = "daily 01:30" ...
Expected is one mail for each local day whose hour lies between, at the first quarter at which the clock there shows that hour or
a later one: found by looking at each of them with Python's zones.
"""
import email
import email.utils
import glob
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
start, end = (datetime.fromisoformat(text).replace(tzinfo=timezone.utc) for text in sys.argv[1:3])
READER = re.compile(r'subscriber "([^"]+)" \{ timezone = "([^"]+)"  when = "daily (\d\d):(\d\d)"')


def expected(zone, hour, minute):
    """Moments of mails: a newcomer's at once, unless the hour comes yet that day; then the first quarter of each due day."""
    out, done, now = [], None, start
    while now < end:
        wall = now.astimezone(zone).replace(tzinfo=None)
        day = wall.date() if (wall.hour, wall.minute) >= (hour, minute) else wall.date() - timedelta(days=1)
        if done is None:
            first = day == wall.date()
            done = day
            if first:
                out.append(now)
        elif day > done:
            out.append(now)
            done = day
        now += QUARTER
    return out


now = start
while now < end:
    rc = subprocess.run([os.environ["DIGEST"], "--now", now.strftime("%Y-%m-%dT%H:%M:%SZ"), "run"], check=False).returncode
    if rc != 0:
        sys.exit(f"{now}: exit code {rc}")
    now += QUARTER

mails = {}
for path in glob.glob("Mail/new/*"):
    with open(path, "rb") as file:
        head = email.message_from_bytes(file.read())
    at = email.utils.parsedate_to_datetime(head["Date"]).astimezone(timezone.utc)
    mails.setdefault(email.utils.parseaddr(head["To"])[1], []).append(at)

faults = 0
with open("digest.conf", encoding="utf-8") as config:
    readers = READER.findall(config.read())
for address, name, hour, minute in readers:
    zone = ZoneInfo(name)
    want, got = expected(zone, int(hour), int(minute)), sorted(mails.get(address, []))
    if want != got:
        faults += 1
        show = [[f"{t.astimezone(zone):%d %H:%M}" for t in times] for times in (want, got)]
        print(f"{address} {name} {hour}:{minute}: expected {show[0]}, got {show[1]}")
print(f"{len(readers)} readers, {sum(map(len, mails.values()))} mails, {faults} faults")
sys.exit(faults > 0 or len(readers) == 0)
