//! Functions called in other processes: a crash there is an error here, and a call can be terminated.
//!
//! ```text
//!   Pool::spawn ─▶ a green thread: waits for a place ─▶ takes an idle process, or starts one ─▶ CALL ─▶ waits for the answer ─▶ the process is idle
//!                                                                                                └─ cancelled, or the process ended: it is killed, and gone
//! ```

mod error;
mod frame;
mod functions;
mod serve;
mod worker;

use std::any::type_name;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::carry::{Carried, decode, encode};
use super::command::Command;
use crate::sync::Semaphore;
use crate::thread::join::JoinHandle;
use crate::thread::spawn::spawn;
use frame::{Frame, Kind};
use worker::Worker;

pub use error::CallError;
pub use functions::Functions;

/// Processes of this program that run registered functions: Python's `ProcessPoolExecutor`.
///
/// Arguments and results are carried over by serde, as MessagePack: in it, as in JSON, `Some(None)` and `Some(())` are `None`. The processes are started as they are needed, one for a call, and stay for further calls; what they print is
/// printed, their standard input is empty. A function runs on its process's main stack, and green threads that it leaves behind are cancelled. One that crashes its process (an abort,
/// a signal, an exit) is an error of that call alone, and another process takes the place. While a call runs, silence is no deadlock and virtual time stands.
///
/// Ctrl-C in a terminal reaches every process of its group, so those of the pool too, unless [`prepare`](Self::prepare) gives them a group of their own
/// ([`CommandExt::process_group`](std::os::unix::process::CommandExt::process_group)) or the functions listen for it.
///
/// Dropping the pool lets the calls that are under way go on, and ends idle processes; those of a program that ends end with it, once they have finished their calls.
///
/// # Examples
/// ```standalone_crate
/// use greenthread::process::{Functions, Pool};
///
/// fn power((base, exponent): (u64, u32)) -> u64 {
///     base.checked_pow(exponent).expect("a power that fits")
/// }
///
/// fn main() {
///     Functions::new().with(power).serve_if_child(); // in a process of the pool it ends here
///     let pool = Pool::new(2);
///     let (first, second) = (pool.spawn(power, (2, 10)), pool.spawn(power, (10, 100)));
///     assert_eq!(first.join().unwrap().unwrap(), 1024);
///     assert!(second.join().unwrap().unwrap_err().to_string().ends_with("a power that fits"));
/// }
/// ```
pub struct Pool(Arc<Crew>);

/// Changes how a process is started.
type Prepare = Box<dyn Fn(&mut Command) + Send + Sync>;

/// The processes of a pool.
struct Crew {
    /// One for each process that there may be.
    places: Semaphore,

    /// Processes with nothing to do, the last used last.
    idle: Mutex<Vec<Worker>>,

    /// What [`Pool::prepare`] said.
    prepare: Option<Prepare>,
}

impl Pool {
    /// Makes a pool of at most `most` processes; none is started yet.
    ///
    /// # Panics
    /// When `most` is 0.
    #[must_use]
    pub fn new(most: usize) -> Self {
        assert!(
            most > 0,
            "process::Pool::new(0): a pool needs at least 1 process"
        );
        Pool(Arc::new(Crew {
            places: Semaphore::new(most),
            idle: Mutex::default(),
            prepare: None,
        }))
    }

