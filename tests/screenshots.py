"""The pictures of README.md: the demo's digests in a browser, light and dark, at a desk and on a telephone.

screenshots.py DIGEST FOLDER
"""
import base64
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))
import browser  # noqa: E402

NOW = "2026-08-22T07:00:00Z"  # as in etc/demo/show.sh
SHOTS = (("desk", "ada@example.org", 640, 800), ("phone", "grace@example.org", 360, 800))
SCALE = 1.5  # README shows them smaller than they are, for screens of fine dots

# A picture as numbers of its 64 most frequent colours; what is none of them becomes the nearest.
COUNT_COLOURS = """(async () => {
    const image = new Image();
    image.src = "data:image/png;base64,%s";
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height), draw = canvas.getContext("2d");
    draw.drawImage(image, 0, 0);
    const dots = new Uint32Array(draw.getImageData(0, 0, image.width, image.height).data.buffer), often = new Map();
    for (const dot of dots) often.set(dot, (often.get(dot) || 0) + 1);
    const colours = [...often].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 64).map(entry => entry[0]);
    const part = (dot, i) => dot >>> 8 * i & 255;
    const far = (a, b) => [0, 1, 2].reduce((sum, i) => sum + (part(a, i) - part(b, i)) ** 2, 0);
    for (const dot of often.keys())
        often.set(dot, colours.reduce((best, c, i) => far(dot, c) < far(dot, colours[best]) ? i : best, 0));
    let text = "";
    for (const dot of dots) text += String.fromCharCode(often.get(dot));
    return {width: image.width, height: image.height, colours: colours.map(c => [0, 1, 2].map(i => part(c, i))), dots: btoa(text)};
})()"""


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def shrink(view, path):
    """Rewrite a PNG with a palette, at a third of its size."""
    with open(path, "rb") as file:
        seen = view.run(COUNT_COLOURS % base64.b64encode(file.read()).decode())
    dots, width = base64.b64decode(seen["dots"]), seen["width"]
    rows = b"".join(b"\0" + dots[at:at + width] for at in range(0, len(dots), width))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, seen["height"], 8, 3, 0, 0, 0)) +
                   chunk(b"PLTE", bytes(c for colour in seen["colours"] for c in colour)) +
                   chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def draw_digests(digest, folder):
    """The demo, in a folder of its own, so that no store knows its papers."""
    with open(os.path.join(TOP, "etc/demo/digest.conf"), encoding="utf-8") as file:
        config = file.read().replace("../../build/demo/", "")
    with open(os.path.join(folder, "digest.conf"), "w", encoding="utf-8") as file:
        file.write(re.sub(r'"papers\.jsonl"', lambda _: f'"{TOP}/etc/demo/papers.jsonl"', config))
    subprocess.run([digest, "-c", os.path.join(folder, "digest.conf"), "--now", NOW, "-n", "--out", folder], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "XDG_CACHE_HOME": folder})


def main():
    digest, out = os.path.abspath(sys.argv[1]), sys.argv[2]
    if browser.find() is None:
        sys.exit("screenshots: no chromium here; sh etc/setup look installs it")
    os.makedirs(out, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as view:
        draw_digests(digest, folder)
        for name, reader, width, height in SHOTS:
            for dark in (False, True):
                path = os.path.join(out, f"{name}-{'dark' if dark else 'light'}.png")
                view.look(width, height, dark, SCALE)
                view.open(os.path.join(folder, reader + ".html"))
                view.shoot(path, height)
                shrink(view, path)
                print(f"{path}: {os.path.getsize(path) // 1024} KB")


if __name__ == "__main__":
    main()
