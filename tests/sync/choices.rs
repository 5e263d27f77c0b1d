//! Selections, and the channels where one message is for everybody, under the face of the shared list.

use std::time::Duration;

use greenthread::channel::{Receiver, Sender, broadcast, never, watch};
use greenthread::select;

use crate::subjects::{Kind, Subject};

/// A selection among two that receive, of which one does.
pub(crate) struct SelectRecv(pub(crate) (Sender<u32>, Receiver<u32>));

impl Subject for SelectRecv {
    fn wait(&self) {
        select! {
            recv(never::<()>()) -> _ => unreachable!(),
            recv(self.0.1) -> message => assert_eq!(message, Ok(1)),
        }
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        select! {
            recv(self.0.1) -> message => message.is_ok(),
            recv(never::<()>()) -> _ => unreachable!(),
            default(limit) => false,
        }
    }

    fn grant(&self) {
        self.0.0.try_send(1).unwrap();
    }

    fn kind(&self) -> Kind {
        kind_of(&self.0.1)
    }
}

/// A selection among a send into a channel that is full, and a receive; a grant receives.
pub(crate) struct SelectSend((Sender<u32>, Receiver<u32>));

impl SelectSend {
    pub(crate) fn of(ends: (Sender<u32>, Receiver<u32>)) -> Self {
        while ends.0.try_send(0).is_ok() {}
        SelectSend(ends)
    }
}

impl Subject for SelectSend {
    fn wait(&self) {
        select! {
            recv(never::<()>()) -> _ => unreachable!(),
            send(self.0.0, 1) -> sent => assert!(sent.is_ok()),
        }
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        select! {
            send(self.0.0, 1) -> sent => sent.is_ok(),
            recv(never::<()>()) -> _ => unreachable!(),
            default(limit) => false,
        }
    }

    fn grant(&self) {
        self.0.1.try_recv().unwrap();
    }

    fn kind(&self) -> Kind {
        kind_of(&self.0.1)
    }
}

fn kind_of(receiver: &Receiver<u32>) -> Kind {
    if receiver.capacity() == Some(0) {
        Kind::Delivery
    } else {
        Kind::Token
    }
}

/// A receiver of its own for each who waits; a grant is a message.
pub(crate) struct BroadcastRecv(broadcast::Sender<u32>);

impl BroadcastRecv {
    pub(crate) fn new() -> Self {
        BroadcastRecv(broadcast(4).0)
    }
}

impl Subject for BroadcastRecv {
    fn wait(&self) {
        // A waiter may be slower than whoever grants: to have missed some is to have been granted.
        let received = self.0.subscribe().recv();
        assert!(!matches!(received, Err(broadcast::RecvError::Closed)));
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        let received = self.0.subscribe().recv_timeout(limit);
        matches!(
            received,
            Ok(_) | Err(broadcast::RecvTimeoutError::Lagged(_))
        )
    }

    fn grant(&self) {
        // With nobody there it is an error.
        let _ = self.0.send(1);
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}

/// A receiver of its own for each who waits; a grant is a change.
pub(crate) struct WatchChanged(watch::Sender<u32>);

impl WatchChanged {
    pub(crate) fn new() -> Self {
        WatchChanged(watch(0).0)
    }
}

impl Subject for WatchChanged {
    fn wait(&self) {
        self.0.subscribe().changed().unwrap();
    }

    fn wait_timeout(&self, limit: Duration) -> bool {
        self.0.subscribe().changed_timeout(limit).is_ok()
    }

    fn grant(&self) {
        self.0.send_modify(|n| *n += 1);
    }

    fn kind(&self) -> Kind {
        Kind::Broadcast
    }
}
