//! Values of which every green thread has its own.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use super::local_table::{self, Copier};

/// Declares values of which every green thread, and every root, has its own: what `thread_local!` is for OS threads.
///
/// Each is made by its expression when it is first used. With `#[inherit]` in front of `static`, a child begins with a copy of what its parent has at the moment
/// of the spawn, whatever the form of spawn, [`Spawner`](crate::Spawner) and [`spawn_blocking`](crate::spawn_blocking) included; its type must be `Clone + Send`
/// then. Later changes on either side are not seen by the other. See [`LocalKey`] for what can be done with them.
///
/// They are dropped at the end of the green thread, newest first, on its own stack and shielded from cancellation, before its handle reads finished. The root begins with
/// fresh values in [`run`](crate::run), which drops them at its end; outside of it those of the root are leaked at the end of the OS thread.
///
/// # Examples
/// ```
/// use std::cell::Cell;
/// greenthread::green_local! {
///     static CALLS: Cell<u32> = Cell::new(0);
///     #[inherit]
///     pub static USER: String = String::from("nobody");
/// }
/// USER.set("alice".into());
/// CALLS.with(|calls| calls.set(5));
/// let child = greenthread::spawn(|| (USER.get(), CALLS.with(Cell::get)));
/// assert_eq!(child.join().unwrap(), ("alice".into(), 0));
/// ```
#[macro_export]
macro_rules! green_local {
    () => {};
    (@declare [$($kept:tt)*] [$($inherit:tt)?] #[inherit] $($rest:tt)*) => {
        $crate::green_local!(@declare [$($kept)*] [inherited] $($rest)*);
    };
    (@declare [$($kept:tt)*] [$($inherit:tt)?] #[$attribute:meta] $($rest:tt)*) => {
        $crate::green_local!(@declare [$($kept)* #[$attribute]] [$($inherit)?] $($rest)*);
    };
    (@declare [$($kept:tt)*] [] $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $crate::green_local!(@declare [$($kept)*] [new] $vis static $name: $type = $init $(; $($rest)*)?);
    };
    (@declare [$($kept:tt)*] [$how:ident] $vis:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $($kept)*
        $vis static $name: $crate::LocalKey<$type> = $crate::LocalKey::$how({
            fn init() -> $type {
                $init
            }
            init
        });
        $($crate::green_local!($($rest)*);)?
    };
    ($($declarations:tt)+) => {
        $crate::green_local!(@declare [] [] $($declarations)+);
    };
}

/// A value of which every green thread has its own, declared by [`green_local!`](crate::green_local).
///
/// # Panics
/// All methods, in a thread-local's destructor, when greenthread's own is gone already.
pub struct LocalKey<T: 'static> {
    /// Makes the first value.
    init: fn() -> T,

    /// For one that children inherit.
    copier: Option<Copier>,
}

impl<T: 'static> LocalKey<T> {
    /// What `green_local!` declares.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        LocalKey { init, copier: None }
    }

    /// What `green_local!` declares with `#[inherit]`.
    #[doc(hidden)]
    #[must_use]
    pub const fn inherited(init: fn() -> T) -> Self
    where
        T: Clone + Send,
    {
        let copier = Some(copy::<T> as Copier);
        LocalKey { init, copier }
    }

    /// Calls `f` with the value of the running green thread, made now if it has none.
    ///
    /// Does not block; `f` may. The value that `f` sees stays alive until `f` returns, even if it is replaced meanwhile.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        let value = self.value();
        f(&value)
    }

    /// Returns a copy of the value of the running green thread, made now if it has none. Does not block.
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Replaces the value of the running green thread. Does not block.
    ///
    /// The old one is dropped now, or by the last who reads it.
    pub fn set(&'static self, value: T) {
        drop(self.replace(Rc::new(value)));
    }

    /// Calls `f` with `value` in place, and puts back what was there when `f` returns or unwinds.
    ///
    /// Does not block; `f` may. What `f` sets is gone with it.
    ///
    /// # Examples
    /// ```
    /// greenthread::green_local! { static DEPTH: u32 = 0; }
    /// assert_eq!(DEPTH.scope(1, || DEPTH.get()), 1);
    /// assert_eq!(DEPTH.get(), 0);
    /// ```
    pub fn scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let before = self.replace(Rc::new(value));
        let _back = PutBack { key: self, before };
        f()
    }

    fn value(&'static self) -> Rc<T> {
        if let Some(value) = local_table::find(self.address()) {
            return typed(value);
        }
        let made = Rc::new((self.init)());
        // The expression may have set the value itself: that stands.
        match local_table::find(self.address()) {
            Some(value) => typed(value),
            None => {
                self.replace(Rc::clone(&made));
                made
            }
        }
    }

    fn replace(&'static self, value: Rc<T>) -> Option<Rc<T>> {
        local_table::replace(self.address(), value, self.copier).map(typed)
    }

    /// What tells it from all others.
    fn address(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// A value of the type that its key names.
fn typed<T: 'static>(value: Rc<dyn Any>) -> Rc<T> {
    value.downcast().expect("a key has one type")
}

/// The copy that a child gets.
fn copy<T: Clone + Send + 'static>(value: &dyn Any) -> Rc<dyn Any> {
    let value: &T = value.downcast_ref().expect("a key has one type");
    Rc::new(value.clone())
}

/// Puts back what stood before a [`LocalKey::scope`].
struct PutBack<T: 'static> {
    /// Of which value.
    key: &'static LocalKey<T>,

    /// What stood there, if anything did.
    before: Option<Rc<T>>,
}

impl<T: 'static> Drop for PutBack<T> {
    fn drop(&mut self) {
        let after = match self.before.take() {
            Some(before) => self.key.replace(before),
            None => local_table::remove(self.key.address()).map(typed),
        };
        drop(after);
    }
}
