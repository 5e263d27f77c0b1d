//! Runs the gallery example as people run it, as a process of its own, against its own server and against ours.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;

/// The example's program, built now: `cargo test --test gallery` alone builds no example.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    // `<target>/<profile>/deps/<this test>`
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "gallery", "--target-dir"]);
    build.arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let status = build
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success(), "the example does not build");
    profile
        .join("examples")
        .join(format!("gallery{}", std::env::consts::EXE_SUFFIX))
});

/// A folder that is removed at the end, for pictures and lists.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("greenthread-gallery-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    /// Writes a file beside the pictures' folder.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Every file in the pictures' folder, hidden ones too.
    fn pictures(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.0.join("pictures"))
    }

    /// Runs the gallery with `--out` set to the pictures' folder.
    fn gallery(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["--out", "pictures"];
        all.extend(arguments);
        self.bare(&all)
    }

    /// Runs the gallery with these arguments alone.
    fn bare(&self, arguments: &[&str]) -> Ran {
        let mut program = Command::new(&*PROGRAM);
        program
            .args(arguments)
            .current_dir(&self.0)
            .env("TMPDIR", &self.0);
        let output = program.output().unwrap();
        Ran {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a run of the program left.
#[derive(Debug)]
struct Ran {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// The value of a line of the table.
    fn value(&self, name: &str) -> &str {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .trim()
    }

    /// The lines of the table that mention `text`.
    fn lines_with(&self, text: &str) -> Vec<&str> {
        self.stdout
            .lines()
            .filter(|line| line.contains(text))
            .collect()
    }

    /// The one line of the table that mentions `text`.
    fn line_with(&self, text: &str) -> &str {
        match self.lines_with(text).as_slice() {
            [line] => line,
            lines => panic!("{text}: {lines:?} in {self:?}"),
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

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

/// A server of std's sockets that closes a connection after `patience` answers, though it never says so.
fn serve(patience: usize, answer: fn(&str) -> String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let stream = stream.unwrap();
            thread::spawn(move || converse(&stream, patience, answer));
        }
    });
    (address, connections)
}

/// Answers the requests of one connection; an answer that says neither length nor chunks ends it.
fn converse(mut stream: &TcpStream, patience: usize, answer: fn(&str) -> String) {
    let mut requests = BufReader::new(stream).lines().map_while(Result::ok);
    for _ in 0..patience {
        let Some(request) = requests.next() else {
            return;
        };
        let path = request.split(' ').nth(1).unwrap().to_owned();
        while requests.next().is_some_and(|line| !line.is_empty()) {}
        let text = answer(&path);
        if stream.write_all(text.as_bytes()).is_err()
            || !text.contains("-Length:") && !text.contains("-Encoding:")
        {
            return;
        }
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A port of the loopback on which nobody listens.
fn refused() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
fn with_no_arguments_it_fetches_its_own_pictures_into_a_fresh_folder() {
    let scratch = Scratch::new();
    let ran = scratch.bare(&[]);
    let folder = PathBuf::from(ran.value("folder"));
    assert_eq!(folder.parent(), Some(scratch.0.as_path()));
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
        ran.line_with("https://")
            .contains("https is not supported yet"),
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
    let (server, _) = serve(usize::MAX, |path| {
        match path {
        "/chunks" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\n7;x\r\npicture\r\n0\r\n\r\n",
        "/close" => "HTTP/1.1 200 OK\r\n\r\na picture",
        "/old" => "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\na picture",
        "/soon" => "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na picture",
        _ => "HTTP/1.1 204 No Content\r\n\r\n",
    }.to_owned()
    });
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

#[test]
fn answers_that_are_no_pictures_leave_no_file() {
    let scratch = Scratch::new();
    let (server, _) = serve(usize::MAX, |path| {
        match path {
        "/moved" => "HTTP/1.1 301 Moved\r\nLocation: http://x/\u{1b}y\r\nContent-Length: 0\r\n\r\n",
        "/elsewhere" => "HTTP/1.1 302 Found\r\nLocation: http://x/y\r\nContent-Length: 0\r\n\r\n",
        "/big" => "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901",
        "/bigchunks" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n",
        "/bigstream" => "HTTP/1.1 200 OK\r\n\r\n12345678901",
        "/torn" => "HTTP/1.1 200 OK\r\nSer",
        "/nonsense" => "220 mail.example ready\r\n\r\n",
        _ => "",
    }.to_owned()
    });
    for (path, reason) in [
        ("elsewhere", "302 Found: moved to http://x/y, not followed"),
        ("moved", "not understood"),
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
fn a_downloader_keeps_its_connection() {
    let scratch = Scratch::new();
    let (server, connections) = serve(usize::MAX, |_| ok("a picture"));
    let addresses: Vec<String> = (0..10)
        .map(|n| format!("http://{server}/{n}.png"))
        .collect();
    let mut arguments = vec!["--jobs", "1"];
    arguments.extend(addresses.iter().map(String::as_str));
    let ran = scratch.gallery(&arguments);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(scratch.pictures().len(), 10);
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
    assert_eq!(files_beside(&scratch), ["pictures"]);
}

fn files_beside(scratch: &Scratch) -> Vec<String> {
    let entries = fs::read_dir(&scratch.0).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
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
    assert_eq!(files_beside(&scratch), ["file"]);
}

#[test]
fn help_says_how_to_use_it() {
    let ran = Scratch::new().bare(&["--help"]);
    assert_eq!(ran.status, Some(0));
    for option in ["--jobs", "--out", "--from", "--timeout", "--max-bytes"] {
        assert!(ran.stdout.contains(option), "{option}");
    }
}

#[test]
fn an_empty_list_is_no_failure() {
    let scratch = Scratch::new();
    let ran = scratch.gallery(&["--from", &scratch.write("list", "# none yet\n")]);
    assert_eq!((ran.status, ran.value("files")), (Some(0), "0"));
}
