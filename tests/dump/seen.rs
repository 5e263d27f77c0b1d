//! What a dump tells of each.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use greenthread::dump::{Cancel, Seen, State};
use greenthread::generator::Generator;
use greenthread::sync::{Barrier, Condvar, Event, Mutex, Queue, ReentrantMutex, RwLock, Semaphore};
use greenthread::{
    Builder, Dump, JoinHandle, Runtime, catch_cancel, channel, dump, gather, park, run, scope,
    select, shield, sleep, spawn, spawn_blocking, yield_now,
};

/// A function that a backtrace must name.
#[inline(never)]
fn parks_in_here() {
    park();
    std::hint::black_box(());
}

fn seen<'a, T>(dump: &'a Dump, of: &JoinHandle<T>) -> &'a Seen {
    dump.get(of.thread().id()).expect("it is in the dump")
}

fn functions(seen: &Seen) -> Vec<String> {
    seen.frames()
        .filter_map(|frame| frame.function.clone())
        .collect()
}

fn names(seen: &Seen, function: &str) -> bool {
    functions(seen).iter().any(|name| name.contains(function))
}

#[test]
#[apply(once)]
fn a_parked_green_thread_is_shown_with_all_that_is_known_of_it() {
    run(|| {
        let parked = Builder::new()
            .name("the \"one\"".into())
            .spawn(parks_in_here)
            .unwrap();
        yield_now();
        let dump = dump();
        let one = seen(&dump, &parked);
        assert_eq!(one.name.as_deref(), Some("the \"one\""));
        assert_eq!((one.state, one.operation), (State::Parked, Some("park")));
        assert_eq!(
            (one.cancel, one.is_root, one.is_cut),
            (Cancel::No, false, false)
        );
        assert!(one.spawned_at.file().ends_with("seen.rs"));
        assert!(one.waited.is_some());
        assert!(one.stack_size >= 64 * 1024);
        assert!((100..one.stack_size).contains(&one.stack_used.unwrap()));
        assert!(names(one, "parks_in_here"), "{:?}", functions(one));
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn one_that_has_not_begun_has_no_trace_and_one_in_line_is_ready() {
    run(|| {
        let in_line = spawn(|| {
            yield_now();
            yield_now();
        });
        yield_now();
        let asker = spawn(move || {
            let unborn = spawn(|| ());
            let dump = dump();
            let one = seen(&dump, &unborn);
            assert_eq!(one.state, State::NotStarted);
            assert_eq!((one.frames().count(), one.stack_used), (0, None));
            let one = seen(&dump, &in_line);
            assert_eq!((one.state, one.operation), (State::Ready, None));
            assert!(one.frames().count() > 3);
            unborn.join().unwrap();
            in_line.join().unwrap();
        });
        asker.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn whoever_asks_is_running_and_where_he_asks_is_in_his_trace() {
    #[inline(never)]
    fn asks_in_here() -> Dump {
        std::hint::black_box(dump())
    }
    run(|| {
        let root = asks_in_here();
        let me = root.get(greenthread::current().id()).unwrap();
        assert!(me.is_root);
        assert_eq!(
            (me.state, me.operation, me.objects.len()),
            (State::Running, None, 0)
        );
        assert!(names(me, "asks_in_here"));
        let asker = spawn(|| (greenthread::current().id(), asks_in_here()));
        let (id, dump) = asker.join().unwrap();
        assert_eq!(dump.get(id).unwrap().state, State::Running);
        assert!(names(dump.get(id).unwrap(), "asks_in_here"));
        let root = dump.get(greenthread::current().id()).unwrap();
        assert_eq!(root.operation, Some("JoinHandle::join"));
        assert_eq!(root.waits_for, [id]);
    });
}

/// Spawns one that does this, lets it park, and checks what a dump says of it.
fn parked_in(operation: &str, does: impl FnOnce() + 'static) {
    run(|| {
        let parked = spawn(does);
        for _ in 0..3 {
            yield_now();
        }
        let dump = dump();
        let one = seen(&dump, &parked);
        assert_eq!(one.state, State::Parked, "{operation}");
        assert_eq!(one.operation, Some(operation));
        assert!(one.frames().any(|frame| !frame.is_ours), "{operation}");
        parked.cancel();
        let _ = parked.join();
    });
}

#[test]
#[apply(once)]
fn one_that_is_parked_in_a_lock_is_seen_there() {
    let mutex = Rc::new(Mutex::new(()));
    let held = mutex.lock();
    let wants = Rc::clone(&mutex);
    parked_in("Mutex::lock", move || drop(wants.lock()));
    drop(held);
    let lock = Arc::new(RwLock::new(()));
    let held = lock.write_owned();
    let wants = Arc::clone(&lock);
    parked_in("RwLock::read", move || drop(wants.read()));
    drop(held);
    let lock = Rc::new(ReentrantMutex::new(()));
    let held = lock.lock();
    let wants = Rc::clone(&lock);
    parked_in("ReentrantMutex::lock", move || drop(wants.lock()));
    drop(held);
    parked_in("Semaphore::acquire", || drop(Semaphore::new(0).acquire()));
    parked_in("Condvar::wait", || {
        let mutex = Mutex::new(());
        Condvar::new().wait(&mut mutex.lock());
    });
}

#[test]
#[apply(once)]
fn one_that_waits_for_an_event_or_a_message_is_seen_there() {
    parked_in("Event::wait", || Event::new().wait());
    parked_in("Barrier::wait", || assert!(Barrier::new(2).wait().is_err()));
    parked_in("Queue::get", || {
        assert!(Queue::<u8>::unbounded().get().is_err())
    });
    let (keep, receiver) = channel::unbounded::<u8>();
    parked_in("Receiver::recv", move || assert!(receiver.recv().is_err()));
    drop(keep);
    let (sender, keep) = channel::bounded(0);
    parked_in("Sender::send", move || assert!(sender.send(1).is_err()));
    drop(keep);
    parked_in("sleep", || sleep(std::time::Duration::from_secs(3600)));
    parked_in("JoinHandle::join", || drop(spawn(park).join()));
    parked_in("gather", || drop(gather([spawn(park)])));
    parked_in("end of scope", || {
        scope(|s| {
            s.spawn(park);
        });
    });
    let listener = greenthread::net::TcpListener::bind("127.0.0.1:0").unwrap();
    parked_in("TcpListener::accept", move || drop(listener.accept()));
}

#[test]
#[apply(once)]
fn one_that_waits_for_the_first_of_several_shows_them_all() {
    run(|| {
        let (keep_one, one) = channel::unbounded::<u8>();
        let (keep_two, two) = channel::unbounded::<u8>();
        let parked = spawn(move || {
            select! { recv(one) -> _ => (), recv(two) -> _ => () }
        });
        yield_now();
        let dump = dump();
        let shown = seen(&dump, &parked);
        assert_eq!(shown.operation, Some("select!"));
        assert_eq!(shown.objects.len(), 2);
        assert_ne!(shown.objects[0], shown.objects[1]);
        drop((keep_one, keep_two));
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn two_who_wait_for_the_same_thing_show_the_same_address() {
    run(|| {
        let event = Rc::new(Event::new());
        let waiters = [0, 1].map(|_| {
            let event = Rc::clone(&event);
            spawn(move || event.wait())
        });
        yield_now();
        let dump = dump();
        let [one, two] = waiters
            .each_ref()
            .map(|waiter| &seen(&dump, waiter).objects);
        assert_eq!((one, one.len()), (two, 1));
        event.set();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

#[test]
#[apply(once)]
fn a_trace_goes_through_generators_to_the_green_thread_that_drives_them() {
    #[inline(never)]
    fn drives() {
        let inner = Generator::<(), (), ()>::new(|_| parks_in_here());
        let outer = Generator::<(), (), ()>::new(move |_| {
            inner.start();
        });
        outer.start();
    }
    run(|| {
        let parked = spawn(drives);
        yield_now();
        let dump = dump();
        let functions = functions(seen(&dump, &parked));
        let place = |name: &str| {
            functions
                .iter()
                .position(|function| function.contains(name))
        };
        assert!(
            place("parks_in_here").unwrap() < place("drives").unwrap(),
            "{functions:?}"
        );
        // The trace ends with the green thread: nothing of the root that runs the loop.
        assert_eq!(
            place("a_trace_goes_through_generators_to_the_green_thread_that_drives_them::{"),
            None
        );
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_trace_goes_through_a_grown_stack() {
    run(|| {
        let parked = spawn(|| greenthread::grow(1 << 20, parks_in_here));
        yield_now();
        let dump = dump();
        assert!(names(seen(&dump, &parked), "parks_in_here"));
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_deep_stack_is_cut_and_says_so() {
    fn deep(depth: usize) {
        if depth == 0 {
            park();
        } else {
            deep(std::hint::black_box(depth - 1));
        }
        std::hint::black_box(depth);
    }
    run(|| {
        let parked = spawn(|| deep(300));
        yield_now();
        let dump = dump();
        let one = seen(&dump, &parked);
        assert!(one.is_cut && one.frames().count() >= 90);
        assert!(dump.to_string().contains("further frames are not shown"));
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_dump_while_a_stack_is_in_the_middle_of_an_unwind_leaves_the_unwind_alone() {
    struct WaitsAtDrop(Rc<Event>);
    impl Drop for WaitsAtDrop {
        fn drop(&mut self) {
            self.0.wait();
        }
    }
    run(|| {
        let event = Rc::new(Event::new());
        let waits = WaitsAtDrop(Rc::clone(&event));
        let unwinds = spawn(move || {
            let _waits = waits;
            panic!("on the way");
        });
        yield_now();
        for _ in 0..3 {
            let dump = dump();
            assert_eq!(seen(&dump, &unwinds).operation, Some("Event::wait"));
        }
        // Requests are raised in others as ever (L10).
        let other = spawn(park);
        yield_now();
        other.cancel();
        assert!(other.join().unwrap_err().is_cancelled());
        event.set();
        assert!(unwinds.join().unwrap_err().is_panic());
    });
}

#[test]
#[apply(once)]
fn a_cancellation_is_shown_pending_and_then_raised() {
    run(|| {
        let shielded = spawn(|| shield(park));
        let caught = Rc::new(RefCell::new(None));
        let keeps = Rc::clone(&caught);
        let catches = spawn(move || {
            *keeps.borrow_mut() = catch_cancel(park).err();
            park();
        });
        yield_now();
        shielded.cancel();
        catches.cancel();
        yield_now();
        let dump = dump();
        assert_eq!(seen(&dump, &shielded).cancel, Cancel::Pending);
        assert_ne!(seen(&dump, &catches).cancel, Cancel::Pending);
        caught.borrow_mut().take();
        shielded.thread().unpark();
        catches.thread().unpark();
        let _ = shielded.join();
        let _ = catches.join();
    });
}

#[test]
#[apply(once)]
fn the_text_folds_the_librarys_own_frames_and_says_what_go_says() {
    run(|| {
        let parked = Builder::new()
            .name("folded".into())
            .spawn(parks_in_here)
            .unwrap();
        yield_now();
        let text = seen(&dump(), &parked).to_string();
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        let id = parked.thread().id();
        assert!(
            first.starts_with(&format!("green thread {id} \"folded\" [park")),
            "{text}"
        );
        assert!(
            lines.next().unwrap().contains("frames of greenthread)"),
            "{text}"
        );
        assert!(text.contains("parks_in_here"), "{text}");
        assert!(
            !text.contains("switch_away") && !text.contains("corosensei"),
            "{text}"
        );
        assert!(
            text.lines().last().unwrap().starts_with("spawned at "),
            "{text}"
        );
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[cfg(feature = "symbols")]
#[test]
#[apply(once)]
fn frames_have_files_and_lines() {
    run(|| {
        let parked = spawn(parks_in_here);
        yield_now();
        let dump = dump();
        let frame = seen(&dump, &parked).frames().find(|frame| {
            frame
                .function
                .as_ref()
                .is_some_and(|name| name.contains("parks_in_here"))
        });
        let frame = frame.unwrap();
        assert!(frame.file.as_ref().unwrap().ends_with("seen.rs"));
        assert!(frame.line.unwrap() > 1 && !frame.is_ours);
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn how_long_it_has_waited_follows_the_clock_of_its_os_thread() {
    let hour = std::time::Duration::from_secs(3600);
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let parked = spawn(park);
        yield_now();
        sleep(hour);
        let dump = dump();
        let waited = seen(&dump, &parked).waited.unwrap();
        assert!(waited > hour / 2 && waited < hour * 2, "{waited:?}");
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_dump_cannot_be_cancelled() {
    run(|| {
        let done = Rc::new(Cell::new(false));
        let tell = Rc::clone(&done);
        let asker = spawn(move || {
            drop(dump());
            tell.set(true);
            park();
        });
        yield_now();
        asker.cancel();
        assert!(asker.join().unwrap_err().is_cancelled());
        assert!(done.get());
    });
}

#[test]
#[apply(once)]
fn one_that_waits_for_a_blocking_job_is_seen_there() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    run(|| {
        let job = spawn_blocking(move || wait.recv().is_err());
        let joins = spawn(move || job.join().unwrap());
        yield_now();
        let dump = dump();
        assert_eq!(seen(&dump, &joins).operation, Some("JoinHandle::join"));
        drop(go);
        joins.join().unwrap();
    });
}