    /// Has `prepare` change how each process is started: its arguments, environment, folder, output.
    ///
    /// Its program, its name (`argv[0]`) and its standard input are the pool's. A test needs this: its processes are the test program, which must be told to run the one
    /// test that calls [`Functions::serve_if_child`].
    ///
    /// ```no_run
    /// # use greenthread::process::{Functions, Pool, Stdio};
    /// # fn functions() -> Functions { Functions::new() }
    /// #[test]
    /// fn entry() {
    ///     functions().serve_if_child();
    /// }
    ///
    /// fn pool() -> Pool {
    ///     functions().serve_if_child();
    ///     Pool::new(2).prepare(|command| {
    ///         command.args(["entry", "--exact", "--nocapture"]).stdout(Stdio::null());
    ///     })
    /// }
    /// ```
    ///
    /// # Panics
    /// When the pool was used already.
    #[must_use]
    pub fn prepare(self, prepare: impl Fn(&mut Command) + Send + Sync + 'static) -> Self {
        let mut crew = self.0;
        let unused = Arc::get_mut(&mut crew).expect("process::Pool::prepare comes before `spawn`");
        unused.prepare = Some(Box::new(prepare));
        Pool(crew)
    }

    /// Calls `function` with `argument` in a process of the pool, as soon as one has nothing else to do; calls wait in the order in which they were spawned.
    ///
    /// Does not block, but for starting a process as [`Command::spawn`] does, on the green thread behind the handle. Cancelling the handle terminates the call: its process is killed, and
    /// a call that waits for a process gives its place up. Dropping the handle detaches the call.
    ///
    /// The handle gives a [`CallError`] when the function panicked, its process ended, or a value could not be carried.
    ///
    /// # Panics
    /// When `function` was not registered by [`Functions::serve_if_child`] in this program.
    #[track_caller]
    pub fn spawn<F, A, R>(&self, function: F, argument: A) -> JoinHandle<Result<R, CallError>>
    where
        F: Fn(A) -> R + 'static,
        A: Serialize,
        R: DeserializeOwned + 'static,
    {
        drop(function);
        let function = type_name::<F>();
        assert!(
            functions::is_known(function),
            "process::Pool::spawn: `{function}` was not registered: `Functions::new().with({function}).serve_if_child()` at the head of `main` does that"
        );
        let argument = encode(&argument).map_err(|reason| CallError::Argument { function, reason });
        let crew = Arc::clone(&self.0);
        spawn(move || crew.call(function, argument?))
    }
}

impl Crew {
    fn call<R: DeserializeOwned>(
        &self,
        function: &'static str,
        argument: Carried,
    ) -> Result<R, CallError> {
        let call = Frame::call(function, argument);
        let too_long = |reason| CallError::Argument { function, reason };
        call.check().map_err(too_long)?;
        let _place = self.places.acquire();
        let not_started = |error| CallError::NotStarted { function, error };
        let mut worker = self.hire().map_err(not_started)?;
        match worker.ask(call).map_err(not_started)? {
            Ok(answer) => {
                self.release(worker);
                understand(function, answer)
            }
            Err(status) => Err(CallError::Crashed { function, status }),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle process that still lives, else a new one.
    fn hire(&self) -> std::io::Result<Worker> {
        loop {
            let idle = self.idle().pop();
            let Some(mut worker) = idle else {
                return Worker::start(self.prepare.as_deref().map(|prepare| prepare as _));
            };
            if worker.is_alive() {
                worker.set_busy(true);
                return Ok(worker);
            }
        }
    }

    fn release(&self, mut worker: Worker) {
        worker.set_busy(false);
        self.idle().push(worker);
    }
}

/// What the answer means.
fn understand<R: DeserializeOwned>(function: &'static str, answer: Frame) -> Result<R, CallError> {
    match answer.kind {
        Kind::Returned => {
            decode(answer.body).map_err(|reason| CallError::Result { function, reason })
        }
        Kind::Panicked => Err(CallError::Panicked {
            function,
            message: answer.into_text(),
        }),
        Kind::BadArgument => Err(CallError::Argument {
            function,
            reason: answer.into_text(),
        }),
        Kind::BadResult => Err(CallError::Result {
            function,
            reason: answer.into_text(),
        }),
        Kind::Unknown | Kind::Call => Err(CallError::Unknown { function }),
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("places", &self.0.places.available())
            .field("idle", &self.0.idle().len())
            .finish_non_exhaustive()
    }
}
