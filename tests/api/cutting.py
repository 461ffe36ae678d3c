"""A way to a server that cuts every connection after so many bytes of answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


@asynccontextmanager
async def cutting(url: str, after: int) -> AsyncIterator[str]:
    """The address of a proxy before `url`; each connection through it ends after `after` bytes."""
    server = urlsplit(url)

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int) -> None:
        with suppress(ConnectionError):
            while left > 0 and (data := await reader.read(min(left, 4096))):
                writer.write(data)
                await writer.drain()
                left -= len(data)

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above, below = await asyncio.open_connection(server.hostname, server.port)
        asking = asyncio.create_task(passed(reader, below, 1 << 40))
        await passed(above, writer, after)
        asking.cancel()
        for one in (writer, below):
            one.transport.abort()

    proxy = await asyncio.start_server(met, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.close()
