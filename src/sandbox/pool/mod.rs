//! Clean state for every request.

mod driver;
mod lease_queue;
mod occupancy;

use std::fmt;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::builder::SandboxBuilder;
use super::error::{Error, PoolFailure, Result};
use super::handler_call::HandlerCall;
use super::invalid_argument::check_range;
use super::large_pages;
use super::loaded::LoadedJSSandbox;
use super::monitor::MonitorSet;
use super::program::Program;
use super::snapshot::Snapshot;
use super::thread_count::most_for_blocking;
use super::workers::Workers;
pub(crate) use driver::{Expected, InUse, Members, PoolDriver};
#[cfg(feature = "node")]
pub(crate) use lease_queue::LeaseQueue;

/// Several sandboxes that are alike. Each request gets one in the state that it was prepared in; afterwards it is put back
/// into that state, off the request's path, poisoned ones as well. So no request sees what another has left.
///
/// When all are in use, requests wait in the order in which they came. A pool can be used from several threads at once. It has
/// threads of its own for putting sandboxes back, up to 512 for all pools of a process (`HYPERLIGHT_JS_THREADS`); where none can
/// be had, the thread that has made the request does it.
///
/// ```
/// use hyperlight_js::{SandboxBuilder, SandboxPool, Script};
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let pool = SandboxPool::new(2, 100, || {
///     let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
///     sandbox.add_handler("count", Script::from_content("let n = 0; function handler() { return ++n; }"))?;
///     sandbox.get_loaded_sandbox()
/// })?;
/// for _ in 0..10 {
///     assert_eq!(pool.handle_event("count", "null".to_string(), None)?, "1");
/// }
/// # Ok(())
/// # }
/// ```
pub struct SandboxPool {
    driver: Arc<PoolDriver<Arc<Prepared>>>,
}

/// Members that a function makes, on threads for that.
struct Prepared {
    prepare: Mutex<Box<Prepare>>,
}

type Prepare = dyn FnMut() -> Result<Member> + Send;

/// A sandbox and the state in which requests get it.
pub(crate) struct Member {
    pub sandbox: LoadedJSSandbox,
    clean: Arc<Snapshot>,
    /// A call has had more in use than comes in small pages.
    is_large: bool,
}

impl Member {
    /// A sandbox as it is now.
    pub fn new(mut sandbox: LoadedJSSandbox) -> Result<Self> {
        sandbox.expect_programs()?;
        let clean = sandbox.snapshot()?;
        let mut member = Self { sandbox, clean, is_large: false };
        member.renew()?;
        member.warm_up()?;
        Ok(member)
    }

    /// A sandbox in the state of a snapshot, made by a builder for it. Host functions that it needs come with each call.
    pub fn start(clean: Arc<Snapshot>, builder: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> Result<Self> {
        clean.check_loaded()?;
        let builder = builder(SandboxBuilder::from_snapshot(clean.clone())).with_functions_of_calls();
        let mut sandbox = builder.build()?.load_runtime()?.get_loaded_sandbox()?;
        sandbox.warm_up()?;
        Ok(Self { sandbox, clean, is_large: false })
    }

    /// The state in which requests get the sandbox.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn clean(&self) -> Arc<Snapshot> {
        self.clean.clone()
    }

    /// Has requests get the sandbox in another state from its next renewal on.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn set_clean(&mut self, clean: Arc<Snapshot>) {
        self.clean = clean;
    }

    /// Puts the sandbox back into its state.
    pub fn renew(&mut self) -> Result<()> {
        let heap = self.sandbox.last_call_stats().and_then(|stats| stats.heap);
        self.is_large |= heap.is_some_and(|heap| heap.peak > large_pages::SMALL as u64);
        self.sandbox.restore(self.clean.clone())
    }

    /// Has the guest touch what a call needs, when it has just been put back.
    pub fn warm_up(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_large) {
            self.sandbox.allow_large_pages(&self.clean)?;
        }
        self.sandbox.warm_up()
    }
}

impl SandboxPool {
    /// Smallest and largest number of sandboxes: 1 and 1,024.
    pub const SIZE_RANGE: RangeInclusive<usize> = 1..=1024;

    /// A pool of `size` sandboxes, each of which `prepare` makes. It is called again, on another thread, for one that is
    /// unrecoverable; if it fails then, the pool goes on with those it has, and the next request has it tried again. At most
    /// `max_queue` requests may wait.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a size out of [`SIZE_RANGE`](Self::SIZE_RANGE), and what `prepare` fails with.
    pub fn new(
        size: usize,
        max_queue: usize,
        mut prepare: impl FnMut() -> Result<LoadedJSSandbox> + Send + 'static,
    ) -> Result<Self> {
        Self::with_members(size, max_queue, move || Member::new(prepare()?))
    }

