"""Run a command and say what it took: measure.py COMMAND... prints "wall cpu peak" in seconds, seconds and kilobytes."""
import os
import sys
import time

start = time.monotonic()
pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print(f"{time.monotonic() - start:.3f} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
