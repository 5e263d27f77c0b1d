"""What the Python peers share: the clock, the command line, the timers' moments, the kernel's word on memory."""

import resource
import sys
import time


def each(count, work):
    begin = time.process_time_ns()
    work()
    return (time.process_time_ns() - begin) / count


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e9


def memory():
    total = 0
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(("VmRSS:", "VmPTE:")):
                total += int(line.split()[1]) * 1024
    return total


def moments(count):
    """Seconds, the same for every peer."""
    mask = (1 << 64) - 1
    state = 0x9E3779B97F4A7C15
    for _ in range(count):
        state ^= (state << 13) & mask
        state ^= state >> 7
        state ^= (state << 17) & mask
        yield (state % 1_000_000_000) / 1e9


def main(rows, slower=1):
    """Does the work that the command line names. `slower`: do so many times less of it."""
    name = sys.argv[1]
    if name == "rows":
        print("\n".join(rows))
    else:
        print(rows[name](max(int(sys.argv[2]) // slower, 1)))
