//! Who is measured, and how each is started: Rust peers are this very program, the others are built or interpreted from `peers/`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::row::Row;
use crate::rust;

/// The name of the least that any library could cost.
pub const FLOOR: &str = "floor";

/// Ours.
pub const OURS: &str = "greenthread";

/// One that can be measured here.
#[derive(Debug)]
pub struct Peer {
    /// On the command line and in the table.
    pub name: &'static str,

    /// Of the installed one.
    pub version: String,

    /// What is started, before row and count.
    command: Vec<PathBuf>,

    /// The rows that it knows.
    rows: Vec<String>,
}

/// A peer that is not written in Rust.
struct Foreign {
    /// Its name.
    name: &'static str,

    /// Its program in `peers/`.
    source: &'static str,

    /// The command that tells its version, with arguments.
    version: &'static [&'static str],

    /// How its program is made ready to be started with a row and a count.
    prepare: fn(&Path, &Path) -> Result<Vec<PathBuf>, String>,
}

/// All of them.
const FOREIGN: &[Foreign] = &[
    Foreign {
        name: "go",
        source: "go",
        version: &["go", "version"],
        prepare: build_go,
    },
    Foreign {
        name: "boost",
        source: "boost/main.cpp",
        version: &["dpkg-query", "-W", "-f=${Version}", "libboost-fiber-dev"],
        prepare: build_boost,
    },
    Foreign {
        name: "luajit",
        source: "lua/main.lua",
        version: &["luajit", "-v"],
        prepare: |source, _| Ok(vec!["luajit".into(), source.into()]),
    },
    Foreign {
        name: "python",
        source: "python/generators.py",
        version: &["python3", "--version"],
        prepare: python,
    },
    Foreign {
        name: "greenlet",
        source: "python/greenlets.py",
        version: &[
            "python3",
            "-c",
            "import greenlet; print(greenlet.__version__)",
        ],
        prepare: python,
    },
    Foreign {
        name: "gevent",
        source: "python/with_gevent.py",
        version: &["python3", "-c", "import gevent; print(gevent.__version__)"],
        prepare: python,
    },
    Foreign {
        name: "asyncio",
        source: "python/with_asyncio.py",
        version: &["python3", "--version"],
        prepare: python,
    },
    Foreign {
        name: "uvloop",
        source: "python/with_uvloop.py",
        version: &["python3", "-c", "import uvloop; print(uvloop.__version__)"],
        prepare: python,
    },
];

impl Peer {
    /// Whether it has this work.
    pub fn knows(&self, row: &Row) -> bool {
        let name = row.load.map_or(row.name, |load| load.protocol.name());
        self.rows.iter().any(|known| known == name)
    }

    /// What to run for one measurement.
    pub fn command(&self, row: &str, count: u64) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(row);
        command.arg(count.to_string());
        command
    }
}

/// Those that are not here, each with the reason.
pub type Missing = Vec<(&'static str, String)>;

/// Those that were asked for and are there, and why others are not.
pub fn find(wanted: &[String], out: &Path) -> Result<(Vec<Peer>, Missing), io::Error> {
    let asked = |name: &str| {
        name == OURS || name == FLOOR || wanted.is_empty() || wanted.iter().any(|one| one == name)
    };
    let this = std::env::current_exe()?;
    let rust = rust::PEERS.iter().filter(|peer| asked(peer.name));
    let mut peers: Vec<_> = rust.map(|peer| of_rust(peer, &this)).collect();
    let mut missing = Vec::new();
    for foreign in FOREIGN.iter().filter(|foreign| asked(foreign.name)) {
        match of_another(foreign, out) {
            Ok(peer) => peers.push(peer),
            Err(why) => missing.push((foreign.name, why)),
        }
    }
    Ok((peers, missing))
}

fn of_rust(peer: &rust::RustPeer, this: &Path) -> Peer {
    Peer {
        name: peer.name,
        version: locked_version(peer.package),
        command: vec![this.into(), "peer".into(), peer.name.into()],
        rows: peer.rows.iter().map(|(row, _)| (*row).to_owned()).collect(),
    }
}

/// The version of a package in the lock file.
fn locked_version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next().and_then(|line| line.split('"').nth(1));
    version.unwrap_or(env!("CARGO_PKG_RUST_VERSION")).to_owned()
}

fn of_another(foreign: &Foreign, out: &Path) -> Result<Peer, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(foreign.source);
    let version = said(foreign.version)?;
    let command = (foreign.prepare)(&source, out)?;
    let mut rows = Command::new(&command[0]);
    let rows = said_by(rows.args(&command[1..]).arg("rows"))?;
    Ok(Peer {
        name: foreign.name,
        version: version.lines().next().unwrap_or_default().to_owned(),
        command,
        rows: rows.split_whitespace().map(str::to_owned).collect(),
    })
}

fn said(command: &[&str]) -> Result<String, String> {
    said_by(Command::new(command[0]).args(&command[1..]))
}

/// What a command prints, if it succeeds.
fn said_by(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(complaint.lines().last().unwrap_or("it failed").to_owned());
    }
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).trim().to_owned())
}

fn build_go(source: &Path, out: &Path) -> Result<Vec<PathBuf>, String> {
    let program = out.join("peer-go");
    let mut build = Command::new("go");
    let program = std::path::absolute(program).map_err(|error| error.to_string())?;
    build
        .current_dir(source)
        .args(["build", "-o"])
        .arg(&program)
        .arg(".");
    said_by(&mut build)?;
    Ok(vec![program])
}

fn build_boost(source: &Path, out: &Path) -> Result<Vec<PathBuf>, String> {
    let program = out.join("peer-boost");
    let mut build = Command::new("c++");
    build
        .args(["-O3", "-march=native", "-std=c++17", "-o"])
        .arg(&program)
        .arg(source);
    build.args(["-lboost_fiber", "-lboost_context", "-lpthread"]);
    said_by(&mut build)?;
    Ok(vec![program])
}

fn python(source: &Path, _: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(vec!["python3".into(), source.into()])
}
