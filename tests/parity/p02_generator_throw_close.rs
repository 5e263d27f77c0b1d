//! How a generator reacts to throw, close and send in each state: unstarted, suspended and finished.
//!
//! Python's exceptions are types of the same names; `next` and sending `None` are the iterator's `next`, which starts an unstarted generator.

use greenthread::generator::{Generator, GeneratorState, ResumeError, Yielder};

use crate::log::say;
use crate::{Finally, Log};

type Body = Generator<Option<i32>, &'static str, ()>;

#[derive(Debug)]
struct KeyError(&'static str);

#[derive(Debug)]
struct ValueError(&'static str);

fn body(log: &Log, name: &'static str) -> Body {
    let log = log.clone();
    Generator::new(move |y: &Yielder<Option<i32>, &'static str>| {
        say!(log, "{name}: started");
        let _finally = Finally(|| say!(log, "{name}: finally"));
        loop {
            match y.yield_caught("waiting") {
                Ok(None) => say!(log, "{name}: got None"),
                Ok(Some(got)) => say!(log, "{name}: got {got}"),
                Err(raised) => match raised.downcast::<KeyError>() {
                    Ok(err) => say!(log, "{name}: caught key error {}, going on", err.0),
                    Err(other) => other.resume(),
                },
            }
        }
    })
}

/// What a call came to: a value, nothing, or the name of what it raised.
type Outcome = Result<Option<&'static str>, &'static str>;

fn attempt(log: &Log, label: &str, outcome: Outcome) {
    match outcome {
        Ok(value) => say!(log, "{label}: returned {}", value.unwrap_or("nothing")),
        Err(name) => say!(log, "{label}: raised {name}"),
    }
}

fn next(mut generator: &Body) -> Outcome {
    match generator.next() {
        Some(value) => Ok(Some(value)),
        None => Err("StopIteration"),
    }
}

fn send(generator: &Body, value: i32) -> Outcome {
    match generator.try_send(Some(value)) {
        Ok(GeneratorState::Yielded(out)) => Ok(Some(out)),
        Ok(GeneratorState::Complete(())) | Err(ResumeError::Finished(_)) => Err("StopIteration"),
        Err(ResumeError::NotStarted(Some(back))) if back == value => Err("TypeError"),
        Err(other) => panic!("{other:?}"),
    }
}

fn throw_key_error(generator: &Body, argument: &'static str) -> Outcome {
    match generator.try_throw(KeyError(argument)) {
        Ok(state) => state.yielded().map(Some).ok_or("StopIteration"),
        Err(KeyError(back)) if back == argument => Err("KeyError"),
        Err(other) => panic!("{other:?}"),
    }
}

fn throw_value_error(generator: &Body, argument: &'static str) -> Outcome {
    match generator.try_throw(ValueError(argument)) {
        Ok(state) => state.yielded().map(Some).ok_or("StopIteration"),
        Err(ValueError(back)) if back == argument => Err("ValueError"),
        Err(other) => panic!("{other:?}"),
    }
}

fn close(generator: &Body) -> Outcome {
    Ok(generator.close().map(|()| "a value"))
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    let first = body(&log, "first");
    attempt(&log, "prime", next(&first));
    attempt(&log, "throw handled error", throw_key_error(&first, "a"));
    attempt(&log, "send after handled error", send(&first, 5));
    attempt(
        &log,
        "throw unhandled error",
        throw_value_error(&first, "b"),
    );
    attempt(&log, "next on finished", next(&first));
    attempt(&log, "send to finished", send(&first, 6));
    attempt(&log, "throw into finished", throw_key_error(&first, "c"));
    let second = body(&log, "second");
    attempt(&log, "send value to unstarted", send(&second, 7));
    attempt(&log, "send nothing to unstarted", next(&second));
    attempt(&log, "close suspended", close(&second));
    attempt(&log, "send to closed", send(&second, 8));
    let third = body(&log, "third");
    attempt(&log, "close unstarted", close(&third));
    attempt(&log, "next after close", next(&third));
    let fourth = body(&log, "fourth");
    attempt(&log, "throw into unstarted", throw_key_error(&fourth, "d"));
    attempt(&log, "next after that throw", next(&fourth));
    log.assert_says(include_str!("python/02_generator_throw_close.out"));
}
