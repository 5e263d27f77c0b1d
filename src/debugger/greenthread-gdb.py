# Green threads in gdb, on a live process and on a core file.
#
#   gdb -x greenthread-gdb.py PROGRAM [PID or CORE]
#   (gdb) info greenthreads       lists them
#   (gdb) greenthread 7           from now on the backtrace goes on, behind frame 0, with where green thread 7 stands
#   (gdb) backtrace
#   (gdb) greenthread             back to the OS thread's own
#
# No register is changed: an unwinder shows the frames of the green thread behind frame 0, which stays that of the OS thread. So it works on a core file as
# well, and the process may go on at any time. Only the main architecture is known, x86-64; elsewhere there is a list and no frames.
#
# What is read is documented in src/debugger/mod.rs of the crate: the symbol GREENTHREAD_DEBUGGER, version 1.

import struct

import gdb
import gdb.unwinder

MAGIC = b"greenthread-map\0"
VERSION = 1
NUMBERS = (
    "entry_base", "entry_stride", "entry_slots", "entry_next", "guard", "head", "colour", "colours",
    "link_owner", "link_start", "link_end", "id", "name", "site", "state", "coroutine", "coroutine_bytes",
    "innermost", "base", "wait", "site_length", "site_line", "site_column", "wait_word", "wait_operation",
    "operation_name",
)


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack("<Q", read(address, 8))[0]


def text(address, length):
    return read(address, length).decode("utf-8", "replace") if 0 < length < 4096 else ""


def address_of(symbol):
    """Its address. In Rust's own syntax, gdb finds no symbol without debug information."""
    language = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        return int(gdb.parse_and_eval("(unsigned long long) &" + symbol))
    except gdb.error:
        raise gdb.GdbError("this program has no green threads: there is no symbol " + symbol)
    finally:
        gdb.execute("set language " + language, to_string=True)


class Map:
    """Where in the process lies what."""

    def __init__(self):
        at = address_of("GREENTHREAD_DEBUGGER")
        if read(at, 16) != MAGIC:
            raise gdb.GdbError("GREENTHREAD_DEBUGGER is not what this script knows")
        version, count = struct.unpack("<QQ", read(at + 16, 16))
        if version != VERSION or count < len(NUMBERS):
            raise gdb.GdbError("the program's green threads are of version %d, this script is for %d" % (version, VERSION))
        numbers = struct.unpack("<%dQ" % count, read(at + 32, 8 * count))
        self.__dict__.update(zip(NUMBERS, numbers))
        rest = at + 32 + 8 * count
        self.first, sample, file = word(rest), word(rest + 8), word(rest + 16)
        self.learn_site(sample, file)

    def learn_site(self, sample, file):
        """Finds out how a place in a source file lies in memory, from one that is known."""
        memory = read(sample, 32)
        def find(form, value):
            size = struct.calcsize(form)
            places = [at for at in range(0, len(memory) - size + 1, size) if struct.unpack_from(form, memory, at)[0] == value]
            return places[0] if places else None
        self.site_parts = (find("<Q", file), find("<Q", self.site_length), find("<I", self.site_line), find("<I", self.site_column))

    def show_site(self, address):
        if address == 0 or None in self.site_parts[:3]:
            return ""
        memory = read(address, 32)
        file, length, line, _ = self.site_parts
        file, length = struct.unpack_from("<Q", memory, file)[0], struct.unpack_from("<Q", memory, length)[0]
        return "%s:%d" % (text(file, length), struct.unpack_from("<I", memory, line)[0])

    def slabs(self):
        entry = self.first
        while entry != 0:
            base = word(entry + self.entry_base)
            if base > 1:
                yield base, word(entry + self.entry_stride), word(entry + self.entry_slots)
            entry = word(entry + self.entry_next)

    def is_stack(self, address):
        return any(base <= address < base + stride * slots for base, stride, slots in self.ranges)

    def green_threads(self):
        """All that have begun and not ended, by number."""
        self.ranges = list(self.slabs())
        found = []
        for base, stride, slots in self.ranges:
            for slot in range(slots):
                link = base + (slot + 1) * stride - self.colour * (slot % self.colours) - self.head
                try:
                    owner = word(link + self.link_owner)
                except gdb.MemoryError:
                    # Never used, and not in the core file.
                    continue
                # A root's link is not on a slab, so whoever owns one here is a green thread.
                if owner != 0:
                    found.append(GreenThread(self, owner, link))
        return sorted(found, key=lambda one: one.id)


