//! Makes a program of a seed.
//!
//! Each program has a taste of its own: most objects are left out of it and a few come often, because faults want a few kinds of steps that meet again and again rather than a
//! little of everything. Limits are small numbers, so that deadlines meet too. The root starts a few green threads, does not wait for ever as often as they do, and asks some of
//! them to end.

mod kinds;

use fastrand::Rng;

use crate::objects;
use crate::program::{Arm, Body, How, Millis, Objects, Op, Program, Step, Then, Until};
use kinds::About::{Lives, Object, Time};
use kinds::{GENERATORS, KINDS, Kind, OBJECTS};

/// Green threads of a program, at most.
const MOST_THREADS: usize = 8;

/// How deep bodies are nested, at most.
const DEEPEST: usize = 6;

/// Makes the program of this seed.
pub(crate) fn program(seed: u64) -> Program {
    let mut rng = Rng::with_seed(seed);
    let objects = objects::any(&mut rng);
    let taste = taste(&mut rng);
    let has_zero = rng.u8(0..8) == 0;
    let mut maker = Maker {
        rng,
        objects,
        taste,
        left: 0,
        threads: 0,
        depth: 0,
        has_zero,
        is_root: true,
        is_generator: false,
        is_last: false,
    };
    let main = maker.main();
    let mut program = Program {
        objects: maker.objects,
        shuffles: vec![seed],
        main: Body::new(main),
    };
    program.number();
    program.name_all();
    program
}

/// How often each kind comes in this program.
fn taste(rng: &mut Rng) -> Vec<u32> {
    let (first, second) = (rng.usize(0..OBJECTS), rng.usize(0..OBJECTS));
    let lives = *rng.choice(&[1, 2, 2, 4]).expect("there are some");
    let often = |kind: &Kind| {
        let much = match kind.about {
            Time => 3,
            Lives => lives * *rng.choice(&[0, 1, 1, 2]).expect("there are some"),
            Object(object) if object == first => 8,
            Object(object) if object == second => 4,
            Object(_) => 0,
        };
        kind.weight * much
    };
    KINDS.iter().map(often).collect()
}

/// What is used up while a program is made.
struct Maker {
    /// Where the choices come from.
    rng: Rng,

    /// What there is.
    objects: Objects,

    /// How often each kind comes.
    taste: Vec<u32>,

    /// How many steps there may still be in the present green thread.
    left: usize,

    /// How many green threads there are.
    threads: usize,

    /// How many bodies the next step is inside of.
    depth: usize,

    /// Whether limits may be zero.
    has_zero: bool,

    /// Whether the root does the next step.
    is_root: bool,

    /// Whether a generator does.
    is_generator: bool,

    /// Whether it is done when a body is left: then it is short and waits for ever for nothing.
    is_last: bool,
}

impl Maker {
    /// What the root does.
    fn main(&mut self) -> Vec<Step> {
        let mut main = Vec::new();
        if self.has_taste_for(GENERATORS) {
            for _ in 0..self.rng.usize(1..=3) {
                let body = self.generator();
                main.push(Step(0, Op::Generator(0, body)));
            }
        }
        for _ in 0..self.rng.usize(1..=5) {
            let spawn = self.spawn();
            main.push(Step(0, spawn));
            self.left = self.rng.usize(0..=3);
            self.steps_into(&mut main, 2);
        }
        self.left = self.rng.usize(2..=10);
        self.steps_into(&mut main, 10);
        main
    }

    fn has_taste_for(&self, object: usize) -> bool {
        let mut kinds = KINDS.iter().zip(&self.taste);
        kinds.any(|(kind, often)| kind.about == Object(object) && *often > 0)
    }

    fn steps_into(&mut self, body: &mut Vec<Step>, most: usize) {
        for _ in 0..most {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let op = self.op();
            body.push(Step(0, op));
        }
    }

    fn op(&mut self) -> Op {
        let all: u32 = self.taste.iter().sum();
        let mut at = self.rng.u32(0..all);
        for (place, weight) in self.taste.iter().enumerate() {
            if at < *weight {
                let op = (KINDS[place].make)(self);
                return if self.is_last { short(op) } else { op };
            }
            at -= weight;
        }
        Op::Yield
    }

    fn body(&mut self) -> Body {
        let mut body = Vec::new();
        if self.depth < DEEPEST && !self.is_last {
            self.depth += 1;
            let most = self.rng.usize(1..=5);
            self.steps_into(&mut body, most);
            self.depth -= 1;
        }
        Body::new(body)
    }

