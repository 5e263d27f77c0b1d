//! Runs the gallery example as people run it, as a process of its own, against its own server and against ours.

mod program;
mod server;

use program::{Ran, Scratch, files};
use server::{ok, refused, serve};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// Decodes the whole picture, checksums included.
fn assert_is_png(name: &str, bytes: &[u8]) {
    let decoded = (|| -> Result<(), png::DecodingError> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
        reader.next_frame(&mut pixels)?;
        reader.finish()
    })();
    decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Checks a run against the embedded server: all pictures but the two planned failures.
fn assert_is_whole(ran: &Ran, pictures: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.value("files"), "198");
    assert_eq!(ran.value("failures"), "2");
    assert_eq!(ran.lines_with("FAILED"), [""; 0]);
    assert!(
        ran.line_with("/pictures/066.png").contains("404"),
        "{ran:?}"
    );
    assert!(
        ran.line_with("/pictures/133.png").contains("cut short"),
        "{ran:?}"
    );
    assert_eq!(ran.lines_with("  expected  ").len(), 2);

    let expected = (0..200).filter(|number| ![66, 133].contains(number));
    let expected: Vec<String> = expected.map(|number| format!("{number:03}.png")).collect();
    assert_eq!(
        pictures.keys().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    for (name, bytes) in pictures {
        assert_is_png(name, bytes);
        assert!(
            (1 << 10..=200 << 10).contains(&bytes.len()),
            "{name}: {}",
            bytes.len()
        );
    }
}

#[test]
fn with_no_arguments_it_fetches_its_own_pictures_into_a_fresh_folder() {
    let scratch = Scratch::new();
    let ran = scratch.bare(&[]);
    let folder = PathBuf::from(ran.value("folder"));
    assert_eq!(folder.parent(), Some(scratch.path()));
    assert_is_whole(&ran, &files(&folder));
    assert_eq!(ran.value("most in flight"), "16");
    assert_eq!(ran.stderr, "", "no bar where there is no terminal");
}

#[test]
fn one_job_and_sixty_four_jobs_fetch_the_same() {
    let (one, many) = (Scratch::new(), Scratch::new());
    let ran = one.gallery(&["--jobs", "1"]);
    assert_is_whole(&ran, &one.pictures());
    assert_eq!(ran.value("most in flight"), "1");
    let ran = many.gallery(&["--jobs", "64"]);
    assert_is_whole(&ran, &many.pictures());
    assert_eq!(ran.value("most in flight"), "64");
    assert_eq!(one.pictures(), many.pictures());
}

