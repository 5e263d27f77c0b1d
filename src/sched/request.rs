//! A request: asked for by anybody, raised at the target's wait points (D5).
//!
//! How it is raised is in `payload`, how it is delivered in `cancel` and `deliver`.

use std::error::Error;
use std::sync::Arc;

use crate::base::error::Elapsed;

/// Why somebody asked.
pub(crate) type Reason = Arc<dyn Error + Send + Sync>;

/// A cancellation that has been asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Why; the first one wins.
    pub(crate) reason: Option<Reason>,

    /// Whether it can not be consumed: by the end of `run`, by a shutdown, by a failing scope.
    pub(crate) forced: bool,
}

impl Request {
    /// What a failing scope asks of its body and its children; it cannot be consumed (L9).
    pub(crate) fn scope_failed() -> Self {
        Request {
            reason: Some(Arc::from(Box::from("another part of its scope failed"))),
            forced: true,
        }
    }

    /// What a timeout asks of those inside of it when its deadline has passed.
    pub(crate) fn elapsed() -> Self {
        Request {
            reason: Some(Arc::new(Elapsed)),
            forced: false,
        }
    }

    /// What the end of `run` asks of those who are left; it cannot be consumed (L9).
    pub(crate) fn end_of_run() -> Self {
        Request {
            reason: Some(Arc::from(Box::from("`run` has ended"))),
            forced: true,
        }
    }
}
