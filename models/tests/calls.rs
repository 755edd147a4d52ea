//! Calls that are stopped while they begin.

use hyperlight_js_models::explore;
use hyperlight_js_models::node::scheduling::calls::{Calls, Ticket};
use hyperlight_js_models::sandbox::call_control::{CallControl, StoppedBy};
use hyperlight_js_models::sandbox::handle;
use hyperlight_js_models::sandbox::sync::Arc;
use loom::thread;

/// A call that begins, and ends at once. Gives why it shall stop, if it has begun.
fn begin(ticket: &Ticket, control: &Arc<CallControl>) -> Option<Option<StoppedBy>> {
    let running = ticket.begin(handle(control), || control.begin())?;
    Some(running.stopped_by())
}

/// A VM that leaves its guest at the first signal.
fn control() -> Arc<CallControl> {
    CallControl::new(|| true)
}

#[test]
fn kill_stops_a_call_that_is_about_to_begin_and_none_that_follows() {
    explore(3, || {
        let (calls, control) = (Arc::new(Calls::default()), control());
        let ticket = calls.add();
        let killer = {
            let calls = calls.clone();
            thread::spawn(move || calls.kill())
        };
        // Before the call, during it or after it: it begins in any case.
        assert!(begin(&ticket, &control).is_some());
        killer.join().expect("no panic");
        drop(ticket);
        assert_eq!(begin(&calls.add(), &control), Some(None));
    });
}

#[test]
fn a_kill_before_the_call_begins_is_not_lost() {
    explore(3, || {
        let (calls, control) = (Arc::new(Calls::default()), control());
        let ticket = calls.add();
        let running = {
            let control = control.clone();
            thread::spawn(move || {
                let running = ticket.begin(handle(&control), || control.begin()).expect("it begins");
                while running.stopped_by().is_none() {
                    thread::yield_now();
                }
            })
        };
        calls.kill();
        running.join().expect("the call is stopped");
    });
}

#[test]
fn a_call_that_is_aborted_is_either_taken_back_or_stopped() {
    explore(3, || {
        let (calls, control) = (Arc::new(Calls::default()), control());
        let ticket = calls.add();
        let aborter = ticket.aborter();
        let running = {
            let control = control.clone();
            thread::spawn(move || {
                let Some(running) = ticket.begin(handle(&control), || control.begin()) else { return false };
                while running.stopped_by().is_none() {
                    thread::yield_now();
                }
                true
            })
        };
        let taken_back = aborter.abort();
        assert_eq!(running.join().expect("it ends"), !taken_back);
        assert_eq!(begin(&calls.add(), &control), Some(None), "the next is not affected");
    });
}
