//! A generator may sleep between items, closing it runs its cleanup on an early break, and send and throw work.
//!
//! There is one kind of generator: a wait point inside parks whoever drives it.

use greenthread::generator::{Generator, Yielder};
use greenthread::sleep;

use crate::log::say;
use crate::{Finally, Log, U, run};

type Counter = Generator<Option<&'static str>, i32, ()>;

#[derive(Debug)]
struct LookupError;

fn counter(log: &Log, limit: i32) -> Counter {
    let log = log.clone();
    Generator::new(move |y: &Yielder<Option<&'static str>, i32>| {
        let _finally = Finally(|| {
            sleep(U);
            say!(log, "generator: finally, after a sleep");
        });
        for n in 1..=limit {
            sleep(U);
            if let Some(word) = heard(y, n) {
                say!(log, "generator: heard {word}");
            }
        }
        say!(log, "generator: ran out");
    })
}

fn heard(y: &Yielder<Option<&'static str>, i32>, n: i32) -> Option<&'static str> {
    match y.yield_caught(n) {
        Ok(word) => word,
        Err(raised) => match raised.downcast::<LookupError>() {
            Ok(LookupError) => Some("an error"),
            Err(other) => other.resume(),
        },
    }
}

fn main(log: &Log) {
    for n in counter(log, 2) {
        say!(log, "main: item {n}");
    }
    let items = counter(log, 3).filter(|n| *n != 2);
    let items: Vec<String> = items.map(|n| (n * 10).to_string()).collect();
    say!(log, "main: comprehension {}", items.join(" "));
    let items = counter(log, 9);
    for n in &items {
        say!(log, "main: item {n}");
        if n == 2 {
            break;
        }
    }
    say!(log, "main: broke out");
    items.close();
    say!(log, "main: closed");
    by_hand(log, counter(log, 5));
}

fn by_hand(log: &Log, mut items: Counter) {
    say!(log, "main: first {}", items.next().unwrap());
    let item = items.send(Some("hello")).unwrap_yielded();
    say!(log, "main: after asend {item}");
    let item = items.throw(LookupError).unwrap_yielded();
    say!(log, "main: after athrow {item}");
    items.close();
    let last = items.next().map(|n| n.to_string());
    let last = last.unwrap_or_else(|| String::from("nothing left"));
    say!(log, "main: after close {last}");
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/26_async_generator.out"));
}
