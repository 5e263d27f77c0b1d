//! A scope whose children may fail with an error, as errgroup's and asyncio's `TaskGroup` (L11).

#![expect(unsafe_code, reason = "spawns what is `Send` elsewhere")]

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;

use super::family::Member;
use super::scope::{Scope, ScopedJoinHandle};
use crate::base::lock::Lock;
use crate::sched::payload;
use crate::sched::request::Request;
use crate::sched::scheduler::Scheduler;

/// Runs `f` with a scope whose children return results; the first error, of a child or of the body, cancels the others and the body.
///
/// Blocks at its end until the last child has ended. Panics, cancellation, the root and plain OS threads: as [`scope`](crate::scope).
///
/// # Errors
/// [`ScopeError`] with every error, in the order in which they came.
///
/// # Panics
/// With the payload of the first panic in the body or in a child.
///
/// # Examples
/// ```
/// let outcome = greenthread::try_scope(|s| {
///     s.spawn(|| Ok(1));
///     s.spawn(|| Err::<i32, _>("no such file"));
///     Ok(greenthread::park()) // cancelled by the error
/// });
/// assert_eq!(outcome.unwrap_err().into_first(), "no such file");
/// ```
pub fn try_scope<'env, F, R, E>(f: F) -> Result<R, ScopeError<E>>
where
    F: for<'scope> FnOnce(&'scope TryScope<'scope, 'env, E>) -> Result<R, E>,
{
    let scope = TryScope {
        scope: Scope::new(),
        errors: Lock::default(),
    };
    let ended = scope
        .scope
        .run(|| f(&scope).map_err(|error| scope.fail_body(error)));
    if let Some(panic) = scope.scope.family().take_panic() {
        resume_unwind(panic);
    }
    let errors = std::mem::take(&mut *scope.errors.lock());
    if errors.is_empty() {
        scope.scope.raise_again();
    }
    settle(ended, errors)
}

/// The errors if there are any, else the value, else the request that ended the body.
fn settle<R, E>(
    ended: Result<Result<R, ()>, Box<dyn Any + Send>>,
    errors: Vec<E>,
) -> Result<R, ScopeError<E>> {
    match ended {
        Ok(Ok(value)) if errors.is_empty() => Ok(value),
        Err(request) if errors.is_empty() => resume_unwind(request),
        _ => Err(ScopeError { errors }),
    }
}

/// A scope to spawn children in that may fail; used on the parent's OS thread only.
///
/// See [`try_scope`].
pub struct TryScope<'scope, 'env: 'scope, E> {
    /// The children.
    scope: Scope<'scope, 'env>,

    /// In the order in which they came.
    errors: Lock<Vec<E>>,
}

impl<'scope, E> TryScope<'scope, '_, E> {
    /// Spawns a child on this OS thread, which may borrow what outlives the scope. Its error fails the scope.
    ///
    /// Does not block. The handle of a child that failed with an error says that it was cancelled: the error is the scope's.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> Result<T, E> + 'scope,
        T: 'scope,
        E: 'scope,
    {
        let member = self.scope.member();
        self.scope
            .spawn_member(member, Location::caller(), |member| {
                f().unwrap_or_else(|error| fail(&self.errors, member, error))
            })
    }

    /// Spawns a child on whichever worker has time, as [`Scope::spawn_anywhere`] does. Its error fails the scope.
    ///
    /// Does not block. The handle of a child that failed with an error says that it was cancelled: the error is the scope's.
    ///
    /// # Panics
    /// As [`spawn_anywhere`](crate::spawn_anywhere).
    #[track_caller]
    pub fn spawn_anywhere<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        let errors = &self.errors;
        let f = move |member: &Member| f().unwrap_or_else(|error| fail(errors, member, error));
        // SAFETY: A6 of `scope`: what the child uses is `Send`; of the scope it uses the errors alone, which are behind a lock.
        unsafe { self.scope.spawn_member_out(f) }
    }

    /// Asks every child to end, and every one that is spawned from now on; not the body.
    pub fn cancel(&self) {
        self.scope.cancel();
    }

    /// As [`cancel`](Self::cancel), with a reason that [`JoinError::reason`](crate::JoinError::reason) shows. The first reason wins.
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) {
        self.scope.cancel_with(reason);
    }

    fn fail_body(&self, error: E) {
        self.errors.lock().push(error);
        self.scope.family().cancel(&Request::scope_failed());
    }
}

/// A child returns an error: the scope keeps it, and fails.
fn fail<E>(errors: &Lock<Vec<E>>, member: &Member, error: E) -> ! {
    errors.lock().push(error);
    member.fail();
    let reason = Arc::from(Box::from("it returned an error, which its scope has"));
    payload::raise_cancellation(Scheduler::get().current_header(), Some(reason))
}

impl<E> fmt::Debug for TryScope<'_, '_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryScope").finish_non_exhaustive()
    }
}

/// The errors of a [`try_scope`], in the order in which they came; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeError<E> {
    /// Never empty.
    errors: Vec<E>,
}

impl<E> ScopeError<E> {
    /// Returns the error that came first and cancelled the others.
    #[must_use]
    pub fn first(&self) -> &E {
        &self.errors[0]
    }

    /// Returns every error.
    #[must_use]
    pub fn all(&self) -> &[E] {
        &self.errors
    }

    /// Returns the error that came first, by value.
    #[must_use]
    pub fn into_first(mut self) -> E {
        self.errors.swap_remove(0)
    }
}

impl<E: fmt::Display> fmt::Display for ScopeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first())?;
        match self.errors.len() - 1 {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl<E: Error + 'static> Error for ScopeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.first())
    }
}
