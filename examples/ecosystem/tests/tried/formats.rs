//! Formats that take `Read` and `Write`: a socket of ours is one.

use std::io::{BufReader, BufWriter, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use greenthread::net::TcpStream;
use greenthread::{grow, run, scope};

use crate::pair;

/// More than the sockets hold: both sides have to wait for each other.
const LINES: u32 = 60_000;

/// What each line holds besides its number.
fn text() -> String {
    "a, \"b\" ".repeat(30)
}

/// Runs both sides on one OS thread, each on a green thread of its own.
fn both(write: impl FnOnce(TcpStream), read: impl FnOnce(TcpStream)) {
    run(|| {
        let (near, far) = pair();
        scope(|s| {
            s.spawn(|| write(near));
            s.spawn(|| read(far));
        });
    });
}

#[test]
fn csv_reads_records_as_they_come() {
    let write = |stream| {
        let mut csv = csv::Writer::from_writer(stream);
        for line in 0..LINES {
            csv.write_record([line.to_string(), text()]).unwrap();
        }
        csv.flush().unwrap();
    };
    both(write, |stream| {
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(stream);
        let mut next = 0;
        for record in csv.records() {
            let record = record.unwrap();
            assert_eq!(record[0].parse(), Ok(next));
            assert_eq!(record[1], text());
            next += 1;
        }
        assert_eq!(next, LINES);
    });
}

#[test]
fn serde_json_reads_one_value_after_the_other() {
    let write = |stream| {
        let mut stream = BufWriter::new(stream);
        for line in 0..LINES {
            serde_json::to_writer(
                &mut stream,
                &serde_json::json!({ "line": line, "text": text() }),
            )
            .unwrap();
        }
        stream.flush().unwrap();
    };
    both(write, |stream| {
        let values = serde_json::Deserializer::from_reader(BufReader::new(stream));
        let mut next = 0;
        for value in values.into_iter::<serde_json::Value>() {
            assert_eq!(value.unwrap()["line"], next);
            next += 1;
        }
        assert_eq!(next, LINES);
    });
}

#[test]
fn flate2_and_tar_pack_and_unpack_over_a_socket() {
    let file: Vec<u8> = (0..4 << 20_u32)
        .map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let write = |stream| {
        // In a debug build it is put together on the stack, of which it needs more than a green thread has.
        let gzip = grow(1 << 20, || GzEncoder::new(stream, Compression::fast()));
        let mut tar = tar::Builder::new(gzip);
        for name in ["one", "two"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(file.len() as u64);
            tar.append_data(&mut header, name, &*file).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
    };
    both(write, |stream| {
        let mut tar = tar::Archive::new(GzDecoder::new(stream));
        let mut names = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(entry.path().unwrap().into_owned());
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            assert!(bytes == file);
        }
        assert_eq!(names, ["one", "two"].map(std::path::PathBuf::from));
    });
}
