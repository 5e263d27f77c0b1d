//! A consumer generator receives each sent value from its yield and answers with the value it yields next.

use std::cell::Cell;

use greenthread::generator::{Generator, ResumeError, Yielder};

use crate::log::say;
use crate::{Finally, Log};

fn consumer(log: Log) -> Generator<i32, String, ()> {
    Generator::new(move |y: &Yielder<i32, String>| {
        let total = Cell::new(0);
        let mut reply = String::from("ready");
        say!(log, "consumer: started");
        let _finally = Finally(|| say!(log, "consumer: cleaning up with sum {}", total.get()));
        loop {
            let x = y.yield_(reply);
            total.set(total.get() + x);
            say!(log, "consumer: received {x}");
            reply = format!("sum so far {}", total.get());
        }
    })
}

fn producer(log: &Log, target: &Generator<i32, String, ()>) {
    let first = target.start().unwrap_yielded();
    say!(log, "producer: first reply is {first}");
    for number in [1, 2, 3] {
        say!(log, "producer: sending {number}");
        let answer = target.send(number).unwrap_yielded();
        say!(log, "producer: answer is {answer}");
    }
    target.close();
    say!(log, "producer: closed the consumer");
}

#[test]
#[apply(on_workers)]
fn says_what_python_says() {
    let log = Log::new();
    let c = consumer(log.clone());
    say!(log, "main: created, the body has not run");
    producer(&log, &c);
    if let Err(ResumeError::Finished(0)) = c.try_send(0) {
        say!(log, "main: nothing left to receive");
    }
    c.close();
    say!(log, "main: a second close does nothing");
    log.assert_says(include_str!("python/01_generator_consumer.out"));
}
