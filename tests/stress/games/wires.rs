//! Sockets and pipes that are handed around: each holder waits for them on its own OS thread.

use std::io::{Read, Write};

use greenthread::channel::{Receiver, Sender, bounded};
use greenthread::io::{PipeReader, PipeWriter, pipe};
use greenthread::net::{TcpListener, TcpStream, UnixStream};

use crate::house::{Game, Hand, sum};
use crate::player::Player;

/// Both ways at once.
trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// One pipe in each direction.
struct Pipes(PipeReader, PipeWriter);

impl Read for Pipes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Both ends of one.
fn ends(game: &Game<'_>) -> (Box<dyn Wire>, Box<dyn Wire>) {
    match game.random.below(3) {
        0 => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            near.set_nodelay(true).unwrap();
            let (far, _) = listener.accept().unwrap();
            far.set_nodelay(true).unwrap();
            (Box::new(near), Box::new(far))
        }
        1 => {
            let (near, far) = UnixStream::pair().unwrap();
            (Box::new(near), Box::new(far))
        }
        _ => {
            let ((there, out), (back, far_out)) = (pipe().unwrap(), pipe().unwrap());
            (Box::new(Pipes(back, out)), Box::new(Pipes(there, far_out)))
        }
    }
}

/// Sends back what comes, one more, until the end.
fn echo(player: &Player, wire: &mut dyn Wire) -> u64 {
    let mut byte = [0];
    let mut count = 0;
    while wire.read(&mut byte).unwrap() == 1 {
        player.woken();
        byte[0] = byte[0].wrapping_add(1);
        wire.write_all(&byte).unwrap();
        count += 1;
    }
    count
}

/// What is handed on: the wire, and how many turns are left.
type Parcel = (Box<dyn Wire>, u64);

/// Takes the wire, asks something through it, and hands it on.
fn hold(player: &Player, from: &Receiver<Parcel>, to: &Sender<Parcel>) -> u64 {
    let mut count = 0;
    while let Some((mut wire, left)) = player.recv(from) {
        let asked = player.random.below(256) as u8;
        wire.write_all(&[asked]).unwrap();
        let mut answer = [0];
        wire.read_exact(&mut answer).unwrap();
        player.woken();
        assert_eq!(answer[0], asked.wrapping_add(1));
        count += 1;
        if left == 1 {
            break;
        }
        if !player.send(to, (wire, left - 1)) {
            break;
        }
    }
    count
}

/// A wire goes round: each byte comes back once.
pub(super) fn passed_round(game: &Game<'_>) {
    let (near, mut far) = ends(game);
    let (turns, holders) = (10 + game.random.below(60), 2 + game.random.below(3));
    let echoed = game.green_player(move |player| echo(player, &mut *far));
    let (senders, mut receivers): (Vec<_>, Vec<_>) = (0..holders).map(|_| bounded(1)).unzip();
    senders[0]
        .send((near, turns))
        .unwrap_or_else(|_| unreachable!("somebody receives"));
    let mut hands: Vec<Hand> = Vec::new();
    // Each sends to the next; the first of all ends ends the ring.
    for place in (0..holders as usize).rev() {
        let from = receivers.pop().expect("one for each");
        let to = senders[(place + 1) % senders.len()].clone();
        hands.push(game.player(move |player| hold(player, &from, &to)));
    }
    drop(senders);
    assert_eq!(sum(hands), turns);
    assert_eq!(echoed.join().unwrap(), turns);
}
