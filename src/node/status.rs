//! Whether a sandbox can be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::error::{Error, Result};

/// What can be done with a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Everything.
    Ready = 0,
    /// It can be restored and unloaded.
    Poisoned = 1,
    /// Nothing.
    Unrecoverable = 2,
}

impl Status {
    /// What JavaScript sees.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Poisoned => "poisoned",
            Self::Unrecoverable => "unrecoverable",
        }
    }
}

/// The status of one sandbox, read on the JavaScript thread and changed by the threads that work on it.
///
/// It changes before the promise is settled that tells of the reason.
#[derive(Clone, Debug)]
pub struct SharedStatus(Arc<AtomicU8>);

impl SharedStatus {
    pub fn new(status: Status) -> Self {
        Self(Arc::new(AtomicU8::new(status as u8)))
    }

    pub fn get(&self) -> Status {
        match self.0.load(Ordering::Acquire) {
            0 => Status::Ready,
            1 => Status::Poisoned,
            _ => Status::Unrecoverable,
        }
    }

    pub fn set(&self, status: Status) {
        self.0.store(status as u8, Ordering::Release);
    }

    /// Notes that a call did not run to its end.
    pub fn poison(&self) {
        self.0.fetch_max(Status::Poisoned as u8, Ordering::AcqRel);
    }

    /// Notes whether an operation found the sandbox beyond repair.
    pub fn note<T>(&self, result: &Result<T>) {
        if matches!(result, Err(Error::Sandbox(crate::Error::Unrecoverable))) {
            self.set(Status::Unrecoverable);
        }
    }

    /// An error if the guest's state cannot be trusted.
    pub fn check(&self) -> Result<()> {
        match self.get() {
            Status::Ready => Ok(()),
            Status::Poisoned => Err(crate::Error::Poisoned.into()),
            Status::Unrecoverable => Err(crate::Error::Unrecoverable.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_repair_stays_so_when_it_is_poisoned() {
        let status = SharedStatus::new(Status::Ready);
        assert!(status.check().is_ok());
        status.poison();
        assert_eq!((status.get().name(), status.check().is_err()), ("poisoned", true));
        status.note(&Err::<(), _>(crate::Error::Cancelled.into()));
        assert_eq!(status.get(), Status::Poisoned);
        status.note(&Err::<(), _>(crate::Error::Unrecoverable.into()));
        status.poison();
        assert_eq!(status.get().name(), "unrecoverable");
        assert!(matches!(status.check(), Err(Error::Sandbox(crate::Error::Unrecoverable))));
    }
}