class GreenThread:
    """One that has begun and not ended."""

    def __init__(self, map, header, link):
        self.map, self.link = map, link
        self.id = word(header + map.id)
        name, length = struct.unpack("<QQ", read(header + map.name, 16))
        self.name = text(name + 16, length) if name != 0 else ""
        self.site = map.show_site(word(header + map.site))
        self.span = (word(link + map.link_start), word(link + map.link_end))
        self.stack_pointer = self.find_stack_pointer(header)
        self.os_thread = self.find_os_thread()
        self.operation = self.find_operation(word(header + map.wait))

    def find_stack_pointer(self, header):
        """Of the words of its coroutine, the one that points to where it stands; they are a pointer to its link, where it began, and that."""
        memory = read(header + self.map.coroutine, self.map.coroutine_bytes)
        words = struct.unpack("<%dQ" % (len(memory) // 8), memory)
        inside = [one for one in words if self.map.is_stack(one) and one != self.link]
        own = sorted(one for one in inside if self.span[0] <= one < self.span[1])
        others = [one for one in inside if not self.span[0] <= one < self.span[1]]
        if others:
            # It stands on the stack of a generator that it drives, or on one that `grow` gave it.
            return others[0]
        return own[0] if len(own) == 2 else None

    def find_operation(self, wait):
        if wait == 0 or word(wait + self.map.wait_word) & 0xFFFFFFFF != 0:
            return None
        name = word(wait + self.map.wait_operation) + self.map.operation_name
        return text(*struct.unpack("<QQ", read(name, 16)))

    def find_os_thread(self):
        """The OS thread that stands on its stack, if one does."""
        for number, pointer in STACK_POINTERS.items():
            if self.span[0] <= pointer < self.span[1]:
                return number
        return None

    def state(self):
        if self.os_thread is not None:
            return "runs on OS thread %d" % self.os_thread
        return "waits in %s" % self.operation if self.operation else "is ready"

    def registers(self):
        """What was saved where it stands."""
        if self.os_thread is not None:
            raise gdb.GdbError("green thread %d runs: select OS thread %d" % (self.id, self.os_thread))
        if self.stack_pointer is None:
            raise gdb.GdbError("green thread %d has not begun, or where it stands is not known" % self.id)
        rip, rbx, rbp = struct.unpack("<QQQ", read(self.stack_pointer, 24))
        return {"rip": rip, "rbx": rbx, "rbp": rbp, "rsp": self.stack_pointer + 24}


# Where each OS thread stands, by gdb's number for it.
STACK_POINTERS = {}


def look_at_os_threads():
    STACK_POINTERS.clear()
    before = gdb.selected_thread()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        STACK_POINTERS[thread.num] = int(gdb.newest_frame().read_register("sp")) & 0xFFFFFFFFFFFFFFFF
    before.switch()


def all_green_threads():
    # The frames of the one that is selected must not stand in the way.
    SWITCH.leave()
    look_at_os_threads()
    return Map().green_threads()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Switch(gdb.unwinder.Unwinder):
    """Shows the frames of a green thread behind frame 0."""

    def __init__(self):
        super().__init__("greenthread")
        self.registers = None

    def enter(self, green_thread):
        registers = green_thread.registers()
        frame = gdb.newest_frame()
        self.anchor = (int(frame.read_register("rsp")), int(frame.read_register("rip")))
        self.span = green_thread.span
        self.registers = registers
        gdb.invalidate_cached_frames()

    def leave(self):
        if self.registers is not None:
            self.registers = None
            gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if self.registers is None:
            return None
        sp, pc = (int(pending.read_register(name)) & 0xFFFFFFFFFFFFFFFF for name in ("rsp", "rip"))
        if (sp, pc) == tuple(value & 0xFFFFFFFFFFFFFFFF for value in self.anchor):
            # An address below the green thread's frames, so that gdb does not take them for a corrupt stack.
            return self.saved(pending, FrameId(self.registers["rsp"] - 64, pc), self.registers)
        if self.span[0] <= sp < self.span[1] and self.is_base(pc):
            # What lies outside is whatever drove it last.
            return self.saved(pending, FrameId(sp, pc), {"rip": 0, "rsp": sp})
        return None

    def is_base(self, pc):
        name = gdb.execute("info symbol 0x%x" % pc, to_string=True)
        return "stack_init_trampoline" in name

    def saved(self, pending, frame_id, registers):
        def as_register(name, value):
            return gdb.Value(value).cast(pending.read_register(name).type)

        frame_id = FrameId(as_register("rsp", frame_id.sp), as_register("rip", frame_id.pc))
        info = pending.create_unwind_info(frame_id)
        for name, value in registers.items():
            info.add_saved_register(name, as_register(name, value))
        return info


SWITCH = Switch()
gdb.unwinder.register_unwinder(None, SWITCH, replace=True)
gdb.events.cont.connect(lambda event: SWITCH.leave())


class InfoGreenThreads(gdb.Command):
    """Lists the green threads that have begun and not ended."""

    def __init__(self):
        super().__init__("info greenthreads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        green_threads = all_green_threads()
        for one in green_threads:
            name = ' "%s"' % one.name if one.name else ""
            site = ", spawned at %s" % one.site if one.site else ""
            print("green thread %d%s %s%s" % (one.id, name, one.state(), site))
        print("%d green threads" % len(green_threads))


class SelectGreenThread(gdb.Command):
    """Shows the frames of a green thread behind frame 0: greenthread NUMBER. Without a number, those of the OS thread again."""

    def __init__(self):
        super().__init__("greenthread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            SWITCH.leave()
            print("the frames of the OS thread again")
            return
        number = int(argument)
        chosen = [one for one in all_green_threads() if one.id == number]
        if not chosen:
            raise gdb.GdbError("there is no green thread %d that has begun and not ended" % number)
        SWITCH.enter(chosen[0])
        gdb.execute("frame 1", to_string=not from_tty)


InfoGreenThreads()
SelectGreenThread()
