//! What is done while a fault waits: each scene sets itself up, arms the fault, does one kind of thing, and returns a sum.

mod sockets;
mod waits;
mod wakes;

use std::rc::Rc;
use std::sync::Arc;

use greenthread::generator::Generator;
use greenthread::sync::Event;
use greenthread::{
    Builder, JoinSet, Runtime, gather, run, scope, spawn, spawn_anywhere, spawn_blocking,
    try_scope, yield_now,
};

use crate::proof;
use crate::trial::{self, Verdict};
use sockets::tcp;
use waits::{channels, events, locks, queues, selections, timers};
use wakes::{rings, wakes_from_elsewhere};

/// Does something, after it has called what it is given; or says which error came back.
pub(crate) type Play = fn(&dyn Fn()) -> Result<u64, String>;

/// One kind of thing to do.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    /// What it is called.
    pub(crate) name: &'static str,

    /// Does it.
    pub(crate) play: Play,

    /// What it returns when nothing fails.
    pub(crate) sum: u64,
}

/// A scene.
pub(crate) const fn scene(name: &'static str, sum: u64, play: Play) -> Scene {
    Scene { name, play, sum }
}

impl Scene {
    /// Plays it in a child under a fault, which `disarm` ends and says whether it came to pass; proves that the runtime is whole, and ends the child.
    pub(crate) fn play_and_conclude(&self, arm: impl Fn(), disarm: impl Fn() -> bool) -> ! {
        let played = (self.play)(&arm);
        let came_to_pass = disarm();
        let verdict = match played {
            Ok(sum) => {
                assert_eq!(sum, self.sum, "a wrong sum");
                match came_to_pass {
                    true => Verdict::Unnoticed,
                    false => Verdict::Untouched,
                }
            }
            Err(error) => {
                eprintln!("error: {error}");
                assert!(came_to_pass, "an error without a fault");
                Verdict::Error
            }
        };
        proof::assert_whole();
        trial::conclude(verdict)
    }
}

/// What concerns one OS thread.
pub(crate) const HERE: &[Scene] = &[
    scene("first use", 7, |arm| {
        arm();
        spawn(|| 7).join().map_err(|error| error.to_string())
    }),
    scene("spawn and join", 190, spawn_and_join),
    scene("a builder", 10, a_builder),
    scene("run", 21, |arm| {
        arm();
        Ok(run(|| spawn(|| 21).join().unwrap()))
    }),
    scene("a runtime", 21, |arm| {
        arm();
        let runtime = Runtime::builder().virtual_time().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(runtime.run(|| spawn(|| 21).join().unwrap()))
    }),
    scene("locks", 20, locks),
    scene("events", 20, events),
    scene("queues", 3 * 45, queues),
    scene("channels", 4 * 45, channels),
    scene("selections", 45, selections),
    scene("timers", 10, timers),
    scene("generators", 100, generators),
    scene("scopes", 380, scopes),
    scene("results", 380, results),
    scene("ends", 10, ends),
    scene("tcp", 40, tcp),
    scene("stacks", 50, stacks),
];

/// What concerns several OS threads.
pub(crate) const ACROSS: &[Scene] = &[
    scene("spawn_anywhere", 10, |arm| {
        warm_up();
        arm();
        let all: Vec<_> = (0..5).map(|n| spawn_anywhere(move || n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    }),
    scene("workers", 190, |arm| {
        warm_up();
        arm();
        let runtime = Runtime::builder().workers(2).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let all = || (0..20).map(|n| spawn_anywhere(move || n));
        runtime.run(|| sum(all().map(|one| one.join())))
    }),
    scene("spawn_blocking", 10, |arm| {
        warm_up();
        arm();
        let all: Vec<_> = (0..5).map(|n| spawn_blocking(move || n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    }),
    scene("wakes from elsewhere", 64, wakes_from_elsewhere),
    scene("rings", 45, rings),
];

/// Makes this OS thread's scheduler and all that a first green thread brings along.
fn warm_up() {
    spawn(|| ()).join().unwrap();
}

fn sum<E: ToString>(all: impl Iterator<Item = Result<u64, E>>) -> Result<u64, String> {
    all.map(|one| one.map_err(|error| error.to_string())).sum()
}

fn spawn_and_join(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let all: Vec<_> = (0..20).map(|n| spawn(move || n)).collect();
    sum(all.into_iter().map(|one| one.join()))
}

fn a_builder(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let build = |n| {
        let builder = Builder::new()
            .name(String::from("built"))
            .stack_size(64 << 10);
        builder.spawn(move || n).map_err(|error| error.to_string())
    };
    let all: Vec<_> = (0..5).map(build).collect::<Result<_, _>>()?;
    sum(all.into_iter().map(|one| one.join()))
}

fn generators(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mut total = 0;
    for _ in 0..10 {
        let echo: Generator<u64, u64, ()> = Generator::new(|y| {
            let mut sent = y.yield_(0);
            loop {
                sent = y.yield_(sent);
            }
        });
        echo.start();
        total += echo.send(10).unwrap_yielded();
        echo.close();
    }
    Ok(total)
}

fn scopes(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let numbers: Vec<u64> = (0..20).collect();
    let first = scope(|s| {
        let all: Vec<_> = numbers.iter().map(|n| s.spawn(move || *n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    })?;
    let second = try_scope(|s| {
        let all: Vec<_> = numbers
            .iter()
            .map(|n| s.spawn(move || Ok::<_, String>(*n)))
            .collect();
        Ok(all.into_iter().map(|one| one.join().unwrap()).sum::<u64>())
    });
    Ok(first + second.map_err(|error| error.to_string())?)
}

fn results(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let one = |n: u64| {
        move || {
            yield_now();
            n
        }
    };
    let first = sum(gather((0..20).map(|n| spawn(one(n)))).into_iter())?;
    let mut set = JoinSet::new();
    (0..20).for_each(|n| set.spawn(one(n)));
    let second = sum(std::iter::from_fn(|| set.join_next()))?;
    Ok(first + second)
}

/// Cancellations with reasons, panics that are caught, callbacks.
fn ends(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mut total = 0;
    for _ in 0..3 {
        let parked = spawn(greenthread::park);
        let called = Arc::new(Event::new());
        let tells = Arc::clone(&called);
        let _called = parked.on_finish(move |_| tells.set());
        yield_now();
        total += u64::from(parked.cancel_with("enough"));
        let error = parked.join().unwrap_err();
        total += u64::from(
            error
                .reason()
                .is_some_and(|why| why.to_string() == "enough"),
        );
        total += u64::from(called.is_set());
    }
    let panics = spawn(|| std::panic::resume_unwind(Box::new("on purpose")));
    total += u64::from(panics.join().is_err_and(|error| error.is_panic()));
    Ok(total)
}

/// Fifty of them stand on stacks at the same time.
fn stacks(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let go = Rc::new(Event::new());
    let one = |_| {
        let go = Rc::clone(&go);
        spawn(move || {
            go.wait();
            1
        })
    };
    let all: Vec<_> = (0..50).map(one).collect();
    yield_now();
    go.set();
    sum(all.into_iter().map(|one| one.join()))
}