    /// What another green thread does.
    fn other(&mut self) -> Body {
        let (left, was_root, was_generator) = (self.left, self.is_root, self.is_generator);
        self.left = self.rng.usize(1..=10);
        (self.is_root, self.is_generator) = (false, false);
        let mut body = Vec::new();
        if !self.is_last {
            self.depth += 1;
            self.steps_into(&mut body, 10);
            self.depth -= 1;
        }
        (self.left, self.is_root, self.is_generator) = (left, was_root, was_generator);
        Body::new(body)
    }

    fn generator(&mut self) -> Body {
        if self.depth == DEEPEST {
            return Body::default();
        }
        let (left, was_generator) = (self.left, self.is_generator);
        self.left = self.rng.usize(2..=10);
        self.is_generator = true;
        let mut body = Vec::new();
        self.steps_into(&mut body, 10);
        (self.left, self.is_generator) = (left, was_generator);
        Body::new(body)
    }

    fn yield_out(&mut self) -> Op {
        if self.is_generator {
            Op::YieldOut
        } else {
            Op::Drive(self.name())
        }
    }

    /// What is done when a body is left.
    fn last_words(&mut self) -> Body {
        let mut body = Vec::new();
        if !self.is_last {
            self.is_last = true;
            self.left += 2;
            let most = self.rng.usize(1..=2);
            self.steps_into(&mut body, most);
            self.left = self.left.saturating_sub(2);
            self.is_last = false;
        }
        Body::new(body)
    }

    fn spawn(&mut self) -> Op {
        if self.may_start() {
            Op::Spawn(0, self.other())
        } else {
            Op::Yield
        }
    }

    fn child(&mut self) -> Op {
        if self.may_start() {
            Op::Child(0, self.other())
        } else {
            Op::Yield
        }
    }

    fn race(&mut self) -> Op {
        let most = if self.depth < DEEPEST {
            self.rng.usize(1..=3)
        } else {
            0
        };
        let mut children = Vec::new();
        for _ in 0..most {
            let child = self.child();
            children.push(Step(0, child));
        }
        Op::Race(Body::new(children))
    }

    fn wait_many(&mut self) -> Op {
        let until = *self
            .rng
            .choice(&[Until::First, Until::FirstError, Until::All])
            .expect("some");
        let limit = match self.how() {
            How::Within(limit) => Some(limit),
            How::Wait | How::Try => None,
        };
        Op::WaitMany(self.name(), self.rng.usize(1..=3), until, limit)
    }

    fn may_start(&mut self) -> bool {
        let may = self.threads < MOST_THREADS && self.depth < DEEPEST && !self.is_last;
        self.threads += usize::from(may);
        may
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

    fn select(&mut self) -> Op {
        let arms = (0..self.rng.usize(1..=3)).map(|_| {
            let channel = self.channel();
            match self.rng.u8(0..5) {
                0 | 1 => Arm::Send(channel),
                2 | 3 => Arm::Recv(channel),
                _ => Arm::After(self.millis()),
            }
        });
        Op::Select(arms.collect(), self.how())
    }

    fn broadcast(&mut self) -> usize {
        self.below(self.objects.broadcasts.len())
    }

    fn watch(&mut self) -> usize {
        self.below(self.objects.watches)
    }

    fn queue(&mut self) -> usize {
        self.below(self.objects.queues.len())
    }

    /// Any number; it names somebody when all are known.
    fn name(&mut self) -> usize {
        self.rng.usize(0..1000)
    }

    fn below(&mut self, count: usize) -> usize {
        self.rng.usize(0..count)
    }

    fn millis(&mut self) -> Millis {
        if self.has_zero && self.rng.u8(0..3) == 0 {
            return 0;
        }
        *self
            .rng
            .choice(&[1, 1, 1, 2, 2, 3, 4, 6])
            .expect("there are some")
    }

    fn how(&mut self) -> How {
        match self.rng.u8(0..8) {
            0 => How::Try,
            1 | 2 => How::Within(self.millis()),
            3..=6 if self.is_root || self.is_last => How::Within(self.millis()),
            _ if self.is_last => How::Try,
            _ => How::Wait,
        }
    }

    /// The same for what cannot be tried.
    fn how_long(&mut self) -> How {
        match self.how() {
            How::Try => How::Within(1),
            how => how,
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

/// What may be done when a body is left, for it may unwind: nothing that panics, enters something or yields.
fn short(op: Op) -> Op {
    match op {
        Op::Panic
        | Op::Fail
        | Op::YieldOut
        | Op::Drive(_)
        | Op::Close(_)
        | Op::WaitCond(..)
        | Op::Gather(..)
        | Op::WaitMany(..)
        | Op::SetNext
        | Op::Throw(_)
        | Op::Delegate(_)
        | Op::AsCompleted(..)
        | Op::Show(_)
        | Op::SetOnce(_)
        | Op::Join(..) => Op::Yield,
        op if op.body().is_some() && !matches!(op, Op::Lock(..)) => Op::Sleep(1),
        op => op,
    }
}
