//! Programs that must not compile: each is a doctest. What they would do if they did is said above each.
//!
//! Rayon keeps its own in the same way (rayon-core, `src/compile_fail`).

/// A green thread that outlives what it borrows.
///
/// ```compile_fail,E0597
/// let text = String::from("gone");
/// let handle = greenthread::spawn({
///     let text = &text;
///     move || text.len()
/// });
/// drop(handle);
/// ```
const _SPAWN_BORROWS: () = ();

/// A child that borrows from the body, which ends before it.
///
/// ```compile_fail,E0716
/// greenthread::scope(|s| {
///     let text = &String::from("gone");
///     s.spawn(move || text.len());
/// });
/// ```
const _CHILD_BORROWS_FROM_BODY: () = ();

/// A child's handle that leaves the scope.
///
/// ```compile_fail
/// let handle = greenthread::scope(|s| s.spawn(|| 1));
/// handle.join();
/// ```
const _HANDLE_LEAVES_SCOPE: () = ();

/// A scope that is used on another OS thread: its children would run here.
///
/// ```compile_fail,E0277
/// greenthread::scope(|s| {
///     std::thread::scope(|os| {
///         os.spawn(|| s.spawn(|| 1));
///     });
/// });
/// ```
const _SCOPE_CROSSES: () = ();

/// The same for a scope whose children may fail.
///
/// ```compile_fail,E0277
/// let _ = greenthread::try_scope(|s| {
///     std::thread::scope(|os| {
///         os.spawn(|| s.spawn(|| Ok::<_, ()>(1)));
///     });
///     Ok(())
/// });
/// ```
const _TRY_SCOPE_CROSSES: () = ();

/// A child that spawns a sibling which borrows from the child.
///
/// ```compile_fail,E0716
/// greenthread::scope(|s| {
///     s.spawn(|| {
///         let text = &String::from("gone");
///         s.spawn(move || text.len());
///     });
/// });
/// ```
const _SIBLING_BORROWS_FROM_CHILD: () = ();

/// A handle whose result may not leave its OS thread.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// let handle = greenthread::spawn(|| Rc::new(1));
/// std::thread::spawn(move || handle.join());
/// ```
const _RC_CROSSES_IN_A_RESULT: () = ();

/// A closure that may not leave its OS thread.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// let shared = Rc::new(1);
/// greenthread::Spawner::current().spawn(move || *shared);
/// ```
const _RC_CROSSES_IN_A_CLOSURE: () = ();

/// A callback that keeps what it is shown.
///
/// ```compile_fail,E0521
/// use std::sync::{Arc, Mutex};
/// let kept: Arc<Mutex<Option<&'static Result<String, greenthread::JoinError>>>> = Arc::default();
/// let handle = greenthread::spawn(|| String::from("result"));
/// handle.on_finish(move |result| *kept.lock().unwrap() = Some(result));
/// ```
const _CALLBACK_KEEPS_RESULT: () = ();

/// A limit that outlives its timeout.
///
/// ```compile_fail,E0521
/// use std::time::Duration;
/// let mut kept = None;
/// let _ = greenthread::timeout_with(Duration::ZERO, |limit| kept = Some(limit));
/// ```
const _LIMIT_OUTLIVES: () = ();

/// A limit that is moved on another OS thread.
///
/// ```compile_fail,E0277
/// use std::time::Duration;
/// let _ = greenthread::timeout_with(Duration::ZERO, |limit| {
///     std::thread::scope(|os| os.spawn(|| limit.reset(Duration::ZERO)));
/// });
/// ```
const _LIMIT_CROSSES: () = ();

/// A caught request that is resumed on another OS thread.
///
/// ```compile_fail,E0277
/// let caught = greenthread::catch_cancel(greenthread::park).unwrap_err();
/// std::thread::spawn(move || caught.resume());
/// ```
const _CANCELLED_CROSSES: () = ();

/// A runtime that is used on another OS thread than the one that made it.
///
/// ```compile_fail,E0277
/// let runtime = greenthread::Runtime::builder().build().unwrap();
/// std::thread::spawn(move || runtime.run(|| ()));
/// ```
const _RUNTIME_CROSSES: () = ();

