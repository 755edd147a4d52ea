//! Who gets a member of a pool, and when.

use crate::sandbox::sync::{Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use super::occupancy::{Asked, Occupancy};
use crate::sandbox::error::{Error, PoolFailure, Result};

/// Is given a member, or told that there will be none. Called on whatever thread has one to give; it must not block.
type Waiter<M> = Box<dyn FnOnce(Result<M>) + Send>;

/// The members of a pool that are ready, and the requests that wait for one, in their order.
///
/// A member is ready, in use, or being made. Whoever takes one either gives it back or says that it is gone.
pub struct LeaseQueue<M> {
    size: usize,
    max_waiting: usize,
    state: Mutex<State<M>>,
}

struct State<M> {
    ready: VecDeque<M>,
    /// With their numbers.
    waiting: VecDeque<(u64, Asked, Waiter<M>)>,
    last_waiter: u64,
    occupancy: Occupancy,
    members: usize,
    /// Why the last member that could not be made could not.
    failure: PoolFailure,
    is_closed: bool,
    /// To be called when the pool is closed and the last member has gone.
    at_end: Vec<Box<dyn FnOnce() + Send>>,
}

impl<M> LeaseQueue<M> {
    /// A pool that is to have `size` members and has none yet, in which so many requests may wait.
    pub fn new(size: usize, max_waiting: usize) -> Self {
        let state = State {
            ready: VecDeque::new(),
            waiting: VecDeque::new(),
            last_waiter: 0,
            occupancy: Occupancy::new(),
            members: 0,
            failure: PoolFailure::Gone,
            is_closed: false,
            at_end: Vec::new(),
        };
        Self { size, max_waiting, state: Mutex::new(state) }
    }

    /// Counts the members that are missing as being made, and says how many those are. For each of them the caller owes a
    /// [`give`](Self::give), [`failed`](Self::failed) or [`gone`](Self::gone).
    pub fn expect_missing(&self) -> usize {
        let mut state = self.lock();
        let missing = if state.is_closed { 0 } else { self.size - state.members };
        state.members += missing;
        missing
    }

    /// Hands a member to a request, now or when it is its turn, or refuses it. Returns its number if it waits.
    pub fn take(&self, waiter: impl FnOnce(Result<M>) + Send + 'static) -> Option<u64> {
        let mut state = self.lock();
        let answer = if state.is_closed {
            Err(Error::PoolClosed)
        } else if let Some(member) = state.ready.pop_front() {
            Ok(member)
        } else if state.members == 0 {
            // Nothing is to be waited for.
            Err(Error::PoolPrepare(state.failure.clone()))
        } else if state.waiting.len() >= self.max_waiting {
            Err(Error::PoolFull(self.max_waiting))
        } else {
            state.last_waiter += 1;
            let number = state.last_waiter;
            state.waiting.push_back((number, Asked::now(), Box::new(waiter)));
            return Some(number);
        };
        drop(state);
        if answer.is_ok() {
            Asked::is_served_at_once();
        }
        waiter(answer);
        None
    }

    /// Forgets a request that waits, without an answer.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn withdraw(&self, number: u64) {
        let mut state = self.lock();
        let place = state.waiting.iter().position(|waiter| waiter.0 == number);
        let waiter = place.and_then(|place| state.waiting.remove(place));
        // What it is made of is others'.
        drop(state);
        drop(waiter);
    }

    /// A member is ready. It is dropped if the pool has been closed.
    pub fn give(&self, member: M) {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            drop(member);
            self.gone();
        } else if let Some((_, asked, waiter)) = state.waiting.pop_front() {
            drop(state);
            asked.is_served();
            waiter(Ok(member));
        } else {
            state.ready.push_back(member);
        }
    }

    /// A member that was expected or in use is gone.
    pub fn gone(&self) {
        self.failed(PoolFailure::Gone);
    }

    /// As [`gone`](Self::gone), because it could not be made. If it was the last, nobody needs to wait any more.
    pub fn failed(&self, reason: PoolFailure) {
        let mut state = self.lock();
        state.members -= 1;
        state.failure = reason.clone();
        if state.members > 0 {
            return;
        }
        let waiting = std::mem::take(&mut state.waiting);
        let at_end = if state.is_closed { std::mem::take(&mut state.at_end) } else { Vec::new() };
        drop(state);
        waiting.into_iter().for_each(|(_, _, waiter)| waiter(Err(Error::PoolPrepare(reason.clone()))));
        at_end.into_iter().for_each(|call| call());
    }

    /// Refuses what waits and what comes, and drops what is ready. Members in use are dropped when they are given back.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let (ready, waiting) = (std::mem::take(&mut state.ready), std::mem::take(&mut state.waiting));
        drop(state);
        waiting.into_iter().for_each(|(_, _, waiter)| waiter(Err(Error::PoolClosed)));
        for member in ready {
            drop(member);
            self.gone();
        }
    }

    /// Takes all members that are ready, as if each were in use.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn take_ready(&self) -> VecDeque<M> {
        std::mem::take(&mut self.lock().ready)
    }

    /// Has something called when the pool is closed and all members have gone: at once if that is so.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn at_end(&self, call: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.is_closed && state.members == 0 {
            drop(state);
            call();
        } else {
            state.at_end.push(Box::new(call));
        }
    }

    /// Members that there are to be.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Members that there are, ready or not.
    pub fn members(&self) -> usize {
        self.lock().members
    }

    /// Members that are ready.
    pub fn ready(&self) -> usize {
        self.lock().ready.len()
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Members that there are, those of them that are ready, and requests that wait, all at one moment.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn occupancy(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.members, state.ready.len(), state.waiting.len())
    }

    /// Requests that may wait.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn max_waiting(&self) -> usize {
        self.max_waiting
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> Locked<'_, M> {
        // No code of others runs under the lock but a metrics recorder's, behind all changes: the state is whole whatever happened.
        Locked(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state while it is looked at or changed. When this is dropped, the metrics follow.
struct Locked<'a, M>(MutexGuard<'a, State<M>>);

