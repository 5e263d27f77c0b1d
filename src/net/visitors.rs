//! How many connections a server has from each address, where that is bounded.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those of one server, by address; with none from addresses that are not named.
#[derive(Debug)]
pub(super) struct Visitors {
    /// The most from one address.
    most: usize,

    /// How many there are.
    present: Mutex<HashMap<IpAddr, usize>>,
}

impl Visitors {
    pub(super) fn new(most: usize) -> Self {
        Visitors {
            most,
            present: Mutex::default(),
        }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// One more from `address`; none when it has as many as it may.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Visit> {
        // Somebody who comes by IPv4 to a socket of IPv6 is the same as elsewhere.
        let address = address.to_canonical();
        let mut present = self.present();
        let count = present.entry(address).or_default();
        let has_room = *count < self.most;
        *count += usize::from(has_room);
        has_room.then(|| Visit {
            visitors: Arc::clone(self),
            address,
        })
    }

    fn leave(&self, address: IpAddr) {
        let mut present = self.present();
        if let Some(count) = present.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                present.remove(&address);
            }
        }
    }

    fn present(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Visit {
    /// Where it is counted.
    visitors: Arc<Visitors>,

    /// From where it comes.
    address: IpAddr,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.visitors.leave(self.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_as_many_as_it_may_however_it_is_written_and_is_forgotten_when_they_have_left()
     {
        let visitors = Arc::new(Visitors::new(2));
        let admit = |address: &str| visitors.admit(address.parse().unwrap());
        let first = admit("127.0.0.1");
        let second = admit("::ffff:127.0.0.1");
        assert!(first.is_some() && second.is_some());
        assert!(admit("127.0.0.1").is_none());
        assert!(admit("127.0.0.2").is_some() && admit("::1").is_some());
        drop(first);
        assert!(admit("127.0.0.1").is_some());
        drop(second);
        assert!(visitors.present().is_empty());
    }
}
