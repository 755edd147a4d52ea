//! Leases of a pool's members.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use hyperlight_js_models::explore;
use hyperlight_js_models::sandbox::error::{Error, PoolFailure, Result};
use hyperlight_js_models::sandbox::lease_queue::LeaseQueue;
use hyperlight_js_models::sandbox::sync::Arc;

/// A request that gives its member back, and counts what it was answered. Its number if it waits.
fn request(leases: &Arc<LeaseQueue<usize>>, served: &Arc<AtomicUsize>, refused: &Arc<AtomicUsize>) -> Option<u64> {
    let (pool, served, refused) = (leases.clone(), served.clone(), refused.clone());
    leases.take(move |member: Result<usize>| match member {
        Ok(member) => {
            served.fetch_add(1, Ordering::SeqCst);
            pool.give(member);
        }
        Err(Error::PoolClosed | Error::PoolPrepare(_)) => {
            refused.fetch_add(1, Ordering::SeqCst);
        }
        Err(Error::PoolFull(_)) => panic!("there is room"),
    })
}

#[test]
fn every_request_is_served_once() {
    explore(3, || {
        let leases = Arc::new(LeaseQueue::new(1, 2));
        assert_eq!(leases.expect_missing(), 1);
        let (served, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (pool, s, r) = (leases.clone(), served.clone(), refused.clone());
        let other = thread::spawn(move || request(&pool, &s, &r));
        let maker = leases.clone();
        let making = thread::spawn(move || maker.give(0));
        request(&leases, &served, &refused);
        other.join().expect("no panic");
        making.join().expect("no panic");
        assert_eq!((served.load(Ordering::SeqCst), refused.load(Ordering::SeqCst)), (2, 0));
        assert_eq!((leases.members(), leases.ready(), leases.waiting()), (1, 1, 0));
    });
}

#[test]
fn a_pool_that_is_closed_answers_every_request_and_ends() {
    explore(3, || {
        let leases = Arc::new(LeaseQueue::new(1, 2));
        assert_eq!(leases.expect_missing(), 1);
        leases.give(0);
        let (served, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ended = Arc::new(AtomicUsize::new(0));
        let (pool, s, r) = (leases.clone(), served.clone(), refused.clone());
        let other = thread::spawn(move || request(&pool, &s, &r));
        let (pool, end) = (leases.clone(), ended.clone());
        let closing = thread::spawn(move || {
            pool.close();
            pool.at_end(move || {
                end.fetch_add(1, Ordering::SeqCst);
            });
        });
        request(&leases, &served, &refused);
        other.join().expect("no panic");
        closing.join().expect("no panic");
        assert_eq!(served.load(Ordering::SeqCst) + refused.load(Ordering::SeqCst), 2);
        assert_eq!((leases.members(), leases.ready(), leases.waiting(), ended.load(Ordering::SeqCst)), (0, 0, 0, 1));
    });
}

#[test]
fn a_member_that_cannot_be_made_leaves_nobody_waiting() {
    explore(3, || {
        let leases = Arc::new(LeaseQueue::new(1, 2));
        assert_eq!(leases.expect_missing(), 1);
        let (served, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (pool, s, r) = (leases.clone(), served.clone(), refused.clone());
        let other = thread::spawn(move || request(&pool, &s, &r));
        let maker = leases.clone();
        let making = thread::spawn(move || maker.failed(PoolFailure::Gone));
        request(&leases, &served, &refused);
        other.join().expect("no panic");
        making.join().expect("no panic");
        assert_eq!((served.load(Ordering::SeqCst), refused.load(Ordering::SeqCst)), (0, 2));
        assert_eq!((leases.members(), leases.expect_missing()), (0, 1));
    });
}

#[test]
fn a_request_that_is_withdrawn_takes_no_member_with_it() {
    explore(3, || {
        let leases = Arc::new(LeaseQueue::new(1, 2));
        assert_eq!(leases.expect_missing(), 1);
        let (served, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let number = request(&leases, &served, &refused).expect("it waits");
        let maker = leases.clone();
        let making = thread::spawn(move || maker.give(0));
        leases.withdraw(number);
        making.join().expect("no panic");
        assert!(served.load(Ordering::SeqCst) <= 1 && refused.load(Ordering::SeqCst) == 0);
        assert_eq!((leases.members(), leases.ready(), leases.waiting()), (1, 1, 0));
    });
}
