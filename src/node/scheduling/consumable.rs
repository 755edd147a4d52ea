//! A place for a value that a method takes away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::node::error::{Error, Result};

/// The method that takes a value away for good.
pub const DISPOSE: &str = "dispose";

/// Holds what a JavaScript object stands for, until one of its methods consumes it.
#[derive(Debug)]
pub struct Consumable<T> {
    class: &'static str,
    state: Arc<Mutex<State<T>>>,
}

#[derive(Debug)]
enum State<T> {
    Present(T),
    TakenBy(&'static str),
}

impl<T> Consumable<T> {
    /// One with a value, for an object of this class.
    pub fn new(class: &'static str, value: T) -> Self {
        Self { class, state: Arc::new(Mutex::new(State::Present(value))) }
    }

    /// Takes the value away for a method.
    pub fn take(&self, method: &'static str) -> Result<T> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::TakenBy(method)) {
            State::Present(value) => Ok(value),
            State::TakenBy(taker) => {
                *state = State::TakenBy(taker);
                Err(self.consumed(taker))
            }
        }
    }

    /// Takes the value away for good, if it is there. One that a method has taken does not come back.
    pub fn dispose(&self) -> Option<T> {
        match std::mem::replace(&mut *self.lock(), State::TakenBy(DISPOSE)) {
            State::Present(value) => Some(value),
            State::TakenBy(_) => None,
        }
    }

    /// Puts the value back after the method that took it has failed. If it has been disposed of meanwhile, it is dropped.
    pub fn put_back(&self, value: T) {
        let mut state = self.lock();
        if !matches!(*state, State::TakenBy(DISPOSE)) {
            *state = State::Present(value);
        }
    }

    /// Uses the value where it is.
    pub fn with<R>(&self, use_value: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        match &mut *self.lock() {
            State::Present(value) => use_value(value),
            State::TakenBy(taker) => Err(self.consumed(taker)),
        }
    }

    fn consumed(&self, method: &'static str) -> Error {
        Error::Consumed { class: self.class, method }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // A panic in `with` leaves a value that is no worse than after an error.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Consumable<T> {
    fn clone(&self) -> Self {
        Self { class: self.class, state: self.state.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_once_and_the_error_names_the_method_that_took_it() {
        let held = Consumable::new("JSSandbox", 1);
        assert_eq!(held.take("getLoadedSandbox").expect("it is there"), 1);
        for error in [held.take("other").expect_err("it is gone"), held.with(|_| Ok(())).expect_err("it is gone")] {
            assert_eq!(error.to_string(), "this JSSandbox was consumed by getLoadedSandbox()");
        }
    }

    #[test]
    fn a_value_put_back_is_there_again() {
        let held = Consumable::new("JSSandbox", 1);
        let value = held.take("getLoadedSandbox").expect("it is there");
        held.clone().put_back(value + 1);
        assert_eq!(held.with(|value| Ok(*value)).expect("it is there"), 2);
    }

    #[test]
    fn a_value_that_is_disposed_of_while_a_method_has_it_does_not_come_back() {
        let held = Consumable::new("JSSandbox", 1);
        let value = held.take("getLoadedSandbox").expect("it is there");
        assert_eq!(held.dispose(), None);
        held.put_back(value);
        let error = held.take("getLoadedSandbox").expect_err("it is gone");
        assert_eq!(error.to_string(), "this JSSandbox was consumed by dispose()");
    }
}
