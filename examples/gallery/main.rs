//! Fetches pictures, many at a time, on one OS thread: the crate's main job, start to end.
//!
//! A generator yields addresses, a bounded queue carries them to green threads that download, and every call that waits
//! (`put`, `iter`, `connect`, `read`) looks like its namesake in std. With no arguments a server in the same process
//! plays the other side. What you read here is all there is: no executor to start, no `async`, no locks.

mod address;
mod body;
mod client;
mod download;
mod failure;
mod folder;
mod head;
mod options;
mod pictures;
mod report;
#[cfg(feature = "ureq")]
mod secure;
#[cfg(not(feature = "ureq"))]
#[path = "plain.rs"]
mod secure;
mod server;
mod source;

use client::Client;
use download::download;
use folder::Folder;
use greenthread::sync::Queue;
use indicatif::{ProgressBar, ProgressStyle};
use options::{Options, Request};
use report::Tally;
use secure::Secure;
use source::Source;
use std::process::ExitCode;

/// The exit status for options that make no sense, and for a run that could not start.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Request::Fetch(options)) => options,
        Ok(Request::Help) => {
            report::say(options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(misuse) => return unusable(&misuse),
    };
    // `run` adds an orderly end: when `gallery` returns, it cancels the embedded server and waits for it.
    match greenthread::run(|| gallery(options)) {
        Ok(tally) => {
            report::say(&tally.to_string());
            if tally.all_went_as_planned() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(reason) => unusable(&reason),
    }
}

/// Fetches every address of the source into the folder; the error is why it could not even start.
fn gallery(options: Options) -> Result<Tally, String> {
    let source = Source::open(options.addresses, options.from.as_deref())?;
    let secure = Secure::open(options.ca.as_deref(), options.limits, options.jobs)?;
    let folder = Folder::open(options.out.as_deref())?;
    let bar = progress_bar(source.count);
    let tally = Tally::new(folder.path(), source.server);
    let queue = Queue::<String>::bounded(options.jobs);

    greenthread::scope(|s| {
        for _ in 0..options.jobs {
            s.spawn(|| {
                let mut client = Client::new(options.limits, secure.clone());
                for address in queue.iter() {
                    let outcome = tally.in_flight(|| download(&mut client, &address, &folder));
                    tally.record(address, outcome);
                    bar.inc(1);
                }
            });
        }
        for address in source.addresses {
            queue.put(address).expect("nobody else closes the queue");
        }
        queue.close();
    });

    bar.finish_and_clear();
    Ok(tally)
}

/// A bar on the terminal's stderr; indicatif hides it when stderr is something else.
fn progress_bar(pictures: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40.cyan/blue} {pos}/{len} pictures, {eta} left")
        .expect("the template is well formed");
    ProgressBar::new(pictures as u64).with_style(style)
}

/// Says in one line why nothing was fetched.
fn unusable(reason: &str) -> ExitCode {
    eprintln!("gallery: {reason}");
    ExitCode::from(UNUSABLE)
}
