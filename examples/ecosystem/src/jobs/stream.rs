//! Jobs in a Redis Stream with a consumer group.
//!
//! ```text
//!   XADD ──▶ stream ──XREADGROUP──▶ pending, of one worker ──HSETNX result + XACK, as one──▶ done
//!                                       │ that worker is silent for longer than `patience`
//!                                       └──XAUTOCLAIM──▶ pending, of another
//! ```
//!
//! So a job is lost by nobody's death. It may be done twice, by a worker that is only slow, and its first result stands.

use std::time::{Duration, Instant};

use redis::streams::{
    StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply,
};
use redis::{Commands, RedisError};

use super::{Error, Job, Taken};
use crate::redis::Connection;

/// The group that all workers are of.
const GROUP: &str = "workers";

/// The field of an entry that holds the job.
const FIELD: &str = "number";

/// Where a pass over what is pending begins, and ends.
const BEGINNING: &str = "0-0";

/// What all processes agree on.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Host and port.
    pub server: String,

    /// What the stream is called.
    pub name: String,

    /// How many results make the end.
    pub jobs: u64,

    /// How long a worker may be silent about a job before another takes it over.
    pub patience: Duration,
}

/// A connection to the stream, as one worker or producer.
#[derive(Debug)]
pub struct Stream {
    /// To the server; nobody else uses it, because a worker that waits for a job keeps it waiting.
    connection: Connection,

    /// What all agree on.
    terms: Terms,

    /// What the server knows this worker by.
    worker: String,

    /// When what others have pending was last looked at.
    looked: Instant,

    /// How far that pass has come.
    cursor: String,
}

impl Stream {
    /// Connects, and makes the stream and its group if nobody has.
    ///
    /// # Errors
    /// The server's.
    pub fn connect(terms: &Terms, worker: &str) -> Result<Self, Error> {
        let mut connection = Connection::connect(&terms.server)?;
        let made: Result<(), RedisError> =
            connection.xgroup_create_mkstream(&terms.name, GROUP, "0");
        made.or_else(|error| {
            if error.code() == Some("BUSYGROUP") {
                Ok(())
            } else {
                Err(error)
            }
        })?;
        Ok(Stream {
            connection,
            terms: terms.clone(),
            worker: worker.into(),
            looked: greenthread::time::now(),
            cursor: BEGINNING.into(),
        })
    }

    fn results(&self) -> String {
        format!("{}:results", self.terms.name)
    }

    pub(super) fn put(&mut self, job: Job) -> Result<(), Error> {
        self.connection
            .xadd::<_, _, _, _, ()>(&self.terms.name, "*", &[(FIELD, job)])?;
        Ok(())
    }

    pub(super) fn take(&mut self) -> Result<Option<Taken>, Error> {
        loop {
            let entry = match self.take_over()? {
                None => self.take_new()?,
                left => left,
            };
            if let Some(entry) = entry {
                return taken(&entry).map(Some);
            }
            if self.done()? >= self.terms.jobs {
                return Ok(None);
            }
        }
    }

    /// Waits for a job that nobody has had, for as long as a dead worker's may lie.
    fn take_new(&mut self) -> Result<Option<StreamId>, Error> {
        let wait = self
            .terms
            .patience
            .min(Duration::from_secs(1))
            .as_millis()
            .max(1);
        let options = StreamReadOptions::default()
            .group(GROUP, &self.worker)
            .count(1)
            .block(wait as usize);
        let reply: Option<StreamReadReply> =
            self.connection
                .xread_options(&[&self.terms.name], &[">"], &options)?;
        let mut keys = reply.unwrap_or_default().keys;
        Ok(keys.pop().and_then(|mut key| key.ids.pop()))
    }

    /// A job about which another worker has been silent for too long. Looked for only now and then.
    fn take_over(&mut self) -> Result<Option<StreamId>, Error> {
        let now = greenthread::time::now();
        if self.cursor == BEGINNING && now - self.looked < self.terms.patience {
            return Ok(None);
        }
        self.looked = now;
        let patience = self.terms.patience.as_millis() as u64;
        let one = StreamAutoClaimOptions::default().count(1);
        let reply: StreamAutoClaimReply = self.connection.xautoclaim_options(
            &self.terms.name,
            GROUP,
            &self.worker,
            patience,
            &self.cursor,
            one,
        )?;
        self.cursor = reply.next_stream_id;
        Ok(reply.claimed.into_iter().next())
    }

    /// The result and the receipt come to stand together.
    pub(super) fn finish(&mut self, taken: &Taken, result: u64) -> Result<(), Error> {
        let results = self.results();
        redis::pipe()
            .atomic()
            .hset_nx(&results, taken.job, result)
            .ignore()
            .xack(&self.terms.name, GROUP, &[&taken.id])
            .ignore()
            .exec(&mut self.connection)?;
        Ok(())
    }

    pub(super) fn done(&mut self) -> Result<u64, Error> {
        let results = self.results();
        Ok(self.connection.hlen(results)?)
    }

    pub(super) fn total(&mut self) -> Result<u64, Error> {
        let results = self.results();
        let values: Vec<u64> = self.connection.hvals(results)?;
        Ok(values.iter().sum())
    }

    /// How many jobs were taken by somebody and have no result yet.
    ///
    /// # Errors
    /// The server's.
    pub fn pending(&mut self) -> Result<usize, Error> {
        let reply: redis::streams::StreamPendingReply =
            self.connection.xpending(&self.terms.name, GROUP)?;
        Ok(reply.count())
    }

    /// Takes everything away from the server.
    ///
    /// # Errors
    /// The server's.
    pub fn remove(&mut self) -> Result<(), Error> {
        let keys = [self.terms.name.clone(), self.results()];
        self.connection.del::<_, ()>(&keys)?;
        Ok(())
    }
}

fn taken(entry: &StreamId) -> Result<Taken, Error> {
    let job = entry.get(FIELD).ok_or("an entry that is no job")?;
    let id = entry.id.clone();
    Ok(Taken { job, id })
}
