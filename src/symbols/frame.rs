//! A line of a backtrace.

/// A line of a backtrace: a function, or one that was inlined into the next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// Where the call returns to.
    pub address: usize,

    /// The function, if its name is known.
    pub function: Option<String>,

    /// The source file, if it is known.
    pub file: Option<String>,

    /// The line in it.
    pub line: Option<u32>,

    /// Whether it is part of this library, or of what carries it.
    pub is_ours: bool,
}

impl Frame {
    /// One of which nothing is known.
    pub(crate) fn unnamed(address: usize) -> Self {
        Frame {
            address,
            function: None,
            file: None,
            line: None,
            is_ours: false,
        }
    }
}