/// A generator that is driven on another OS thread (D1).
///
/// ```compile_fail,E0277
/// let g = greenthread::generator::Generator::<(), u8, ()>::new(|y| y.yield_(1));
/// std::thread::spawn(move || g.start());
/// ```
const _GENERATOR_CROSSES: () = ();

/// A yielder that is used on another OS thread.
///
/// ```compile_fail,E0277
/// let g = greenthread::generator::Generator::<(), u8, ()>::new(|y| {
///     std::thread::scope(|os| {
///         os.spawn(|| y.yield_(1));
///     });
/// });
/// ```
const _YIELDER_CROSSES: () = ();

/// A copy of a generator: its stack has one owner (L15).
///
/// ```compile_fail,E0599
/// let g = greenthread::generator::Generator::<(), u8, ()>::new(|y| y.yield_(1));
/// let _other = g.clone();
/// ```
const _GENERATOR_COPIED: () = ();

/// Two borrowing generators that change places: each would outlive what it borrows.
///
/// ```compile_fail,E0308
/// use greenthread::generator::{Generator, scope};
/// scope(
///     |y| y.yield_(1_u8),
///     |outer: &Generator<(), u8, ()>| {
///         let text = String::from("gone");
///         scope(
///             |y| y.yield_(text.as_bytes()[0]),
///             |inner: &Generator<(), u8, ()>| std::mem::swap(outer, inner),
///         );
///     },
/// );
/// ```
const _SCOPED_GENERATORS_SWAPPED: () = ();

/// A borrowing generator that is replaced by another.
///
/// ```compile_fail,E0308
/// use greenthread::generator::{Generator, scope};
/// scope(
///     |y| y.yield_(1_u8),
///     |g: &Generator<(), u8, ()>| {
///         std::mem::replace(g, Generator::new(|y| y.yield_(2_u8)));
///     },
/// );
/// ```
const _SCOPED_GENERATOR_REPLACED: () = ();

/// A body's yielder that leaves its generator.
///
/// ```compile_fail,E0521
/// use greenthread::generator::{Generator, Yielder};
/// use std::cell::Cell;
/// thread_local! { static KEPT: Cell<Option<&'static Yielder<(), u8>>> = Cell::new(None); }
/// Generator::<(), u8, ()>::new(|y| KEPT.set(Some(y))).start();
/// ```
const _YIELDER_LEAVES: () = ();

/// A closure for a worker that may not leave its OS thread.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// let shared = Rc::new(1);
/// greenthread::spawn_anywhere(move || *shared);
/// ```
const _RC_GOES_TO_A_WORKER: () = ();

/// A result that a worker may not send back.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// greenthread::spawn_anywhere(|| Rc::new(1));
/// ```
const _RC_COMES_FROM_A_WORKER: () = ();

/// A green thread on a worker that outlives what it borrows.
///
/// ```compile_fail,E0597
/// let text = String::from("gone");
/// let handle = greenthread::spawn_anywhere({
///     let text = &text;
///     move || text.len()
/// });
/// drop(handle);
/// ```
const _SPAWN_ANYWHERE_BORROWS: () = ();

/// A child on a worker that borrows from the body, which ends before it.
///
/// ```compile_fail,E0716
/// greenthread::scope(|s| {
///     let text = &String::from("gone");
///     s.spawn_anywhere(move || text.len());
/// });
/// ```
const _CHILD_ELSEWHERE_BORROWS_FROM_BODY: () = ();

/// A child on a worker that shares a `Cell` with its parent.
///
/// ```compile_fail,E0277
/// let count = std::cell::Cell::new(0);
/// greenthread::scope(|s| {
///     s.spawn_anywhere(|| count.set(1));
/// });
/// ```
const _CELL_GOES_TO_A_WORKER: () = ();

/// A child on a worker whose result may not be sent back.
///
/// ```compile_fail,E0277
/// greenthread::scope(|s| {
///     s.spawn_anywhere(|| std::rc::Rc::new(1));
/// });
/// ```
const _RC_COMES_FROM_A_CHILD: () = ();

/// A child on a worker that spawns siblings: they would be counted from another OS thread, and could be local to the parent's.
///
/// ```compile_fail,E0277
/// greenthread::scope(|s| {
///     s.spawn_anywhere(|| {
///         s.spawn(|| 1);
///     });
/// });
/// ```
const _SCOPE_GOES_TO_A_WORKER: () = ();

