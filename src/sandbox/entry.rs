//! An entry into a guest on another thread, as a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::call::CallProgress;
use super::call_control::CallId;
use super::error::{Error, Result};
use super::interrupt::InterruptHandle;
use super::thread_count::most_for_blocking;
use super::vm::Vm;
use super::workers::Workers;

/// The entry is being made. Dropping this stops the call and waits until the guest has been left, so that the VM is back in its
/// place.
pub(super) struct EntryFuture<'a> {
    place: &'a mut Option<Vm>,
    interrupt: InterruptHandle,
    call: CallId,
    ended: Option<Receiver<(Vm, CallProgress)>>,
    waker: Arc<AtomicWaker>,
}

impl<'a> EntryFuture<'a> {
    /// Has the VM at its place used by a function, which enters the guest.
    ///
    /// # Errors
    /// [`Error::NoThread`] if there is no thread for it, [`Error::Unrecoverable`] if there is no VM.
    pub fn start(
        place: &'a mut Option<Vm>,
        interrupt: &InterruptHandle,
        call: CallId,
        enter: impl FnOnce(&mut Vm) -> CallProgress + Send + 'static,
    ) -> Result<Self> {
        static WORKERS: Workers = Workers::new("hyperlight-entry", most_for_blocking);
        WORKERS.ensure_one()?;
        let mut vm = place.take().ok_or(Error::Unrecoverable)?;
        let (sender, ended) = mpsc::channel();
        let waker = Arc::new(AtomicWaker::new());
        let waits = waker.clone();
        // There is a thread, and there will be until this has run. Should the function panic, the VM is lost.
        let job = move || {
            // Dropped in this order, also by a panic: the sender, then what wakes whoever looks for what was sent.
            let _wake = WakeAtEnd(waits);
            let sender = sender;
            let progress = enter(&mut vm);
            drop(sender.send((vm, progress)));
        };
        drop(WORKERS.run(Box::new(job)));
        Ok(Self { place, interrupt: interrupt.clone(), call, ended: Some(ended), waker })
    }

    /// Takes the end of the entry, if it has come.
    fn take_end(&mut self) -> Option<Result<CallProgress>> {
        match self.ended.as_ref()?.try_recv() {
            Ok((vm, progress)) => {
                *self.place = Some(vm);
                self.ended = None;
                Some(Ok(progress))
            }
            Err(TryRecvError::Disconnected) => {
                self.ended = None;
                Some(Err(Error::Unrecoverable))
            }
            Err(TryRecvError::Empty) => None,
        }
    }
}

impl Future for EntryFuture<'_> {
    type Output = Result<CallProgress>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<CallProgress>> {
        self.waker.register(context.waker());
        self.take_end().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for EntryFuture<'_> {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            self.interrupt.kill_call(self.call);
            if let Ok((vm, _)) = ended.recv() {
                *self.place = Some(vm);
            }
        }
    }
}

/// Wakes whoever waits, also after a panic.
struct WakeAtEnd(Arc<AtomicWaker>);

impl Drop for WakeAtEnd {
    fn drop(&mut self) {
        self.0.wake();
    }
}
