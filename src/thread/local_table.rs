//! The values of `green_local!`s: one table a green thread or root, made when the first value is, hung on its header.
//!
//! A value is counted: whoever reads it holds a reference of his own, so that it may be replaced meanwhile, and the table is borrowed only for the
//! moment of a look-up, never while code of the user runs.
//!
//! Invariants:
//! - G1 What `Local::locals` points to is a `Table` of this file, owned by that header, and reached on the header's OS thread alone. A table that
//!   has just been filled for a child holds copies only, which nobody else counts and whose types are `Send`: so it may begin its life on another OS thread.

#![expect(unsafe_code, reason = "a table of typed values behind a plain pointer")]

use std::any::Any;
use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;

use super::outcome::drop_quietly;
use crate::sched::frame::{Frame, Kind};
use crate::sched::header::{Counted, Header};
use crate::sched::scheduler::Scheduler;

/// A value that is counted.
pub(super) type Value = Rc<dyn Any>;

/// Makes the copy of a value that a child gets; the copy is counted by nobody else.
pub(super) type Copier = fn(&dyn Any) -> Value;

/// How often a table may be emptied as many times as it had values: their destructors may make values anew.
const ROUNDS: usize = 8;

/// Values, oldest first.
#[derive(Default)]
struct Table(RefCell<Vec<Entry>>);

/// One value.
struct Entry {
    /// The address of its `green_local!`.
    key: usize,

    /// What it is now.
    value: Value,

    /// For one that children inherit.
    copier: Option<Copier>,
}

/// The table of a header, if it has one.
///
/// # Safety
/// This is the header's OS thread, and nobody drops the table while the result is used (G1).
#[inline]
unsafe fn table(header: &Header) -> Option<&Table> {
    // SAFETY: H2, the caller's duty.
    let locals = unsafe { header.local() }.locals.get();
    // SAFETY: G1.
    unsafe { locals.cast::<Table>().as_ref() }
}

/// The table of the green thread or root that runs, if it has one. Only to be used while no code of the user runs: who runs drops it at its end.
fn running<'a>() -> Option<&'a Table> {
    // SAFETY: H2: the current one belongs to this OS thread.
    unsafe { table(Scheduler::get().current_header()) }
}

/// The same, made now if need be.
fn running_or_made<'a>() -> &'a Table {
    let header = Scheduler::get().current_header();
    // SAFETY: H2: the current one belongs to this OS thread.
    let locals = &unsafe { header.local() }.locals;
    if locals.get().is_null() {
        locals.set(Box::into_raw(Box::<Table>::default()).cast());
    }
    // SAFETY: G1: it has a table now.
    unsafe { &*locals.get().cast::<Table>() }
}

/// The value of `key` here, if there is one.
pub(super) fn find(key: usize) -> Option<Value> {
    let entries = running()?.0.borrow();
    let entry = entries.iter().find(|entry| entry.key == key)?;
    Some(Rc::clone(&entry.value))
}

/// Puts a value in; what stood there comes back, to be dropped by the caller.
pub(super) fn replace(key: usize, value: Value, copier: Option<Copier>) -> Option<Value> {
    let mut entries = running_or_made().0.borrow_mut();
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
        return Some(std::mem::replace(&mut entry.value, value));
    }
    entries.push(Entry { key, value, copier });
    None
}

/// Takes a value out.
pub(super) fn remove(key: usize) -> Option<Value> {
    let mut entries = running()?.0.borrow_mut();
    let place = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(place).value)
}

/// Copies for a child of what runs now; null when there is nothing to inherit, as most often.
#[inline]
pub(super) fn inherited(scheduler: Option<&Scheduler>) -> *mut () {
    let Some(scheduler) = scheduler else {
        return ptr::null_mut();
    };
    // SAFETY: S2, S3 of `scheduler`: what runs has not ended; null while the loop runs something of its own.
    let Some(parent) = (unsafe { scheduler.current().as_ref() }) else {
        return ptr::null_mut();
    };
    // SAFETY: H2: it is of this OS thread.
    match unsafe { table(parent) } {
        None => ptr::null_mut(),
        Some(table) => copies(table),
    }
}

