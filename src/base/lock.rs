//! The lock inside every primitive: held for a few instructions, never across a switch (L6).
//!
//! It is not for users and not fair. A locked instruction right after the stores of a switch waits for all of them: four of those were two thirds of what an
//! item through a channel cost. So a lock leans towards one OS thread, which takes and gives it back with plain stores, until another OS thread comes:
//!
//! ```text
//!                 ┌──the first to lock──▶ token of its OS thread ──another comes──▶ REVOKING ──the first has left──▶ REVOKED
//!   lean:  NOBODY ┤                       lock: leaned = 1,                         wait                             lock: swap `held`,
//!                 └──no barrier to be had───────  lean still mine? ────────────────────────────────────────────────▶ bounded spin, then sleep
//! ```
//!
//! Why no two hold it:
//! - K1 While `lean` is a token, that OS thread alone goes in, and only by: store `leaned`, then see that `lean` is still its token.
//! - K2 Another one first changes `lean` to REVOKING, then makes every OS thread pass a barrier, then waits until `leaned` is clear. Before the barrier the first either has
//!   stored `leaned`, which the other then sees, or it stores it after the barrier and then sees REVOKING, and clears it again without going in.
//! - K3 From REVOKED on `leaned` means nothing, and `held` alone decides. REVOKED is stored after the wait of K2, and nobody goes in by `held` before.
//!
//! Whoever finds nothing to do may leave a mark where the lock says that it is free: the next to take it wipes it off. So one who waits for a change made by another OS thread watches that
//! byte, which costs the others nothing, and does not take the lock, and its cache line, at every look. A mark proves nothing about the value: who wants to know takes the lock.
//!
//! The price is one barrier (some microseconds) for each lock that ever sees a second OS thread. A process that pays it often stops leaning: see `PATIENCE`.
//!
//! Under `--cfg loom` the same name stands for loom's mutex, because a model checker cannot tell a spin from a hang, nor model the barrier.
//!
//! Source: "Quickly reacquirable locks", D. Dice, M. Moir, W. Scherer, 2003 (Java's biased locking).

#![cfg_attr(
    not(loom),
    expect(unsafe_code, reason = "hands out `&mut T` behind two flags")
)]

#[cfg(not(loom))]
pub(crate) use leaning::{Lock, LockGuard, prepare};

#[cfg(loom)]
pub(crate) use model::{Lock, LockGuard, prepare};

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

/// What the last holder found, for whoever waits until that has changed: see the head of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// Nothing to take.
    Empty = 2,

    /// No room.
    Full = 3,
}

