# Dumps stacks in every state, in gdb: `asm-notes/regenerate` runs it on the bench `instructions --stand`, after greenthread-gdb.py of the crate, whose names it uses.
#
# Addresses are given as distances from the top of their stack, values by what they are: a function, a place on a stack, a header.

import re

import gdb

# Where gdb stops.
STOP = "instructions::stand::stop_here"

# Words at the top of a coroutine's stack, downward.
TOP = ("initial function, jumped to at the first resume", "parent link: where whoever resumed it stands")

# Words where a suspended one stands, upward.
SAVED = ("rip: where it goes on", "rbx", "rbp")

# The words of a link, upward; the last one has the notes and whether it is idle in its first two bytes.
LINK_WORDS = 6


def symbol(address):
    """A function's name, short, if the address is in one."""
    said = gdb.execute("info symbol 0x%x" % address, to_string=True)
    if said.startswith("No symbol") or " in section .text" not in said:
        return None
    name = said.split(" in section ")[0]
    place = name.rfind(" + ")
    return short(name) if place < 0 else "in " + short(name[:place])


def short(name):
    """The last two parts of a function's path, without types and hashes."""
    while "<" in name:
        name = re.sub(r"<[^<>]*>", "", name)
    parts = [part for part in name.split("::") if not re.fullmatch(r"h[0-9a-f]{16}|", part)]
    return "::".join(parts[-2:])


