"""gevent."""

import time

import gevent
from gevent.event import Event
from gevent.queue import Queue
from gevent.server import StreamServer

from common import cpu, each, main, memory, moments
from servers import answers, say


def yields(count, many):
    def endless():
        while True:
            gevent.sleep(0)

    others = [gevent.spawn(endless) for _ in range(many - 1)]
    gevent.sleep(0)
    rounds = max(count // many, 1)

    def work():
        for _ in range(rounds):
            gevent.sleep(0)

    cost = each(rounds * many, work)
    gevent.killall(others, block=False)
    return cost


def spawn_join(count):
    def work():
        for value in range(count):
            assert gevent.spawn(abs, value).get() == value

    return each(count, work)


def spawn_many(count):
    def work():
        gevent.joinall([gevent.spawn(abs, value) for value in range(count)])

    return each(count, work)


def channel(count, capacity):
    items = Queue(capacity)

    def produce():
        for value in range(count):
            items.put(value)

    def consume():
        return sum(items.get() for _ in range(count))

    def work():
        gevent.spawn(produce)
        assert gevent.spawn(consume).get() == count * (count - 1) // 2

    return each(count, work)


def timers(count):
    before, late = cpu(), []
    begin = time.perf_counter() + 0.1

    def one(due):
        gevent.sleep(max(due - time.perf_counter(), 0))
        late.append(time.perf_counter() - due)

    gevent.joinall([gevent.spawn(one, begin + moment) for moment in moments(count)])
    return (cpu() - before) / count, sorted(late)[count * 99 // 100] * 1e6


def parked(count):
    before, gate = memory(), Event()
    waiting = [gevent.spawn(gate.wait) for _ in range(count)]
    gevent.sleep(0)
    cost = (memory() - before) / count
    gate.set()
    gevent.joinall(waiting)
    return cost


def serve(handle):
    server = StreamServer(("127.0.0.1", 0), handle, backlog=1024)
    server.start()
    say(server.server_port)
    server.serve_forever()


def echo_to(socket, _):
    while data := socket.recv(1024):
        socket.sendall(data)


def answer(socket, _):
    waiting = b""
    while data := socket.recv(8192):
        answer, waiting = answers(waiting, data)
        socket.sendall(answer)


main(
    {
        "yield_2": lambda count: yields(count, 2),
        "yield_1000": lambda count: yields(count, 1000),
        "spawn_join": spawn_join,
        "spawn_many": lambda _: spawn_many(100_000),
        "channel_1": lambda count: channel(count, 1),
        "channel_64": lambda count: channel(count, 64),
        "timers_cpu": lambda _: timers(100_000)[0],
        "timers_late": lambda _: timers(100_000)[1],
        "parked": lambda _: parked(100_000),
        "echo": lambda _: serve(echo_to),
        "http": lambda _: serve(answer),
    },
    slower=20,
)