#[cfg(not(loom))]
mod leaning {
    use std::cell::{Cell, UnsafeCell};
    use std::marker::PhantomData;
    use std::mem::ManuallyDrop;
    use std::ops::{Deref, DerefMut};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, compiler_fence};
    use std::time::Duration;

    use super::Mark;
    use crate::base::{barrier, moment};

    /// `lean` of a lock that nobody has taken yet.
    const NOBODY: u32 = 0;

    /// `lean` while somebody waits for the first one to leave. Set by a second OS thread.
    const REVOKING: u32 = 1;

    /// `lean` of a lock that is taken by `held`. Set by who set REVOKING, or at once where leaning is not to be had; never left.
    const REVOKED: u32 = 2;

    /// `leaned` or `held` while nobody has taken the lock by it. Set by who gives it back; a mark stands for it, too.
    const FREE: u8 = 0;

    /// `leaned` or `held` while somebody has taken the lock by it. Set by that one.
    const HELD: u8 = 1;

    /// The token of the first OS thread that asks for one.
    const FIRST_TOKEN: u32 = 3;

    /// `TOKEN` of an OS thread that has not asked for one; no lock ever leans towards it.
    const NO_TOKEN: u32 = u32::MAX;

    /// After this many revocations in the process, new locks do not lean any more: it shares more than it keeps to itself.
    const PATIENCE: u32 = 256;

    /// How often a waiter looks again before it gives its time slice away.
    const SPINS: u32 = 8;

    /// Nanoseconds between two such looks. Each look takes the cache line away from the holder, who would need a microsecond for what takes it 20 ns undisturbed, and mostly
    /// comes back for the same lock: who waits long enough leaves the line to the other for some tens of rounds, and then has it for as many.
    const BETWEEN_LOOKS: u64 = 300;

    /// How often it gives its time slice away before it sleeps.
    const YIELDS: u32 = 16;

    /// The longest sleep between two looks.
    const LONGEST_SLEEP: Duration = Duration::from_millis(1);

    /// The next token; tokens are not used again.
    static NEXT_TOKEN: AtomicU32 = AtomicU32::new(FIRST_TOKEN);

    /// How many locks were revoked.
    static REVOCATIONS: AtomicU32 = AtomicU32::new(0);

    /// Whether the barrier is to be had.
    static BARRIER: OnceLock<bool> = OnceLock::new();

    thread_local! {
        /// This OS thread's token. It has one only where the barrier is to be had.
        static TOKEN: Cell<u32> = const { Cell::new(NO_TOKEN) };
    }

    /// A value behind a lock. The lock's words come first, on the line of the value's first fields.
    #[derive(Debug)]
    #[repr(C)]
    pub(crate) struct Lock<T> {
        /// Whom it leans towards: see the head of the file.
        lean: AtomicU32,

        /// HELD while the OS thread that it leans towards holds it.
        leaned: AtomicU8,

        /// Once it is REVOKED: HELD, FREE, or the mark that its last holder left.
        held: AtomicU8,

        /// What it guards.
        value: UnsafeCell<T>,
    }

    // SAFETY: `value` is reached only through a guard, and K1 to K3 let one guard exist at a time, so sharing the lock only ever moves access to `T` between
    // OS threads: `T: Send` is what that takes.
    unsafe impl<T: Send> Sync for Lock<T> {}

    impl<T> Lock<T> {
        #[inline(always)]
        pub(crate) const fn new(value: T) -> Self {
            Lock {
                lean: AtomicU32::new(NOBODY),
                leaned: AtomicU8::new(FREE),
                held: AtomicU8::new(FREE),
                value: UnsafeCell::new(value),
            }
        }

        /// The value, for whoever has the lock to himself.
        #[inline(always)]
        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.value.get_mut()
        }

        /// Lets it lean towards this OS thread from the start, where that is to be had: what has just been made here is mostly locked here. Before anybody else
        /// sees it.
        #[inline(always)]
        pub(crate) fn lean_here(&self) {
            let token = TOKEN.get();
            if token != NO_TOKEN && is_patient() {
                self.lean.store(token, Ordering::Relaxed);
            }
        }

        /// Keeps it from leaning: it is known to be for several OS threads. Before anybody else sees it.
        pub(crate) fn lean_nowhere(&self) {
            self.lean.store(REVOKED, Ordering::Relaxed);
        }

        /// Takes the lock. The holder must not switch and must not run code of the user.
        #[inline(always)]
        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            match self.lock_leaning() {
                Some(guard) => guard,
                None => self.lock_shared(),
            }
        }

        /// The same; none when it does not lean towards this OS thread, and then [`lock_shared`](Self::lock_shared) is the way.
        #[inline(always)]
        pub(crate) fn lock_leaning(&self) -> Option<LockGuard<'_, T>> {
            let token = TOKEN.get();
            (self.lean.load(Ordering::Relaxed) == token && self.lean_in(token))
                .then(|| self.guard(&self.leaned))
        }

        /// For one that does not lean towards this OS thread; short, because several OS threads come here each time.
        #[inline]
        pub(crate) fn lock_shared(&self) -> LockGuard<'_, T> {
            if self.lean.load(Ordering::Acquire) == REVOKED && self.try_hold() {
                return self.guard(&self.held);
            }
            self.lock_slow()
        }

        /// Gives it back, and leaves `mark` at it.
        #[inline(always)]
        pub(crate) fn leave(held: LockGuard<'_, T>, mark: Mark) {
            ManuallyDrop::new(held).give_back(mark as u8);
        }

        /// Whether `mark` is still at it, or somebody holds it just now. Takes no lock and proves nothing: it is for those who wait until it pays to look.
        #[inline]
        pub(crate) fn may_have(&self, mark: Mark) -> bool {
            let held = self.held.load(Ordering::Relaxed);
            held == mark as u8 || held == HELD
        }

        #[inline(always)]
        fn guard<'a>(&'a self, flag: &'a AtomicU8) -> LockGuard<'a, T> {
            LockGuard {
                lock: self,
                flag,
                not_send: PhantomData,
            }
        }

        /// K3: only once it is REVOKED.
        #[inline(always)]
        fn try_hold(&self) -> bool {
            self.held.swap(HELD, Ordering::Acquire) != HELD
        }

        /// K1; false when another one has come.
        #[inline(always)]
        fn lean_in(&self, token: u32) -> bool {
            if self.leaned.load(Ordering::Relaxed) == HELD {
                taken_twice();
            }
            self.leaned.store(HELD, Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            let mine = self.lean.load(Ordering::Acquire) == token;
            if !mine {
                self.leaned.store(FREE, Ordering::Release);
            }
            mine
        }

        #[cold]
        fn lock_slow(&self) -> LockGuard<'_, T> {
            let mut rounds = 0;
            loop {
                match self.lean.load(Ordering::Acquire) {
                    NOBODY => self.begin(),
                    REVOKED => return self.lock_held(),
                    REVOKING => relax(rounds),
                    token if token == TOKEN.get() => return self.lock(),
                    token => self.revoke(token),
                }
                rounds += 1;
            }
        }

        /// Lets it lean towards this OS thread, or towards nobody for ever.
        fn begin(&self) {
            let lean = if may_lean() { token() } else { REVOKED };
            // Somebody else may have been faster: the caller looks again.
            let _ = self
                .lean
                .compare_exchange(NOBODY, lean, Ordering::AcqRel, Ordering::Relaxed);
        }

        /// K2, K3.
        fn revoke(&self, token: u32) {
            let first =
                self.lean
                    .compare_exchange(token, REVOKING, Ordering::AcqRel, Ordering::Relaxed);
            if first.is_err() {
                return;
            }
            REVOCATIONS.fetch_add(1, Ordering::Relaxed);
            barrier::heavy();
            let mut rounds = 0;
            while self.leaned.load(Ordering::Acquire) == HELD {
                relax(rounds);
                rounds += 1;
            }
            self.lean.store(REVOKED, Ordering::Release);
        }

        fn lock_held(&self) -> LockGuard<'_, T> {
            let mut rounds = 0;
            while !self.try_hold() {
                relax(rounds);
                rounds += 1;
            }
            self.guard(&self.held)
        }
    }

    /// A holder ran code that wanted the same lock: going on would hand out the value twice.
    #[cold]
    fn taken_twice() -> ! {
        eprintln!("greenthread: a primitive's lock was taken twice on one OS thread (L6)");
        std::process::abort();
    }

    /// This OS thread's token, made when it first asks.
    fn token() -> u32 {
        let mut token = TOKEN.get();
        if token == NO_TOKEN {
            token = NEXT_TOKEN.fetch_add(1, Ordering::Relaxed);
            // Four thousand million OS threads later the next one would be taken for an old one.
            assert!(
                (FIRST_TOKEN..NO_TOKEN).contains(&token),
                "more OS threads than a lock can tell apart"
            );
            TOKEN.set(token);
        }
        token
    }

    fn may_lean() -> bool {
        is_patient() && *BARRIER.get_or_init(barrier::available)
    }

    #[inline(always)]
    fn is_patient() -> bool {
        REVOCATIONS.load(Ordering::Relaxed) < PATIENCE
    }

    /// Registers the process for the barrier while that takes no time, which is before it has a second OS thread: see [`barrier`]. Later the first lock does.
    pub(crate) fn prepare() {
        if BARRIER.get().is_none() && barrier::is_at_hand() {
            BARRIER.get_or_init(barrier::available);
        }
    }

    /// Waits a little, longer with each round.
    #[allow(
        clippy::disallowed_methods,
        reason = "waits for a holder on another OS thread, for a moment"
    )]
    fn relax(rounds: u32) {
        if rounds < SPINS {
            moment::pass(BETWEEN_LOOKS);
        } else if rounds < SPINS + YIELDS {
            std::thread::yield_now();
        } else {
            let step = Duration::from_micros(50) * (rounds - SPINS - YIELDS + 1);
            std::thread::sleep(step.min(LONGEST_SLEEP));
        }
    }

    /// The right to the value, until dropped. Stays on its OS thread.
    #[derive(Debug)]
    pub(crate) struct LockGuard<'a, T> {
        /// Held by this guard.
        lock: &'a Lock<T>,

        /// What it was taken by: `leaned` or `held`.
        flag: &'a AtomicU8,

        /// K1 is about one OS thread.
        not_send: PhantomData<*const ()>,
    }

    impl<T> LockGuard<'_, T> {
        /// K2, K3: only while it is held by this guard.
        #[inline(always)]
        fn give_back(&self, left: u8) {
            self.flag.store(left, Ordering::Release);
        }
    }

    impl<T> Deref for LockGuard<'_, T> {
        type Target = T;

        #[inline(always)]
        fn deref(&self) -> &T {
            // SAFETY: K1 to K3: this guard exists, so nobody else reaches the value.
            unsafe { &*self.lock.value.get() }
        }
    }

    impl<T> DerefMut for LockGuard<'_, T> {
        #[inline(always)]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: as in `deref`, and `&mut self` makes this the only reference made from the guard.
            unsafe { &mut *self.lock.value.get() }
        }
    }

    impl<T> Drop for LockGuard<'_, T> {
        #[inline(always)]
        fn drop(&mut self) {
            self.give_back(FREE);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::sync::Arc;
        use std::thread;

        /// Adds one `rounds` times, by a load and a store that a second holder would come between.
        fn count(lock: &Lock<u64>, rounds: u64) {
            for _ in 0..rounds {
                let mut value = lock.lock();
                let before = *value;
                std::hint::black_box(&mut value);
                *value = before + 1;
            }
        }

        #[test]
        fn a_second_os_thread_takes_a_lock_over_from_the_first_in_full_swing() {
            for _ in 0..200 {
                let lock = Arc::new(Lock::new(0));
                let others: Vec<_> = (0..3)
                    .map(|_| {
                        let lock = Arc::clone(&lock);
                        thread::spawn(move || count(&lock, 500))
                    })
                    .collect();
                count(&lock, 500);
                for other in others {
                    other.join().unwrap();
                }
                assert_eq!(*lock.lock(), 2_000);
            }
        }

        #[test]
        fn a_lock_that_leans_here_from_the_start_is_taken_over_from_elsewhere() {
            drop(Lock::new(0).lock());
            let lock = Arc::new(Lock::new(0));
            lock.lean_here();
            let elsewhere = Arc::clone(&lock);
            thread::spawn(move || count(&elsewhere, 10)).join().unwrap();
            count(&lock, 10);
            assert_eq!(*lock.lock(), 20);
        }

        #[test]
        fn a_mark_stays_until_the_lock_is_taken_and_keeps_nobody_out() {
            let lock = Lock::new(0);
            lock.lean_nowhere();
            assert!(!lock.may_have(Mark::Empty));
            Lock::leave(lock.lock(), Mark::Empty);
            assert!(lock.may_have(Mark::Empty) && !lock.may_have(Mark::Full));
            let held = lock.lock();
            assert!(lock.may_have(Mark::Full), "held just now");
            drop(held);
            assert!(!lock.may_have(Mark::Empty) && !lock.may_have(Mark::Full));
        }

        #[test]
        fn a_lock_that_leans_is_given_back_with_a_mark_as_without() {
            let lock = Lock::new(0);
            count(&lock, 1);
            Lock::leave(lock.lock(), Mark::Full);
            count(&lock, 1);
            Lock::leave(lock.lock(), Mark::Full);
            let lock = Arc::new(lock);
            let elsewhere = Arc::clone(&lock);
            thread::spawn(move || count(&elsewhere, 1)).join().unwrap();
            assert_eq!(*lock.lock(), 3);
        }

        #[test]
        fn one_os_thread_alone_keeps_the_lock_leaning() {
            let lock = Lock::new(0);
            count(&lock, 10);
            let lean = lock.lean.load(Ordering::Relaxed);
            assert!(lean == TOKEN.get() || lean == REVOKED);
            assert_eq!(*lock.lock(), 10);
        }
    }
}

#[cfg(loom)]
mod model {
    use super::Mark;
    pub(crate) fn prepare() {}

    /// The guard of loom's mutex.
    pub(crate) type LockGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

    /// Loom's mutex under the shape of ours.
    #[derive(Debug)]
    pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Lock(loom::sync::Mutex::new(value))
        }

        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0
                .get_mut()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        pub(crate) fn lean_here(&self) {}

        pub(crate) fn lean_nowhere(&self) {}

        pub(crate) fn lock_leaning(&self) -> Option<LockGuard<'_, T>> {
            Some(self.lock())
        }

        pub(crate) fn lock_shared(&self) -> LockGuard<'_, T> {
            self.lock()
        }

        pub(crate) fn leave(held: LockGuard<'_, T>, _: Mark) {
            drop(held);
        }

        /// Whoever cannot watch it looks.
        pub(crate) fn may_have(&self, _: Mark) -> bool {
            false
        }

        pub(crate) fn lock(&self) -> LockGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
