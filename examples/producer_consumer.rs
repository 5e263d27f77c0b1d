//! The classic: a generator that consumes what it is sent and answers each time.
//!
//! Reads line by line beside `tests/parity/python/01_generator_consumer.py` and prints the same. Run it with
//! `cargo run --example producer_consumer`.

use std::cell::Cell;

use greenthread::generator::{Generator, ResumeError, Yielder};

fn consumer() -> Generator<i32, String, ()> {
    Generator::new(|y: &Yielder<i32, String>| {
        let total = Cell::new(0);
        let mut reply = String::from("ready");
        println!("consumer: started");
        let _finally = Finally(|| println!("consumer: cleaning up with sum {}", total.get()));
        loop {
            let x = y.yield_(reply);
            total.set(total.get() + x);
            println!("consumer: received {x}");
            reply = format!("sum so far {}", total.get());
        }
    })
}

fn producer(target: &Generator<i32, String, ()>) {
    println!(
        "producer: first reply is {}",
        target.start().unwrap_yielded()
    );
    for number in [1, 2, 3] {
        println!("producer: sending {number}");
        let answer = target.send(number).unwrap_yielded();
        println!("producer: answer is {answer}");
    }
    target.close();
    println!("producer: closed the consumer");
}

fn main() {
    let c = consumer();
    println!("main: created, the body has not run");
    producer(&c);
    if let Err(ResumeError::Finished(_)) = c.try_send(0) {
        println!("main: nothing left to receive");
    }
    c.close();
    println!("main: a second close does nothing");
}

/// Python's `finally`: does its work however the block is left, by a close too.
struct Finally<F: Fn()>(F);

impl<F: Fn()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
