//! Sockets with faults: every byte once and in its order, and a close wakes everybody.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use greenthread::net::{Faults, UnixStream};
use greenthread::scope;

use super::{Dice, TICK, crowd, try_out};

fn faults(dice: &Dice) -> Faults {
    let faults = Faults::new(u64::from(dice.roll(1000)));
    let faults = faults.short_reads(0.4).short_writes(0.4);
    faults.delays(0.3, TICK * 2)
}

#[test]
fn l16_every_byte_comes_once_and_in_order_whatever_is_cut_short() {
    try_out(|dice| {
        let (near, far) = UnixStream::pair().unwrap();
        let (sent, came) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        faults(dice).inject(|| {
            scope(|s| {
                s.spawn(|| {
                    crowd(dice, 1, |_| {
                        for number in 0..6 {
                            let bytes = [number; 10];
                            if let Some(done) = dice.limited(|| (&far).write(&bytes)) {
                                let count = done.unwrap();
                                sent.borrow_mut().extend_from_slice(&bytes[..count]);
                            }
                        }
                    });
                    far.shutdown(Shutdown::Write).unwrap();
                });
                let mut buffer = [0; 16];
                loop {
                    match dice.limited(|| (&near).read(&mut buffer)) {
                        Some(Ok(0)) => break,
                        Some(count) => came
                            .borrow_mut()
                            .extend_from_slice(&buffer[..count.unwrap()]),
                        None => {}
                    }
                }
            });
        });
        assert_eq!(came, sent);
    });
}

#[test]
fn l17_a_close_wakes_all_who_read_and_write() {
    try_out(|dice| {
        let (near, far) = UnixStream::pair().unwrap();
        faults(dice).inject(|| {
            scope(|s| {
                for _ in 0..2 {
                    s.spawn(|| {
                        let mut buffer = [0; 8];
                        loop {
                            match (&near).read(&mut buffer) {
                                Ok(count) => assert_ne!(count, 0),
                                Err(error) => {
                                    break assert_eq!(error.kind(), ErrorKind::NotConnected);
                                }
                            }
                        }
                    });
                }
                s.spawn(|| {
                    loop {
                        match (&near).write(&[0; 1 << 12]) {
                            Ok(count) => assert_ne!(count, 0),
                            Err(error) => break assert_eq!(error.kind(), ErrorKind::NotConnected),
                        }
                    }
                });
                for _ in 0..dice.roll(4) {
                    (&far).write_all(b"some").unwrap();
                    dice.pause();
                }
                near.close();
            });
        });
    });
}
