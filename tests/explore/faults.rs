//! Faults of sockets, by a seed: what each does, and unmodified crates that live with them.

use std::cell::RefCell;
use std::io::{BufReader, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use greenthread::explore::{explore, search};
use greenthread::net::{Faults, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use greenthread::{Runtime, catch_cancel, scope, sleep, spawn, time, yield_now};

use super::support::panic_text;
use super::{TICK, in_order, shuffled};

const SECOND: Duration = Duration::from_secs(1);

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// How many bytes each read of 64 gives, of so many that are there.
fn read_sizes(stream: &mut impl Read, bytes: usize) -> Vec<usize> {
    let (mut sizes, mut left) = (Vec::new(), bytes);
    while left > 0 {
        let size = stream.read(&mut [0; 64]).unwrap();
        sizes.push(size);
        left -= size;
    }
    sizes
}

#[test]
fn at_the_end_of_the_os_thread_nothing_goes_wrong_any_more() {
    struct Late(std::sync::mpsc::Sender<usize>);
    impl Drop for Late {
        fn drop(&mut self) {
            let (mut near, mut far) = pair();
            let faults = Faults::new(1).short_writes(1.0);
            let written = faults.inject(|| far.write(b"ab")).unwrap();
            near.read_exact(&mut vec![0; written]).unwrap();
            self.0.send(written).unwrap();
        }
    }
    thread_local! { static LATE: RefCell<Option<Late>> = const { RefCell::new(None) }; }
    let (tell, told) = std::sync::mpsc::channel();
    let os_thread = std::thread::spawn(move || {
        // Made first, so that it goes last.
        LATE.with(|late| late.replace(Some(Late(tell))));
        Faults::new(1).inject(|| ());
    });
    os_thread.join().unwrap();
    assert_eq!(told.recv().unwrap(), 2);
}

#[test]
fn short_reads_give_less_and_lose_nothing() {
    let text: Vec<u8> = (0..=255).collect();
    Faults::new(1).short_reads(1.0).inject(|| {
        let (mut near, mut far) = pair();
        far.write_all(&text).unwrap();
        far.shutdown(Shutdown::Write).unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 16];
        while let Ok(count @ 1..) = near.read(&mut buffer) {
            assert!(count < 16);
            all.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(all, text);
    });
}

#[test]
fn a_read_of_one_byte_is_never_cut() {
    Faults::new(1)
        .short_reads(1.0)
        .short_writes(1.0)
        .inject(|| {
            let (mut near, mut far) = pair();
            assert_eq!(far.write(&[1]).unwrap(), 1);
            assert_eq!(near.read(&mut [0]).unwrap(), 1);
        });
}

#[test]
fn short_writes_take_less() {
    Faults::new(1).short_writes(1.0).inject(|| {
        let (near, _far) = pair();
        let taken: Vec<_> = (0..50).map(|_| (&near).write(&[0; 100]).unwrap()).collect();
        assert!(
            taken.iter().all(|taken| (1..100).contains(taken)),
            "{taken:?}"
        );
    });
}

#[test]
fn vectored_calls_are_cut_like_others() {
    Faults::new(1)
        .short_reads(1.0)
        .short_writes(1.0)
        .inject(|| {
            let (mut near, mut far) = pair();
            let slices = [
                IoSlice::new(&[]),
                IoSlice::new(&[1; 8]),
                IoSlice::new(&[2; 8]),
            ];
            assert!((1..8).contains(&far.write_vectored(&slices).unwrap()));
            far.write_all(&[1; 32]).unwrap();
            let (mut first, mut second) = ([0; 8], [0; 8]);
            let mut slices = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert!((1..8).contains(&near.read_vectored(&mut slices).unwrap()));
        });
}

#[test]
fn the_same_seed_cuts_alike_and_another_does_not() {
    let sizes = |seed| {
        Faults::new(seed).short_reads(0.5).inject(|| {
            let (mut near, mut far) = pair();
            far.write_all(&[0; 2000]).unwrap();
            read_sizes(&mut near, 2000)
        })
    };
    assert_eq!(sizes(1), sizes(1));
    assert_ne!(sizes(1), sizes(2));
}

#[test]
fn a_share_is_a_share() {
    Faults::new(3).short_reads(0.25).inject(|| {
        let (mut near, mut far) = pair();
        let short = (0..1000).filter(|_| {
            far.write_all(&[0; 8]).unwrap();
            let count = near.read(&mut [0; 8]).unwrap();
            near.read_exact(&mut vec![0; 8 - count]).unwrap();
            count < 8
        });
        // Of the thousand and of those that read the rest, which are not counted.
        assert!((200..300).contains(&short.count()));
    });
}

#[test]
fn a_reset_breaks_a_tcp_connection_at_both_ends() {
    let (mut near, mut far) = tcp_pair();
    Faults::new(1).resets(1.0).inject(|| {
        let error = near.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(near.write(&[0]).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let error = far.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_reset_wakes_whoever_is_parked_on_the_connection() {
    in_order(|| {
        let (near, far) = tcp_pair();
        scope(|s| {
            let here = s.spawn(|| (&near).read(&mut [0; 8]).unwrap());
            let there = s.spawn(|| (&far).read(&mut [0; 8]).unwrap_err().kind());
            yield_now();
            Faults::new(1)
                .resets(1.0)
                .inject(|| (&near).write(&[0]).unwrap_err());
            assert_eq!(here.join().unwrap(), 0);
            assert_eq!(there.join().unwrap(), ErrorKind::ConnectionReset);
        });
    });
}

#[test]
fn a_reset_of_a_unix_stream_is_the_end_for_its_peer() {
    let (mut near, mut far) = pair();
    Faults::new(1).resets(1.0).inject(|| {
        let error = near.write(&[0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
    assert_eq!(near.write(&[0]).unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(far.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn delays_take_virtual_time_and_everything_comes_all_the_same() {
    in_order(|| {
        let began = time::now();
        Faults::new(1).delays(1.0, SECOND).inject(|| {
            let (mut near, mut far) = tcp_pair();
            scope(|s| {
                s.spawn(|| far.write_all(b"late").unwrap());
                let mut word = [0; 4];
                near.read_exact(&mut word).unwrap();
                assert_eq!(&word, b"late");
            });
        });
        let took = time::now() - began;
        assert!(took > Duration::ZERO && took <= SECOND * 8, "{took:?}");
    });
}

#[test]
fn datagrams_are_delayed_and_arrive_whole() {
    in_order(|| {
        Faults::new(1)
            .delays(1.0, SECOND)
            .short_reads(1.0)
            .inject(|| {
                let [near, far] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
                let began = time::now();
                near.send_to(b"whole", far.local_addr().unwrap()).unwrap();
                let mut buffer = [0; 16];
                assert_eq!(far.recv_from(&mut buffer).unwrap().0, 5);
                assert!(time::now() > began);
            });
    });
}

#[test]
fn datagrams_between_processes_are_delayed_too() {
    in_order(|| {
        Faults::new(1).delays(1.0, SECOND).inject(|| {
            let (near, far) = UnixDatagram::pair().unwrap();
            let began = time::now();
            near.send(b"whole").unwrap();
            let sent = time::now();
            assert!(sent > began);
            assert_eq!(far.recv(&mut [0; 16]).unwrap(), 5);
            assert!(time::now() > sent);
        });
    });
}

#[test]
fn a_read_timeout_counts_from_before_the_delay() {
    in_order(|| {
        let (mut near, _far) = pair();
        near.set_read_timeout(Some(TICK)).unwrap();
        Faults::new(1).delays(1.0, SECOND * 1000).inject(|| {
            let began = time::now();
            let error = near.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(time::now() - began, TICK);
        });
    });
}

#[test]
fn l16_a_delayed_write_that_is_cancelled_has_written_nothing() {
    in_order(|| {
        let (near, far) = pair();
        scope(|s| {
            let writer = s.spawn(|| {
                let faults = Faults::new(1).delays(1.0, SECOND);
                faults.inject(|| catch_cancel(|| (&near).write(b"never")).is_err())
            });
            yield_now();
            writer.cancel();
            assert!(writer.join().unwrap());
            (&near).write_all(b"after").unwrap();
            let mut word = [0; 5];
            (&far).read_exact(&mut word).unwrap();
            assert_eq!(&word, b"after");
        });
    });
}

#[test]
fn l17_a_close_during_a_delay_is_noticed_after_it() {
    in_order(|| {
        let (near, _far) = pair();
        scope(|s| {
            let writer = s.spawn(|| {
                let faults = Faults::new(1).delays(1.0, SECOND);
                faults.inject(|| (&near).write(b"never").unwrap_err().kind())
            });
            yield_now();
            near.close();
            assert_eq!(writer.join().unwrap(), ErrorKind::NotConnected);
        });
    });
}

#[test]
fn faults_are_over_when_the_closure_has_returned_also_by_a_panic() {
    let (mut near, mut far) = pair();
    far.write_all(&[0; 256]).unwrap();
    panic_text(|| Faults::new(1).short_reads(1.0).inject(|| panic!("out")));
    assert_eq!(read_sizes(&mut near, 256), [64; 4]);
}

#[test]
fn faults_that_interleave_end_each_by_itself() {
    in_order(|| {
        let (mut near, mut far) = pair();
        far.write_all(&[0; 512]).unwrap();
        let inject = |faults: Faults, ticks| move || faults.inject(|| sleep(TICK * ticks));
        let first = spawn(inject(Faults::new(1).short_reads(1.0), 2));
        let second = spawn(inject(Faults::new(1), 4));
        sleep(TICK);
        assert_eq!(read_sizes(&mut near, 128), [64; 2]);
        first.join().unwrap();
        assert_eq!(read_sizes(&mut near, 128), [64; 2]);
        second.join().unwrap();
        assert_eq!(read_sizes(&mut near, 128), [64; 2]);
    });
}

#[test]
fn another_os_thread_has_no_faults() {
    Faults::new(1).short_reads(1.0).resets(1.0).inject(|| {
        let elsewhere = std::thread::spawn(|| {
            let (mut near, mut far) = pair();
            far.write_all(&[0; 128]).unwrap();
            read_sizes(&mut near, 128)
        });
        assert_eq!(elsewhere.join().unwrap(), [64; 2]);
    });
}

#[test]
fn a_runtime_has_faults_in_its_runs_alone() {
    let faults = Faults::new(1).short_reads(1.0);
    let runtime = Runtime::builder().faults(faults).build().unwrap();
    let (mut near, mut far) = pair();
    far.write_all(&[0; 256]).unwrap();
    assert!(runtime.run(|| near.read(&mut [0; 64]).unwrap()) < 64);
    assert_eq!(near.read(&mut [0; 64]).unwrap(), 64);
    let error = Runtime::builder().workers(1).faults(Faults::new(1)).build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_share_that_is_none_is_misuse() {
    assert!(panic_text(|| Faults::new(1).resets(1.5)).contains("resets(1.5)"));
    assert!(panic_text(|| Faults::new(1).short_reads(-0.1)).contains("short_reads(-0.1)"));
    assert!(panic_text(|| Faults::new(1).delays(f64::NAN, TICK)).contains("delays(NaN)"));
}

/// A line protocol whose server trusts that a read gives a whole request.
fn naive_exchange(seed: u64) {
    Faults::new(seed).short_reads(0.3).inject(|| {
        let (mut client, mut server) = pair();
        scope(|s| {
            s.spawn(move || {
                let mut request = [0; 64];
                let count = server.read(&mut request).unwrap();
                assert_eq!(&request[..count], b"hello\n", "not the whole request");
            });
            client.write_all(b"hello\n").unwrap();
        });
    });
}

#[test]
fn a_search_finds_who_trusts_in_whole_reads() {
    let failure = search(100, naive_exchange).unwrap_err();
    assert!(failure.is_repeatable());
    assert!(
        failure.message().contains("not the whole request"),
        "{failure}"
    );
}

/// Reads a head with `httparse`, as much at a time as comes.
fn read_head(stream: &mut impl Read) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 8];
        let mut request = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(length) = request.parse(&bytes).unwrap() {
            let path = request.path.unwrap().to_owned();
            return (path, bytes.split_off(length));
        }
        let mut buffer = [0; 32];
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the end in the middle of a head");
        bytes.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn httparse_and_serde_json_live_with_short_reads_and_writes_and_delays() {
    explore(50, |seed| {
        let faults = Faults::new(seed).short_reads(0.5).short_writes(0.5);
        faults.delays(0.3, SECOND).inject(|| {
            let (mut client, mut server) = pair();
            scope(|s| {
                s.spawn(move || {
                    let (path, rest) = read_head(&mut server);
                    assert_eq!(path, "/sum");
                    let body = BufReader::new(rest.as_slice().chain(&server));
                    let mut values =
                        serde_json::Deserializer::from_reader(body).into_iter::<Vec<u32>>();
                    let sum: u32 = values.next().unwrap().unwrap().iter().sum();
                    serde_json::to_writer(&server, &sum).unwrap();
                });
                write!(
                    client,
                    "POST /sum HTTP/1.1\r\nHost: here\r\n\r\n[1, 20, 300]"
                )
                .unwrap();
                let answer: u32 = serde_json::from_reader(&client).unwrap();
                assert_eq!(answer, 321);
            });
        });
    });
}

#[test]
fn a_png_comes_whole_through_short_reads() {
    let mut picture = Vec::new();
    let pixels: Vec<u8> = (0..64 * 64).map(|n| (n * 7 % 251) as u8).collect();
    let mut encoder = png::Encoder::new(&mut picture, 64, 64);
    encoder.set_color(png::ColorType::Grayscale);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&pixels)
        .unwrap();
    explore(20, |seed| {
        let faults = Faults::new(seed).short_reads(0.7).short_writes(0.7);
        faults.delays(0.1, TICK).inject(|| {
            let (near, mut far) = pair();
            scope(|s| {
                s.spawn(|| {
                    far.write_all(&picture).unwrap();
                    far.shutdown(Shutdown::Write).unwrap();
                });
                let mut whole = Vec::new();
                (&near).read_to_end(&mut whole).unwrap();
                let decoder = png::Decoder::new(std::io::Cursor::new(whole));
                let mut reader = decoder.read_info().unwrap();
                let mut seen = vec![0; pixels.len()];
                reader.next_frame(&mut seen).unwrap();
                assert!(seen == pixels);
            });
        });
    });
}

#[test]
fn an_echo_that_is_reset_loses_its_connection_and_nothing_else() {
    let outcomes = RefCell::new(Vec::new());
    explore(100, |seed| {
        let outcome = Faults::new(seed)
            .short_reads(0.3)
            .short_writes(0.3)
            .resets(0.02)
            .inject(echo);
        outcomes.borrow_mut().push(outcome);
    });
    let failed = outcomes
        .borrow()
        .iter()
        .filter(|outcome| !**outcome)
        .count();
    assert!((1..100).contains(&failed), "{failed}");
}

/// Whether all of it came back.
fn echo() -> bool {
    let (client, server) = tcp_pair();
    let text = b"to and fro".repeat(5);
    scope(|s| {
        s.spawn(|| {
            let server = server;
            drop(std::io::copy(&mut &server, &mut &server));
        });
        let talk = || {
            (&client).write_all(&text)?;
            client.shutdown(Shutdown::Write)?;
            let mut back = Vec::new();
            (&client).read_to_end(&mut back)?;
            std::io::Result::Ok(back)
        };
        match talk() {
            Ok(back) => {
                assert!(text.starts_with(&back), "bytes that were never sent");
                back.len() == text.len()
            }
            Err(error) => {
                let expected = [
                    ErrorKind::ConnectionReset,
                    ErrorKind::BrokenPipe,
                    ErrorKind::NotConnected,
                ];
                assert!(expected.contains(&error.kind()), "{error}");
                false
            }
        }
    })
}

#[test]
fn a_seed_has_the_same_faults_again_under_its_schedule() {
    let sizes = |seed| {
        shuffled(seed, || {
            Faults::new(seed)
                .short_reads(0.5)
                .delays(0.5, TICK)
                .inject(|| {
                    let both = [(); 2].map(|()| {
                        spawn(|| {
                            let (mut near, mut far) = pair();
                            far.write_all(&[0; 500]).unwrap();
                            read_sizes(&mut near, 500)
                        })
                    });
                    both.map(|reader| reader.join().unwrap())
                })
        })
    };
    for seed in 0..10 {
        assert_eq!(sizes(seed), sizes(seed));
    }
    assert_ne!(sizes(0), sizes(1));
}
