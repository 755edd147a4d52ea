//! Whether a sandbox can be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::consumable::DISPOSE;
use crate::node::error::{Error, Result};

/// What can be done with a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
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
///
/// What is found out about a call after others have run must not be held against a state that has been restored since. So the
/// status has an era, which a restore ends: the upper bits of one number, the status itself being the lower two.
#[derive(Clone, Debug)]
pub struct SharedStatus(Arc<AtomicU64>);

/// Which restore a status comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era(u64);

const STATUS_BITS: u32 = 2;

impl SharedStatus {
    pub fn new(status: Status) -> Self {
        Self(Arc::new(AtomicU64::new(status as u64)))
    }

    pub fn get(&self) -> Status {
        status(self.0.load(Ordering::Acquire))
    }

    /// What JavaScript sees, given whether the object can be used.
    pub fn name(&self, is_usable: &Result<()>) -> &'static str {
        match is_usable {
            Err(Error::Consumed { method: DISPOSE, .. }) => "disposed",
            _ => self.get().name(),
        }
    }

    pub fn era(&self) -> Era {
        Era(self.0.load(Ordering::Acquire) >> STATUS_BITS)
    }

    /// A state has been restored, which has this status.
    pub fn restored(&self, status: Status) {
        self.change(|Era(era), _| Some((era.wrapping_add(1), status)));
    }

    /// Notes that a call did not run to its end.
    pub fn poison(&self) {
        self.change(|Era(era), status| Some((era, status.max(Status::Poisoned))));
    }

    /// As [`poison`](Self::poison), for a call of this era.
    pub fn poison_in(&self, of: Era) {
        self.change(|era, status| (era == of).then_some((era.0, status.max(Status::Poisoned))));
    }

    fn change(&self, change: impl Fn(Era, Status) -> Option<(u64, Status)>) {
        // It fails if nothing is to be changed.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |number| {
            let (era, status) = change(Era(number >> STATUS_BITS), status(number))?;
            Some(era << STATUS_BITS | status as u64)
        });
    }

    /// Notes whether an operation found the sandbox unrecoverable.
    pub fn note<T>(&self, result: &Result<T>) {
        if matches!(result, Err(Error::Sandbox(crate::Error::Unrecoverable))) {
            self.change(|Era(era), _| Some((era, Status::Unrecoverable)));
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

fn status(number: u64) -> Status {
    match number & ((1 << STATUS_BITS) - 1) {
        0 => Status::Ready,
        1 => Status::Poisoned,
        _ => Status::Unrecoverable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_light_of_a_call_after_a_restore_does_not_poison_what_was_restored() {
        let status = SharedStatus::new(Status::Ready);
        let era = status.era();
        status.poison_in(era);
        assert_eq!(status.get(), Status::Poisoned);
        status.restored(Status::Ready);
        status.poison_in(era);
        assert_eq!(status.get(), Status::Ready);
        status.poison_in(status.era());
        assert_eq!(status.get(), Status::Poisoned);
    }

    #[test]
    fn what_is_unrecoverable_stays_so_when_it_is_poisoned() {
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
