//! Who hears what.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use greenthread::signal::{self, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, Signals};
use greenthread::{Runtime, run, sleep, spawn, timeout, yield_now};

use crate::{alone, raise};

/// Long enough for anything; only a failing test waits it out.
const LONG: Duration = Duration::from_secs(60);

#[test]
#[apply(once)]
fn a_signal_that_has_come_is_received_at_once() {
    alone(
        "listeners::a_signal_that_has_come_is_received_at_once",
        || {
            let signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
            assert_eq!(signals.try_recv(), None);
            raise(SIGUSR2);
            assert_eq!(signals.recv().unwrap(), SIGUSR2);
            raise(SIGUSR1);
            assert_eq!(signals.try_recv(), Some(SIGUSR1));
            assert_eq!(signals.try_recv(), None);
        },
    );
}

#[test]
#[apply(once)]
fn a_parked_receiver_is_woken_on_its_own_os_thread() {
    alone(
        "listeners::a_parked_receiver_is_woken_on_its_own_os_thread",
        || {
            let signals = Signals::new([SIGUSR1]).unwrap();
            let here = thread::current().id();
            let receiver = spawn(move || (signals.recv().unwrap(), thread::current().id()));
            yield_now();
            thread::spawn(|| raise(SIGUSR1)).join().unwrap();
            assert_eq!(receiver.join().unwrap(), (SIGUSR1, here));
        },
    );
}

#[test]
#[apply(once)]
fn every_listener_gets_every_signal() {
    alone("listeners::every_listener_gets_every_signal", || {
        let both = [(); 2].map(|()| Signals::new([SIGUSR1, SIGUSR2]).unwrap());
        let other = Signals::new([SIGHUP]).unwrap();
        let receivers =
            both.map(|signals| spawn(move || (signals.recv().unwrap(), signals.recv().unwrap())));
        yield_now();
        raise(SIGUSR1);
        raise(SIGUSR2);
        for receiver in receivers {
            assert_eq!(receiver.join().unwrap(), (SIGUSR1, SIGUSR2));
        }
        assert_eq!(other.try_recv(), None);
    });
}

#[test]
#[apply(once)]
fn the_rest_is_received_in_the_order_of_the_numbers() {
    alone(
        "listeners::the_rest_is_received_in_the_order_of_the_numbers",
        || {
            let set = [SIGTERM, SIGHUP, SIGUSR2, SIGUSR1];
            let signals = Signals::new(set).unwrap();
            set.into_iter().for_each(raise);
            set.into_iter().for_each(raise); // each again, before it was received
            let mut sorted = set;
            sorted.sort_unstable();
            let received: Vec<i32> = signals.iter().take(4).collect();
            assert_eq!(received, sorted);
            assert_eq!(signals.try_recv(), None);
        },
    );
}

#[test]
#[apply(once)]
fn each_signal_goes_to_one_of_those_who_share_a_listener() {
    alone(
        "listeners::each_signal_goes_to_one_of_those_who_share_a_listener",
        || {
            let signals = Rc::new(Signals::new([SIGUSR1, SIGUSR2]).unwrap());
            let receivers = [(); 2].map(|()| {
                let signals = Rc::clone(&signals);
                spawn(move || signals.recv().unwrap())
            });
            yield_now();
            raise(SIGUSR1);
            raise(SIGUSR2);
            let mut received = receivers.map(|receiver| receiver.join().unwrap());
            received.sort_unstable();
            assert_eq!(received, [SIGUSR1, SIGUSR2]);
        },
    );
}

#[test]
#[apply(once)]
fn one_listener_serves_several_os_threads() {
    alone("listeners::one_listener_serves_several_os_threads", || {
        let signals = Arc::new(Signals::new([SIGUSR1, SIGUSR2]).unwrap());
        let receivers = [(); 2].map(|()| {
            let signals = Arc::clone(&signals);
            thread::spawn(move || signals.recv().unwrap())
        });
        raise(SIGUSR1);
        raise(SIGUSR2);
        let mut received = receivers.map(|receiver| receiver.join().unwrap());
        received.sort_unstable();
        assert_eq!(received, [SIGUSR1, SIGUSR2]);
    });
}

#[test]
#[apply(once)]
fn receiving_gives_up_after_its_limit() {
    alone("listeners::receiving_gives_up_after_its_limit", || {
        let runtime = Runtime::builder().virtual_time().build().unwrap();
        runtime.run(|| {
            let signals = Signals::new([SIGUSR1]).unwrap();
            assert_eq!(signals.recv_timeout(LONG).unwrap(), None);
            assert!(timeout(LONG, || signals.recv()).is_err());
            raise(SIGUSR1);
            assert_eq!(signals.recv_timeout(LONG).unwrap(), Some(SIGUSR1));
        });
    });
}

