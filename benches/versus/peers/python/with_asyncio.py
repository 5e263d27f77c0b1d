"""asyncio with its own loop."""

import asyncio

from loops import all_rows

all_rows(asyncio.run)
