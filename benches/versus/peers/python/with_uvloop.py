"""asyncio on uvloop."""

import asyncio

import uvloop

from loops import all_rows

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
all_rows(asyncio.run)
