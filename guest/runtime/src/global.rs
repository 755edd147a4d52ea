//! Values that outlive a call.

use core::cell::RefCell;

/// A value that is set at boot and used by one entry into the program after the other.
pub struct Global<T>(RefCell<Option<T>>);

// SAFETY: the guest has one thread and no interrupts.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    pub fn set(&self, value: T) {
        *self.0.borrow_mut() = Some(value);
    }

    /// Uses the value.
    ///
    /// # Panics
    /// If the value is not set, or in use already: then the program is wrong.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        match &mut *self.0.borrow_mut() {
            Some(value) => f(value),
            None => panic!("used before boot"),
        }
    }
}
