"""Twenty services on loopback, each a feed of ten papers after a wait of its own: feeds.py prints "port" once it listens on
127.0.0.1 to 127.0.0.20; the one at 127.0.0.N waits N * 50 ms."""
import asyncio

SERVICES = 20
WAIT = 0.05
ITEM = """<item><title>Paper {n} of service {host}</title><link>https://example.org/{host}/{n}</link>
<description>An abstract of a paper that is of no use but to be read as fast as it can be.</description>
<pubDate>Mon, 21 Sep 2026 08:00:00 GMT</pubDate></item>
"""


def feed(host):
    body = '<?xml version="1.0"?><rss version="2.0"><channel><title>Service %d</title>%s</channel></rss>' % (
        host, "".join(ITEM.format(host=host, n=n) for n in range(10)))
    return (f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n\r\n" + body).encode()


async def answer(reader, writer, host):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(host * WAIT)
            writer.write(feed(host))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    def serve(host, port):
        return asyncio.start_server(lambda r, w: answer(r, w, host), f"127.0.0.{host}", port)
    servers = [await serve(1, 0)]
    port = servers[0].sockets[0].getsockname()[1]
    servers += [await serve(host, port) for host in range(2, SERVICES + 1)]
    print(port, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
