"""Chromium without a window, driven over a pipe: pages of files are drawn, asked and photographed; no network."""
import base64
import json
import os
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find():
    """The program, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page. What the browser is told and tells are JSON objects between NULs, over descriptors 3 and 4."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="digest-browser.")
        from_us, self.to = os.pipe()
        self.back, to_us = os.pipe()

        def wire():
            # Above what is to be replaced, lest one overwrite the other.
            there, here = os.dup(from_us), os.dup(to_us)
            high = [os.dup(there), os.dup(here)]
            while min(high) < 5:
                high = [os.dup(fd) for fd in high]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
             "--font-render-hinting=none", f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(from_us)
        os.close(to_us)
        self.read, self.number, self.session, self.events = b"", 0, None, []
        target = None
        while target is None:  # it takes commands before it has a page
            pages = self.ask("Target.getTargets")["targetInfos"]
            target = next((page["targetId"] for page in pages if page["type"] == "page"), None)
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Network.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def hear(self):
        while b"\0" not in self.read:
            piece = os.read(self.back, 1 << 20)
            if not piece:
                raise EOFError("the browser has ended")
            self.read += piece
        message, self.read = self.read.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **params):
        """One command and its answer; what happens meanwhile is kept in events."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            heard = self.hear()
            if heard.get("id") != self.number:
                self.events.append(heard)
            elif "error" in heard:
                raise RuntimeError(f"{method}: {heard['error']['message']}")
            else:
                return heard["result"]

    def look(self, width, height=800, dark=False, scale=1):
        """How wide the screen is, and which colours its owner likes."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, path):
        """Draw a page. self.asked gets the URLs that the page wanted, its own left out."""
        self.events = []
        self.ask("Page.navigate", url="file://" + os.path.abspath(path))
        while not any(event["method"] == "Page.loadEventFired" for event in self.events if "method" in event):
            self.events.append(self.hear())
        wanted = [event["params"]["request"]["url"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        self.asked = [url for url in wanted if url != "file://" + os.path.abspath(path)]

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "script failed"))
        return answer["result"].get("value")

    def shoot(self, path, height=None):
        """The page as a PNG, whole or so many pixels of it."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        box = {"x": 0, "y": 0, "width": size["width"], "height": min(height or 16000, size["height"]), "scale": 1}
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=box)
        with open(path, "wb") as out:
            out.write(base64.b64decode(answer["data"]))
