//! `after`, `tick` and `never`.

use greenthread::channel::{RecvTimeoutError, TryRecvError, after, never, tick};
use greenthread::{sleep, spawn, time};

use crate::{SECOND, virtual_time};

#[test]
#[apply(on_roots)]
fn after_comes_once_at_its_moment() {
    virtual_time(|| {
        let start = time::now();
        let receiver = after(SECOND);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(
            receiver.recv_timeout(SECOND / 2),
            Err(RecvTimeoutError::Timeout)
        );
        assert_eq!(receiver.recv().unwrap() - start, SECOND);
        assert_eq!(time::now() - start, SECOND);
        assert_eq!(
            receiver.recv_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
    });
}

#[test]
#[apply(on_roots)]
fn after_goes_to_one_of_its_receivers() {
    virtual_time(|| {
        let receiver = after(SECOND);
        let other = receiver.clone();
        let waiting = spawn(move || other.recv_timeout(SECOND * 3).is_ok());
        let mine = receiver.recv_timeout(SECOND * 3).is_ok();
        assert!(mine != waiting.join().unwrap());
    });
}

#[test]
#[apply(on_roots)]
fn ticks_keep_their_row_and_at_most_one_waits() {
    virtual_time(|| {
        let start = time::now();
        let ticks = tick(SECOND);
        assert_eq!(ticks.recv().unwrap() - start, SECOND);
        sleep(SECOND * 7 / 2);
        assert_eq!(ticks.len(), 1);
        assert_eq!(ticks.try_recv().unwrap() - start, SECOND * 2);
        assert!(ticks.is_empty());
        assert_eq!(ticks.recv().unwrap() - start, SECOND * 5);
    });
}

#[test]
#[apply(on_roots)]
fn never_is_empty_and_not_disconnected() {
    virtual_time(|| {
        let receiver = never::<u32>();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(
            receiver.recv_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
    });
}
