//! A value that is made when it is first asked for.

use std::fmt;
use std::ops::Deref;

use super::once_lock::OnceLock;

/// A value that is made when it is first asked for.
///
/// Unlike std's, a panic or a cancellation in the initialiser does not poison it: the next who asks tries again. So the initialiser is a [`Fn`].
///
/// # Examples
/// ```
/// use greenthread::sync::LazyLock;
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..5).map(|n| n * n).collect());
/// assert_eq!(SQUARES[3], 9);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    /// The value, once made.
    value: OnceLock<T>,

    /// Makes it.
    make: F,
}

impl<T, F: Fn() -> T> LazyLock<T, F> {
    constant! {
        /// Makes one whose value `make` makes, in whoever asks first.
        #[must_use]
        pub fn new(make: F) -> Self {
            LazyLock { value: OnceLock::new(), make }
        }
    }

    /// Returns the value, after making it if it is not there; what [`Deref`] does.
    ///
    /// Blocks while another makes it. A cancellation while waiting, or inside the initialiser, is raised here, and the next who asks tries again. On the root and on a
    /// plain OS thread the wait runs the event loop.
    ///
    /// # Panics
    /// When the initialiser asks for the value that it makes, and as the initialiser does.
    #[inline]
    pub fn force(this: &Self) -> &T {
        this.value.get_or_init(&this.make)
    }

    /// Returns the value if it has been made. Does not block.
    #[must_use]
    pub fn get(this: &Self) -> Option<&T> {
        this.value.get()
    }
}

impl<T, F: Fn() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> Self {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.get() {
            Some(value) => f.debug_tuple("LazyLock").field(value).finish(),
            None => f.write_str("LazyLock(<not made>)"),
        }
    }
}
