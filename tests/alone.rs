//! Deadlocks of a process that has no other OS thread (L8): without `only_our_threads`, silence is one only when every OS thread of the process is ours and asleep.
//!
//! Each scenario runs on the main thread of a process of its own, which the test harness would not leave alone: this file has none.

use std::process::{Command, Output, Stdio, exit};
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream};
use greenthread::{
    Builder, Runtime, Spawner, catch_cancel, park, run, scope, sleep, spawn, spawn_anywhere,
    spawn_blocking, yield_now,
};

/// Names the scenario that this process is to run.
const SCENARIO: &str = "GREENTHREAD_ALONE";

/// A name, what to run, and what to check of its end.
type Scenario = (&'static str, fn(), fn(&Output));

const SCENARIOS: &[Scenario] = &[
    ("l8_a_root_that_parks_alone", root_parks, is_a_deadlock),
    (
        "l8_a_root_that_joins_one_who_parks",
        root_joins,
        is_a_deadlock,
    ),
    (
        "l8_a_root_at_the_end_of_a_scope",
        scope_waits,
        is_a_deadlock,
    ),
    ("l8_a_root_inside_run", inside_run, is_a_deadlock),
    (
        "l8_after_the_last_other_os_thread_has_gone",
        others_go_late,
        is_a_deadlock,
    ),
    (
        "l8_two_of_ours_that_wait_for_each_other",
        two_of_ours,
        is_a_deadlock,
    ),
    ("l8_after_sockets_were_used", sockets_first, is_a_deadlock),
    (
        "l8_an_idle_os_thread_of_the_blocking_pool_is_no_hope",
        job_first,
        is_a_deadlock,
    ),
    (
        "l8_helpers_for_dumps_and_the_watchdog_are_no_hope",
        helpers_first,
        is_a_deadlock,
    ),
    (
        "l8_a_blocking_job_that_runs_may_still_wake_us",
        woken_by_a_job,
        succeeds,
    ),
    (
        "l8_a_listener_that_is_waited_for_is_no_deadlock",
        listener,
        succeeds,
    ),
    (
        "l8_another_os_thread_may_still_wake_us",
        woken_late,
        succeeds,
    ),
    ("l8_a_timer_is_no_deadlock", timer, succeeds),
    ("l8_a_deadlock_can_be_caught", caught, succeeds),
    (
        "l8_a_root_that_joins_one_who_parks_on_a_worker",
        root_joins_elsewhere,
        is_a_deadlock,
    ),
    (
        "l8_a_root_at_the_end_of_a_scope_with_children_on_workers",
        scope_waits_elsewhere,
        is_a_deadlock,
    ),
    (
        "l8_a_worker_that_is_busy_is_no_deadlock",
        worker_busy,
        succeeds,
    ),
    (
        "l8_a_timer_on_a_worker_is_no_deadlock",
        worker_timer,
        succeeds,
    ),
];

fn main() {
    if let Ok(name) = std::env::var(SCENARIO) {
        let (_, body, _) = SCENARIOS.iter().find(|(other, ..)| *other == name).unwrap();
        body();
        exit(0);
    }
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    for (name, _, check) in SCENARIOS {
        check(&in_a_process(name));
        println!("test {name} ... ok");
    }
}

fn in_a_process(name: &str) -> Output {
    let child = Command::new(std::env::current_exe().unwrap())
        .env(SCENARIO, name)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = libc::pid_t::try_from(child.id()).unwrap();
    let (done, finished) = std::sync::mpsc::channel();
    let watch = std::thread::spawn(move || {
        if finished.recv_timeout(Duration::from_secs(60)).is_err() {
            kill(id);
        }
    });
    let output = child.wait_with_output().unwrap();
    // Nobody receives when the watch has given up.
    let _ = done.send(());
    watch.join().unwrap();
    output
}

/// Ends a scenario that hangs.
fn kill(id: libc::pid_t) {
    Command::new("kill")
        .arg("-9")
        .arg(id.to_string())
        .status()
        .unwrap();
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_a_deadlock(output: &Output) {
    let text = text(output);
    assert_eq!(output.status.code(), Some(101), "{}\n{text}", output.status);
    assert!(text.contains("greenthread: deadlock"), "{text}");
}

fn succeeds(output: &Output) {
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        text(output)
    );
}

fn root_parks() {
    park();
}

fn root_joins() {
    let silent = Builder::new().name("silent".into()).spawn(park).unwrap();
    let _ = silent.join();
}

fn scope_waits() {
    scope(|s| {
        s.spawn(|| assert!(catch_cancel(park).is_err()));
        s.spawn(park);
    });
}

fn inside_run() {
    run(|| {
        drop(spawn(park));
        park();
    });
}

fn others_go_late() {
    let gone = std::thread::spawn(|| std::thread::sleep(Duration::from_millis(300)));
    park();
    gone.join().unwrap();
}

fn two_of_ours() {
    let here = Spawner::current();
    let root = greenthread::current();
    let other = std::thread::spawn(move || {
        let mine = Spawner::current();
        root.unpark();
        // Waits for one there that never ends.
        let _ = here.spawn(park).join();
        drop(mine);
    });
    park();
    park();
    drop(other);
}

fn sockets_first() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = spawn(move || drop(listener.accept().unwrap()));
    yield_now();
    drop(TcpStream::connect(address).unwrap());
    accepting.join().unwrap();
    park();
}

/// Its OS thread would stay for an hour.
fn job_first() {
    let hour = Duration::from_secs(3600);
    let runtime = Runtime::builder().blocking_idle(hour).build().unwrap();
    runtime.run(|| {
        spawn_blocking(|| ()).join().unwrap();
        park();
    });
}

fn helpers_first() {
    let limit = Duration::from_secs(3600);
    let builder = Runtime::builder().watchdog(limit);
    let runtime = builder.dump_on_signal(libc::SIGUSR1).build().unwrap();
    runtime.run(|| {
        drop(greenthread::dump());
        park();
    });
}

fn woken_by_a_job() {
    let root = greenthread::current();
    let job = spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(400));
        root.unpark();
    });
    park();
    job.join().unwrap();
}

fn listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A plain socket of std's: nobody of ours waits but for the listener.
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(std::net::TcpStream::connect(address).unwrap());
    });
    drop(listener.accept().unwrap());
    other.join().unwrap();
}

fn woken_late() {
    let root = greenthread::current();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        root.unpark();
    });
    park();
    other.join().unwrap();
}

fn timer() {
    sleep(Duration::from_millis(300));
    let sleeper = spawn(|| sleep(Duration::from_millis(200)));
    sleeper.join().unwrap();
}

fn caught() {
    let caught = std::panic::catch_unwind(park);
    assert!(caught.is_err());
    let parked = spawn(park);
    yield_now();
    parked.thread().unpark();
    parked.join().unwrap();
    let caught = std::panic::catch_unwind(park);
    assert!(caught.is_err());
}

fn root_joins_elsewhere() {
    let _ = spawn_anywhere(park).join();
}

fn scope_waits_elsewhere() {
    scope(|s| {
        s.spawn_anywhere(|| assert!(catch_cancel(park).is_err()));
        s.spawn_anywhere(park);
        s.spawn(park);
    });
}

fn worker_busy() {
    let busy = spawn_anywhere(|| std::thread::sleep(Duration::from_millis(400)));
    busy.join().unwrap();
}

fn worker_timer() {
    let sleeps = spawn_anywhere(|| sleep(Duration::from_millis(400)));
    sleeps.join().unwrap();
}