#[test]
#[apply(once)]
fn a_cancelled_receiver_loses_no_signal() {
    alone("listeners::a_cancelled_receiver_loses_no_signal", || {
        let signals = Rc::new(Signals::new([SIGUSR1]).unwrap());
        let own = Rc::clone(&signals);
        let receiver = spawn(move || own.recv().unwrap());
        yield_now();
        receiver.cancel();
        raise(SIGUSR1);
        assert!(receiver.join().unwrap_err().is_cancelled());
        assert_eq!(signals.recv().unwrap(), SIGUSR1);
    });
}

#[test]
#[apply(once)]
fn l8_one_who_waits_for_a_signal_is_not_deadlocked() {
    alone(
        "listeners::l8_one_who_waits_for_a_signal_is_not_deadlocked",
        || {
            let own = Runtime::builder().only_our_threads().build().unwrap();
            let signals = Signals::new([SIGUSR1]).unwrap();
            let alarm = raise_when_asleep(SIGUSR1);
            assert_eq!(own.run(|| signals.recv().unwrap()), SIGUSR1);
            alarm.join().unwrap();
        },
    );
}

/// Raises the signal for the process once the OS thread that calls sleeps in the kernel.
fn raise_when_asleep(signal: i32) -> thread::JoinHandle<()> {
    let own = fs::read_link("/proc/thread-self").unwrap_or_default();
    thread::spawn(move || {
        let stat = Path::new("/proc").join(own).join("stat");
        let sleeps = |stat: String| stat.rsplit(')').next().unwrap().starts_with(" S");
        while fs::read_to_string(&stat).is_ok_and(|stat| !sleeps(stat)) {
            thread::yield_now();
        }
        raise(signal);
    })
}

#[test]
#[apply(once)]
fn virtual_time_jumps_while_one_waits_for_a_signal() {
    alone(
        "listeners::virtual_time_jumps_while_one_waits_for_a_signal",
        || {
            let runtime = Runtime::builder().virtual_time().build().unwrap();
            runtime.run(|| {
                let signals = Signals::new([SIGUSR1]).unwrap();
                let receiver = spawn(move || signals.recv().unwrap());
                sleep(1000 * LONG);
                assert!(!receiver.is_finished());
                raise(SIGUSR1);
                assert_eq!(receiver.join().unwrap(), SIGUSR1);
            });
        },
    );
}

#[test]
#[apply(once)]
fn signals_that_nobody_may_handle_are_refused_by_name() {
    let refused = [
        (libc::SIGKILL, "SIGKILL cannot be listened to: the kernel"),
        (libc::SIGSTOP, "SIGSTOP cannot be listened to: the kernel"),
        (
            libc::SIGSEGV,
            "SIGSEGV cannot be listened to: it is a fault",
        ),
        (libc::SIGBUS, "SIGBUS cannot be listened to: it is a fault"),
        (libc::SIGILL, "SIGILL cannot be listened to: it is a fault"),
        (libc::SIGFPE, "SIGFPE cannot be listened to: it is a fault"),
        (0, "signal 0 cannot be listened to: there is no"),
        (-1, "signal -1 cannot be listened to: there is no"),
        (65, "signal 65 cannot be listened to: there is no"),
    ];
    for (signal, text) in refused {
        let error = Signals::new([signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().starts_with(text), "{error}");
    }
}

#[test]
#[apply(once)]
fn a_refused_signal_leaves_the_others_alone() {
    let ended = crate::child::run(
        "listeners::a_refused_signal_leaves_the_others_alone",
        || {
            // SIGUSR2, which was never asked for, still ends the process by default.
            assert!(Signals::new([signal::SIGKILL, SIGUSR2]).is_err());
            raise(SIGUSR2);
        },
    );
    assert_eq!(ended.signal(), Some(SIGUSR2));
}

#[test]
#[apply(once)]
fn others_who_listen_go_on_listening() {
    alone("listeners::others_who_listen_go_on_listening", || {
        static OTHER: AtomicU32 = AtomicU32::new(0);
        register_directly(SIGUSR1, || {
            OTHER.fetch_add(1, Ordering::Relaxed);
        });
        let signals = Signals::new([SIGUSR1]).unwrap();
        raise(SIGUSR1);
        assert_eq!(OTHER.load(Ordering::Relaxed), 1);
        assert_eq!(signals.recv().unwrap(), SIGUSR1);
        drop(signals);
        raise(SIGUSR1);
        assert_eq!(OTHER.load(Ordering::Relaxed), 2);
    });
}

/// Another user of the registry.
#[expect(unsafe_code, reason = "registers what runs inside a signal handler")]
fn register_directly(signal: i32, action: impl Fn() + Send + Sync + 'static) {
    // SAFETY: the callers give nothing but an atomic operation.
    unsafe { signal_hook_registry::register(signal, action) }.unwrap();
}

#[test]
#[apply(once)]
fn a_listener_says_what_it_listens_for() {
    alone("listeners::a_listener_says_what_it_listens_for", || {
        let signals = Signals::new([SIGUSR1, 34]).unwrap();
        assert_eq!(format!("{signals:?}"), "Signals(SIGUSR1, signal 34)");
        run(|| drop(signals));
    });
}
