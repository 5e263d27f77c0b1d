//! From asyncio to greenthread.
//!
//! Every function, method and class of `asyncio`, `queue`, `threading` and of generators that the Python programs under `tests/parity/python` use, with what stands
//! for it here. Below each table are programs that assert what the table says. They run under virtual time, so their hours of sleep take none; only what is about
//! OS threads, sockets and processes runs by the real clock.
//!
//! What differs everywhere, once:
//!
//! - **There is no `async` and no `await`.** A call that waits parks its green thread. A coroutine is a closure, and awaiting it is calling it.
//! - **A task's error is a value.** Where a coroutine raises, a closure returns `Err`; a panic is for faults. So a handle's `join` gives
//!   `Result<T, JoinError>`, whose error means a panic or a cancellation, and `T` may be a `Result` of its own.
//! - **`with` is a guard.** What `async with` enters, a call returns as a guard, and its end of scope leaves it.
//! - **A timeout is a value**: [`Elapsed`](crate::Elapsed).
//! - **A finished generator gives `None` or says so by its state**, where Python raises `StopIteration`.
//!
//! # Generators
//!
//! | Python | greenthread |
//! |---|---|
//! | `def g(): ..` with `x = yield v` | [`Generator::new`](crate::generator::Generator::new), [`y.yield_(v)`](crate::generator::Yielder::yield_) |
//! | `next(g)` the first time | [`g.start()`](crate::generator::Generator::start); `g.next()` where nothing or an `Option` is sent |
//! | `g.send(v)` | [`g.send(v)`](crate::generator::Generator::send), or [`try_send`](crate::generator::Generator::try_send), which gives `v` back |
//! | `g.throw(e)` | [`g.throw(e)`](crate::generator::Generator::throw), or [`try_throw`](crate::generator::Generator::try_throw), which gives an uncaught `e` back |
//! | `try: yield` / `except` | [`y.yield_caught(v)`](crate::generator::Yielder::yield_caught), then [`Raised::downcast`](crate::generator::Raised::downcast) |
//! | a bare `raise` | [`Raised::resume`](crate::generator::Raised::resume) |
//! | `g.close()`, `GeneratorExit`, `finally` | [`g.close()`](crate::generator::Generator::close); destructors of the body's locals run |
//! | `StopIteration` | [`GeneratorState::Complete`](crate::generator::GeneratorState::Complete), [`ResumeError::Finished`](crate::generator::ResumeError::Finished), or the iterator's `None` |
//! | `StopIteration.value` | what `Complete` holds, or [`g.take_return()`](crate::generator::Generator::take_return) |
//! | `TypeError`: a value sent to an unstarted one | [`ResumeError::NotStarted`](crate::generator::ResumeError::NotStarted) |
//! | `yield from other` | [`y.yield_from(&other)`](crate::generator::Yielder::yield_from) |
//! | `yield from [..]` | [`y.yield_all(..)`](crate::generator::Yielder::yield_all) |
//! | `for v in g` | `for v in g`, or `for v in &g` |
//!
//! ```
//! use greenthread::generator::{Generator, GeneratorState, ResumeError};
//!
//! let sums = Generator::new(|y| -> i32 {
//!     let mut sum = 0;
//!     while sum < 10 {
//!         sum += y.yield_(sum);
//!     }
//!     sum
//! });
//! assert!(matches!(sums.try_send(5), Err(ResumeError::NotStarted(5))));
//! assert!(matches!(sums.start(), GeneratorState::Yielded(0)));
//! assert!(matches!(sums.send(4), GeneratorState::Yielded(4)));
//! assert!(matches!(sums.send(6), GeneratorState::Complete(10)));
//! assert!(matches!(sums.try_send(1), Err(ResumeError::Finished(1))));
//! ```
//!
//! `throw`, `close` and `finally`:
//!
//! ```
//! use std::{cell::Cell, rc::Rc};
//! use greenthread::generator::Generator;
//!
//! struct KeyError(&'static str);
//!
//! struct Finally(Rc<Cell<bool>>);
//!
//! impl Drop for Finally {
//!     fn drop(&mut self) {
//!         self.0.set(true);
//!     }
//! }
//!
//! let cleaned = Rc::new(Cell::new(false));
//! let finally = Finally(Rc::clone(&cleaned));
//! let body: Generator<i32, &str, ()> = Generator::new(move |y| {
//!     let _finally = finally;
//!     loop {
//!         if let Err(raised) = y.yield_caught("waiting") {
//!             match raised.downcast::<KeyError>() {
//!                 Ok(error) => drop(y.yield_(error.0)), // except KeyError as error
//!                 Err(other) => other.resume(),         // anything else, a close too: raise
//!             }
//!         }
//!     }
//! });
//! assert_eq!(body.start().unwrap_yielded(), "waiting");
//! assert_eq!(body.throw(KeyError("a")).unwrap_yielded(), "a");
//! assert_eq!(body.send(5).unwrap_yielded(), "waiting");
//! assert!(!cleaned.get());
//! body.close();
//! assert!(cleaned.get() && body.is_finished());
//! assert!(body.try_throw(KeyError("b")).is_err_and(|back| back.0 == "b"));
//! body.close(); // a second close does nothing
//! ```
//!
//! Delegation and pipelines:
//!
//! ```
//! use greenthread::generator::Generator;
//!
//! let inner = Generator::new(|y| {
//!     let first: i32 = y.yield_("inner");
//!     first * 2
//! });
//! let outer = Generator::new(move |y| {
//!     let doubled = y.yield_from(&inner); // sends and throws go straight to `inner`
//!     y.yield_all(["plain", "list"]);
//!     doubled + 1
//! });
//! assert_eq!(outer.start().unwrap_yielded(), "inner");
//! assert_eq!(outer.send(20).unwrap_yielded(), "plain");
//! assert_eq!(outer.send(0).unwrap_yielded(), "list");
//! assert_eq!(outer.send(0).complete(), Some(41));
//!
//! let source = Generator::new(|y| (1..=100).for_each(|n| y.yield_(n)));
//! let evens = Generator::new(move |y| source.filter(|n| n % 2 == 0).for_each(|n| y.yield_(n)));
//! assert_eq!(evens.take(3).collect::<Vec<i32>>(), [2, 4, 6]); // closes evens, and with it the source
//! ```
//!
//! ## Asynchronous generators
//!
//! There is one kind of generator. A wait point inside it parks the green thread that drives it, in its destructors too.
//!
//! | Python | greenthread |
//! |---|---|
//! | `async def` with `yield`, `async for`, `anext` | the same generator, `for`, `next` |
//! | `asend`, `athrow`, `aclose` | `send`, `throw`, `close` |
//! | `contextlib.aclosing` | dropping the generator closes it |
//! | `[f(x) async for x in g]` | `g.map(f).collect()` |
//!
//! ```
//! use greenthread::{generator::Generator, sleep, time};
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//!
//! let minute = time::Duration::from_secs(60);
//! let mut counter: Generator<(), u32, ()> = Generator::new(move |y| {
//!     for n in 1.. {
//!         sleep(minute);
//!         y.yield_(n);
//!     }
//! });
//! let begin = time::now();
//! assert_eq!((counter.next(), counter.next()), (Some(1), Some(2)));
//! assert_eq!(time::now() - begin, 2 * minute);
//! counter.close();
//! assert_eq!(counter.next(), None); // anext(g, default): counter.next().unwrap_or(default)
//! # });
//! ```
//!
//! # Tasks
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.run(main())` | [`run(main)`](crate::run); not needed to begin, only to end in order |
//! | `asyncio.create_task(job())` | [`spawn(job)`](crate::spawn); like a task it begins at the next wait point |
//! | `create_task(.., name=n)`, `task.get_name()` | [`Builder::name`](crate::Builder::name), `handle.thread().name()` |
//! | `await task`, `task.result()` | [`handle.join()`](crate::JoinHandle::join); several times: [`shared()`](crate::JoinHandle::shared) |
//! | `task.done()` | [`is_finished()`](crate::JoinHandle::is_finished) |
//! | `task.exception()` | the `Err` of the closure's own result, or the [`JoinError`](crate::JoinError) of `join` |
//! | `task.add_done_callback(f)` | [`on_finish(f)`](crate::JoinHandle::on_finish); `functools.partial` is a closure |
//! | `task.remove_done_callback(f)` | [`remove_on_finish(id)`](crate::JoinHandle::remove_on_finish) |
//! | `asyncio.sleep(seconds)`, `sleep(0)` | [`sleep(duration)`](crate::sleep()), [`yield_now()`](crate::yield_now) |
//! | `asyncio.sleep(s, result)` | `{ sleep(s); result }` |
//! | `asyncio.get_running_loop().time()` | [`time::now()`](crate::time::now) |
//! | `loop.call_soon(f)` | `spawn(f)` |
//! | `loop.call_later(s, f)` | `spawn` of a closure that sleeps first |
//!
//! ```
//! use greenthread::{Builder, sleep, spawn, time};
//! use greenthread::time::Duration;
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let begin = time::now();
//! let task = Builder::new().name("slow".into()).spawn(|| {
//!     sleep(Duration::from_secs(3));
//!     "result"
//! }).unwrap();
//! assert_eq!(task.thread().name(), Some("slow"));
//! assert!(!task.is_finished());
//! let later = spawn(|| sleep(Duration::from_secs(2))); // overlaps
//! assert_eq!(task.join().unwrap(), "result");
//! assert!(later.is_finished());
//! assert_eq!(time::now() - begin, Duration::from_secs(3));
//!
//! let failing = spawn(|| "seven".parse::<i32>());
//! assert!(failing.join().unwrap().is_err()); // raised, in Python
//! let panicked = spawn(|| if true { panic!("broken") });
//! assert!(panicked.join().unwrap_err().is_panic());
//! # });
//! ```
//!
//! Callbacks run once, in order, before whoever joins goes on:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use greenthread::spawn;
//!
//! let seen = Arc::new(Mutex::new(Vec::new()));
//! let task = spawn(|| 42);
//! let label = |name| {
//!     let seen = Arc::clone(&seen);
//!     move |result: &Result<i32, greenthread::JoinError>| {
//!         seen.lock().unwrap().push((name, *result.as_ref().unwrap()));
//!     }
//! };
//! task.on_finish(label("one"));
//! let removed = task.on_finish(label("removed"));
//! task.on_finish(label("two"));
//! assert!(task.remove_on_finish(removed));
//! task.join().unwrap();
//! assert_eq!(*seen.lock().unwrap(), [("one", 42), ("two", 42)]);
//! ```
//!
//! # Results of many
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.gather(..)` | [`try_gather`](crate::try_gather): the first error at once, the rest keep running; [`join!`](crate::join!) for closures of several types that borrow |
//! | `asyncio.gather(.., return_exceptions=True)` | [`gather`](crate::gather): every result, in argument order |
//! | `asyncio.wait(tasks, timeout=.., return_when=..)` | [`wait(handles, WaitFor, limit)`](crate::wait): `done` and `pending` |
//! | `FIRST_COMPLETED`, `FIRST_EXCEPTION`, `ALL_COMPLETED` | [`WaitFor`](crate::WaitFor)`::{First, FirstError, All}`; for an `Err` of the closures: [`wait_until`](crate::wait_until) |
//! | `asyncio.as_completed(tasks)` | [`as_completed`](crate::as_completed), or a [`JoinSet`](crate::JoinSet) |
//! | `asyncio.as_completed(tasks, timeout=..)` | a [`timeout`](crate::timeout) around it: nothing is lost |
//! | `async with asyncio.TaskGroup() as g` | [`scope`](crate::scope()), or [`try_scope`](crate::try_scope) for children that return errors |
//! | `g.create_task(job())` | [`s.spawn(job)`](crate::Scope::spawn); it may borrow from outside the scope |
//! | `ExceptionGroup.exceptions` | [`ScopeError::all`](crate::ScopeError::all) |
//!
//! ```
//! use greenthread::{gather, sleep, spawn, try_gather};
//! use greenthread::time::Duration;
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let job = |seconds, result| spawn(move || { sleep(Duration::from_secs(seconds)); result });
//! let results = gather([job(3, "slow"), job(1, "fast")]);
//! assert_eq!(results.into_iter().map(Result::unwrap).collect::<Vec<_>>(), ["slow", "fast"]);
//! assert!(gather(Vec::<greenthread::JoinHandle<()>>::new()).is_empty());
//!
//! #[derive(Debug)]
//! struct Broke;
//! # impl From<greenthread::JoinError> for Broke { fn from(_: greenthread::JoinError) -> Self { Broke } }
//! let job = |seconds, result| spawn(move || { sleep(Duration::from_secs(seconds)); result });
//! let failed = try_gather([job(6, Ok("a")), job(2, Err(Broke))]).unwrap_err();
//! assert_eq!((failed.index, failed.rest.len()), (1, 1));
//! let (index, rest) = failed.rest.into_iter().next().unwrap();
//! assert!(index == 0 && !rest.is_finished());
//! assert_eq!(rest.join().unwrap().unwrap(), "a");
//! # });
//! ```
//!
//! ```
//! use greenthread::{WaitFor, as_completed, sleep, spawn, timeout, wait};
//! use greenthread::time::Duration;
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let second = Duration::from_secs(1);
//! let start = || [1, 3, 5].map(|n| spawn(move || { sleep(n * second); assert_ne!(n, 3); n }));
//! for (mode, ended) in [(WaitFor::First, 1), (WaitFor::FirstError, 2), (WaitFor::All, 3)] {
//!     assert_eq!(wait(start(), mode, None).done.len(), ended);
//! }
//! let waited = wait(start(), WaitFor::All, Some(2 * second)); // cancels nothing
//! assert_eq!((waited.done.len(), waited.pending.len()), (1, 2));
//!
//! let mut arriving = as_completed([5, 1].map(|n| spawn(move || { sleep(n * second); n })));
//! assert_eq!(arriving.next().unwrap().unwrap(), 1);
//! assert!(timeout(second, || arriving.next().is_some()).is_err());
//! assert_eq!(arriving.next().unwrap().unwrap(), 5);
//! # });
//! ```
//!
//! ```
//! use greenthread::{sleep, time::Duration, try_scope};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let names = ["c", "d"];
//! let ended = try_scope(|group| {
//!     group.spawn(|| { sleep(Duration::from_secs(6)); Ok(names[0]) }); // cancelled when d fails
//!     group.spawn(|| { sleep(Duration::from_secs(3)); Err::<&str, _>(format!("{} broke", names[1])) });
//!     sleep(Duration::from_secs(9));
//!     Ok(())
//! });
//! assert_eq!(ended.unwrap_err().all(), ["d broke"]);
//! # });
//! ```
//!
//! # Cancellation and timeouts
//!
//! | Python | greenthread |
//! |---|---|
//! | `task.cancel()` | [`handle.cancel()`](crate::JoinHandle::cancel); [`cancel_with(reason)`](crate::JoinHandle::cancel_with) for `cancel(msg)` |
//! | `task.cancelled()` | [`JoinError::is_cancelled`](crate::JoinError::is_cancelled) |
//! | `except CancelledError` | [`catch_cancel(f)`](crate::catch_cancel), and its [`Cancelled::resume`](crate::Cancelled::resume) for a bare `raise` |
//! | `asyncio.shield(task)` | spawn and join: a cancelled `join` leaves the green thread running |
//! | `try: .. finally: await ..` | a destructor may wait; [`shield(f)`](crate::shield) for any other code |
//! | `asyncio.timeout(s)`, `asyncio.wait_for(c, s)` | [`timeout(duration, f)`](crate::timeout), [`timeout_at`](crate::timeout_at) |
//! | `TimeoutError` | [`Elapsed`](crate::Elapsed) |
//! | `scope.expired()` | whether `timeout` gave `Err` |
//! | `scope.reschedule(t)` | [`timeout_with`](crate::timeout_with) and its [`Limit::reset`](crate::Limit::reset) |
//!
//! Two things are stricter. A swallowed request is raised again at the next wait point, unless `catch_cancel` consumed it (Python needs `uncancel`); and awaiting a bare
//! task does not pass the cancellation of the awaiter on to it, so what Python's `shield` is for is the rule.
//!
//! ```
//! use greenthread::{catch_cancel, sleep, spawn, time::Duration};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let hour = Duration::from_secs(3600);
//! let unstarted = spawn(|| unreachable!("cancelled before it began"));
//! assert!(unstarted.cancel());
//! let asleep = spawn(move || sleep(hour));
//! let stubborn = spawn(move || match catch_cancel(|| sleep(hour)) {
//!     Ok(()) => "slept",
//!     Err(cancelled) if cancelled.reason().is_none() => "a value all the same",
//!     Err(cancelled) => cancelled.resume(), // raise
//! });
//! sleep(Duration::from_secs(1));
//! assert!(asleep.cancel_with("enough") && stubborn.cancel());
//! assert!(unstarted.join().unwrap_err().is_cancelled());
//! assert_eq!(asleep.join().unwrap_err().reason().unwrap().to_string(), "enough");
//! assert_eq!(stubborn.join().unwrap(), "a value all the same");
//! # });
//! ```
//!
//! ```
//! use greenthread::{shield, sleep, spawn, timeout, timeout_with, time::Duration};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let second = Duration::from_secs(1);
//! assert_eq!(timeout(5 * second, || { sleep(second); "quick" }), Ok("quick"));
//! let outer = timeout(9 * second, || {
//!     let inner = timeout(2 * second, || sleep(6 * second));
//!     assert!(inner.is_err()); // still inside the outer one
//! });
//! assert!(outer.is_ok());
//! let postponed = timeout_with(2 * second, |limit| {
//!     limit.reset(8 * second); // from now
//!     sleep(4 * second);
//! });
//! assert!(postponed.is_ok());
//!
//! let work = spawn(move || { sleep(4 * second); "work's result" }).shared();
//! let target = work.clone();
//! let waiter = spawn(move || target.join().unwrap()); // asyncio.shield(work)
//! sleep(second);
//! waiter.cancel();
//! assert!(waiter.join().unwrap_err().is_cancelled());
//! assert_eq!(work.join().unwrap(), "work's result");
//!
//! let careful = spawn(move || shield(|| sleep(2 * second))); // to the end, whoever cancels
//! sleep(second);
//! careful.cancel();
//! assert!(careful.join().is_ok());
//! # });
//! ```
//!
//! # Locks and signals
//!
//! All of [`sync`](crate::sync) serves green threads and plain OS threads alike, so one column stands for `asyncio` and `threading`. Each has `try_` and `_timeout` forms.
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.Lock`, `threading.Lock`, `async with lock` | [`Mutex`](crate::sync::Mutex), which holds what it guards; [`lock()`](crate::sync::Mutex::lock) gives a guard |
//! | `lock.acquire()`, `lock.release()` | `lock()`, and dropping the guard |
//! | `lock.locked()` | [`is_locked()`](crate::sync::Mutex::is_locked) |
//! | `asyncio.Event`, `threading.Event`: `set`, `clear`, `is_set`, `wait` | [`Event`](crate::sync::Event) with the same methods |
//! | `event.wait(timeout)` | [`wait_timeout`](crate::sync::Event::wait_timeout) |
//! | `asyncio.Condition`, `threading.Condition` | [`Condvar`](crate::sync::Condvar) beside a `Mutex` |
//! | `cond.wait()`, `cond.wait_for(p)` | [`wait(&mut guard)`](crate::sync::Condvar::wait), [`wait_while(&mut guard, not_p)`](crate::sync::Condvar::wait_while) |
//! | `cond.notify(n)`, `cond.notify_all()` | [`notify_one`](crate::sync::Condvar::notify_one) n times, [`notify_all`](crate::sync::Condvar::notify_all); the lock need not be held |
//! | `cond.locked()` | `is_locked()` of the mutex |
//! | `asyncio.Semaphore`: `acquire`, `release`, `locked` | [`Semaphore::new`](crate::sync::Semaphore::new): [`acquire`](crate::sync::Semaphore::acquire) gives a permit; `available() == 0` |
//! | `asyncio.BoundedSemaphore` | [`Semaphore::bounded`](crate::sync::Semaphore::bounded): a `release` past its size panics |
//! | `asyncio.Barrier(n)`, `wait` | [`Barrier::new(n)`](crate::sync::Barrier::new), [`wait`](crate::sync::Barrier::wait), which gives the position |
//! | `barrier.n_waiting`, `broken`, `abort`, `reset` | `waiting()`, `is_broken()`, `abort()`, `reset()` |
//! | `asyncio.BrokenBarrierError` | [`Broken`](crate::sync::Broken) |
//! | `threading.RLock`, `acquire(timeout=s)` | [`ReentrantMutex`](crate::sync::ReentrantMutex), `lock_timeout` |
//!
//! ```
//! use std::rc::Rc;
//! use greenthread::{sync::{Event, Mutex}, sleep, spawn, time::Duration, yield_now};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let order = Rc::new(Mutex::new(Vec::new()));
//! let tasks = ["a", "b", "c"].map(|name| {
//!     let order = Rc::clone(&order);
//!     spawn(move || {
//!         let mut order = order.lock(); // async with lock
//!         sleep(Duration::from_secs(1)); // held across a wait, as in asyncio
//!         order.push(name);
//!     })
//! });
//! yield_now();
//! assert!(order.is_locked() && order.try_lock().is_none());
//! tasks.into_iter().for_each(|task| task.join().unwrap());
//! assert_eq!(*order.lock(), ["a", "b", "c"]); // first come, first served
//!
//! let event = Rc::new(Event::new());
//! assert!(event.wait_timeout(Duration::from_secs(1)).is_err());
//! let waiter = { let event = Rc::clone(&event); spawn(move || event.wait()) };
//! event.set();
//! waiter.join().unwrap();
//! assert!(event.is_set());
//! event.clear();
//! assert!(!event.is_set());
//! # });
//! ```
//!
//! ```
//! use std::rc::Rc;
//! use greenthread::{sync::{Condvar, Mutex}, spawn, yield_now};
//!
//! let shop = Rc::new((Mutex::new(Vec::new()), Condvar::new()));
//! let buyer = {
//!     let shop = Rc::clone(&shop);
//!     spawn(move || {
//!         let mut stock = shop.0.lock();
//!         shop.1.wait_while(&mut stock, |stock| stock.len() < 2); // wait_for(lambda: len(stock) >= 2)
//!         stock.drain(..2).collect::<Vec<_>>()
//!     })
//! };
//! for item in ["apple", "pear", "plum"] {
//!     yield_now();
//!     shop.0.lock().push(item);
//!     shop.1.notify_one();
//! }
//! assert_eq!(buyer.join().unwrap(), ["apple", "pear"]);
//! assert_eq!(*shop.0.lock(), ["plum"]);
//! shop.1.notify_all(); // nobody waits: nothing happens
//! ```
//!
//! ```
//! use std::panic::{AssertUnwindSafe, catch_unwind};
//! use greenthread::sync::Semaphore;
//!
//! let places = Semaphore::new(2);
//! let first = places.acquire(); // async with semaphore
//! let _second = places.acquire();
//! assert_eq!(places.available(), 0); // locked()
//! assert!(places.try_acquire().is_none());
//! drop(first);
//! assert_eq!(places.available(), 1);
//!
//! let bounded = Semaphore::bounded(1);
//! assert!(catch_unwind(AssertUnwindSafe(|| bounded.release(1))).is_err()); // ValueError
//! ```
//!
//! ```
//! use greenthread::{scope, sync::{Barrier, ReentrantMutex}, time::Duration, yield_now};
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let barrier = Barrier::new(3);
//! scope(|s| {
//!     let others = [(); 2].map(|()| s.spawn(|| barrier.wait().unwrap().position()));
//!     yield_now();
//!     assert_eq!(barrier.waiting(), 2);
//!     assert_eq!(barrier.wait().unwrap().position(), 2); // the last to come lets all go on
//!     assert_eq!(others.map(|other| other.join().unwrap()), [0, 1]);
//!
//!     let doomed = s.spawn(|| barrier.wait().is_err());
//!     yield_now();
//!     barrier.abort();
//!     assert!(doomed.join().unwrap() && barrier.is_broken());
//!     barrier.reset();
//!     assert!(!barrier.is_broken());
//! });
//!
//! let lock = ReentrantMutex::new(());
//! let (_once, _twice) = (lock.lock(), lock.lock());
//! scope(|s| {
//!     let other = s.spawn(|| lock.lock_timeout(Duration::from_secs(1)).is_err());
//!     assert!(other.join().unwrap()); // had to give up
//! });
//! # });
//! ```
//!
//! # Queues
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.Queue()`, `queue.Queue(maxsize=n)` | [`Queue::unbounded()`](crate::sync::Queue::unbounded), [`bounded(n)`](crate::sync::Queue::bounded) |
//! | `LifoQueue`, `PriorityQueue` | [`Queue::lifo`](crate::sync::Queue::lifo), [`Queue::priority`](crate::sync::Queue::priority), and `_bounded` ones |
//! | `put`, `get` | [`put`](crate::sync::Queue::put), [`get`](crate::sync::Queue::get); an error only after [`close`](crate::sync::Queue::close) |
//! | `put_nowait`, `QueueFull`, `queue.Full` | [`try_put`](crate::sync::Queue::try_put), [`TryPutError::Full`](crate::sync::TryPutError::Full) with the item |
//! | `get_nowait`, `QueueEmpty`, `queue.Empty` | [`try_get`](crate::sync::Queue::try_get), [`TryGetError::Empty`](crate::sync::TryGetError::Empty) |
//! | `put(v, timeout=s)`, `get(timeout=s)` | [`put_timeout`](crate::sync::Queue::put_timeout), [`get_timeout`](crate::sync::Queue::get_timeout) |
//! | `qsize`, `empty`, `full` | `len`, `is_empty`, `is_full` |
//! | `task_done`, `join` | [`task_done`](crate::sync::Queue::task_done), [`join`](crate::sync::Queue::join) |
//! | one `None` for each consumer | [`close`](crate::sync::Queue::close): what is in it is still taken, then [`iter`](crate::sync::Queue::iter) ends |
//!
//! ```
//! use greenthread::sync::{GetTimeoutError, PutTimeoutError, Queue, TryGetError, TryPutError};
//! use greenthread::time::Duration;
//!
//! # greenthread::Runtime::builder().virtual_time().build().unwrap().run(|| {
//! let drain = |queue: &Queue<i32>| std::iter::from_fn(|| queue.try_get().ok()).collect::<Vec<_>>();
//! for (queue, expected) in [
//!     (Queue::unbounded(), [3, 1, 2]),
//!     (Queue::lifo(), [2, 1, 3]),
//!     (Queue::priority(), [1, 2, 3]),
//! ] {
//!     [3, 1, 2].into_iter().for_each(|n| queue.put(n).unwrap());
//!     assert_eq!(queue.len(), 3);
//!     assert_eq!(drain(&queue), expected);
//!     assert!(queue.is_empty());
//! }
//!
//! let second = Duration::from_secs(1);
//! let one = Queue::bounded(1);
//! assert!(matches!(one.try_get(), Err(TryGetError::Empty)));
//! assert!(matches!(one.get_timeout(second), Err(GetTimeoutError::Elapsed)));
//! one.put("a").unwrap();
//! assert!(one.is_full());
//! assert!(matches!(one.try_put("b"), Err(TryPutError::Full("b"))));
//! assert!(matches!(one.put_timeout("b", second), Err(PutTimeoutError::Elapsed("b"))));
//! # });
//! ```
//!
//! ```
//! use std::{cell::Cell, rc::Rc};
//! use greenthread::{spawn, sync::Queue};
//!
//! let queue = Rc::new(Queue::bounded(4));
//! let sum = Rc::new(Cell::new(0));
//! let workers = [(); 3].map(|()| {
//!     let (queue, sum) = (Rc::clone(&queue), Rc::clone(&sum));
//!     spawn(move || {
//!         for item in queue.iter() {
//!             sum.set(sum.get() + item);
//!             queue.task_done();
//!         }
//!     })
//! });
//! (1..=12).for_each(|n| queue.put(n).unwrap());
//! queue.join(); // every item is done
//! assert_eq!(sum.get(), 78);
//! assert!(workers.iter().all(|worker| !worker.is_finished()));
//! queue.close(); // or cancel them, as in Python
//! assert!(workers.into_iter().all(|worker| worker.join().is_ok()));
//! ```
//!
//! # OS threads
//!
//! | Python | greenthread |
//! |---|---|
//! | `threading.Thread(target=f)`, `start`, `join` | `std::thread::spawn`; everything of this crate may be called on it. In most places a green thread does the work |
//! | `threading.current_thread()` | [`current()`](crate::current), or `std::thread::current()` for the OS thread |
//! | `asyncio.run_coroutine_threadsafe(c, loop)`, `future.result()` | [`Spawner::spawn`](crate::Spawner::spawn), `join` |
//! | `loop.call_soon_threadsafe(queue.put_nowait, v)` | `queue.put(v)`: queues, channels, locks and events work across OS threads |
//! | `asyncio.to_thread(f, ..)`, `loop.run_in_executor(None, f, ..)` | [`spawn_blocking(f)`](crate::spawn_blocking), then `join` |
//! | `ThreadPoolExecutor(max_workers=n)`, its `with`, `run_in_executor(pool, f)` | [`blocking::Pool::new(n)`](crate::blocking::Pool::new), [`pool.spawn(f)`](crate::blocking::Pool::spawn); dropping it waits |
//! | `time.sleep(s)` on such a thread | `std::thread::sleep` |
//!
//! ```
//! use std::{sync::Arc, thread};
//! use greenthread::{Spawner, spawn, sync::Queue};
//!
//! let inbox = Arc::new(Queue::unbounded());
//! let (loop_, letters) = (Spawner::current(), Arc::clone(&inbox));
//! let outside = thread::spawn(move || {
//!     letters.put(1).unwrap(); // call_soon_threadsafe(inbox.put_nowait, 1)
//!     let answer = loop_.spawn(|| 4 * 4); // run_coroutine_threadsafe(square(4), loop)
//!     let answer = answer.join().unwrap(); // blocks this OS thread until the loop answers
//!     letters.put(answer).unwrap();
//!     letters.close();
//! });
//! assert_eq!(inbox.iter().collect::<Vec<_>>(), [1, 16]); // parks here, and the loop runs
//! outside.join().unwrap();
//! # let _ = spawn(|| ());
//! ```
//!
//! ```
//! use std::{fs, io, thread};
//! use greenthread::{blocking::Pool, gather, spawn_blocking};
//!
//! let here = thread::current().id();
//! let job = spawn_blocking(move || (7 * 7, thread::current().id() != here));
//! assert_eq!(job.join().unwrap(), (49, true));
//!
//! let pool = Pool::new(2);
//! let squares = gather([1, 2, 3].map(|n| pool.spawn(move || n * n)));
//! assert_eq!(squares.into_iter().map(Result::unwrap).sum::<i32>(), 14);
//! drop(pool); // waits for its jobs
//!
//! let missing = spawn_blocking(|| fs::read_to_string("no such file")).join().unwrap();
//! assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
//! ```
//!
//! # Context
//!
//! | Python | greenthread |
//! |---|---|
//! | `ContextVar(name, default=v)` | [`green_local!`](crate::green_local!) with `#[inherit]`: a child starts with a copy |
//! | `var.get()`, `var.set(v)` | [`get`](crate::LocalKey::get), [`set`](crate::LocalKey::set) |
//! | `token = var.set(v)` .. `var.reset(token)` | [`scope(v, f)`](crate::LocalKey::scope) |
//! | `copy_context()` | a green thread spawned now has the copy; or `get()` what is needed |
//! | `threading.local()` | [`green_local!`](crate::green_local!) without `#[inherit]` |
//!
//! ```
//! use greenthread::{green_local, spawn, spawn_blocking};
//!
//! green_local! {
//!     #[inherit]
//!     static USER: String = "nobody".into();
//!
//!     static NAME: Option<&'static str> = None; // threading.local()
//! }
//!
//! assert_eq!(USER.get(), "nobody");
//! USER.set("alice".into());
//! NAME.set(Some("main"));
//! let first = spawn(|| (USER.get(), NAME.get()));
//! let second = spawn(|| {
//!     USER.scope("carol".into(), || assert_eq!(USER.get(), "carol"));
//!     USER.get()
//! });
//! USER.set("dave".into());
//! assert_eq!(first.join().unwrap(), ("alice".into(), None));
//! assert_eq!(second.join().unwrap(), "alice");
//! assert_eq!(spawn_blocking(|| USER.get()).join().unwrap(), "dave");
//! assert_eq!((USER.get(), NAME.get()), ("dave".into(), Some("main")));
//! ```
//!
//! # Streams
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.start_server(handle, host, port)`, `server.serve_forever()` | [`Server::bind(addr)?.serve(handle)`](crate::net::Server::serve); or [`TcpListener::bind`](crate::net::TcpListener::bind), a green thread that accepts, and one for each connection |
//! | `server.sockets[0].getsockname()` | [`local_addr()`](crate::net::TcpListener::local_addr) |
//! | `async with server`, `server.close()`, `server.wait_closed()` | [`Stopper::stop(grace)`](crate::net::Stopper::stop), then `serve` returns; of a listener, [`close()`](crate::net::TcpListener::close) ends `accept` everywhere; `join` whoever accepted |
//! | `server.is_serving()` | `is_finished()` of the green thread that accepts |
//! | `asyncio.open_connection(host, port)` | [`TcpStream::connect`](crate::net::TcpStream::connect) |
//! | `reader.readline()`, `reader.read()` | `BufReader::new(&stream)` with `read_line`, `read_to_end` |
//! | `writer.write(b)`, `writer.drain()` | `write_all`, which waits until the kernel has taken it |
//! | `writer.write_eof()` | [`shutdown(Shutdown::Write)`](crate::net::TcpStream::shutdown) |
//! | `writer.close()`, `writer.wait_closed()` | dropping the stream, or [`close()`](crate::net::TcpStream::close) |
//! | `asyncio.open_unix_connection(path)`, `asyncio.start_unix_server(handle, path)` | [`UnixStream::connect`](crate::net::UnixStream::connect), [`UnixListener::bind`](crate::net::UnixListener::bind) |
//! | `loop.create_datagram_endpoint(..)`: `sendto`, `datagram_received` | [`UdpSocket`](crate::net::UdpSocket) with `send_to` and a green thread that calls `recv_from`; [`UnixDatagram`](crate::net::UnixDatagram) |
//! | `loop.getaddrinfo(host, port)` | [`lookup_host((host, port))`](crate::net::lookup_host) |
//!
//! ```
//! use std::io::{self, BufRead, BufReader, Read, Write};
//! use greenthread::net::{Shutdown, TcpListener, TcpStream};
//! use greenthread::scope;
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! scope(|s| -> io::Result<()> {
//!     let server = s.spawn(|| {
//!         while let Ok((stream, _)) = listener.accept() {
//!             s.spawn(move || {
//!                 for line in BufReader::new(&stream).lines().map_while(Result::ok) {
//!                     writeln!(&stream, "{}", line.to_uppercase()).unwrap();
//!                 }
//!             });
//!         }
//!     });
//!     let stream = TcpStream::connect(address)?;
//!     let mut reader = BufReader::new(&stream);
//!     let (mut line, mut rest) = (String::new(), Vec::new());
//!     writeln!(&stream, "ann hello")?;
//!     reader.read_line(&mut line)?;
//!     assert_eq!(line, "ANN HELLO\n");
//!     stream.shutdown(Shutdown::Write)?;
//!     assert_eq!(reader.read_to_end(&mut rest)?, 0);
//!     assert!(!server.is_finished()); // is_serving()
//!     listener.close();
//!     server.join().unwrap();
//!     Ok(())
//! })?;
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Files and standard streams
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.to_thread(path.read_text)`, `aiofiles.open(..)` with `read`, `write`, `seek` | [`fs`](crate::fs): [`read_to_string`](crate::fs::read_to_string), [`File`](crate::fs::File); the trip to the pool is inside |
//! | `pathlib.Path`: `read_text`, `write_text`, `stat`, `iterdir`, `exists`, `unlink` | [`fs`](crate::fs)`::{read_to_string, write, metadata, read_dir, exists, remove_file}` |
//! | `tempfile.TemporaryDirectory`, `NamedTemporaryFile` | [`fs::TempDir`](crate::fs::TempDir), [`fs::TempFile`](crate::fs::TempFile) |
//! | `shutil.copyfileobj`, `shutil.copy` | [`io::copy`](crate::io::copy()), [`io::copy_with`](crate::io::copy_with) with progress; [`fs::copy`](crate::fs::copy()) |
//! | `os.pipe` | [`io::pipe`](crate::io::pipe()) |
//! | `print(..)`, `print(.., file=sys.stderr)` | `writeln!(io::stdout(), ..)` with [`io::stdout`](crate::io::stdout), [`io::stderr`](crate::io::stderr); `println!` where the output cannot be full |
//! | `input()` on an executor's thread, `for line in sys.stdin` | [`io::stdin`](crate::io::stdin)`().read_line(..)`, `.lines()` |
//!
//! ```
//! use std::{io::ErrorKind, sync::Arc};
//! use greenthread::{fs, gather, spawn};
//!
//! let folder = Arc::new(fs::TempDir::new()?);
//! let path = |n| folder.path().join(format!("note{n}.txt"));
//! let jobs = [3, 1, 2].map(|n| {
//!     let path = path(n);
//!     spawn(move || { // overlaps with the others
//!         fs::write(&path, format!("line {n}\n").repeat(n))?;
//!         fs::read_to_string(&path)
//!     })
//! });
//! let texts = gather(jobs).into_iter().map(|text| text.unwrap());
//! let lines: Vec<usize> = texts.map(|text| Ok(text?.lines().count())).collect::<std::io::Result<_>>()?;
//! assert_eq!(lines, [3, 1, 2]);
//! assert_eq!(fs::read(path(4)).unwrap_err().kind(), ErrorKind::NotFound);
//! fs::remove_file(path(1))?;
//! assert_eq!(fs::read_dir(folder.path())?.count(), 2);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Processes
//!
//! | Python | greenthread |
//! |---|---|
//! | `asyncio.create_subprocess_exec(program, *args, stdin=.., ..)` | [`Command::new(program)`](crate::process::Command), `args`, `stdin(..)`, .., [`spawn()`](crate::process::Command::spawn) |
//! | `create_subprocess_shell(line)` | `Command::new("/bin/sh")` with `["-c", line]` |
//! | `asyncio.subprocess.PIPE`, `DEVNULL` | [`Stdio::piped()`](crate::process::Stdio::piped), [`Stdio::null()`](crate::process::Stdio::null) |
//! | `child.stdin.write(b)`, `drain()`, `child.stdout.readline()`, `read()` | [`Write`](std::io::Write) for [`child.stdin`](crate::process::Child::stdin), [`Read`](std::io::Read) for `child.stdout` and `child.stderr`, in a `BufReader` |
//! | `await child.communicate(input)` | [`child.communicate(input)`](crate::process::Child::communicate), or [`wait_with_output`](crate::process::Child::wait_with_output) |
//! | `await child.wait()` | [`child.wait()`](crate::process::Child::wait), which closes `stdin` first |
//! | `asyncio.wait_for(child.wait(), seconds)` | [`child.wait_timeout(d)`](crate::process::Child::wait_timeout) |
//! | `child.returncode` | [`child.try_wait()`](crate::process::Child::try_wait); `status.code()`, and `status.signal()` where Python's is negative |
//! | `child.kill()`, `child.pid` | [`child.kill()`](crate::process::Child::kill), [`child.id()`](crate::process::Child::id) |
//! | `subprocess.run(.., capture_output=True)` | [`Command::output()`](crate::process::Command::output) |
//! | `sys.executable` | `std::env::current_exe()` |
//! | `ProcessPoolExecutor(max_workers=n)`, `pool.submit(f, x)` | `process::Pool::new(n)`, `pool.spawn(f, x)`: `f` is registered by `process::Functions`, whose `serve_if_child` at the head of `main` is Python's `if __name__ == "__main__"` |
//! | `BrokenProcessPool` | `CallError::Crashed`, for the call whose process it was, and for no other |
//! | `multiprocessing.Queue`, `Pipe` | `process::Channel::pair()`, with the same feature: an end goes to another process inside an argument, and is closed when nobody holds it |
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//! use std::os::unix::process::ExitStatusExt;
//! use greenthread::{process::{Command, Stdio}, time::Duration};
//!
//! let mut cat = Command::new("cat");
//! let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//! assert!(child.try_wait()?.is_none()); // returncode is None
//! assert_eq!(child.communicate("some words")?.stdout, b"some words");
//! assert_eq!(child.wait()?.code(), Some(0));
//!
//! let mut child = cat.spawn()?;
//! writeln!(child.stdin.as_mut().unwrap(), "a line")?;
//! let mut line = String::new();
//! BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line)?;
//! assert_eq!(line, "a line\n");
//! let _input = child.stdin.take(); // or else waiting closes it
//! assert!(child.wait_timeout(Duration::from_millis(1))?.is_none());
//! child.kill()?;
//! assert_eq!(child.wait()?.signal(), Some(9)); // -9
//! # std::io::Result::Ok(())
//! ```
//!
//! # Signals of the system
//!
//! | Python | greenthread |
//! |---|---|
//! | `loop.add_signal_handler(signal.SIGUSR1, f, ..)` | [`Signals::new([SIGUSR1])`](crate::signal::Signals::new) and a green thread that calls `f` for each signal it receives |
//! | `loop.remove_signal_handler(..)` | cancelling that green thread; the signal is then ignored |
//! | `KeyboardInterrupt` | [`ctrl_c()`](crate::signal::ctrl_c) returns |
//! | `signal.signal(..)` | there is no code that runs inside a handler |
//! | `os.kill(os.getpid(), ..)` | `libc::raise`, or the `kill` of a crate |
//!
//! ```
//! use greenthread::{signal::{SIGUSR1, Signals}, spawn};
//!
//! let signals = Signals::new([SIGUSR1])?;
//! let handler = spawn(move || for _ in &signals { println!("it came") }); // add_signal_handler
//! assert!(handler.cancel()); // remove_signal_handler
//! # std::io::Result::Ok(())
//! ```
