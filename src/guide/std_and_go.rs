//! From `std::thread` and Go.
//!
//! # From `std::thread`
//!
//! Names and shapes are the standard library's where it has them. What changes is who waits: a green thread, and not the OS thread under it.
//!
//! | std | greenthread |
//! |---|---|
//! | `thread::spawn(f)` | [`spawn(f)`](crate::spawn): same OS thread, so `f` needs no `Send`; [`Spawner`](crate::Spawner) for another one's |
//! | `thread::Builder` | [`Builder`](crate::Builder) |
//! | `JoinHandle::join` | [`join`](crate::JoinHandle::join): its [`JoinError`](crate::JoinError) also says "cancelled"; `join_timeout`, `cancel`, `on_finish` besides |
//! | `thread::scope` | [`scope`](crate::scope()): a panic cancels the siblings, then goes on |
//! | `thread::current`, `Thread::unpark` | [`current`](crate::current), [`GreenThread::unpark`](crate::GreenThread::unpark) |
//! | `thread::park`, `park_timeout`, `sleep`, `yield_now` | [`park`](crate::park), [`park_timeout`](crate::park_timeout), [`sleep`](crate::sleep()), [`yield_now`](crate::yield_now) |
//! | `thread_local!` | still the OS thread's, shared by its green threads; [`green_local!`](crate::green_local!) is one for each green thread |
//! | `sync::Mutex`, `Condvar` | [`sync::Mutex`](crate::sync::Mutex), [`sync::Condvar`](crate::sync::Condvar): no poisoning, first come first served |
//! | `sync::RwLock`, `OnceLock`, `LazyLock`, `Barrier` | [`RwLock`](crate::sync::RwLock), [`OnceLock`](crate::sync::OnceLock), [`LazyLock`](crate::sync::LazyLock), [`Barrier`](crate::sync::Barrier) |
//! | `mpsc::sync_channel(n)`, `mpsc::channel()` | [`channel::bounded(n)`](crate::channel::bounded), [`channel::unbounded()`](crate::channel::unbounded): receivers can be cloned too; std's error types |
//! | `net::TcpListener`, `TcpStream`, `UdpSocket` and `os::unix::net` | [`net`](crate::net) under the same names, with `close` besides; a name parks its green thread alone |
//! | `fs::File`, `fs::read`, `fs::read_dir` .. | [`fs`](crate::fs) under the same names, with [`write_atomic`](crate::fs::write_atomic), [`TempDir`](crate::fs::TempDir) and [`TempFile`](crate::fs::TempFile) besides |
//! | `use std::io` | [`use greenthread::io`](crate::io): std's types and traits, with [`stdin`](crate::io::stdin), [`stdout`](crate::io::stdout), [`stderr`](crate::io::stderr), [`pipe`](crate::io::pipe()) and [`copy`](crate::io::copy()) that park |
//! | `process::Command`, `Child` | [`process`](crate::process) under the same names; `wait` and `kill` take `&self`, with `wait_timeout`, `communicate` and `kill_on_drop` besides |
//! | `Instant::now()` | [`time::now()`](crate::time::now), which follows virtual time |
//!
//! ```
//! use std::{cell::Cell, rc::Rc};
//! use greenthread::{park, scope, spawn, yield_now};
//!
//! let count = Rc::new(Cell::new(0)); // Rc and Cell: one OS thread
//! let own = Rc::clone(&count);
//! let parked = spawn(move || { park(); own.set(own.get() + 1); "unparked" });
//! yield_now();
//! assert_eq!(count.get(), 0);
//! parked.thread().unpark();
//! assert_eq!(parked.join().unwrap(), "unparked");
//! assert_eq!(count.get(), 1);
//!
//! let mut parts = [1, 2];
//! let [left, right] = &mut parts;
//! scope(|s| {
//!     s.spawn(|| *left += 10);
//!     s.spawn(|| *right += 20);
//! }); // both have ended
//! assert_eq!(parts, [11, 22]);
//! ```
//!
//! ```
//! use greenthread::channel::{self, TryRecvError, TrySendError};
//! use greenthread::spawn;
//!
//! let (sender, receiver) = channel::bounded(1);
//! assert!(matches!(receiver.try_recv(), Err(TryRecvError::Empty)));
//! sender.send("first").unwrap();
//! assert!(matches!(sender.try_send("second"), Err(TrySendError::Full("second"))));
//! spawn(move || sender.send("third")); // parks until there is room
//! assert_eq!(receiver.iter().collect::<Vec<_>>(), ["first", "third"]);
//! ```
//!
//! What stays as it was, and what to mind:
//!
//! - Panics: `join` gives them, [`into_panic`](crate::JoinError::into_panic) takes the payload. One that nobody joins is reported once.
//! - A standard mutex held across a wait point holds the whole OS thread up; this crate's may be held.
//! - `main` returning ends the process with green threads still suspended, as with OS threads. [`run`](crate::run) waits for their end instead.
//!
//! # From Go
//!
//! A green thread is pinned to its OS thread and nobody is preempted; there is no data race between green threads of one OS thread, and no hidden parallelism either.
//!
//! | Go | greenthread |
//! |---|---|
//! | `go f()` | [`spawn(f)`](crate::spawn) |
//! | `make(chan T)`, `make(chan T, n)` | [`channel::bounded(0)`](crate::channel::bounded), `bounded(n)` |
//! | `ch <- v`, `v, ok := <-ch` | [`send`](crate::channel::Sender::send), [`recv`](crate::channel::Receiver::recv): errors when the other side has gone |
//! | `close(ch)`, `for v := range ch` | dropping the last sender; `for v in receiver` |
//! | `select { case v := <-a: .. case b <- w: .. default: .. }` | [`select!`](crate::select!), or a [`Select`](crate::channel::Select) for arms known at run time |
//! | `time.After(d)`, `time.Tick(d)`, a nil channel | [`channel::after`](crate::channel::after), [`tick`](crate::channel::tick), [`never`](crate::channel::never) |
//! | `sync.WaitGroup` | [`scope`](crate::scope()), or [`JoinSet`](crate::JoinSet) |
//! | `errgroup.Group` | [`try_scope`](crate::try_scope) |
//! | `context.WithCancel`, `ctx.Done()` | [`cancel`](crate::JoinHandle::cancel): every wait point is where it is heard; [`checkpoint`](crate::checkpoint) in loops |
//! | `context.WithTimeout`, `WithDeadline` | [`timeout`](crate::timeout), [`timeout_at`](crate::timeout_at) |
//! | `context.WithCancelCause` | [`cancel_with`](crate::JoinHandle::cancel_with) |
//! | `defer` | a value with a destructor; [`catch_cancel`](crate::catch_cancel) |
//! | `recover()` | `join`, or `std::panic::catch_unwind` with [`resume_if_cancelled`](crate::resume_if_cancelled) |
//! | `runtime.Gosched()` | [`yield_now`](crate::yield_now) |
//! | `time.NewTicker(d)` | [`time::interval(d)`](crate::time::interval) |
//! | `sync.Mutex`, `sync.Cond` | [`sync::Mutex`](crate::sync::Mutex), [`sync::Condvar`](crate::sync::Condvar) |
//! | `semaphore.Weighted` | [`Semaphore`](crate::sync::Semaphore), [`acquire_many`](crate::sync::Semaphore::acquire_many) |
//! | `iter.Pull`, `range` over a function | [`Generator`](crate::generator::Generator) |
//! | `io.Copy`, `io.Pipe`, `os.Pipe` | [`io::copy`](crate::io::copy()), [`io::pipe`](crate::io::pipe()) |
//! | `os.ReadFile`, `os.WriteFile`, `os.File` | [`fs::read`](crate::fs::read), [`fs::write`](crate::fs::write()), [`fs::File`](crate::fs::File) |
//! | `net.Listener.Close` | [`TcpListener::close`](crate::net::TcpListener::close) |
//! | `net.Resolver.LookupIPAddr` | [`lookup_host`](crate::net::lookup_host) |
//! | `net/http`'s `Server.Shutdown(ctx)`, for any TCP server | [`Stopper::stop(grace)`](crate::net::Stopper::stop) of a [`Server`](crate::net::Server) |
//! | `exec.CommandContext(ctx, ..)` | [`Command`](crate::process::Command) with [`kill_on_drop`](crate::process::Command::kill_on_drop), inside a [`timeout`](crate::timeout) or a green thread that is cancelled |
//! | `signal.Notify(ch, os.Interrupt)` | [`Signals::new([SIGINT])`](crate::signal::Signals::new), [`recv`](crate::signal::Signals::recv) |
//! | "all goroutines are asleep - deadlock!" | the same, as a panic on the root with a list of who waits for what, when no timer, no socket and no other OS thread could still wake anybody; `RuntimeBuilder::only_our_threads` rules the other OS threads out |
//!
//! ```
//! use greenthread::{channel, sleep, spawn, time::Duration, timeout, try_scope};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let (numbers, squares) = (channel::bounded(0), channel::bounded(0));
//! spawn(move || (1..=3).for_each(|n| numbers.0.send(n).unwrap()));
//! spawn(move || for n in numbers.1 { squares.0.send(n * n).unwrap() });
//! assert_eq!(squares.1.iter().collect::<Vec<u32>>(), [1, 4, 9]);
//!
//! let group = try_scope(|g| {
//!     g.spawn(|| { sleep(Duration::from_secs(60)); Ok(()) });
//!     g.spawn(|| Err::<(), _>("refused"));
//!     Ok(())
//! });
//! assert_eq!(group.unwrap_err().into_first(), "refused");
//!
//! let late = timeout(Duration::from_secs(1), || sleep(Duration::from_secs(2)));
//! assert!(late.is_err());
//! # });
//! ```
//!
//! ```
//! use greenthread::{channel, select, time::Duration};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let (sender, receiver) = channel::bounded(1);
//! let empty = select! {
//!     recv(receiver) -> number => number.unwrap(),
//!     default => 0,
//! };
//! assert_eq!(empty, 0);
//! sender.send(7).unwrap();
//! let first = select! {
//!     recv(receiver) -> number => number.unwrap(),
//!     recv(channel::after(Duration::from_secs(1))) -> _ => 0,
//! };
//! assert_eq!(first, 7);
//! # });
//! ```
