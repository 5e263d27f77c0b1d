//! The same work on greenthread and on its peers, interleaved in one run.
//!
//! ```sh
//! cargo run --release --manifest-path benches/versus/Cargo.toml                      # every row, every peer that is there
//! cargo run --release --manifest-path benches/versus/Cargo.toml -- --rows yield_2,channel_64 --peers go,tokio
//! cargo run --release --manifest-path benches/versus/Cargo.toml -- --table           # what belongs into benches/README.md
//! cargo run --release --manifest-path benches/versus/Cargo.toml -- curves --rounds 3 # how cost grows
//! cargo run --release --manifest-path benches/versus/Cargo.toml -- workers           # a server on one worker and on several
//! ```
//!
//! Each measurement is a process of its own, so that no peer leaves anything behind for the next; in every round each peer has its turn once. What comes out:
//! a table with medians, spread and ratios, the same as CSV, and a plot for each row.
//!
//! Servers are held to one core, and the load generator in this process to another. What a request costs is the CPU time of the server's process by its number of
//! requests: the one measure that does not hang on how quick the other side is.

mod calls;
mod curve;
mod curve_plot;
mod epoll;
mod load;
mod machine;
mod measure;
mod outcome;
mod peer;
mod plot;
mod process;
mod row;
mod rust;
mod server;
mod table;
mod traffic;
mod workers;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::measure::Effort;
use crate::peer::Peer;
use crate::row::{ROWS, Row};

/// Runs the same work on greenthread and on its peers.
#[derive(Parser)]
struct Arguments {
    /// One measurement, or all of them.
    #[command(subcommand)]
    command: Option<Command>,

    /// Only these rows, with commas between.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,

    /// Only these peers beside greenthread, with commas between.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,

    /// How often each peer has its turn.
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,

    /// One round, and a tenth of the work: to see that everything runs.
    #[arg(long, global = true)]
    quick: bool,

    /// Says no more than what belongs into `benches/README.md`, dated.
    #[arg(long)]
    table: bool,

    /// Where the table, the CSV and the plots go.
    #[arg(long, global = true, default_value = "target/versus")]
    out: PathBuf,

    /// Lists rows and peers, and why a peer is missing.
    #[arg(long)]
    list: bool,
}

impl Arguments {
    fn effort(&self) -> Effort {
        Effort {
            rounds: if self.quick { 1 } else { self.rounds },
            quick: self.quick,
        }
    }
}

/// What to do, when it is not the table.
#[derive(Subcommand)]
enum Command {
    /// How cost grows with the number of green threads, timers, connections, waiters: a picture and a CSV for each.
    Curves {
        /// Only these, with commas between.
        #[arg(value_delimiter = ',')]
        names: Vec<String>,
    },

    /// HTTP servers of ours on one worker and on as many as there are cores: CPU time, throughput, and one listener for all beside one for each.
    Workers {
        /// Which load.
        #[arg(default_value = "http_keep")]
        row: String,
    },

    /// The load of a server's row on one that was started by hand (`versus peer greenthread echo 0`), to profile it meanwhile.
    Drive {
        /// Where it listens.
        port: u16,

        /// Which load.
        row: String,

        /// How many times as many requests as a measurement has.
        #[arg(default_value_t = 1)]
        times: u64,
    },

    /// One measurement of a Rust peer; prints one number.
    #[command(hide = true)]
    Peer {
        /// Which one.
        name: String,

        /// Which work.
        row: String,

        /// How much of it.
        count: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Peer { name, row, count }) = &arguments.command {
        return rust::measure(name, row, *count);
    }
    let outcome = match &arguments.command {
        Some(Command::Curves { names }) => draw(names, &arguments),
        Some(Command::Workers { row }) => on_workers(row, arguments.effort()),
        Some(Command::Drive { port, row, times }) => drive(*port, row, *times),
        _ => compare(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("versus: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(names: &[String], arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(&arguments.out)?;
    let curves = curve::chosen(names)?;
    let (peers, _) = peer::find(&curve::peers(), &arguments.out)?;
    for drawn in curve::all(&curves, &peers, arguments.effort()) {
        println!("{}", drawn.markdown());
        let name = drawn.curve.name;
        std::fs::write(arguments.out.join(format!("curve-{name}.csv")), drawn.csv())?;
        curve_plot::draw(&drawn, &arguments.out.join(format!("curve-{name}.svg")))?;
    }
    eprintln!("written to {}", arguments.out.display());
    Ok(())
}

fn on_workers(row: &str, effort: Effort) -> Result<(), Box<dyn std::error::Error>> {
    let row = chosen_rows(&[row.to_owned()])?[0];
    let (peers, _) = peer::find(&[String::new()], &PathBuf::new())?;
    let ours = peers.iter().find(|peer| peer.name == peer::OURS);
    let ours = ours.ok_or("greenthread is not there")?;
    println!("{}", workers::table(ours, row, effort.rounds)?);
    Ok(())
}

fn drive(port: u16, row: &str, times: u64) -> Result<(), Box<dyn std::error::Error>> {
    let row = chosen_rows(&[row.to_owned()])?[0];
    let load = row.load.ok_or("no load of a server")?;
    let _held = machine::Held::to(server::load_core());
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    traffic::most_connections();
    let mut clients = load::Clients::connect(address, &load)?;
    for _ in 0..times {
        let report = clients.drive(row.count)?;
        println!(
            "{:.0} requests/s, p50 {:.1} us",
            report.throughput(),
            report.latency(0.5)
        );
    }
    Ok(())
}

fn compare(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let rows = chosen_rows(&arguments.rows)?;
    std::fs::create_dir_all(&arguments.out)?;
    let (peers, missing) = peer::find(&arguments.peers, &arguments.out)?;
    for (name, why) in &missing {
        eprintln!("skipped: {name}: {why}");
    }
    if arguments.list {
        list(&rows, &peers);
        return Ok(());
    }
    let outcome = measure::all(&rows, &peers, arguments.effort());
    let (short, long) = (table::short(&outcome, &peers), table::long(&outcome));
    println!("{short}");
    if !arguments.table {
        println!("{long}");
    }
    std::fs::write(arguments.out.join("versus.md"), format!("{short}\n{long}"))?;
    std::fs::write(arguments.out.join("versus.csv"), table::csv(&outcome))?;
    plot::all(&outcome, &arguments.out)?;
    eprintln!("written to {}", arguments.out.display());
    Ok(())
}

fn chosen_rows(names: &[String]) -> Result<Vec<&'static Row>, String> {
    if names.is_empty() {
        return Ok(ROWS.iter().collect());
    }
    let find = |name: &String| {
        let row = ROWS.iter().find(|row| row.name == name);
        row.ok_or_else(|| format!("no row {name:?}; `--list` has them"))
    };
    names.iter().map(find).collect()
}

fn list(rows: &[&Row], peers: &[Peer]) {
    for row in rows {
        println!("{:16} {}, {}", row.name, row.what, row.unit);
    }
    println!();
    for peer in peers {
        println!("{:16} {}", peer.name, peer.version);
    }
}
