//! What is stuck? Questions to a program that does not go on, and who answers them.
//!
//! | what is seen | what to ask |
//! |---|---|
//! | it hangs, or somebody waits for too long | [`dump()`](crate::dump()), or [`dump_on_signal`](crate::RuntimeBuilder::dump_on_signal) and `kill -USR1` from outside |
//! | everything is late | [`watchdog`](crate::RuntimeBuilder::watchdog), or `GREENTHREAD_WATCHDOG=100ms` in front of the program: who does not let the others go on |
//! | a panic "deadlock" | its text: who waits in what, and the circle in which they wait for each other |
//! | green threads are left over | [`report_stuck`](crate::RuntimeBuilder::report_stuck): whom nobody can wake any more |
//! | it is dead, or must not be touched | gdb, on the process or its core file |
//!
//! # A dump
//!
//! ```
//! use std::rc::Rc;
//! use greenthread::{Builder, dump, park, run, sync::Mutex, yield_now};
//!
//! run(|| {
//!     let lock = Rc::new(Mutex::new(()));
//!     let own = Rc::clone(&lock);
//!     let holder = Builder::new().name("holder".into()).spawn(move || { let _held = own.lock(); park() }).unwrap();
//!     let waiter = Builder::new().name("waiter".into()).spawn(move || drop(lock.lock())).unwrap();
//!     yield_now();
//!
//!     let dump = dump();
//!     let seen = dump.get(waiter.thread().id()).unwrap();
//!     assert_eq!(seen.operation, Some("Mutex::lock"));
//!     assert_eq!(seen.waits_for, [holder.thread().id()]);
//!     println!("{dump}");
//!
//!     holder.thread().unpark();
//! });
//! ```
//!
//! prints a paragraph for each, as Go does for its goroutines:
//!
//! ```text
//! green thread 3 "waiter" [Mutex::lock, 191.5µs, 2704 of 245760 bytes of stack, OS thread 2935]:
//! waits for 0x556425379d70, that is for 2
//! ... (15 frames of greenthread)
//! app::main::{{closure}}
//!         src/main.rs:9
//! ... (12 frames of greenthread)
//! spawned at src/main.rs:9:50
//! ```
//!
//! The state in brackets is what it waits in, as a program writes it; two who wait for the same thing show the same address. How long it has waited is known to a few milliseconds, because the time is noted by the event
//! loop and not at every wait. Backtraces cost nothing while nobody asks: each green thread is woken at its wait point only to say where it stands, and waits on as before. Function names need the
//! program's symbol table, and lines its debug information (`debug = "line-tables-only"` in the profile is enough).
//!
//! [`Dump::to_json`](crate::Dump::to_json) is the same for programs.
//!
//! # Who holds the OS thread
//!
//! Green threads of one OS thread take turns; one that blocks or computes holds up all the others. The watchdog looks from an OS thread of its own and reports who does so, with where he is at that moment.
//! Mostly it is a blocking system call, a lock of the standard library that somebody holds across a wait point, or a long computation: [`spawn_blocking`](crate::spawn_blocking) takes the first
//! elsewhere, [`sync::Mutex`](crate::sync::Mutex) replaces the second, [`yield_now`](crate::yield_now) breaks up the third.
//!
//! # Deadlocks
//!
//! Silence that nobody can break is a panic on the root. Its text lists everybody, and spells out the circles as far as owners are known: those of [`Mutex`](crate::sync::Mutex),
//! [`ReentrantMutex`](crate::sync::ReentrantMutex), the writer of an [`RwLock`](crate::sync::RwLock), joins, [`gather`](crate::gather) and scopes. By default that takes a process in which every OS thread is
//! asleep; [`only_our_threads`](crate::RuntimeBuilder::only_our_threads) says that no other matters, and tests under [virtual time](crate::RuntimeBuilder::virtual_time) have it so.
//! A circle among some, while others go on, is no silence: a dump shows it.
//!
//! # With gdb
//!
//! The package has a script, `src/debugger/greenthread-gdb.py`, for x86-64. It needs no debug information to list green threads.
//!
//! ```text
//! $ gdb -x greenthread-gdb.py -p 2935                    or: gdb -x greenthread-gdb.py app core
//! (gdb) info greenthreads
//! green thread 2 "holder" waits in park, spawned at src/main.rs:8
//! green thread 3 "waiter" waits in Mutex::lock, spawned at src/main.rs:9
//! 2 green threads
//! (gdb) greenthread 3
//! (gdb) backtrace
//! (gdb) greenthread
//! ```
//!
//! `greenthread 3` changes no register: the frames of green thread 3 are shown behind frame 0, which stays where the OS thread is, and the last command goes back. Of core files, the kernel's have all stacks.
//! Those of gdb's own `generate-core-file` leave out mappings that cannot be read through, and so stacks whose guards are the kernel's new kind (Linux 6.13 and later).
