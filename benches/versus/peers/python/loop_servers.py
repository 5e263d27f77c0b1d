"""The servers of asyncio, whichever loop runs them: protocols, its quickest way."""

import asyncio

from servers import answers, say


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class Http(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.waiting = transport, b""

    def data_received(self, data):
        answer, self.waiting = answers(self.waiting, data)
        self.transport.write(answer)


async def serve(protocol):
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=1024)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()
