//! Makes a program of a seed.
//!
//! Each program has a taste of its own: some kinds of steps are left out of it and others come often, because faults want a few kinds that meet again and again rather than a
//! little of everything. Limits are small numbers, so that deadlines meet too.

use std::rc::Rc;

use fastrand::Rng;

use crate::program::{Body, How, Millis, Objects, Op, Program, Step, Then};

/// Steps of a program, at most.
const MOST_STEPS: usize = 40;

/// Green threads of a program, at most.
const MOST_THREADS: usize = 8;

/// How deep bodies are nested, at most.
const DEEPEST: usize = 5;

/// Makes one kind of step.
type Make = fn(&mut Maker) -> Op;

/// The kinds, and how often each comes beside the others.
const KINDS: &[(u32, Make)] = &[
    (6, |m| Op::Sleep(m.millis())),
    (6, |_| Op::Yield),
    (2, |_| Op::Checkpoint),
    (8, |m| Op::Lock(m.below(m.objects.mutexes), m.how(), m.body())),
    (8, Maker::acquire),
    (10, |m| Op::Send(m.channel(), m.how())),
    (10, |m| Op::Recv(m.channel(), m.how())),
    (1, |m| Op::DropSender(m.channel())),
    (1, |m| Op::DropReceiver(m.channel())),
    (4, |m| Op::Set(m.below(m.objects.events))),
    (2, |m| Op::Clear(m.below(m.objects.events))),
    (5, |m| Op::Await(m.below(m.objects.events), m.how())),
    (7, |m| Op::Timeout(m.millis(), m.body())),
    (3, |m| Op::Shield(m.body())),
    (4, |m| Op::Catch(m.then(), m.body())),
    (2, |m| Op::CatchPanic(m.body())),
    (14, Maker::spawn),
    (8, |m| Op::Scope(m.body())),
    (10, Maker::child),
    (2, |_| Op::CancelScope),
    (7, |m| Op::Join(m.name(), m.how())),
    (7, |m| Op::Cancel(m.name())),
    (1, |m| Op::IsFinished(m.name())),
    (2, |_| Op::Panic),
    (1, |_| Op::Fail),
];

/// Makes the program of this seed.
pub(crate) fn program(seed: u64) -> Program {
    let mut rng = Rng::with_seed(seed);
    let objects = objects(&mut rng);
    let taste = taste(&mut rng);
    let left = rng.usize(3..=MOST_STEPS);
    let mut maker = Maker {
        rng,
        objects,
        taste,
        left,
        threads: 0,
        depth: 0,
    };
    let mut main = Vec::new();
    while maker.left > 0 {
        maker.step_into(&mut main);
    }
    let mut program = Program {
        objects: maker.objects,
        shuffles: vec![seed],
        main: Rc::new(main),
    };
    program.number();
    program.name_threads(maker.threads);
    program
}

fn objects(rng: &mut Rng) -> Objects {
    let count = |rng: &mut Rng| rng.usize(1..=2);
    Objects {
        mutexes: count(rng),
        semaphores: (0..count(rng)).map(|_| rng.usize(1..=3)).collect(),
        channels: (0..count(rng)).map(|_| capacity(rng)).collect(),
        events: count(rng),
    }
}

fn capacity(rng: &mut Rng) -> Option<usize> {
    match rng.u8(0..8) {
        0 => None,
        1..=3 => Some(0),
        4..=6 => Some(1),
        _ => Some(2),
    }
}

/// How often each kind comes in this program.
fn taste(rng: &mut Rng) -> Vec<u32> {
    let often = |rng: &mut Rng| *rng.choice(&[0, 1, 1, 2, 4]).expect("there are some");
    KINDS.iter().map(|(weight, _)| weight * often(rng)).collect()
}

/// What is used up while a program is made.
struct Maker {
    /// Where the choices come from.
    rng: Rng,

    /// What there is.
    objects: Objects,

    /// How often each kind comes.
    taste: Vec<u32>,

    /// How many steps there may still be.
    left: usize,

    /// How many green threads there are.
    threads: usize,

    /// How many bodies the next step is inside of.
    depth: usize,
}

impl Maker {
    fn step_into(&mut self, body: &mut Vec<Step>) {
        self.left = self.left.saturating_sub(1);
        let op = self.op();
        body.push(Step(0, op));
    }

    fn op(&mut self) -> Op {
        let all: u32 = self.taste.iter().sum();
        let mut at = self.rng.u32(0..all.max(1));
        for (place, weight) in self.taste.iter().enumerate() {
            if at < *weight {
                return KINDS[place].1(self);
            }
            at -= weight;
        }
        Op::Yield
    }

    fn body(&mut self) -> Body {
        let mut body = Vec::new();
        if self.depth < DEEPEST {
            self.depth += 1;
            let most = self.rng.usize(1..=6).min(self.left);
            for _ in 0..most {
                if self.left > 0 {
                    self.step_into(&mut body);
                }
            }
            self.depth -= 1;
        }
        Rc::new(body)
    }

    fn spawn(&mut self) -> Op {
        match self.new_thread() {
            Some(number) => Op::Spawn(number, self.body()),
            None => Op::Yield,
        }
    }

    fn child(&mut self) -> Op {
        match self.new_thread() {
            Some(number) => Op::Child(number, self.body()),
            None => Op::Yield,
        }
    }

    fn new_thread(&mut self) -> Option<usize> {
        self.threads += usize::from(self.threads < MOST_THREADS);
        (self.threads < MOST_THREADS).then_some(self.threads)
    }

    fn acquire(&mut self) -> Op {
        let place = self.below(self.objects.semaphores.len());
        let most = self.objects.semaphores[place];
        let count = self.rng.usize(1..=most);
        Op::Acquire(place, count, self.how(), self.body())
    }

    fn channel(&mut self) -> usize {
        self.below(self.objects.channels.len())
    }

    /// Any number; it names a green thread when all are known.
    fn name(&mut self) -> usize {
        self.rng.usize(0..1000)
    }

    fn below(&mut self, count: usize) -> usize {
        self.rng.usize(0..count)
    }

    fn millis(&mut self) -> Millis {
        self.rng.u64(1..=6)
    }

    fn how(&mut self) -> How {
        match self.rng.u8(0..6) {
            0 => How::Try,
            1 | 2 => How::Within(self.millis()),
            _ => How::Wait,
        }
    }

    fn then(&mut self) -> Then {
        if self.rng.bool() {
            Then::GoOn
        } else {
            Then::Resume
        }
    }
}