/// A child on a worker that fails with what may not be sent back.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// let _ = greenthread::try_scope(|s| {
///     s.spawn_anywhere(|| Err::<(), _>(Rc::new(1)));
///     Ok(())
/// });
/// ```
const _RC_AS_AN_ERROR_FROM_A_CHILD: () = ();

/// A set whose members on workers give what may not be sent back.
///
/// ```compile_fail,E0277
/// let mut set = greenthread::JoinSet::new();
/// set.spawn_anywhere(|| std::rc::Rc::new(1));
/// ```
const _RC_IN_A_JOIN_SET: () = ();

/// A green thread on each worker that shares a `Cell`.
///
/// ```compile_fail,E0277
/// let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
/// let count = std::cell::Cell::new(0);
/// runtime.run_on_each(move |number| count.set(number));
/// ```
const _CELL_ON_EACH_WORKER: () = ();

/// A generator that outlives what its body borrows.
///
/// ```compile_fail,E0597
/// let g = {
///     let text = String::from("gone");
///     let text = &text;
///     greenthread::generator::Generator::<(), usize, ()>::new(move |y| y.yield_(text.len()))
/// };
/// g.start();
/// ```
const _GENERATOR_BORROWS: () = ();

/// A generator that a worker is to drive.
///
/// ```compile_fail,E0277
/// let g = greenthread::generator::Generator::<(), u8, ()>::new(|y| y.yield_(1));
/// greenthread::spawn_anywhere(move || drop(g));
/// ```
const _GENERATOR_GOES_TO_A_WORKER: () = ();

/// A generator in a message to another OS thread.
///
/// ```compile_fail,E0277
/// use greenthread::generator::Generator;
/// let (sender, receiver) = greenthread::channel::bounded::<Generator<(), u8, ()>>(1);
/// std::thread::spawn(move || receiver.recv());
/// ```
const _GENERATOR_IN_A_MESSAGE: () = ();

/// A child's handle that is kept outside of its scope.
///
/// ```compile_fail,E0521
/// let mut kept = None;
/// greenthread::scope(|s| kept = Some(s.spawn(|| 1)));
/// ```
const _HANDLE_IS_KEPT: () = ();

/// Two parts that change the same value.
///
/// ```compile_fail,E0499
/// let mut count = 0;
/// greenthread::join!(|| count += 1, || count += 2);
/// ```
const _PARTS_SHARE_MUTABLY: () = ();

/// The guard of a reentrant lock in another green thread's hands elsewhere: its owner counts by green thread.
///
/// ```compile_fail,E0277
/// let lock = greenthread::sync::ReentrantMutex::new(1);
/// let guard = lock.lock();
/// std::thread::scope(|os| {
///     os.spawn(move || drop(guard));
/// });
/// ```
const _REENTRANT_GUARD_CROSSES: () = ();

/// A guard that leaves its lock behind.
///
/// ```compile_fail,E0597
/// let guard = {
///     let lock = greenthread::sync::Mutex::new(1);
///     lock.lock()
/// };
/// drop(guard);
/// ```
const _GUARD_OUTLIVES_ITS_LOCK: () = ();

/// A value of a green thread that is inherited, perhaps on another OS thread, and may not leave this one.
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// greenthread::green_local! {
///     #[inherit]
///     static SHARED: Rc<u8> = Rc::new(1);
/// }
/// ```
const _RC_IS_INHERITED: () = ();

/// A reference to a green thread's value that leaves `with`.
///
/// ```compile_fail
/// greenthread::green_local! { static NAME: String = String::new(); }
/// let name: &str = NAME.with(|name| name.as_str());
/// ```
const _LOCAL_LEAVES: () = ();

/// A result that is taken twice.
///
/// ```compile_fail,E0382
/// let handle = greenthread::spawn(|| 1);
/// drop(handle.join());
/// drop(handle.join());
/// ```
const _JOINED_TWICE: () = ();

/// A `run` of a runtime from within another OS thread's scope.
///
/// ```compile_fail,E0277
/// let runtime = greenthread::Runtime::builder().build().unwrap();
/// std::thread::scope(|os| {
///     os.spawn(|| runtime.run(|| ()));
/// });
/// ```
const _RUNTIME_IS_SHARED: () = ();
