//! Stopping calls, with a VM that does what hyperlight-host's does.

use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread;

use hyperlight_js_models::explore;
use hyperlight_js_models::sandbox::call_control::{CallControl, CallGuard, StoppedBy};
use hyperlight_js_models::sandbox::sync::Arc;
use hyperlight_js_models::sandbox::{handle, stopper};

/// hyperlight-host's state of a VM, see its `hypervisor/mod.rs`. Its atomics are one lock here: every order of steps is one in
/// which they are done one after the other.
struct Vm {
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Default)]
struct State {
    running: bool,
    cancel: bool,
    /// A signal is on its way to the guest's thread.
    signal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guest {
    ComputesWithoutEnd,
    Ends,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Ended,
    Cancelled,
}

impl Vm {
    fn new() -> (Arc<Self>, Arc<CallControl>) {
        let vm = Arc::new(Self { state: Mutex::new(State::default()), change: Condvar::new() });
        let for_control = vm.clone();
        (vm, CallControl::new(move || for_control.kill()))
    }

    /// `InterruptHandle::kill`.
    fn kill(&self) -> bool {
        self.lock().cancel = true;
        let mut succeeded = false;
        let mut state = self.lock();
        while state.running && state.cancel {
            state.signal = true;
            succeeded = true;
            self.change.notify_all();
            state = self.change.wait(state).expect("no panic");
        }
        succeeded
    }

    /// `Sandbox::call`, up to its first entry.
    fn begin_call(&self) {
        self.change(|state| state.cancel = false);
    }

    /// `HyperlightVm::run`, until the guest is left for good or for a host function.
    fn enter(&self, guest: Guest) -> Outcome {
        loop {
            self.change(|state| state.running = true);
            let is_cancelled = self.lock().cancel;
            let interrupted = is_cancelled || self.run(guest);
            self.change(|state| state.running = false);
            match interrupted {
                false => return Outcome::Ended,
                true if self.lock().cancel => return Outcome::Cancelled,
                // A signal that came late, for something else: once more.
                true => {}
            }
        }
    }

    /// Whether a signal has come before the guest ended.
    fn run(&self, guest: Guest) -> bool {
        let mut state = self.lock();
        while guest == Guest::ComputesWithoutEnd && !state.signal {
            state = self.change.wait(state).expect("no panic");
        }
        std::mem::take(&mut state.signal)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.change.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}

/// A call of the library's, as `vm.rs` makes it.
fn call(vm: &Vm, running: &CallGuard, guest: Guest) -> Outcome {
    if running.stopped_by().is_some() {
        return Outcome::Cancelled;
    }
    vm.begin_call();
    vm.enter(guest)
}

#[test]
fn a_guest_that_computes_without_end_is_stopped_whenever_the_request_comes() {
    explore(3, || {
        let (vm, control) = Vm::new();
        let running = control.begin();
        let (handle, id) = (handle(&control), running.id());
        let stopper = thread::spawn(move || handle.kill_call(id));
        assert_eq!(call(&vm, &running, Guest::ComputesWithoutEnd), Outcome::Cancelled);
        assert_eq!(running.stopped_by(), Some(StoppedBy::Request));
        drop(running);
        assert!(stopper.join().expect("no panic"));
    });
}

#[test]
fn a_request_never_reaches_the_call_that_follows() {
    explore(3, || {
        let (vm, control) = Vm::new();
        let running = control.begin();
        let (handle, id) = (handle(&control), running.id());
        let stopper = thread::spawn(move || handle.kill_call(id));
        call(&vm, &running, Guest::Ends);
        drop(running);
        let running = control.begin();
        assert_eq!(call(&vm, &running, Guest::Ends), Outcome::Ended);
        assert_eq!(running.stopped_by(), None);
        drop(running);
        stopper.join().expect("no panic");
    });
}

#[test]
fn of_two_requests_the_first_counts_and_both_are_done() {
    explore(2, || {
        let (vm, control) = Vm::new();
        let running = control.begin();
        let id = running.id();
        let stop = |by: StoppedBy| {
            let control = control.clone();
            thread::spawn(move || stopper::stop(&control, id, by))
        };
        let stoppers = [stop(StoppedBy::Request), stop(StoppedBy::Monitor("wall-clock"))];
        assert_eq!(call(&vm, &running, Guest::ComputesWithoutEnd), Outcome::Cancelled);
        let first = running.stopped_by();
        assert!(first.is_some());
        assert_eq!(running.stopped_by(), first, "it does not change");
        drop(running);
        let [by_request, by_monitor] = stoppers.map(|stopper| stopper.join().expect("no panic"));
        // Whoever came later may have found the call ended.
        assert!(if first == Some(StoppedBy::Request) { by_request } else { by_monitor });
    });
}

#[test]
fn a_guest_whose_call_was_stopped_in_a_host_function_is_not_entered_again() {
    explore(3, || {
        let (vm, control) = Vm::new();
        let running = control.begin();
        let (handle, id) = (handle(&control), running.id());
        let (tell, told) = loom::sync::mpsc::channel();
        vm.begin_call();
        assert_eq!(vm.enter(Guest::Ends), Outcome::Ended, "the guest calls the host");
        control.enter_host();
        control.on_cancel(move || tell.send(()).expect("the host function waits"));
        let stopper = thread::spawn(move || handle.kill_call(id));
        told.recv().expect("it is told to give up");
        control.leave_host();
        assert_eq!(call(&vm, &running, Guest::ComputesWithoutEnd), Outcome::Cancelled);
        drop(running);
        assert!(stopper.join().expect("no panic"));
    });
}

#[test]
fn a_stop_that_comes_while_a_host_function_ends_is_not_lost() {
    explore(3, || {
        let (vm, control) = Vm::new();
        let running = control.begin();
        let (handle, id) = (handle(&control), running.id());
        vm.begin_call();
        let stopper = thread::spawn(move || handle.kill_call(id));
        control.enter_host();
        control.on_cancel(|| ());
        control.leave_host();
        assert_eq!(call(&vm, &running, Guest::ComputesWithoutEnd), Outcome::Cancelled);
        drop(running);
        assert!(stopper.join().expect("no panic"));
    });
}
