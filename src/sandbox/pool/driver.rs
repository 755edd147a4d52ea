//! What keeps the members of a pool in shape: it has those made that are missing, and those renewed that were used.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::lease_queue::LeaseQueue;
use crate::sandbox::error::{Error, PoolFailure, Result};

/// How the members of a pool are made and renewed, and on which threads.
pub(crate) trait Members: Send + Sync + Sized + 'static {
    /// A sandbox, with what belongs to it.
    type Member: Send + 'static;

    /// Has a member made, on whatever thread, which then [fulfils](Expected::fulfil) what is expected.
    fn make(&self, expected: Expected<Self>);

    /// Puts a member that was used back into the state in which requests get it.
    ///
    /// # Errors
    /// It is not fit for use any more, and is replaced; so it is if this panics.
    fn renew(&self, member: &mut Self::Member) -> Result<()>;

    /// Prepares a renewed member for its first call, so that this takes less time.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    fn warm_up(&self, member: &mut Self::Member) -> Result<()>;

    /// Gives a member to the requests, as [`LeaseQueue::give`] does.
    ///
    /// # Errors
    /// Requests get another state now, into which this member cannot be put: it is replaced.
    fn give(&self, member: Self::Member, leases: &LeaseQueue<Self::Member>) -> Result<()> {
        leases.give(member);
        Ok(())
    }

    /// Drops members of a pool that nobody holds any more, not even a request.
    fn discard(members: VecDeque<Self::Member>) {
        drop(members);
    }
}

/// The members of a pool, who waits for them, and how they are kept in shape.
pub(crate) struct PoolDriver<M: Members> {
    pub leases: LeaseQueue<M::Member>,
    pub members: M,
}

impl<M: Members> PoolDriver<M> {
    /// A pool that is to have `size` members and has none yet, in which so many requests may wait.
    pub fn new(size: usize, max_waiting: usize, members: M) -> Arc<Self> {
        Arc::new(Self { leases: LeaseQueue::new(size, max_waiting), members })
    }

    /// Begins to make the members that are missing.
    pub fn refill(self: &Arc<Self>) {
        for _ in 0..self.leases.expect_missing() {
            self.make();
        }
    }

    /// A clean member is there again.
    pub fn give(self: &Arc<Self>, member: M::Member) {
        if self.members.give(member, &self.leases).is_err() {
            self.make();
        }
    }

    /// Hands a member to a request, now or when it is its turn, or refuses it. Returns its number if it waits.
    pub fn take(self: &Arc<Self>, request: impl FnOnce(Result<InUse<M>>) + Send + 'static) -> Option<u64> {
        let driver = self.clone();
        self.leases.take(move |member| request(member.map(|member| InUse { driver, member: Some(member) })))
    }

    /// Makes a member that is expected.
    fn make(self: &Arc<Self>) {
        self.members.make(Expected(Some(self.clone())));
    }
}

impl<M: Members> Drop for PoolDriver<M> {
    fn drop(&mut self) {
        M::discard(self.leases.take_ready());
    }
}

/// A member that is expected. If this is dropped, it will not come.
pub(crate) struct Expected<M: Members>(Option<Arc<PoolDriver<M>>>);

impl<M: Members> Expected<M> {
    /// It has been made, or could not be.
    pub fn fulfil(mut self, made: std::result::Result<M::Member, PoolFailure>) {
        let Some(driver) = self.0.take() else { return };
        match made {
            Ok(member) => driver.give(member),
            Err(failure) => driver.leases.failed(failure),
        }
    }
}

impl<M: Members> Drop for Expected<M> {
    fn drop(&mut self) {
        if let Some(driver) = self.0.take() {
            driver.leases.failed(PoolFailure::GivenUp);
        }
    }
}

/// A member that serves a request. If this is dropped with it, it is gone.
pub(crate) struct InUse<M: Members> {
    driver: Arc<PoolDriver<M>>,
    member: Option<M::Member>,
}

impl<M: Members> InUse<M> {
    /// The member.
    ///
    /// # Errors
    /// There is one until this is [renewed](Self::renew).
    pub fn member(&mut self) -> Result<&mut M::Member> {
        self.member.as_mut().ok_or(Error::PoolClosed)
    }

    /// Makes the member ready for the next request. That takes long, so it is done off the path of this one.
    pub fn renew(mut self) {
        let Some(mut member) = self.member.take() else { return };
        let driver = self.driver.clone();
        if driver.leases.is_closed() {
            drop(member);
            return driver.leases.gone();
        }
        let renew = || {
            driver.members.renew(&mut member)?;
            // A request that waits already would wait for that too, which takes as long as it saves.
            if driver.leases.waiting() > 0 { Ok(()) } else { driver.members.warm_up(&mut member) }
        };
        match catch_unwind(AssertUnwindSafe(renew)) {
            Ok(Ok(())) => driver.give(member),
            Ok(Err(_)) | Err(_) => {
                drop(member);
                driver.make();
            }
        }
    }
}

impl<M: Members> Drop for InUse<M> {
    fn drop(&mut self) {
        if let Some(member) = self.member.take() {
            drop(member);
            self.driver.leases.gone();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Members that are numbers, and what is done to them.
    #[derive(Default)]
    struct Noted(Mutex<Vec<&'static str>>);

    impl Noted {
        fn add(&self, what: &'static str) -> Result<()> {
            self.0.lock().expect("no test panics under it").push(what);
            Ok(())
        }
    }

    impl Members for Noted {
        type Member = usize;

        fn make(&self, expected: Expected<Self>) {
            expected.fulfil(Ok(1));
        }

        fn renew(&self, _: &mut usize) -> Result<()> {
            self.add("renewed")
        }

        fn warm_up(&self, _: &mut usize) -> Result<()> {
            self.add("warmed up")
        }
    }

    #[test]
    fn a_member_is_warmed_up_unless_a_request_waits_for_it() {
        let driver = PoolDriver::new(1, 1, Noted::default());
        driver.refill();
        let take = || -> Receiver<InUse<Noted>> {
            let (sender, receiver) = channel();
            driver.take(move |member| drop(sender.send(member.expect("a member"))));
            receiver
        };
        let noted = || std::mem::take(&mut *driver.members.0.lock().expect("no test panics under it"));

        let (first, second) = (take(), take());
        first.recv().expect("it is ready").renew();
        assert_eq!(noted(), ["renewed"]);
        second.recv().expect("it has been given").renew();
        assert_eq!(noted(), ["renewed", "warmed up"]);
    }
}
