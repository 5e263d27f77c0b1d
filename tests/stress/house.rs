//! Where games are played: the workers, the plain OS threads, and the seats at them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use greenthread::channel::{Receiver, Sender, oneshot, unbounded};
use greenthread::{JoinHandle, Runtime, Spawner, gather, run, spawn, spawn_anywhere};

use crate::games;
use crate::player::Player;
use crate::progress::Progress;
use crate::random::Random;

/// OS threads that run green threads only.
pub(crate) const WORKERS: usize = 4;

/// OS threads of std's, with work on their roots and green threads beside it.
const PLAIN: usize = 4;

/// What the root of a plain OS thread does next.
type Job = Box<dyn FnOnce() + Send>;

/// All OS threads.
pub(crate) struct House {
    /// What was played.
    pub(crate) progress: Arc<Progress>,

    /// The way to each worker, then to each plain OS thread.
    spawners: Vec<Spawner>,

    /// The way to each plain OS thread's root.
    roots: Vec<Sender<Job>>,

    /// The plain OS threads.
    plain: Vec<thread::JoinHandle<()>>,
}

/// Where a player sits.
enum Seat {
    /// On whichever worker is free.
    Anywhere,

    /// Beside whoever spawns it.
    Here,

    /// On this worker, or this plain OS thread.
    At(usize),

    /// It is the root of this plain OS thread.
    Root(usize),
}

impl House {
    pub(crate) fn open(runtime: &Runtime, progress: &Arc<Progress>) -> House {
        let on_workers = gather(runtime.run_on_each(|_| Spawner::current()));
        let mut spawners: Vec<_> = on_workers.into_iter().map(Result::unwrap).collect();
        let (mut roots, mut plain) = (Vec::new(), Vec::new());
        for number in 0..PLAIN {
            let (tell, told) = oneshot();
            let (root, jobs) = unbounded();
            plain.push(thread::spawn(move || live(number, tell, &jobs)));
            spawners.push(told.recv().unwrap());
            roots.push(root);
        }
        House {
            progress: Arc::clone(progress),
            spawners,
            roots,
            plain,
        }
    }

    /// Plays game after game.
    pub(crate) fn table(&self) -> JoinHandle<()> {
        let progress = Arc::clone(&self.progress);
        let (spawners, roots) = (self.spawners.clone(), self.roots.clone());
        spawn_anywhere(move || {
            while let Some(number) = progress.begin() {
                let game = Game::new(number, &progress, &spawners, &roots);
                games::play(&game);
                progress.end(number);
            }
        })
    }

    /// All games have ended.
    pub(crate) fn close(self) {
        drop(self.roots);
        for plain in self.plain {
            plain.join().unwrap();
        }
    }
}

/// What a plain OS thread does: with an orderly end every other time.
fn live(number: usize, tell: oneshot::Sender<Spawner>, jobs: &Receiver<Job>) {
    let work = || {
        assert!(tell.send(Spawner::current()).is_ok());
        jobs.iter().for_each(|job| job());
    };
    if number.is_multiple_of(2) {
        run(work)
    } else {
        work()
    }
}

/// One game under way.
pub(crate) struct Game<'a> {
    /// Its number.
    pub(crate) number: u64,

    /// What it is made of.
    pub(crate) random: Random,

    /// Where counts go.
    progress: &'a Arc<Progress>,

    /// Those of the house.
    spawners: &'a [Spawner],

    /// Those of the house.
    roots: &'a [Sender<Job>],

    /// Whether one of its players is a root. A second one could wait for a seat that is taken by another game's, and that one for this.
    has_root: Cell<bool>,
}

impl<'a> Game<'a> {
    fn new(
        number: u64,
        progress: &'a Arc<Progress>,
        spawners: &'a [Spawner],
        roots: &'a [Sender<Job>],
    ) -> Self {
        Game {
            number,
            random: Random::new(
                progress
                    .seed
                    .wrapping_add(number.wrapping_mul(0x1_0000_0001)),
            ),
            progress,
            spawners,
            roots,
            has_root: Cell::new(false),
        }
    }

    /// A seat for one more.
    fn seat(&self) -> Seat {
        match self.random.below(10) {
            0..3 => Seat::Anywhere,
            3..5 => Seat::Here,
            9 if !self.has_root.replace(true) => {
                Seat::Root(self.random.below(PLAIN as u64) as usize)
            }
            _ => Seat::At(self.random.below(self.spawners.len() as u64) as usize),
        }
    }

    /// Seats a player, who does `part`.
    pub(crate) fn player(&self, part: impl FnOnce(&Player) -> u64 + Send + 'static) -> Hand {
        match self.seat() {
            Seat::Root(number) => self.root(number, part),
            seat => Hand::Green(self.green(seat, part)),
        }
    }

    /// The same, on a green thread.
    pub(crate) fn green_player(
        &self,
        part: impl FnOnce(&Player) -> u64 + Send + 'static,
    ) -> JoinHandle<u64> {
        let had_root = self.has_root.replace(true);
        let seat = self.seat();
        self.has_root.set(had_root);
        self.green(seat, part)
    }

    fn green(
        &self,
        seat: Seat,
        part: impl FnOnce(&Player) -> u64 + Send + 'static,
    ) -> JoinHandle<u64> {
        let part = self.counted(part);
        match seat {
            Seat::Here => spawn(part),
            Seat::At(number) => self.spawners[number].spawn(part),
            _ => spawn_anywhere(part),
        }
    }

    fn root(&self, number: usize, part: impl FnOnce(&Player) -> u64 + Send + 'static) -> Hand {
        let (tell, told) = oneshot();
        let part = self.counted(part);
        let job: Job = Box::new(move || {
            drop(tell.send(catch_unwind(AssertUnwindSafe(part))));
        });
        assert!(self.roots[number].send(job).is_ok());
        Hand::Root(told)
    }

    /// With a player, whose counts are added when it ends.
    fn counted<F>(&self, part: F) -> impl FnOnce() -> u64 + Send + use<F>
    where
        F: FnOnce(&Player) -> u64 + Send + 'static,
    {
        let (random, progress) = (self.random.fork(), Arc::clone(self.progress));
        move || {
            let player = Player::new(random);
            let value = part(&player);
            let (wakes, cut_short) = player.counts();
            progress.add(wakes, cut_short);
            value
        }
    }

    /// The game's own player: whoever sits at the table.
    pub(crate) fn by_itself<T>(&self, part: impl FnOnce(&Player) -> T) -> T {
        let player = Player::new(self.random.fork());
        let value = part(&player);
        let (wakes, cut_short) = player.counts();
        self.progress.add(wakes, cut_short);
        value
    }
}

/// A player who has begun.
pub(crate) enum Hand {
    /// On a green thread.
    Green(JoinHandle<u64>),

    /// On a root.
    Root(oneshot::Receiver<thread::Result<u64>>),
}

impl Hand {
    /// What came of it.
    pub(crate) fn end(self) -> u64 {
        match self {
            Hand::Green(handle) => handle.join().unwrap(),
            Hand::Root(told) => match told.recv().expect("a root tells") {
                Ok(value) => value,
                Err(panic) => resume_unwind(panic),
            },
        }
    }
}

/// The sum of what came of all.
pub(crate) fn sum(hands: Vec<Hand>) -> u64 {
    hands.into_iter().map(Hand::end).sum()
}