#[cold]
fn copies(table: &Table) -> *mut () {
    // Cloning is code of the user's: the table is not borrowed meanwhile.
    let originals: Vec<(usize, Value, Copier)> = table
        .0
        .borrow()
        .iter()
        .filter_map(|entry| Some((entry.key, Rc::clone(&entry.value), entry.copier?)))
        .collect();
    if originals.is_empty() {
        return ptr::null_mut();
    }
    let copies = originals.iter().map(|(key, value, copier)| Entry {
        key: *key,
        value: copier(&**value),
        copier: Some(*copier),
    });
    let table = Table(RefCell::new(copies.collect()));
    Box::into_raw(Box::new(table)).cast()
}

/// Gives a header that nobody else has seen yet what [`inherited`] has copied for it.
///
/// # Safety
/// Nobody else reaches the header, and the table is given once (G1).
#[inline]
pub(super) unsafe fn give(header: &Header, inherited: *mut ()) {
    if !inherited.is_null() {
        // SAFETY: the caller's duty.
        unsafe { header.local() }.locals.set(inherited);
    }
}

/// Drops the values of a green thread or root that runs no code of its own any more; on its own stack (L18).
#[inline]
pub(super) fn end(header: &Header) {
    // SAFETY: H2: called by what it belongs to.
    if !unsafe { header.local() }.locals.get().is_null() {
        drop_all(header);
    }
}

/// Newest first; what a destructor reads is still there or is made anew. A destructor may also end a `run` that stands in a generator, and with it this very table: so it is looked up
/// anew for each value.
#[cold]
fn drop_all(header: &Header) {
    // SAFETY: the table is used for this alone.
    let count = unsafe { table(header) }.map_or(0, |table| table.0.borrow().len());
    Frame::enter(Scheduler::get().deadlines(), Kind::Shield, |_| {
        for _ in 0..ROUNDS * count {
            // SAFETY: the table is used for this alone; the value is dropped after it.
            let newest = unsafe { table(header) }.and_then(|table| table.0.borrow_mut().pop());
            match newest {
                Some(entry) => drop_quietly(header, entry.value),
                None => break,
            }
        }
    });
    free(header);
}

/// Frees the table of a header, if it still has one. What is made anew by every destructor has no end: it is leaked.
fn free(header: &Header) {
    // SAFETY: H2: called by what it belongs to.
    let locals = unsafe { header.local() }.locals.replace(ptr::null_mut());
    if !locals.is_null() {
        // SAFETY: G1: it was made by `Box::into_raw`, and nobody else has it.
        let table = unsafe { Box::from_raw(locals.cast::<Table>()) };
        std::mem::forget(table.0.take());
    }
}

/// Puts fresh values in place of those of what runs now, until the result is dropped.
pub(super) fn fresh() -> PutBack {
    // SAFETY: null.
    unsafe { put_in_place(ptr::null_mut()) }
}

/// Runs `f` with the values of `other` (null: none) in place of those of what runs now, then drops what is left of them.
///
/// # Safety
/// `other` is a table that nobody else reaches (G1).
pub(super) unsafe fn instead<R>(other: *mut (), f: impl FnOnce() -> R) -> R {
    // SAFETY: the caller's duty.
    let back = unsafe { put_in_place(other) };
    let result = f();
    drop(back);
    result
}

/// # Safety
/// As for [`instead`].
unsafe fn put_in_place(other: *mut ()) -> PutBack {
    let header = Scheduler::get().current_header().count();
    // SAFETY: H2: the current one belongs to this OS thread.
    let locals = unsafe { header.local() }.locals.replace(other);
    PutBack { header, locals }
}

/// Drops the values that are there, and puts the outer ones back.
pub(super) struct PutBack {
    /// Whose values they are, on whose OS thread this stays.
    header: Counted,

    /// The outer table.
    locals: *mut (),
}

impl Drop for PutBack {
    fn drop(&mut self) {
        end(&self.header);
        // SAFETY: H2: what `instead` was called by.
        unsafe { self.header.local() }.locals.set(self.locals);
    }
}
