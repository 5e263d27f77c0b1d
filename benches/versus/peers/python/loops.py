"""The rows of asyncio, whichever loop runs them."""

import asyncio
import time

from common import cpu, main, memory, moments
from loop_servers import Echo, Http, serve


async def yields(count, many):
    async def endless():
        while True:
            await asyncio.sleep(0)

    others = [asyncio.create_task(endless()) for _ in range(many - 1)]
    await asyncio.sleep(0)
    rounds = max(count // many, 1)
    begin = time.process_time_ns()
    for _ in range(rounds):
        await asyncio.sleep(0)
    cost = (time.process_time_ns() - begin) / (rounds * many)
    for other in others:
        other.cancel()
    return cost


async def give(value):
    return value


async def spawn_join(count):
    begin = time.process_time_ns()
    for value in range(count):
        assert await asyncio.create_task(give(value)) == value
    return (time.process_time_ns() - begin) / count


async def spawn_many(count):
    begin = time.process_time_ns()
    tasks = [asyncio.create_task(give(value)) for value in range(count)]
    for task in tasks:
        await task
    return (time.process_time_ns() - begin) / count


async def channel(count, capacity):
    items = asyncio.Queue(capacity)

    async def produce():
        for value in range(count):
            await items.put(value)

    async def consume():
        total = 0
        for _ in range(count):
            total += await items.get()
        return total

    begin = time.process_time_ns()
    producer = asyncio.create_task(produce())
    assert await asyncio.create_task(consume()) == count * (count - 1) // 2
    await producer
    return (time.process_time_ns() - begin) / count


async def timers(count):
    before, late = cpu(), []
    begin = time.perf_counter() + 0.1

    async def one(due):
        await asyncio.sleep(due - time.perf_counter())
        late.append(time.perf_counter() - due)

    await asyncio.gather(*[one(begin + moment) for moment in moments(count)])
    return (cpu() - before) / count, sorted(late)[count * 99 // 100] * 1e6


async def parked(count):
    before, gate = memory(), asyncio.Event()
    waiting = [asyncio.create_task(gate.wait()) for _ in range(count)]
    await asyncio.sleep(0)
    cost = (memory() - before) / count
    gate.set()
    await asyncio.gather(*waiting)
    return cost


def all_rows(run):
    async def first(both):
        return (await both)[0]

    async def second(both):
        return (await both)[1]

    main(
        {
            "yield_2": lambda count: run(yields(count, 2)),
            "yield_1000": lambda count: run(yields(count, 1000)),
            "spawn_join": lambda count: run(spawn_join(count)),
            "spawn_many": lambda _: run(spawn_many(100_000)),
            "channel_1": lambda count: run(channel(count, 1)),
            "channel_64": lambda count: run(channel(count, 64)),
            "timers_cpu": lambda _: run(first(timers(100_000))),
            "timers_late": lambda _: run(second(timers(100_000))),
            "parked": lambda _: run(parked(100_000)),
            "echo": lambda _: run(serve(Echo)),
            "http": lambda _: run(serve(Http)),
        },
        slower=20,
    )