    fn with_members(
        size: usize,
        max_queue: usize,
        prepare: impl FnMut() -> Result<Member> + Send + 'static,
    ) -> Result<Self> {
        let range = *Self::SIZE_RANGE.start() as u64..=*Self::SIZE_RANGE.end() as u64;
        check_range("size of the pool", size as u64, "", &range)?;
        let driver = PoolDriver::new(size, max_queue, Arc::new(Prepared { prepare: Mutex::new(Box::new(prepare)) }));
        for _ in 0..driver.leases.expect_missing() {
            driver.give(driver.members.prepare()?);
        }
        Ok(Self { driver })
    }

    /// A pool of `size` sandboxes in the state of a snapshot. Host functions that its handlers have imported come with each
    /// [`call`](Self::call).
    ///
    /// # Errors
    /// As [`new`](Self::new). [`Error::SnapshotMismatch`] if the handlers of the snapshot are not loaded.
    pub fn from_snapshot(size: usize, max_queue: usize, snapshot: Arc<Snapshot>) -> Result<Self> {
        Self::from_snapshot_with(size, max_queue, snapshot, |builder| builder)
    }

    /// As [`from_snapshot`](Self::from_snapshot), with what a snapshot does not have: where the lines of the sandboxes' consoles
    /// go, and how many values a result may have. The function sets it for each sandbox.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicUsize, Ordering};
    /// # use hyperlight_js::{SandboxBuilder, SandboxPool, Script};
    /// # fn main() -> hyperlight_js::Result<()> {
    /// # let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
    /// # sandbox.add_handler("f", Script::from_content("function handler() { console.log('a line'); }"))?;
    /// # let snapshot = sandbox.get_loaded_sandbox()?.snapshot()?;
    /// static LINES: AtomicUsize = AtomicUsize::new(0);
    /// let pool = SandboxPool::from_snapshot_with(2, 100, snapshot, |builder| {
    ///     builder.with_host_print_fn(|_level, _text| drop(LINES.fetch_add(1, Ordering::Relaxed)))
    /// })?;
    /// pool.handle_event("f", "null".to_string(), None)?;
    /// assert_eq!(LINES.load(Ordering::Relaxed), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`from_snapshot`](Self::from_snapshot), and those of [`SandboxBuilder::build`].
    pub fn from_snapshot_with(
        size: usize,
        max_queue: usize,
        snapshot: Arc<Snapshot>,
        builder: impl Fn(SandboxBuilder) -> SandboxBuilder + Send + 'static,
    ) -> Result<Self> {
        Self::with_members(size, max_queue, move || Member::start(snapshot.clone(), &builder))
    }

    /// As [`LoadedJSSandbox::handle_event`], in a sandbox that no request has used before. It waits for one to be ready.
    ///
    /// # Errors
    /// Those of [`LoadedJSSandbox::handle_event`]; none of them harms the pool. [`Error::PoolFull`] if too many requests wait,
    /// [`Error::PoolClosed`] after [`close`](Self::close), [`Error::PoolPrepare`] if there is no sandbox left and none could be
    /// made.
    pub fn handle_event(&self, func_name: impl Into<String>, event: String, gc: Option<bool>) -> Result<String> {
        self.with_sandbox(|sandbox| sandbox.handle_event(func_name, event, gc))?
    }

    /// As [`handle_event`](Self::handle_event), under limits. The time of waiting for a sandbox does not count.
    ///
    /// # Errors
    /// Those of [`handle_event`](Self::handle_event) and of [`LoadedJSSandbox::handle_event_with_monitor`].
    pub fn handle_event_with_monitor<M: MonitorSet>(
        &self,
        func_name: impl Into<String>,
        event: String,
        monitor: &M,
        gc: Option<bool>,
    ) -> Result<String> {
        self.with_sandbox(|sandbox| sandbox.handle_event_with_monitor(func_name, event, monitor, gc))?
    }

