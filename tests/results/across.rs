//! Several OS threads: whoever waits, and whoever ends, may be anywhere.

use std::sync::mpsc;
use std::thread;

use greenthread::{
    JoinHandle, Spawner, WaitFor, as_completed, gather, park, spawn, try_gather, wait, wait_until,
};

/// OS threads that run what they are sent, until this is dropped.
struct Elsewhere {
    /// One for each.
    spawners: Vec<Spawner>,

    /// Ends the root of each.
    ends: Vec<greenthread::GreenThread>,

    /// To wait for their ends.
    threads: Vec<thread::JoinHandle<()>>,
}

impl Elsewhere {
    fn new(count: usize) -> Self {
        let mut new = Elsewhere {
            spawners: Vec::new(),
            ends: Vec::new(),
            threads: Vec::new(),
        };
        for _ in 0..count {
            let (tell, told) = mpsc::channel();
            new.threads.push(thread::spawn(move || {
                let root = greenthread::current();
                tell.send((Spawner::current(), root)).unwrap();
                park();
            }));
            let (spawner, root) = told.recv().unwrap();
            new.spawners.push(spawner);
            new.ends.push(root);
        }
        new
    }

    /// `count` green threads that give their numbers, on all of these OS threads in turn.
    fn numbers(&self, count: usize) -> Vec<JoinHandle<usize>> {
        let spawners = self.spawners.iter().cycle().take(count);
        let numbered = spawners.enumerate();
        numbered
            .map(|(n, spawner)| spawner.spawn(move || n))
            .collect()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        for root in &self.ends {
            root.unpark();
        }
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

#[test]
#[apply(on_workers)]
fn members_on_other_os_threads_are_gathered_by_a_root_a_green_thread_and_a_plain_os_thread() {
    let elsewhere = Elsewhere::new(2);
    let expected: Vec<usize> = (0..100).collect();
    let all = |members| -> Vec<usize> { gather(members).into_iter().map(Result::unwrap).collect() };
    assert_eq!(all(elsewhere.numbers(100)), expected);
    let members = elsewhere.numbers(100);
    assert_eq!(spawn(move || all(members)).join().unwrap(), expected);
    let members = elsewhere.numbers(100);
    assert_eq!(
        thread::spawn(move || all(members)).join().unwrap(),
        expected
    );
}

#[test]
#[apply(on_workers)]
fn as_completed_and_wait_take_members_from_here_and_elsewhere() {
    let elsewhere = Elsewhere::new(2);
    for _ in 0..50 {
        let mut members = elsewhere.numbers(9);
        members.push(spawn(|| 9));
        let mut values: Vec<usize> = as_completed(members).map(Result::unwrap).collect();
        values.sort_unstable();
        assert_eq!(values, (0..10).collect::<Vec<_>>());
        let waited = wait(elsewhere.numbers(5), WaitFor::First, None);
        assert!(!waited.done.is_empty());
        let waited = wait(
            waited.pending.into_iter().chain(waited.done),
            WaitFor::All,
            None,
        );
        assert_eq!((waited.done.len(), waited.pending.len()), (5, 0));
        let waited = wait_until(waited.done, |result| matches!(result, Ok(3)), None);
        assert_eq!(waited.done.len(), 5);
    }
}

#[test]
#[apply(on_workers)]
fn l19_members_whose_os_thread_goes_away_end_every_wait_for_many() {
    let (tell, told) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let leaving = thread::spawn(move || {
        let members = [(); 4].map(|()| spawn(park));
        greenthread::yield_now();
        tell.send(members).unwrap();
        // Nothing runs here meanwhile: this OS thread waits, not its root.
        may_go.recv().unwrap();
    });
    let [a, b, c, d] = told.recv().unwrap();
    let gathering = thread::spawn(move || gather([a, b]));
    let waiting = spawn(move || {
        let mut set = as_completed([c, d]);
        greenthread::current().unpark();
        park();
        [set.next(), set.next()].map(|result| result.unwrap().unwrap_err().is_abandoned())
    });
    greenthread::yield_now();
    go.send(()).unwrap();
    leaving.join().unwrap();
    assert_eq!(waiting.join().unwrap(), [true; 2]);
    for result in gathering.join().unwrap() {
        assert!(result.unwrap_err().is_abandoned());
    }
}

#[test]
#[apply(on_workers)]
fn l19_members_that_were_left_behind_before_count_as_ended() {
    let members = thread::spawn(|| [(); 2].map(|()| spawn(park)))
        .join()
        .unwrap();
    let mut seen = 0;
    let stop = |result: &Result<(), greenthread::JoinError>| {
        seen += usize::from(result.as_ref().unwrap_err().is_abandoned());
        false
    };
    let waited = wait_until(members, stop, None);
    assert_eq!((waited.done.len(), seen), (2, 2));
    let waited = wait(waited.done, WaitFor::FirstError, None);
    assert!(gather(waited.done).iter().all(Result::is_err));
}

#[test]
#[apply(on_workers)]
fn try_gather_hears_of_an_error_elsewhere_while_others_run_on() {
    let elsewhere = Elsewhere::new(2);
    let long = elsewhere.spawners[0].spawn(|| {
        park();
        Ok::<_, greenthread::JoinError>(1)
    });
    let bad = elsewhere.spawners[1].spawn(|| std::panic::resume_unwind(Box::new("bad")));
    let mut failed = try_gather([long, bad]).unwrap_err();
    assert!(failed.error.is_panic());
    assert_eq!((failed.index, failed.rest.len()), (1, 1));
    let (index, long) = failed.rest.remove(0);
    long.thread().unpark();
    assert_eq!((index, long.join().unwrap().unwrap()), (0, 1));
}

#[test]
#[apply(on_workers)]
fn ends_and_cancelled_waits_that_meet_across_os_threads_lose_no_result() {
    let elsewhere = Elsewhere::new(1);
    for round in 0..300 {
        let (tell, told) = mpsc::channel();
        let member = elsewhere.spawners[0].spawn(move || {
            told.recv().unwrap();
            round
        });
        let taking = spawn(move || {
            let mut completed = as_completed([member]);
            let caught = greenthread::catch_cancel(|| completed.next());
            match caught {
                Ok(result) => result.unwrap().unwrap(),
                Err(_) => completed.next().unwrap().unwrap(),
            }
        });
        greenthread::yield_now();
        tell.send(()).unwrap();
        taking.cancel();
        match taking.join() {
            Ok(value) => assert_eq!(value, round),
            // It had the result when the request came, which then met its own end.
            Err(error) => panic!("{error}"),
        }
    }
}
