//! A call of a handler, entry by entry.
//!
//! A call begins with an entry into the guest. Either it ends with that, or the guest is suspended: it waits for the host, with
//! the VM halted and no thread in use. Whoever drives the call waits for a [`Resumption`] and enters the guest again, until the
//! call has ended:
//!
//! ```text
//!  begin ──► entry ──► ended
//!             ▲ │
//!      resume │ ▼
//!            suspended (wait)
//! ```
//!
//! There are two drivers: [`LoadedJSSandbox::call_handler`] runs the guest on the thread that polls it, which is one of the
//! addon's, or one that holds itself up with [`block_on`]; [`LoadedJSSandbox::handle_event_async`] may be polled anywhere and
//! runs the guest elsewhere.
//!
//! [`LoadedJSSandbox::call_handler`]: super::loaded::LoadedJSSandbox::call_handler
//! [`LoadedJSSandbox::handle_event_async`]: super::loaded::LoadedJSSandbox::handle_event_async

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use guest_abi::payload::Payload;
use guest_abi::suspension::HostResults;
use tracing::Span;

use super::call_control::{CallGuard, CallId};
use super::call_settings::CallSettings;
use super::error::{Error, Result};
use super::host_functions::HostFunctions;
use super::metrics;
use super::monitor::{Watching, winner};
use super::program::Program;
use super::stats::ExecutionStats;
use super::suspended::Suspended;
use super::trace::traced;
use super::vm::{Step, Vm};

/// A call that has begun and not ended.
pub(crate) struct Call {
    running: CallGuard,
    watching: Option<Watching>,
    name: String,
    options: CallSettings,
    suspended: Suspended,
    span: Span,
}

/// What has become of a call when the guest has been left.
pub(crate) enum CallProgress {
    /// It has ended with a result; `None` stands for `undefined`.
    Ended(Result<Option<Payload>>, Box<ExecutionStats>),
    /// It waits for the host.
    Suspended(Box<Call>),
}

/// What a suspended call goes on with; `None` if it shall stop.
pub(crate) struct Resumption(Option<HostResults>);

impl Call {
    /// A call that has begun, and what watches it.
    pub fn new(
        running: CallGuard,
        watching: Option<Watching>,
        name: String,
        options: CallSettings,
        span: Span,
    ) -> Box<Self> {
        let suspended = Suspended::of(&running);
        Box::new(Self { running, watching, name, options, suspended, span })
    }

    /// Enters the guest for the first time. The call can call these functions.
    pub(super) fn begin(mut self: Box<Self>, vm: &mut Vm, event: Payload, functions: HostFunctions) -> CallProgress {
        let step = self.span.in_scope(|| {
            vm.begin_handler(&self.running, &self.name, event, functions, self.options, &mut self.suspended)
        });
        self.progress(vm, step)
    }

    /// Enters the guest for the first time, with a program.
    pub(super) fn begin_program(mut self: Box<Self>, vm: &mut Vm, program: Program) -> CallProgress {
        let step = self
            .span
            .in_scope(|| vm.begin_program(&self.running, &self.name, program, self.options, &mut self.suspended));
        self.progress(vm, step)
    }

    /// Enters the guest again.
    pub(super) fn resume(mut self: Box<Self>, vm: &mut Vm, Resumption(results): Resumption) -> CallProgress {
        let step = match results {
            Some(results) => self
                .span
                .in_scope(|| vm.resume_handler(&self.running, &self.name, self.options, results, &mut self.suspended)),
            None => Err(Error::Cancelled),
        };
        self.progress(vm, step)
    }

    fn progress(self: Box<Self>, vm: &mut Vm, step: Result<Step>) -> CallProgress {
        let result = match step {
            Ok(Step::Suspended) => return CallProgress::Suspended(self),
            Ok(Step::Ended(value)) => Ok(value),
            Err(error) => Err(error),
        };
        vm.end_call();
        let Self { running, watching, name, span, .. } = *self;
        drop(watching);
        let terminated_by = winner(&running, &result);
        let stats = ExecutionStats::of(&running, terminated_by);
        drop(running);
        metrics::call_ended(&result, &stats);
        metrics::handler_called(&name, &result, &stats);
        if let Some(monitor) = terminated_by {
            span.record("monitor", monitor);
        }
        if let Ok(Some(result)) = &result {
            span.record("result.size", result.size());
        }
        CallProgress::Ended(traced(&span, || result), Box::new(stats))
    }

    /// Waits until the call has something to go on with, or shall stop.
    pub async fn wait(&mut self, results_limit: usize) -> Resumption {
        Resumption(self.running.wait_for(self.suspended.resumption(results_limit)).await)
    }

    /// The call goes on on this thread.
    pub fn enter_thread(&self) {
        self.running.enter_thread();
    }

    /// The call goes on on another thread, if at all.
    pub fn leave_thread(&self) {
        self.running.leave_thread();
    }

    pub fn id(&self) -> CallId {
        self.running.id()
    }
}

/// Waits for a future on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let (mut context, mut future) = (Context::from_waker(&waker), pin!(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}