    /// As [`LoadedJSSandbox::call`], in a sandbox that no request has used before. It waits for one to be ready.
    ///
    /// ```
    /// # use hyperlight_js::{HandlerCall, SandboxBuilder, SandboxPool, Script};
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().build()?;
    /// proto.register("user", "name", || "nobody")?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("who", Script::from_content("
    ///     import { name } from 'host:user';
    ///     function handler() { return name(); }
    /// "))?;
    /// let pool = SandboxPool::from_snapshot(2, 100, sandbox.get_loaded_sandbox()?.snapshot()?)?;
    /// let mut call = HandlerCall::new("who", "null");
    /// call.host_module("user").register("name", || "somebody")?;
    /// assert_eq!(pool.call(call, None)?, r#""somebody""#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`LoadedJSSandbox::call`]; none of them harms the pool. Those of [`handle_event`](Self::handle_event) that are the
    /// pool's.
    pub fn call(&self, call: HandlerCall, gc: Option<bool>) -> Result<String> {
        self.with_sandbox(|sandbox| sandbox.call(call, gc))?
    }

    /// As [`LoadedJSSandbox::run`], in a sandbox that no request has used before. It waits for one to be ready.
    ///
    /// # Errors
    /// Those of [`LoadedJSSandbox::run`]; none of them harms the pool. Those of [`handle_event`](Self::handle_event) that are the
    /// pool's.
    pub fn run(&self, program: Program, gc: Option<bool>) -> Result<String> {
        self.with_sandbox(|sandbox| sandbox.run(program, gc))?
    }

    /// Gives a clean sandbox to a function, for several calls or its statistics. What it leaves there nobody else sees.
    ///
    /// # Errors
    /// [`Error::PoolFull`], [`Error::PoolClosed`], [`Error::PoolPrepare`], as for [`handle_event`](Self::handle_event).
    pub fn with_sandbox<T>(&self, use_sandbox: impl FnOnce(&mut LoadedJSSandbox) -> T) -> Result<T> {
        self.driver.refill();
        let (sender, receiver) = mpsc::channel();
        self.driver.take(move |member| drop(sender.send(member)));
        let mut lease = Lease(Some(receiver.recv().map_err(|_| Error::PoolClosed)??));
        lease.with(|member| use_sandbox(&mut member.sandbox))
    }

    /// Sandboxes that the pool has, ready or not.
    pub fn size(&self) -> usize {
        self.driver.leases.members()
    }

    /// Sandboxes that are ready for a request.
    pub fn ready(&self) -> usize {
        self.driver.leases.ready()
    }

    /// Requests that wait.
    pub fn waiting(&self) -> usize {
        self.driver.leases.waiting()
    }

    /// Refuses requests from now on, those that wait included, and drops the sandboxes; those in use when their calls have
    /// ended. Dropping the pool does the same.
    pub fn close(&self) {
        self.driver.leases.close();
    }
}

impl Drop for SandboxPool {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for SandboxPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pool = f.debug_struct("SandboxPool");
        pool.field("size", &self.size()).field("ready", &self.ready()).field("waiting", &self.waiting()).finish()
    }
}

/// A member in use. It is renewed when this is dropped, whatever happened.
struct Lease(Option<InUse<Arc<Prepared>>>);

impl Lease {
    fn with<T>(&mut self, use_member: impl FnOnce(&mut Member) -> T) -> Result<T> {
        let in_use = self.0.as_mut().ok_or(Error::PoolClosed)?;
        in_use.member().map(use_member)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(in_use) = self.0.take() {
            in_background(move || in_use.renew());
        }
    }
}

/// Does some work on another thread, or on this one if there is none: a sandbox that is not renewed is lost to its pool.
fn in_background(work: impl FnOnce() + Send + 'static) {
    static WORKERS: Workers = Workers::new("hyperlight-pool", most_for_blocking);
    if let Err(work) = WORKERS.run(Box::new(work)) {
        work();
    }
}

impl Prepared {
    fn prepare(&self) -> Result<Member> {
        let mut prepare = self.prepare.lock().unwrap_or_else(PoisonError::into_inner);
        prepare()
    }
}

impl Members for Arc<Prepared> {
    type Member = Member;

    fn make(&self, expected: Expected<Self>) {
        let members = self.clone();
        in_background(move || {
            // If `prepare` panics, it has failed: nobody must wait for what does not come.
            let made = catch_unwind(AssertUnwindSafe(|| members.prepare()));
            expected.fulfil(match made {
                Ok(made) => made.map_err(|error| PoolFailure::Failed(Arc::new(error))),
                Err(_) => Err(PoolFailure::Panicked),
            });
        });
    }

    fn renew(&self, member: &mut Member) -> Result<()> {
        member.renew()
    }

    fn warm_up(&self, member: &mut Member) -> Result<()> {
        member.warm_up()
    }
}
