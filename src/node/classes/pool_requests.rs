//! How a pool serves the requests of JavaScript, and puts its sandboxes into another state.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::call_driver::Callee;
use super::handler_call::{CallRequest, CallValue, call};
use super::pool::SandboxPool;
use super::pool_members::{MemberSource, PoolMember, PoolMembers};
use crate::node::bridge::call_end::{CallPromise, Ended};
use crate::node::error::{Error, Result};
use crate::node::panic::catch_panic;
use crate::node::scheduling::calls::{Calls, Ticket};
use crate::node::scheduling::host_call::PendingHostCall;
use crate::node::scheduling::queue::Queue;
use crate::node::scheduling::worker_threads::{blocking, yield_to_js_thread};
use crate::node::scheduling::{jobs, reentrancy, tasks};
use crate::sandbox::pool::{InUse, PoolDriver};

/// A pool, for its requests that have not ended.
pub struct PoolRequests {
    pub driver: Arc<PoolDriver<PoolMembers>>,
    /// The preparations, one after the other: each adds to what those before it have left.
    pub preparations: Arc<Queue<()>>,
    pub calls: Arc<Calls>,
    last_call_stats: Mutex<Option<crate::ExecutionStats>>,
}

impl Callee for SandboxPool {
    fn check_open(&self) -> Result<()> {
        if self.requests.driver.leases.is_closed() {
            return Err(Error::Consumed { class: "SandboxPool", method: "close" });
        }
        Ok(())
    }

    fn check_caller(
        &self,
        caller: Option<Arc<PendingHostCall>>,
        method: &'static str,
    ) -> Result<Option<Arc<PendingHostCall>>> {
        reentrancy::check(caller, method, |sandbox| sandbox.pool == Some(self.requests.driver.members.pool()))
    }

    fn calls(&self) -> &Arc<Calls> {
        &self.requests.calls
    }

    fn may_have_host_functions(&self) -> bool {
        self.requests.driver.members.may_have_host_functions()
    }

    fn hand_over(&self, request: CallRequest, ticket: Ticket, call_promise: CallPromise<CallValue>) -> Option<u64> {
        self.requests.serve(request, ticket, call_promise)
    }

    fn withdraw(&self, number: Arc<OnceLock<u64>>) -> impl Fn() + 'static {
        let requests = self.requests.clone();
        move || number.get().into_iter().for_each(|number| requests.driver.leases.withdraw(*number))
    }
}

impl PoolRequests {
    pub fn new(size: usize, max_queue: usize, source: MemberSource) -> Arc<Self> {
        Arc::new(Self {
            driver: PoolDriver::new(size, max_queue, PoolMembers::new(source)),
            preparations: Queue::new("SandboxPool", ()),
            calls: Arc::default(),
            last_call_stats: Mutex::default(),
        })
    }

    /// The cost of the call that ended last.
    pub fn last_call_stats(&self) -> MutexGuard<'_, Option<crate::ExecutionStats>> {
        self.last_call_stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has requests get sandboxes in this state from now on.
    fn set_prepared(self: &Arc<Self>, clean: Arc<crate::Snapshot>) {
        self.driver.members.set_prepared(clean);
        for member in self.driver.leases.take_ready() {
            let driver = self.driver.clone();
            blocking(move || driver.give(member));
        }
    }

    /// Has a sandbox's state, in which modules have been imported by a request, be that in which all requests get theirs.
    pub async fn prepare(self: Arc<Self>, request: CallRequest, ticket: Ticket, call_promise: CallPromise<CallValue>) {
        self.driver.refill();
        let (sender, receiver) = oneshot::channel();
        self.driver.take(move |in_use| drop(sender.send(in_use)));
        match receiver.await.unwrap_or(Err(crate::Error::PoolClosed)) {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(in_use) => self.prepare_in(in_use, request, ticket, call_promise).await,
        }
    }

    /// Serves a request when a sandbox is ready for it. Returns its number if it has to wait.
    fn serve(
        self: &Arc<Self>,
        request: CallRequest,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) -> Option<u64> {
        self.driver.refill();
        let requests = self.clone();
        self.driver.take(move |in_use| match in_use {
            Err(error) => {
                let ended = Ended { result: Err(error.into()), stats: None, limits: request.options.limits };
                call_promise.settle_after(jobs::Source::HOST, Ok(ended));
            }
            Ok(in_use) => tasks::spawn(async move { requests.serve_in(in_use, request, ticket, call_promise).await }),
        })
    }

    async fn serve_in(
        &self,
        mut in_use: InUse<PoolMembers>,
        request: CallRequest,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        let Ok(PoolMember { member, context }) = in_use.member() else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        if let Some(stats) = &stats {
            *self.last_call_stats() = Some(stats.clone());
        }
        drop(ticket);
        let result = result.map(|value| (value, None));
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        yield_to_js_thread();
        in_use.renew();
    }

    /// As [`serve_in`](Self::serve_in), and takes a snapshot of the sandbox if that succeeds.
    async fn prepare_in(
        self: &Arc<Self>,
        mut in_use: InUse<PoolMembers>,
        request: CallRequest,
        ticket: Ticket,
        call_promise: CallPromise<CallValue>,
    ) {
        let Ok(PoolMember { member, context }) = in_use.member() else { return };
        let limits = request.options.limits;
        let (result, stats) = call(&mut member.sandbox, context, &ticket, request).await;
        let result = result.and_then(|value| {
            let clean = catch_panic(|| Ok(member.sandbox.snapshot()?))?;
            member.set_clean(clean.clone());
            self.set_prepared(clean);
            Ok((value, None))
        });
        drop(ticket);
        call_promise.settle_after(context.source(), Ok(Ended { result, stats, limits }));
        in_use.renew();
    }
}
