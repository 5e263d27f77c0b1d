//! The watchdog: who holds his OS thread for too long is told on stderr.
//!
//! Each test plays its part in a process of its own, because the report goes to stderr. What is waited for is the report itself.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use greenthread::net::{Server, TcpStream};
use greenthread::{Builder, Runtime, run, spawn, yield_now};

/// Says to a child process which part it plays.
const CHILD: &str = "GREENTHREAD_WATCHDOG_CHILD";

/// The variable that turns it on.
const VARIABLE: &str = "GREENTHREAD_WATCHDOG";

/// A process that plays the part of the test with this name.
struct Part {
    /// The process.
    child: Child,

    /// What it says.
    lines: Lines<BufReader<ChildStderr>>,
}

/// Whether this process plays a part.
fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

impl Part {
    fn play(test: &str, limit: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(CHILD, "1")
            .env_remove(VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(limit) = limit {
            command.env(VARIABLE, limit);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Part { child, lines }
    }

    /// The next line that has this.
    fn line(&mut self, part: &str) -> String {
        let mut seen = Vec::new();
        for line in self.lines.by_ref().map(Result::unwrap) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no {part:?} in\n{}", seen.join("\n"));
    }

    /// Ends it, whatever it does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end and returns what it said last.
    fn rest(mut self) -> String {
        drop(self.child.stdin.take());
        let lines: Vec<String> = self.lines.map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success(), "{}", lines.join("\n"));
        lines.join("\n")
    }
}

/// Reaches no wait point.
#[inline(never)]
fn spins_for_ever() {
    loop {
        std::hint::black_box(spin());
    }
}

#[inline(never)]
fn spin() -> u64 {
    (0..1000).fold(0, |sum, n| std::hint::black_box(sum + n))
}

/// Spins for so long.
fn spin_for(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        spin();
    }
}

fn spinner() {
    let spinner = Builder::new()
        .name("spinner".into())
        .spawn(spins_for_ever)
        .unwrap();
    let _ = spinner.join();
}

fn is_told_of_the_spinner(part: &mut Part, limit: &str) {
    let first = part.line("greenthread: watchdog: green thread ");
    assert!(
        first.contains("(\"spinner\") has held OS thread "),
        "{first}"
    );
    assert!(first.contains(&format!("the limit is {limit}")), "{first}");
    assert!(part.line("spawned at").contains("main.rs:"));
    part.line("spins_for_ever");
    part.line("typical causes: a blocking system call");
}

#[test]
fn one_that_spins_is_reported_when_the_environment_asks_for_it() {
    if is_child() {
        spinner();
    }
    let mut part = Part::play(
        "one_that_spins_is_reported_when_the_environment_asks_for_it",
        Some("20ms"),
    );
    is_told_of_the_spinner(&mut part, "20ms");
    part.kill();
}

#[test]
fn one_that_spins_is_reported_when_the_runtime_asks_for_it() {
    if is_child() {
        let runtime = Runtime::builder()
            .watchdog(Duration::from_millis(30))
            .build()
            .unwrap();
        runtime.run(spinner);
    }
    let mut part = Part::play(
        "one_that_spins_is_reported_when_the_runtime_asks_for_it",
        None,
    );
    is_told_of_the_spinner(&mut part, "30ms");
    part.kill();
}

#[test]
fn one_that_spins_inside_a_generator_is_reported_with_the_frames_of_both() {
    #[inline(never)]
    fn drives() {
        greenthread::generator::Generator::<(), (), ()>::new(|_| spins_for_ever()).start();
    }
    if is_child() {
        let _ = spawn(drives).join();
    }
    let mut part = Part::play(
        "one_that_spins_inside_a_generator_is_reported_with_the_frames_of_both",
        Some("20ms"),
    );
    part.line("greenthread: watchdog: green thread ");
    part.line("spins_for_ever");
    part.line("drives");
    part.kill();
}

#[test]
fn a_blocking_system_call_is_reported_and_goes_on() {
    if is_child() {
        let reads = spawn(|| {
            let mut byte = [0];
            std::io::stdin().read_exact(&mut byte).unwrap();
            byte[0]
        });
        assert_eq!(reads.join().unwrap(), b'x');
        eprintln!("it came");
        std::process::exit(0);
    }
    let mut part = Part::play(
        "a_blocking_system_call_is_reported_and_goes_on",
        Some("20ms"),
    );
    part.line("greenthread: watchdog: green thread ");
    part.line("read");
    part.child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    part.line("it came");
    part.rest();
}

#[test]
fn a_sleep_that_is_reported_is_not_cut_short() {
    const TIME: Duration = Duration::from_millis(100);
    if is_child() {
        loop {
            let start = Instant::now();
            spawn(|| std::thread::sleep(TIME)).join().unwrap();
            assert!(start.elapsed() >= TIME);
        }
    }
    let mut part = Part::play("a_sleep_that_is_reported_is_not_cut_short", Some("10ms"));
    for _ in 0..2 {
        part.line("greenthread: watchdog: green thread");
        part.line("sleep");
    }
    part.kill();
}

