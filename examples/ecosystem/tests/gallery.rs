//! The library's own example, the gallery, over HTTPS: built with the feature `ureq`, against a server of rustls with a certificate made for it.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use greenthread::net::TcpListener;
use greenthread::{run, spawn};
use greenthread_ecosystem::tls::{self, Certificate, ServerStream};
use support::Folder;

/// The gallery with the feature `ureq`, built now and here: not where the library's own tests build theirs.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "gallery"]);
    build
        .args(["--features", "ureq", "--target-dir"])
        .arg(&target);
    assert!(build.current_dir(library).status().unwrap().success());
    target.join("debug/examples/gallery")
});

/// A server of pictures over TLS, as long as the process lives.
struct Pictures {
    /// Where it listens.
    address: SocketAddr,

    /// The file with its certificate.
    ca: PathBuf,

    /// How many connections it has taken.
    taken: &'static AtomicUsize,
}

impl Pictures {
    /// Starts one on an OS thread of its own.
    fn serve(folder: &Path) -> Pictures {
        let certificate = Certificate::for_loopback().unwrap();
        let (ca, config) = (folder.join("ca.pem"), certificate.server().unwrap());
        fs::write(&ca, &certificate.pem).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken: &AtomicUsize = Box::leak(Box::default());
        let serve = move || {
            for stream in listener.incoming() {
                taken.fetch_add(1, Ordering::SeqCst);
                let tls = tls::serve(stream.unwrap(), &config).unwrap();
                drop(spawn(move || converse(tls)));
            }
        };
        thread::spawn(|| run(serve));
        Pictures { address, ca, taken }
    }

    fn at(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.address.port())
    }
}

/// What the server has under this path.
fn picture(path: &str) -> Vec<u8> {
    path.bytes().cycle().take(40_000).collect()
}

/// Answers the requests of one connection.
fn converse(tls: ServerStream) -> io::Result<()> {
    let mut tls = BufReader::new(tls);
    loop {
        let mut line = String::new();
        if tls.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line != "\r\n" {
            line.clear();
            tls.read_line(&mut line)?;
        }
        let body = picture(&path);
        let (status, length, shown) = match path.as_str() {
            "/missing.png" => ("404 Not Found", 0, 0),
            "/moved.png" => ("302 Found\r\nLocation: https://elsewhere/", 0, 0),
            "/cut.png" => ("200 OK", body.len(), body.len() / 2),
            _ => ("200 OK", body.len(), body.len()),
        };
        write!(
            tls.get_mut(),
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n"
        )?;
        tls.get_mut().write_all(&body[..shown])?;
        tls.get_mut().flush()?;
        if shown < length {
            return Ok(());
        }
    }
}

/// Runs the gallery with `--out` set to a folder of its own.
fn gallery(out: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(&*PROGRAM);
    program.arg("--out").arg(out).args(arguments);
    // What the environment says of proxies is not for the loopback.
    program.env("NO_PROXY", "*").output().unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

#[test]
fn two_hundred_pictures_come_over_the_connections_of_sixteen_green_threads() {
    let folder = Folder::new("gallery");
    let server = Pictures::serve(folder.path());
    let list: String = (0..200).map(|n| server.at(&format!("{n}.png\n"))).collect();
    let from = folder.path().join("list");
    fs::write(&from, list).unwrap();
    let out = folder.path().join("pictures");
    let ca = server.ca.to_str().unwrap();
    let ran = gallery(&out, &["--ca", ca, "--from", from.to_str().unwrap()]);
    assert!(ran.status.success(), "{ran:?}");
    let files = files(&out);
    assert_eq!(files.len(), 200);
    for (name, bytes) in files {
        assert!(bytes == picture(&format!("/{name}")), "{name}");
    }
    assert!(server.taken.load(Ordering::SeqCst) <= 16);
}

#[test]
fn what_fails_over_tls_is_one_line_each_and_the_rest_go_on() {
    let folder = Folder::new("gallery");
    let server = Pictures::serve(folder.path());
    let out = folder.path().join("pictures");
    let mut arguments = vec!["--ca".to_owned(), server.ca.to_str().unwrap().to_owned()];
    let paths = ["missing.png", "moved.png", "cut.png", "good.png"];
    arguments.extend(paths.map(|path| server.at(path)));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = gallery(&out, &arguments);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let table = String::from_utf8(ran.stdout).unwrap();
    for expected in [
        "missing.png  404 Not Found",
        "moved.png  302 Found: moved to https://elsewhere/, not followed",
        "cut.png  cut short: 20000 of 40000 bytes came",
    ] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    assert_eq!(files(&out).keys().collect::<Vec<_>>(), ["good.png"]);
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_believed() {
    let folder = Folder::new("gallery");
    let (server, other) = (Folder::new("gallery"), Folder::new("gallery"));
    let server = Pictures::serve(server.path());
    let stranger = Pictures::serve(other.path());
    let address = server.at("a.png");
    for arguments in [
        &[&*address][..],
        &["--ca", stranger.ca.to_str().unwrap(), &address],
    ] {
        let ran = gallery(folder.path(), arguments);
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        let table = String::from_utf8(ran.stdout).unwrap();
        assert!(table.contains("certificate"), "{table}");
    }
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn a_file_without_certificates_is_refused_before_anything_is_fetched() {
    let folder = Folder::new("gallery");
    let empty = folder.path().join("empty");
    fs::write(&empty, "nothing\n").unwrap();
    let empty = empty.to_str().unwrap();
    let ran = gallery(folder.path(), &["--ca", empty, "https://localhost/"]);
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");
    let complaint = String::from_utf8(ran.stderr).unwrap();
    assert!(
        complaint.contains(empty) && complaint.contains("no certificate"),
        "{complaint}"
    );
}

#[test]
fn a_server_that_does_not_shake_hands_costs_no_more_than_the_timeout() {
    let folder = Folder::new("gallery");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}/a.png", silent.local_addr().unwrap());
    let ran = gallery(folder.path(), &["--timeout", "0.2", &address]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let table = String::from_utf8(ran.stdout).unwrap();
    assert!(table.contains("cannot connect: the time was up"), "{table}");
}
