//! One guest, from the handshake to the goodbye.

use std::io;
use std::time::Duration;

use greenthread::channel::broadcast::{Receiver, RecvError, Sender};
use greenthread::net::TcpStream;
use greenthread::{scope, shield, timeout};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::StatusCode;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, Utf8Bytes, WebSocket, accept_hdr_with_config};

use crate::line::{Half, Line};
use crate::rooms::Rooms;

/// The longest message that a guest may send, in bytes.
const LONGEST: usize = 64 << 10;

/// The longest that a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where somebody wants to be, and under what name.
struct Wish {
    /// The room.
    room: String,

    /// The name.
    name: String,
}

/// Serves a guest until it goes.
pub(crate) fn welcome(stream: TcpStream, rooms: &Rooms) -> Result<(), Error> {
    let line = Line::new(stream)?;
    let (mut reading, wish) =
        timeout(PATIENCE, || shake_hands(line.half())).map_err(io::Error::from)??;
    let mut place = rooms.enter(&wish.room);
    let hear = place.hear.take().expect("taken once");
    let hello = format!("* welcome to {}, {}", wish.room, wish.name);
    scope(|s| {
        let writing = s.spawn(|| {
            if tell(line.half(), hello.into(), &hear).is_err() {
                line.cut();
            }
        });
        let end = listen(&mut reading, &wish.name, &place.say);
        // What it was writing is written; then nothing more is, and the close frame can be the last.
        writing.cancel();
        let _ = writing.join();
        part(&mut reading, end)
    })
}

/// Begins WebSocket with somebody who asks for `/ROOM/NAME`.
#[expect(
    clippy::result_large_err,
    reason = "tungstenite's callback is of this type"
)]
fn shake_hands(half: Half<'_>) -> Result<(WebSocket<Half<'_>>, Wish), Error> {
    let mut wish = None;
    let callback = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        wish = understand(request.uri().path());
        wish.is_some().then_some(response).ok_or_else(not_found)
    };
    let reading = accept_hdr_with_config(half, callback, Some(config()))
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok((reading, wish.expect("or it would have been refused")))
}

fn understand(path: &str) -> Option<Wish> {
    let (room, name) = path.strip_prefix('/')?.split_once('/')?;
    let fits = |text: &str| {
        !text.is_empty()
            && text.len() <= 40
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    (fits(room) && fits(name)).then(|| Wish {
        room: room.to_owned(),
        name: name.to_owned(),
    })
}

fn not_found() -> ErrorResponse {
    let mut response = ErrorResponse::new(Some("ask for /ROOM/NAME\n".to_owned()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// Small buffers: there are many guests.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST))
}

/// Passes on what the guest says, until it closes or breaks a rule; pings are answered on the way.
fn listen(
    reading: &mut WebSocket<Half<'_>>,
    name: &str,
    room: &Sender<Utf8Bytes>,
) -> Result<CloseCode, Error> {
    loop {
        match reading.read() {
            Ok(Message::Text(text)) => {
                // Somebody hears it: the guest itself.
                let _ = room.send(format!("{name}: {text}").into());
            }
            Ok(Message::Binary(_)) => return Ok(CloseCode::Unsupported),
            Ok(Message::Close(_)) => return Ok(CloseCode::Normal),
            Ok(_) => {}
            Err(Error::Capacity(_)) => return Ok(CloseCode::Size),
            Err(error) => return Err(error),
        }
    }
}

/// Tells the guest all that is said in its room, until it is cancelled.
fn tell(half: Half<'_>, hello: Utf8Bytes, room: &Receiver<Utf8Bytes>) -> Result<(), Error> {
    let mut writing = WebSocket::from_raw_socket(half, Role::Server, Some(config()));
    let mut said = hello;
    loop {
        // A frame is written whole, or the connection is over.
        shield(|| writing.send(Message::Text(said)))?;
        said = match room.recv() {
            Ok(said) => said,
            Err(RecvError::Lagged(missed)) => format!("* you missed {missed} messages").into(),
            Err(RecvError::Closed) => return Ok(()),
        };
    }
}

/// Closes in order: with the guest's own close answered, or with a reason of ours, and the guest's answer awaited.
fn part(reading: &mut WebSocket<Half<'_>>, end: Result<CloseCode, Error>) -> Result<(), Error> {
    let code = end?;
    if reading.can_write() {
        let reason = Utf8Bytes::default();
        reading.close(Some(CloseFrame { code, reason }))?;
    }
    let awaited = timeout(PATIENCE, || match code {
        // tungstenite must not be asked for what follows a message that was too long.
        CloseCode::Size => io::copy(reading.get_mut(), &mut io::sink()).map(drop),
        _ => until_closed(reading),
    });
    Ok(awaited.map_err(io::Error::from)??)
}

/// Reads until both sides have said goodbye.
fn until_closed(reading: &mut WebSocket<Half<'_>>) -> io::Result<()> {
    loop {
        match reading.read() {
            Err(Error::ConnectionClosed) => return Ok(()),
            Err(error) => return Err(io::Error::other(error)),
            Ok(_) => {}
        }
    }
}