class Stacks:
    """All stacks of the process, by name."""

    def __init__(self):
        self.map = Map()
        self.green_threads = {one.name or "?": one for one in all_green_threads()}
        self.map.ranges = list(self.map.slabs())
        # The link of each slot that is in use or was, by name.
        self.names = {one.link: one.name for one in self.green_threads.values()}
        self.headers = {word(one.link + self.map.link_owner): one.name for one in self.green_threads.values()}
        nested = self.green_threads["nested"]
        header = word(nested.link + self.map.link_owner)
        self.nested, self.inner = nested, word(header + self.map.innermost)
        self.driver = self.place_of_driver(self.inner)
        self.outer = word(self.inner + self.driver)
        self.names[self.inner], self.names[self.outer] = "inner generator", "outer generator"
        loop = word(nested.link - 16)
        self.names[self.span_of(loop)[1]] = "the loop"

    def place_of_driver(self, link):
        """Where in a link the driver's stands: the map does not say, but it is the only other link there."""
        places = [place for place in range(0, 8 * LINK_WORDS, 8) if place not in (self.map.link_end, self.map.link_start)]
        return next(place for place in places if self.is_link(word(link + place)))

    def is_link(self, address):
        span = self.span_of(address)
        return span is not None and span[1] == address

    def slot_of(self, address):
        """Where the slot that this address is in begins, and where it ends."""
        for base, stride, slots in self.map.ranges:
            if base <= address < base + stride * slots:
                begin = address - (address - base) % stride
                return begin, begin + stride
        return None

    def span_of(self, address):
        """The lowest address and the top of the stack that this one is on; the top is its link's address."""
        for base, stride, slots in self.map.ranges:
            if base <= address < base + stride * slots:
                slot = (address - base) // stride
                link = base + (slot + 1) * stride - self.map.colour * (slot % self.map.colours) - self.map.head
                return base + slot * stride + self.map.guard, link
        return None

    def show(self, value, own):
        """A word, by what it is."""
        span = self.span_of(value)
        if value == 0:
            return "0"
        if value == self.slot_of(own)[1]:
            return "the end of this slot"
        if span and (span[1] in self.names or span[1] == own):
            where = "this stack" if span[1] == own else self.names[span[1]]
            return "%s %s" % (where, distance(value, span[1]))
        if value in self.headers:
            return "header of %s" % self.headers[value]
        return symbol(value) or "data"

    def line(self, address, top, meaning, value=None):
        shown = self.show(word(address), top) if value is None else value
        print("  %-8s %-42s %s" % (distance(address, top), shown, meaning))

    def link(self, top):
        """The link, which lies at the top: its words from the highest down."""
        meanings = {self.map.link_owner: "link: owner", self.map.link_start: "link: its lowest address", self.map.link_end: "link: its end"}
        for place in reversed(range(0, 8 * LINK_WORDS, 8)):
            meaning, value = meanings.get(place), None
            if place == 8 * (LINK_WORDS - 1):
                meaning, value = "link: notes, and whether it is idle", "%d, %d" % (word(top + place) & 0xFF, word(top + place) >> 8 & 0xFF)
            elif meaning is None:
                meaning = "link: driver" if place == self.driver else "link: newest frame"
            self.line(top + place, top, meaning, value)

    def base(self, top):
        for place, meaning in enumerate(TOP):
            self.line(top - 8 * (place + 1), top, meaning)

    def saved(self, at, top):
        for place in reversed(range(len(SAVED))):
            self.line(at + 8 * place, top, "saved " + SAVED[place])

    def between(self, high, low, top):
        print("  ...      %d words: %s" % ((high - low) // 8, ", ".join(self.frames(high, low)) or "data"))

    def frames(self, high, low):
        """Functions whose return addresses stand there, from the base inward."""
        found = []
        for address in range(high - 8, low - 8, -8):
            name = symbol(word(address))
            if name and name.startswith("in ") and name[3:] not in found:
                found.append(name[3:])
        return found


def distance(address, top):
    return "top" if address == top else "%s0x%x" % ("+" if address > top else "-", abs(address - top))


def title(name, text):
    print("=== " + name)
    print(text)


def dump_fresh(stacks):
    fresh = stacks.green_threads["fresh"]
    title("fresh", "fresh: it has its stack and has not begun")
    stacks.link(fresh.link)
    stacks.base(fresh.link)
    low = fresh.stack_pointer
    for address in range(fresh.link - 24, low, -8):
        stacks.line(address, fresh.link, "the closure of the stack's base, or padding")
    stacks.line(low, fresh.link, "called by the first resume; here it stands")
    print("===")


def dump_running(stacks):
    running = stacks.green_threads["running"]
    pointer = int(gdb.selected_frame().read_register("rsp"))
    title("running", "running: it stands in %s" % STOP)
    stacks.link(running.link)
    stacks.base(running.link)
    stacks.between(running.link - 16, pointer, running.link)
    print("what drives it, the loop's stack, where its parent link leads")
    parent = word(running.link - 16)
    loop_top = stacks.span_of(parent)[1]
    stacks.line(parent + 16, loop_top, "saved rbx")
    stacks.line(parent + 8, loop_top, "saved rip: the return address of the call that switched")
    stacks.line(parent, loop_top, "saved rbp; here the loop stands")
    print("===")


def dump_suspended(stacks):
    one = stacks.green_threads["suspended"]
    title("suspended", "suspended: it is parked")
    stacks.link(one.link)
    stacks.base(one.link)
    stacks.between(one.link - 16, one.stack_pointer + 24, one.link)
    stacks.saved(one.stack_pointer, one.link)
    print("===")


def dump_nested(stacks):
    title("nested", "nested: a green thread drives a generator, which drives another, which has parked all three")
    at = stacks.nested.stack_pointer
    print("the inner generator's stack")
    stacks.link(stacks.inner)
    stacks.base(stacks.inner)
    stacks.between(stacks.inner - 16, at if stacks.span_of(at)[1] == stacks.inner else stacks.inner - 16, stacks.inner)
    if stacks.span_of(at)[1] == stacks.inner:
        stacks.saved(at, stacks.inner)
    for name, link, driven in (("outer generator", stacks.outer, stacks.inner), ("green thread", stacks.nested.link, stacks.outer)):
        print("the %s's stack" % name)
        stacks.link(link)
        stacks.base(link)
        low = word(driven - 16)
        stacks.between(link - 16, low + 24, link)
        stacks.line(low + 16, link, "saved rbx")
        stacks.line(low + 8, link, "saved rip: the return address of the call that switched")
        stacks.line(low, link, "saved rbp; the parent link of what it drives leads here")
    print("===")


def dump_backtrace(stacks):
    """The frames that gdb finds by itself from where it stopped, and the stack that each is on."""
    title("backtrace", "a backtrace in gdb from the green thread that runs")
    frame, number = gdb.newest_frame(), 0
    while frame is not None and frame.is_valid():
        place = frame_place(stacks, frame)
        name = "<signal handler called>" if frame.type() == gdb.SIGTRAMP_FRAME else short(frame.name() or "?")
        inlined = ", inlined" if frame.type() == gdb.INLINE_FRAME else ""
        print("  #%-3d %-36s %s%s" % (number, name, place, inlined))
        # What is further out is the standard library's and the C library's.
        frame = None if name == "instructions::main" else frame.older()
        number += 1
    print("===")


def frame_place(stacks, frame):
    span = stacks.span_of(int(frame.read_register("rsp")))
    return stacks.names.get(span[1], "a stack") if span else "the root's stack"


def main():
    gdb.execute("set language rust")
    gdb.execute("break " + STOP)
    gdb.execute("run")
    stacks = Stacks()
    for dump in (dump_fresh, dump_running, dump_suspended, dump_nested, dump_backtrace):
        dump(stacks)
    gdb.execute("kill")


main()
