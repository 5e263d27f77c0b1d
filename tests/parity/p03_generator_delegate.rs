//! Delegation passes sends and throws straight to the inner generator and its return value to the outer one.

use greenthread::generator::{Generator, Yielder};

use crate::Log;
use crate::log::say;

/// Receives a number or nothing, yields text, returns a number.
type Numbers = Generator<Option<i32>, String, i32>;

struct LookupError;

fn averager(log: &Log, name: &'static str) -> Numbers {
    let log = log.clone();
    Generator::new(move |y: &Yielder<Option<i32>, String>| {
        let mut numbers = Vec::new();
        say!(log, "{name}: open");
        loop {
            match y.yield_caught(numbers.len().to_string()) {
                Err(raised) => match raised.downcast::<LookupError>() {
                    Ok(LookupError) => {
                        say!(log, "{name}: told to forget");
                        numbers.clear();
                    }
                    Err(other) => other.resume(),
                },
                Ok(None) => {
                    say!(log, "{name}: done");
                    return numbers.iter().sum();
                }
                Ok(Some(x)) => numbers.push(x),
            }
        }
    })
}

fn outer(log: &Log) -> Numbers {
    let log = log.clone();
    Generator::new(move |y: &Yielder<Option<i32>, String>| {
        let a = y.yield_from(&averager(&log, "a"));
        say!(log, "outer: a returned {a}");
        let b = y.yield_from(&averager(&log, "b"));
        say!(log, "outer: b returned {b}");
        let () = y.yield_all(["plain", "list"].map(String::from));
        say!(log, "outer: the plain iterator returned nothing");
        a + b
    })
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    let g = outer(&log);
    let reply = |reply: String| say!(log, "reply {reply}");
    reply(g.start().unwrap_yielded());
    reply(g.send(Some(10)).unwrap_yielded());
    reply(g.send(Some(20)).unwrap_yielded());
    reply(g.send(None).unwrap_yielded());
    reply(g.send(Some(1)).unwrap_yielded());
    reply(g.throw(LookupError).unwrap_yielded());
    reply(g.send(Some(5)).unwrap_yielded());
    reply(g.send(None).unwrap_yielded());
    reply((&g).next().expect("one more of the list"));
    if let Some(value) = g.send(None).complete() {
        say!(log, "outer returned {value}");
    }
    log.assert_says(include_str!("python/03_generator_delegate.out"));
}