#[test]
fn at_most_one_report_a_second_is_written() {
    if is_child() {
        let start = Instant::now();
        run(|| {
            while start.elapsed() < Duration::from_millis(2500) {
                spawn(|| spin_for(Duration::from_millis(40)))
                    .join()
                    .unwrap();
            }
        });
        eprintln!("took {}", start.elapsed().as_secs());
        std::process::exit(0);
    }
    let text = Part::play("at_most_one_report_a_second_is_written", Some("5ms")).rest();
    let reports = text.matches("greenthread: watchdog:").count();
    let (_, took) = text.split_once("took ").unwrap();
    let took: usize = took.lines().next().unwrap().parse().unwrap();
    assert!(
        (1..=took + 1).contains(&reports),
        "{reports} in {took} s\n{text}"
    );
    assert!(
        text.contains("more were not reported: at most one a second is"),
        "{text}"
    );
}

#[test]
fn a_value_that_is_no_time_is_named_and_the_program_goes_on() {
    if is_child() {
        spawn(|| eprintln!("went on")).join().unwrap();
        std::process::exit(0);
    }
    let text = Part::play(
        "a_value_that_is_no_time_is_named_and_the_program_goes_on",
        Some("often"),
    )
    .rest();
    assert_eq!(
        text.matches("GREENTHREAD_WATCHDOG=\"often\" is not a time such as 100ms")
            .count(),
        1,
        "{text}"
    );
    assert!(text.contains("went on"), "{text}");
}

#[test]
fn whoever_handled_the_signal_before_is_called_for_what_is_not_ours() {
    if is_child() {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(libc::SIGURG, Arc::clone(&seen)).unwrap();
        let runtime = Runtime::builder()
            .watchdog(Duration::from_millis(20))
            .build()
            .unwrap();
        runtime.run(|| {
            signal_hook::low_level::raise(libc::SIGURG).unwrap();
            assert!(seen.swap(false, Ordering::SeqCst));
            // Those of the watchdog are kept from it.
            let spins = spawn(move || {
                while !seen.load(Ordering::SeqCst) {
                    spin_for(Duration::from_millis(60));
                    yield_now();
                }
            });
            spins.join().unwrap();
        });
        panic!("a signal of the watchdog went astray");
    }
    let mut part = Part::play(
        "whoever_handled_the_signal_before_is_called_for_what_is_not_ours",
        None,
    );
    for _ in 0..2 {
        part.line("greenthread: watchdog: green thread");
    }
    part.kill();
}

#[test]
fn a_root_that_takes_its_time_is_not_reported() {
    if is_child() {
        run(|| {
            spawn(|| ()).join().unwrap();
            spin_for(Duration::from_millis(1200));
        });
        std::process::exit(0);
    }
    let text = Part::play("a_root_that_takes_its_time_is_not_reported", Some("800ms")).rest();
    assert!(!text.contains("watchdog"), "{text}");
}

#[test]
#[should_panic(expected = "watchdog(0)")]
fn a_limit_of_nothing_is_refused() {
    drop(Runtime::builder().watchdog(Duration::ZERO));
}

#[cfg(target_os = "linux")]
#[test]
fn without_being_asked_for_it_there_is_no_observer() {
    if is_child() {
        run(|| spawn(|| ()).join().unwrap());
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        for task in tasks {
            let name = std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap();
            assert!(!name.starts_with("greenthread"), "{name}");
        }
        std::process::exit(0);
    }
    Part::play("without_being_asked_for_it_there_is_no_observer", None).rest();
}

#[test]
fn one_that_spins_on_a_worker_is_reported() {
    if is_child() {
        let builder = Runtime::builder().workers(1);
        let runtime = builder.watchdog(Duration::from_millis(30)).build().unwrap();
        runtime.run(|| {
            let spinner = Builder::new().name("spinner".into());
            let spinner = spinner.spawn_anywhere(spins_for_ever).unwrap();
            let _ = spinner.join();
        });
    }
    let mut part = Part::play("one_that_spins_on_a_worker_is_reported", None);
    is_told_of_the_spinner(&mut part, "30ms");
    part.kill();
}

#[test]
fn one_that_spins_on_a_worker_of_a_server_is_reported() {
    if is_child() {
        let builder = Runtime::builder().watchdog(Duration::from_millis(30));
        builder.build().unwrap().run(|| {
            let server = Server::bind("127.0.0.1:0").unwrap().workers(1);
            let place = server.stopper().local_addr().unwrap();
            let _client = TcpStream::connect(place).unwrap();
            server.serve(|_, _| spins_for_ever()).unwrap();
        });
    }
    let mut part = Part::play("one_that_spins_on_a_worker_of_a_server_is_reported", None);
    let line = part.line("has held");
    assert!(line.contains("greenthread-worker-0"), "{line}");
    part.kill();
}
