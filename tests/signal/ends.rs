//! Ctrl-C, and what is left when nobody listens any more.

use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;

use greenthread::process::Command;
use greenthread::signal::{SIGINT, SIGTERM, SIGUSR1, Signals, ctrl_c};
use greenthread::sync::Queue;
use greenthread::{checkpoint, spawn, yield_now};

use crate::{act_by_default, alone, child, raise};

#[test]
#[apply(once)]
fn ctrl_c_is_waited_for() {
    alone("ends::ctrl_c_is_waited_for", || {
        let order = Rc::new(Queue::unbounded());
        let own = Rc::clone(&order);
        let waiting = spawn(move || {
            ctrl_c().unwrap();
            own.put("it came").unwrap();
        });
        yield_now();
        order.put("it is sent").unwrap();
        raise(SIGINT);
        waiting.join().unwrap();
        assert_eq!(order.get().unwrap(), "it is sent");
        assert_eq!(order.get().unwrap(), "it came");
    });
}

#[test]
#[apply(once)]
fn several_wait_for_one_ctrl_c() {
    alone("ends::several_wait_for_one_ctrl_c", || {
        let waiting = [(); 3].map(|()| spawn(ctrl_c));
        yield_now();
        raise(SIGINT);
        waiting
            .into_iter()
            .for_each(|one| one.join().unwrap().unwrap());
    });
}

#[test]
#[apply(once)]
fn without_a_listener_ctrl_c_ends_the_process() {
    let ended = child::run("ends::without_a_listener_ctrl_c_ends_the_process", || {
        act_by_default(SIGINT);
        raise(SIGINT);
    });
    assert_eq!(ended.signal(), Some(SIGINT));
}

#[test]
#[apply(once)]
fn a_signal_is_ignored_after_its_last_listener() {
    alone("ends::a_signal_is_ignored_after_its_last_listener", || {
        drop(Signals::new([SIGTERM]).unwrap());
        raise(SIGTERM);
        let anew = Signals::new([SIGTERM]).unwrap();
        assert_eq!(anew.try_recv(), None, "it came before");
        raise(SIGTERM);
        assert_eq!(anew.recv().unwrap(), SIGTERM);
    });
}

#[test]
#[apply(once)]
fn a_child_process_has_the_default_actions() {
    alone("ends::a_child_process_has_the_default_actions", || {
        let _listens = Signals::new([SIGTERM]).unwrap();
        let mut shell = Command::new("/bin/sh");
        let status = shell.args(["-c", "kill -TERM $$"]).status().unwrap();
        assert_eq!(status.signal(), Some(SIGTERM));
    });
}

#[test]
#[apply(once)]
fn a_signal_interrupts_no_computation() {
    alone("ends::a_signal_interrupts_no_computation", || {
        let signals = Signals::new([SIGUSR1]).unwrap();
        let receiver = spawn(move || signals.recv().unwrap());
        yield_now();
        raise(SIGUSR1);
        checkpoint();
        assert!(!receiver.is_finished(), "it runs when we wait");
        assert_eq!(receiver.join().unwrap(), SIGUSR1);
    });
}