#[test]
fn bad_addresses_in_a_list_are_one_line_each_and_the_rest_go_on() {
    let scratch = Scratch::new();
    let (server, _) = serve(usize::MAX, |_| ok("a picture"));
    let refused = refused();
    let list = format!(
        "# pictures\nhttp://{server}/good.png\n\nno address\nhttps://{server}/x.png\n\
         http://{refused}/gone.png\nhttp://{server}/b\u{7}d.png\n  http://{server}/last.png  \n"
    );
    let ran = scratch.gallery(&["--from", &scratch.write("list", list)]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert_eq!(ran.value("failures"), "4");
    assert!(
        ran.line_with("no address").contains("bad address"),
        "{ran:?}"
    );
    assert!(
        ran.line_with("https://").contains("--features ureq"),
        "{ran:?}"
    );
    assert!(
        ran.line_with("gone.png").contains("cannot connect"),
        "{ran:?}"
    );
    assert!(ran.line_with("b?d.png").contains("bad address"), "{ran:?}");
    let pictures = scratch.pictures();
    assert_eq!(
        pictures.keys().collect::<Vec<_>>(),
        ["good.png", "last.png"]
    );
    assert_eq!(pictures["good.png"], b"a picture");
}

#[test]
fn a_planned_failure_is_planned_only_of_the_embedded_server() {
    let scratch = Scratch::new();
    let missing = |_: &str| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
    let (server, _) = serve(usize::MAX, missing);
    let ran = scratch.gallery(&[&format!("http://{server}/pictures/066.png")]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.line_with("066.png").contains("FAILED"), "{ran:?}");
}

#[test]
fn each_framing_of_a_body_is_understood() {
    let scratch = Scratch::new();
    let (server, _) = serve(usize::MAX, framings);
    let address = |path: &str| format!("http://{server}/{path}");
    let paths = ["chunks", "close", "old", "soon", "none"].map(address);
    let ran = scratch.gallery(&paths.each_ref().map(String::as_str));
    assert!(ran.line_with("/none").contains("204 No Content"), "{ran:?}");
    let pictures = scratch.pictures();
    assert_eq!(
        pictures.keys().collect::<Vec<_>>(),
        ["chunks", "close", "old", "soon"]
    );
    assert!(
        pictures.values().all(|bytes| bytes == b"a picture"),
        "{pictures:?}"
    );
}

/// The same picture in every framing, by path.
fn framings(path: &str) -> String {
    let chunks = "2\r\na \r\n7;x=\"y\"\r\npicture\r\n0\r\nX: y\r\n\r\n";
    match path {
        "/chunks" => format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        "/close" => "HTTP/1.1 200 OK\r\n\r\na picture".into(),
        "/old" => ok("a picture").replace("HTTP/1.1", "HTTP/1.0"),
        "/soon" => format!(
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{}",
            ok("a picture")
        ),
        _ => "HTTP/1.1 204 No Content\r\n\r\n".into(),
    }
}

#[test]
fn answers_that_are_no_pictures_leave_no_file() {
    let scratch = Scratch::new();
    let (server, _) = serve(usize::MAX, refusals);
    for (path, reason) in [
        ("elsewhere", "302 Found: moved to http://x/y, not followed"),
        ("missing", "404 Not Found"),
        ("big", "bigger than 10 bytes"),
        ("bigchunks", "bigger than 10 bytes"),
        ("bigstream", "bigger than 10 bytes"),
        ("torn", "inside its answer"),
        ("nonsense", "not understood"),
        ("nothing", "without an answer"),
    ] {
        let address = format!("http://{server}/{path}");
        let ran = scratch.gallery(&["--max-bytes", "10", &address]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert!(
            ran.line_with(&address).contains(reason),
            "{reason}: {ran:?}"
        );
        assert_eq!(scratch.pictures().len(), 0, "{path}");
    }
}

/// Answers that end in a failure, by path.
fn refusals(path: &str) -> String {
    let chunks = "6\r\n123456\r\n".repeat(2);
    match path {
        "/elsewhere" => {
            "HTTP/1.1 302 Found\r\nLocation: http://x/y\r\nContent-Length: 0\r\n\r\n".into()
        }
        "/missing" => ok(&"x".repeat(100_000)).replace("200 OK", "404 Not Found"),
        "/big" => ok("12345678901"),
        "/bigchunks" => {
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
        }
        "/bigstream" => "HTTP/1.1 200 OK\r\n\r\n12345678901".into(),
        "/torn" => "HTTP/1.1 200 OK\r\nSer".into(),
        "/nonsense" => "220 mail.example ready\r\n\r\n".into(),
        _ => String::new(),
    }
}

#[test]
fn a_server_that_falls_silent_costs_no_more_than_the_timeout() {
    let scratch = Scratch::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x.png", listener.local_addr().unwrap());
    let ran = scratch.gallery(&["--timeout", "0.1", &address]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.line_with("x.png").contains("timed out"), "{ran:?}");
    assert_eq!(scratch.pictures().len(), 0);
}

#[test]
fn a_downloader_keeps_its_connection_even_after_a_refusal() {
    let scratch = Scratch::new();
    let (server, connections) = serve(usize::MAX, |path| match path {
        "/5.png" => ok("no").replace("200 OK", "404 Not Found"),
        _ => ok("a picture"),
    });
    let addresses: Vec<String> = (0..10)
        .map(|n| format!("http://{server}/{n}.png"))
        .collect();
    let mut arguments = vec!["--jobs", "1"];
    arguments.extend(addresses.iter().map(String::as_str));
    let ran = scratch.gallery(&arguments);
    assert_eq!(ran.value("failures"), "1", "{ran:?}");
    assert_eq!(scratch.pictures().len(), 9);
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kept_connection_that_went_stale_is_replaced() {
    let scratch = Scratch::new();
    let (server, connections) = serve(1, |_| ok("a picture"));
    let addresses = [0, 1, 2].map(|n| format!("http://{server}/{n}.png"));
    let [a, b, c] = addresses.each_ref().map(String::as_str);
    let ran = scratch.gallery(&["--jobs", "1", a, b, c]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(scratch.pictures().len(), 3);
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[test]
fn names_neither_collide_nor_leave_the_folder() {
    let scratch = Scratch::new();
    let (server, _) = serve(usize::MAX, ok);
    let paths = ["a/cat.png", "b/cat.png", "..%2f..%2fcat.png", "%2e%2e", ""];
    let addresses = paths.map(|path| format!("http://{server}/{path}"));
    let mut arguments = vec!["--jobs", "1"];
    arguments.extend(addresses.iter().map(String::as_str));
    assert_eq!(scratch.gallery(&arguments).status, Some(0));
    let pictures = scratch.pictures();
    let names = [
        "_.._cat.png",
        "cat-2.png",
        "cat.png",
        "picture",
        "picture-2",
    ];
    assert_eq!(pictures.keys().collect::<Vec<_>>(), names);
    assert_eq!(pictures["cat-2.png"], b"/b/cat.png");
    assert_eq!(scratch.names(), ["pictures"]);
}

#[test]
fn options_that_make_no_sense_are_one_line_and_status_two() {
    let scratch = Scratch::new();
    let file = scratch.write("file", "");
    for (arguments, named) in [
        (&["--jobs", "0"][..], "--jobs"),
        (&["--jobs", "many"], "many"),
        (&["--jobs", "-3"], "-3"),
        (&["--jobs"], "--jobs"),
        (&["--timeout", "0"], "--timeout"),
        (&["--colour"], "--colour"),
        (&["--from", "no-such-list"], "no-such-list"),
        (&["--out", &file], &file),
    ] {
        let ran = scratch.bare(arguments);
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains(named),
            "{ran:?}"
        );
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    }
    assert_eq!(scratch.names(), ["file"]);
}

#[test]
fn help_says_how_to_use_it() {
    let ran = Scratch::new().bare(&["--help"]);
    assert_eq!(ran.status, Some(0));
    for option in ["--jobs", "--out", "--from", "--timeout", "--ca"] {
        assert!(ran.stdout.contains(option), "{option}");
    }
}

#[test]
fn an_empty_list_is_no_failure() {
    let scratch = Scratch::new();
    let ran = scratch.gallery(&["--from", &scratch.write("list", "# none yet\n")]);
    assert_eq!((ran.status, ran.value("files")), (Some(0), "0"));
}
