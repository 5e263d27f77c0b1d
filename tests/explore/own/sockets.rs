//! Sockets with faults: every byte once and in its order, and a close wakes everybody.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};

use greenthread::explore::explore;
use greenthread::net::{Faults, Server, TcpStream, UnixStream};
use greenthread::scope;

use super::{Dice, Inside, MANY, TICK, crowd, try_out};

fn faults(dice: &Dice) -> Faults {
    let faults = Faults::new(u64::from(dice.roll(1000)));
    let faults = faults.short_reads(0.4).short_writes(0.4);
    faults.delays(0.3, TICK * 2)
}

#[test]
#[apply(once)]
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
#[apply(once)]
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

/// What a client of an echo sees: everything back, or an error, or the end where the server was stopped.
fn call(address: SocketAddr, dice: &Dice) {
    let Ok(stream) = TcpStream::connect(address) else {
        return;
    };
    // Small writes would wait for the peer's acknowledgement, in real time.
    stream.set_nodelay(true).unwrap();
    for number in 0..1 + dice.roll(3) as u8 {
        let text = [number; 12];
        if (&stream).write_all(&text).is_err() {
            return;
        }
        let mut back = [0; 12];
        if (&stream).read_exact(&mut back).is_err() {
            return;
        }
        assert_eq!(back, text);
        dice.pause();
    }
}

#[test]
#[apply(once)]
fn a_server_that_is_stopped_ends_all_its_handlers_and_returns() {
    let explored = explore(MANY, |seed| {
        let dice = Dice::new(seed);
        let faults = match dice.roll(2) {
            0 => faults(&dice),
            _ => faults(&dice).resets(0.05),
        };
        let inside = Inside::default();
        let server = Server::bind("127.0.0.1:0").unwrap().limit(2);
        let stopper = server.stopper();
        let address = stopper.local_addr().unwrap();
        faults.inject(|| {
            scope(|s| {
                s.spawn(|| {
                    let served = server.serve(|stream, _| {
                        let _inside = inside.enter(1);
                        assert!(inside.weight() <= 2);
                        stream.set_nodelay(true)?;
                        io::copy(&mut &stream, &mut &stream)
                    });
                    served.unwrap();
                    assert_eq!(inside.weight(), 0);
                });
                let clients = [(); 3].map(|()| s.spawn(|| call(address, &dice)));
                for _ in 0..dice.roll(4) {
                    dice.pause();
                }
                if dice.roll(2) == 0 {
                    for client in clients {
                        client.join().unwrap();
                    }
                }
                stopper.stop(TICK * dice.roll(3));
            });
        });
    });
    assert!(explored.different() > 1);
}