impl<M> Deref for Locked<'_, M> {
    type Target = State<M>;

    fn deref(&self) -> &State<M> {
        &self.0
    }
}

impl<M> DerefMut for Locked<'_, M> {
    fn deref_mut(&mut self) -> &mut State<M> {
        &mut self.0
    }
}

impl<M> Drop for Locked<'_, M> {
    fn drop(&mut self) {
        let state = &mut *self.0;
        state.occupancy.is(state.ready.len(), state.waiting.len());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn pool(members: usize, max_waiting: usize) -> LeaseQueue<usize> {
        let leases = LeaseQueue::new(members, max_waiting);
        assert_eq!(leases.expect_missing(), members);
        (0..members).for_each(|member| leases.give(member));
        leases
    }

    fn take(leases: &LeaseQueue<usize>) -> Receiver<Result<usize>> {
        let (sender, receiver) = channel();
        leases.take(move |member| sender.send(member).expect("the test waits"));
        receiver
    }

    fn now(receiver: &Receiver<Result<usize>>) -> usize {
        receiver.try_recv().expect("it was its turn").expect("a member")
    }

    #[test]
    fn requests_get_members_in_the_order_in_which_they_came() {
        let leases = pool(2, 2);
        let (first, second, third, fourth) = (take(&leases), take(&leases), take(&leases), take(&leases));
        assert_eq!((now(&first), now(&second), leases.ready(), leases.waiting()), (0, 1, 0, 2));
        assert!(third.try_recv().is_err());
        assert!(matches!(take(&leases).try_recv().expect("an answer"), Err(Error::PoolFull(2))));
        leases.give(1);
        assert_eq!(now(&third), 1);
        leases.give(0);
        assert_eq!(now(&fourth), 0);
        leases.give(0);
        assert_eq!((leases.ready(), leases.waiting(), leases.members()), (1, 0, 2));
    }

    #[test]
    fn a_closed_pool_refuses_all_and_ends_with_its_last_member() {
        let leases = pool(2, 2);
        let (ended, has_ended) = channel();
        let (used, _) = (take(&leases), take(&leases));
        let waiting = take(&leases);
        leases.close();
        leases.at_end(move || ended.send(()).expect("the test waits"));
        assert!(matches!(waiting.try_recv().expect("an answer"), Err(Error::PoolClosed)));
        assert!(matches!(take(&leases).try_recv().expect("an answer"), Err(Error::PoolClosed)));
        leases.give(now(&used));
        assert!(has_ended.try_recv().is_err());
        leases.gone();
        has_ended.try_recv().expect("the last has gone");
        assert!(leases.is_closed() && leases.members() == 0);
    }

    #[test]
    fn nobody_waits_for_members_that_cannot_be_made() {
        let leases = LeaseQueue::<usize>::new(2, 2);
        assert_eq!(leases.expect_missing(), 2);
        let waiting = take(&leases);
        leases.failed(PoolFailure::GivenUp);
        assert!(waiting.try_recv().is_err(), "another may still come");
        leases.failed(PoolFailure::Panicked);
        let error = waiting.try_recv().expect("an answer").expect_err("there is none");
        assert!(matches!(error, Error::PoolPrepare(PoolFailure::Panicked)));
        assert_eq!(leases.members(), 0);
        let error = take(&leases).try_recv().expect("an answer").expect_err("nothing is to be waited for");
        assert!(matches!(error, Error::PoolPrepare(PoolFailure::Panicked)));
    }

    #[test]
    fn a_request_that_is_withdrawn_leaves_its_place_to_others() {
        let leases = pool(1, 1);
        let used = take(&leases);
        let (sender, receiver) = channel();
        let number = leases.take(move |member| sender.send(member).expect("the test waits")).expect("it waits");
        assert!(matches!(take(&leases).try_recv().expect("an answer"), Err(Error::PoolFull(1))));
        leases.withdraw(number);
        assert!(receiver.recv().is_err(), "it has no answer");
        let next = take(&leases);
        leases.withdraw(number);
        leases.give(now(&used));
        assert_eq!((now(&next), leases.waiting()), (0, 0));
    }

    #[test]
    fn nobody_waits_for_a_member_that_got_lost() {
        let leases = pool(1, 1);
        let (used, waiting) = (take(&leases), take(&leases));
        now(&used);
        leases.gone();
        let error = waiting.try_recv().expect("an answer").expect_err("there is none");
        assert!(matches!(error, Error::PoolPrepare(_)));
    }

    #[test]
    fn members_that_are_missing_are_expected_once_and_not_after_the_end() {
        let leases = pool(3, 1);
        assert_eq!(leases.expect_missing(), 0);
        now(&take(&leases));
        leases.failed(PoolFailure::GivenUp);
        assert_eq!((leases.expect_missing(), leases.expect_missing(), leases.members()), (1, 0, 3));
        leases.gone();
        leases.close();
        assert_eq!(leases.expect_missing(), 0);
    }
}
