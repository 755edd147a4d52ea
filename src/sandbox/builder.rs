//! Settings of a sandbox.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use guest_abi::function::ConsoleLevel;

use super::configuration::Configuration;
use super::environment::Environment;
use super::error::Result;
use super::host_function_module::HostFunctionModule;
use super::host_functions::HostFunctions;
use super::image::{self, GuestImage};
use super::intake::{Intake, UnhandledRejections};
use super::invalid_argument::InvalidArgument;
use super::proto::ProtoJSSandbox;
use super::snapshot::Snapshot;
use super::tally::HostCallLimits;
use super::trace::{operation, traced};
use super::{clock, hypervisor, metrics, stock};

/// Settings of a sandbox. Every setting has a default, so a builder left as it is is valid.
///
/// Sizes are limits: memory is taken when the guest first writes to it, page by page.
///
/// ```
/// # fn main() -> hyperlight_js::Result<()> {
/// let proto = hyperlight_js::SandboxBuilder::new()
///     .with_guest_heap_size(64 << 20)
///     .with_guest_input_buffer_size(4 << 20)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SandboxBuilder {
    configuration: Configuration,
    start: Option<Arc<Snapshot>>,
    host_functions: HostFunctions,
    environment: Environment,
    intake: Intake,
}

impl SandboxBuilder {
    /// Default size of the guest's heap in bytes: 64 MiB.
    pub const DEFAULT_HEAP_SIZE: u64 = Configuration::DEFAULT_HEAP_SIZE;
    /// Smallest and largest size of the guest's heap in bytes: 1 MiB and 6 GiB.
    pub const HEAP_SIZE_RANGE: RangeInclusive<u64> = Configuration::HEAP_SIZE_RANGE;
    /// Default size of the guest's scratch memory in bytes: 1.5 MiB, of which 1 MiB is its stack.
    pub const DEFAULT_SCRATCH_SIZE: u64 = Configuration::DEFAULT_SCRATCH_SIZE;
    /// Smallest and largest size of the guest's scratch memory in bytes: 1 MiB and 64 MiB.
    pub const SCRATCH_SIZE_RANGE: RangeInclusive<u64> = Configuration::SCRATCH_SIZE_RANGE;
    /// Default limit of an event in bytes of JSON text: 1 MiB. The result of a host function has the same limit. The source of a
    /// handler or a module may be as large as that, or as an eighth of the heap if that is more.
    pub const DEFAULT_INPUT_SIZE: usize = Configuration::DEFAULT_INPUT_SIZE;
    /// Default limit of a result in bytes of JSON text: 1 MiB. The arguments of a host function have the same limit.
    pub const DEFAULT_OUTPUT_SIZE: usize = Configuration::DEFAULT_OUTPUT_SIZE;
    /// Smallest and largest limit of an event or a result in bytes: 1 KiB and 256 MiB.
    pub const BUFFER_SIZE_RANGE: RangeInclusive<usize> = Configuration::BUFFER_SIZE_RANGE;
    /// Default limit of the values in a result: 131,072. The arguments of a host function have the same limit.
    pub const DEFAULT_MAX_OUTPUT_VALUES: usize = Intake::DEFAULT_MAX_VALUES;
    /// Default limit of the calls of host functions that a call of a handler can make: 100,000.
    pub const DEFAULT_MAX_HOST_CALLS: u64 = HostCallLimits::DEFAULT_TOTAL;
    /// Smallest and largest limit of these: 0 and 4,294,967,295.
    pub const MAX_HOST_CALLS_RANGE: RangeInclusive<u64> = HostCallLimits::TOTAL_RANGE;
    /// Default limit of the asynchronous calls of host functions that a call can have in flight: 1,000.
    pub const DEFAULT_MAX_HOST_CALLS_IN_FLIGHT: usize = HostCallLimits::DEFAULT_IN_FLIGHT;
    /// Smallest and largest limit of these: 0 and 1,000.
    pub const MAX_HOST_CALLS_IN_FLIGHT_RANGE: RangeInclusive<usize> = HostCallLimits::IN_FLIGHT_RANGE;
    /// Smallest and largest limit of the values in a result: 1 and 134,217,728, of which the largest result has no more.
    pub const MAX_OUTPUT_VALUES_RANGE: RangeInclusive<usize> = Intake::MAX_VALUES_RANGE;
    /// Most sandboxes that a process can [keep in stock](Self::prewarm_sandboxes), those of all settings together: 256.
    pub const MAX_STOCK: usize = stock::MOST;

    /// The guest that every sandbox starts with.
    ///
    /// ```
    /// let guest = hyperlight_js::SandboxBuilder::guest_image();
    /// assert_eq!(guest.hash.len(), 64);
    /// println!("guest image {} {}", guest.version, guest.hash);
    /// ```
    pub const fn guest_image() -> GuestImage {
        image::EMBEDDED
    }

    /// A builder with the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder for a sandbox that starts in the state of a snapshot, with its settings. They cannot be changed.
    ///
    /// The sandbox needs at least the host functions of the one that the snapshot was taken of; see
    /// [`Snapshot::requirements`]. Its handlers and modules are there already. If they are [loaded](Snapshot::is_loaded), none can be
    /// added until [`unload`](crate::LoadedJSSandbox::unload), which forgets those of the snapshot.
    pub fn from_snapshot(snapshot: Arc<Snapshot>) -> Self {
        Self {
            configuration: snapshot.origin().configuration.clone(),
            start: Some(snapshot),
            host_functions: HostFunctions::default(),
            environment: Environment::default(),
            intake: Intake::default(),
        }
    }

    /// Sets how much memory the guest's JavaScript may use, in bytes: its objects, strings and code. Default:
    /// [`DEFAULT_HEAP_SIZE`](Self::DEFAULT_HEAP_SIZE), range: [`HEAP_SIZE_RANGE`](Self::HEAP_SIZE_RANGE). Code that needs
    /// more gets an exception.
    #[must_use]
    pub fn with_guest_heap_size(mut self, bytes: u64) -> Self {
        self.configuration.heap_size = bytes;
        self
    }

    /// Sets the guest's memory beside its heap, in bytes. All of it but half a MiB is the stack. Default:
    /// [`DEFAULT_SCRATCH_SIZE`](Self::DEFAULT_SCRATCH_SIZE), range: [`SCRATCH_SIZE_RANGE`](Self::SCRATCH_SIZE_RANGE).
    #[must_use]
    pub fn with_guest_scratch_size(mut self, bytes: u64) -> Self {
        self.configuration.scratch_size = bytes;
        self
    }

    /// Sets the limit of an event in bytes of JSON text. Default: [`DEFAULT_INPUT_SIZE`](Self::DEFAULT_INPUT_SIZE), range:
    /// [`BUFFER_SIZE_RANGE`](Self::BUFFER_SIZE_RANGE).
    #[must_use]
    pub fn with_guest_input_buffer_size(mut self, bytes: usize) -> Self {
        self.configuration.input_size = bytes;
        self
    }

    /// Sets the limit of a result in bytes of JSON text. Default: [`DEFAULT_OUTPUT_SIZE`](Self::DEFAULT_OUTPUT_SIZE),
    /// range: [`BUFFER_SIZE_RANGE`](Self::BUFFER_SIZE_RANGE).
    #[must_use]
    pub fn with_guest_output_buffer_size(mut self, bytes: usize) -> Self {
        self.configuration.output_size = bytes;
        self
    }

    /// Sets how many values a result may consist of: objects, arrays, their members, and the names of those. Default:
    /// [`DEFAULT_MAX_OUTPUT_VALUES`](Self::DEFAULT_MAX_OUTPUT_VALUES), range:
    /// [`MAX_OUTPUT_VALUES_RANGE`](Self::MAX_OUTPUT_VALUES_RANGE). Whoever parses a result pays for each of them, much more than
    /// for each byte. The limit also holds for the arguments of a host function, which throws a `HostFunctionError` then. It is
    /// no part of a snapshot.
    #[must_use]
    pub fn with_max_output_values(mut self, count: usize) -> Self {
        self.intake.max_values = count;
        self
    }

    /// Sets how many host functions a call of a handler can call in total, synchronous and asynchronous ones. Default:
    /// [`DEFAULT_MAX_HOST_CALLS`](Self::DEFAULT_MAX_HOST_CALLS), range: [`MAX_HOST_CALLS_RANGE`](Self::MAX_HOST_CALLS_RANGE).
    /// Those beyond it throw a `HostFunctionError` in the guest, with the `hostName` `RangeError`, and are not made. The loading
    /// of a sandbox's handlers counts as one call. It is no part of a snapshot.
    ///
    /// ```
    /// use hyperlight_js::{Error, SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let mut proto = SandboxBuilder::new().with_max_host_calls(2).build()?;
    /// proto.host_module("clock").register("ticks", || 1_u32)?;
    /// let mut sandbox = proto.load_runtime()?;
    /// sandbox.add_handler("count", Script::from_content("
    ///     import { ticks } from 'host:clock';
    ///     function handler(count) { for (let i = 0; i < count; i++) ticks(); return count; }
    /// "))?;
    /// let mut loaded = sandbox.get_loaded_sandbox()?;
    /// assert_eq!(loaded.handle_event("count", "2".to_string(), None)?, "2");
    /// let result = loaded.handle_event("count", "3".to_string(), None);
    /// assert!(matches!(result, Err(Error::Guest { name, .. }) if name == "HostFunctionError"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_max_host_calls(mut self, count: u64) -> Self {
        self.intake.host_calls.total = count;
        self
    }

    /// Sets how many calls of asynchronous host functions a call can have in flight. Default:
    /// [`DEFAULT_MAX_HOST_CALLS_IN_FLIGHT`](Self::DEFAULT_MAX_HOST_CALLS_IN_FLIGHT), range:
    /// [`MAX_HOST_CALLS_IN_FLIGHT_RANGE`](Self::MAX_HOST_CALLS_IN_FLIGHT_RANGE). Those beyond it are refused, as with
    /// [`with_max_host_calls`](Self::with_max_host_calls).
    #[must_use]
    pub fn with_max_host_calls_in_flight(mut self, count: usize) -> Self {
        self.intake.host_calls.in_flight = count;
        self
    }

    /// Sets what becomes of calls, and of evaluations of handlers' modules, with promises that were rejected and that nobody
    /// handles. Default: [`UnhandledRejections::Warn`]. It is no part of a snapshot.
    ///
    /// ```
    /// use hyperlight_js::{Error, SandboxBuilder, Script, UnhandledRejections};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let builder = SandboxBuilder::new().with_unhandled_rejections(UnhandledRejections::Error);
    /// let mut sandbox = builder.build()?.load_runtime()?;
    /// sandbox.add_handler("forgetful", Script::from_content("
    ///     function handler() { Promise.reject(new RangeError('nobody waits for this')); return 1; }
    /// "))?;
    /// let result = sandbox.get_loaded_sandbox()?.handle_event("forgetful", "null".to_string(), None);
    /// assert!(matches!(result, Err(Error::Guest { name, .. }) if name == "RangeError"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_unhandled_rejections(mut self, mode: UnhandledRejections) -> Self {
        self.intake.unhandled_rejections = mode;
        self
    }

    /// Sets what takes the lines that guest code writes to its console. Default: the `tracing` log, under the target
    /// `hyperlight_js::console`, with control characters escaped, so that no line can pass for another. It is no part of a
    /// snapshot.
    ///
    /// It is called on the thread that runs the VM, which waits for it; so does a monitor that stops the call meanwhile. What
    /// writes to a pipe or a terminal may block until that is read, so leave the writing to another thread. The same holds for
    /// the subscriber that takes the log. Should it panic, that line is lost and nothing else happens.
    #[must_use]
    pub fn with_host_print_fn(mut self, print: impl Fn(ConsoleLevel, &str) + Send + Sync + 'static) -> Self {
        self.intake.print = Some(Arc::new(print));
        self
    }

    /// Gives the sandbox the host functions of a module as they are now. Functions of the same names are replaced.
    #[must_use]
    pub fn with_host_function_module(mut self, module: &HostFunctionModule) -> Self {
        self.host_functions.extend(module);
        self
    }

    /// Lets the sandbox do without host functions that its snapshots need: each call brings its own.
    pub(super) fn with_functions_of_calls(mut self) -> Self {
        self.intake.functions_come_with_calls = true;
        self
    }

    /// Uses the runtime image that commits faults on demand.
    #[cfg(feature = "test-guest")]
    #[doc(hidden)]
    #[must_use]
    pub fn with_test_guest(mut self) -> Self {
        self.configuration.test_guest = true;
        self
    }

    /// Sets the variables that guest code finds in `process.env`, in place of those that were set before. Default: none. Nothing of
    /// the environment of the process reaches a guest unless it is given here.
    ///
    /// They are part of the guest's state: a snapshot has them, and a sandbox that starts from it can be given no others. As JSON they
    /// must fit the [input buffer](Self::with_guest_input_buffer_size), or the handlers cannot be loaded.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// let builder = SandboxBuilder::new().with_environment([("REGION", "eu")]);
    /// let mut sandbox = builder.build()?.load_runtime()?;
    /// sandbox.add_handler("region", Script::from_content("const handler = () => process.env.REGION;"))?;
    /// let result = sandbox.get_loaded_sandbox()?.handle_event("region", "null".to_string(), None)?;
    /// assert_eq!(result, r#""eu""#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_environment<Name: Into<String>, Value: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (Name, Value)>,
    ) -> Self {
        self.environment = Environment::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Boots the guest as which all sandboxes with these settings start, unless this process has done so already. Otherwise
    /// the first of them to load its runtime does it, which takes some hundredths of a second; others wait meanwhile. A builder
    /// that starts from a snapshot has nothing to boot.
    ///
    /// What a process boots it keeps for the 16 settings that it has used last.
    ///
    /// # Errors
    /// Those of [`build`](Self::build), and [`Error::Internal`](crate::Error::Internal) if the guest does not boot.
    pub fn prewarm(&self) -> Result<()> {
        traced(&operation!(DEBUG, "prewarm"), || {
            self.check()?;
            match self.start {
                Some(_) => Ok(()),
                None => image::booted(&self.configuration).map(drop),
            }
        })
    }

    /// Keeps so many sandboxes with these settings in stock, from now on and for the whole process: micro-VMs with the runtime
    /// in them, which [`load_runtime`](ProtoJSSandbox::load_runtime) takes instead of making one. They have been made when this
    /// returns. What is taken is made again in the background. 0 gives the stock up.
    ///
    /// The settings are those of the guest, which are the sizes of its memory and its buffers, or the snapshot that the builder
    /// starts from. All else is of whoever takes the sandbox: host functions, environment, console, limits. None is taken
    /// twice, and none that was in use gets back into the stock.
    ///
    /// A sandbox in stock takes about 0.7 MiB. There can be [`MAX_STOCK`](Self::MAX_STOCK) of them in a process. When less than a
    /// sixteenth of the machine's memory, or of that of a control group of the process, is left, or when there is no memory or
    /// no file descriptor for a sandbox that is needed now, the stock is given up, and made again 10 seconds later at the
    /// earliest. A process that is forked off has no stock.
    ///
    /// ```
    /// use hyperlight_js::{SandboxBuilder, Script};
    ///
    /// # fn main() -> hyperlight_js::Result<()> {
    /// SandboxBuilder::new().prewarm_sandboxes(2)?;
    /// let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?; // one of the two
    /// sandbox.add_handler("greet", Script::from_content("const handler = (name) => `Hello, ${name}!`;"))?;
    /// let result = sandbox.get_loaded_sandbox()?.handle_event("greet", "\"World\"".to_string(), None)?;
    /// assert_eq!(result, "\"Hello, World!\"");
    /// SandboxBuilder::new().prewarm_sandboxes(0)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`prewarm`](Self::prewarm) and of [`load_runtime`](ProtoJSSandbox::load_runtime);
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if there would be more than [`MAX_STOCK`](Self::MAX_STOCK);
    /// [`Error::Cancelled`](crate::Error::Cancelled) if the guest of a snapshot takes more than 5 seconds to warm up.
    pub fn prewarm_sandboxes(&self, count: usize) -> Result<()> {
        metrics::describe();
        traced(&operation!(DEBUG, "prewarm"), || {
            self.check()?;
            stock::keep(&self.configuration, self.start.as_ref(), count)
        })
    }

    /// Checks the settings and that there is a hypervisor.
    ///
    /// # Errors
    /// [`Error::NoHypervisor`](crate::Error::NoHypervisor) if no virtual machine can be made here; the message says why and what to do.
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a setting out of its range, or for one that is not that of the snapshot to start from.
    pub fn build(self) -> Result<ProtoJSSandbox> {
        // Each time, since a recorder may have been installed after the last.
        metrics::describe();
        traced(&operation!(DEBUG, "build"), || self.check())?;
        Ok(ProtoJSSandbox::new(self.configuration, self.host_functions, self.environment, self.intake, self.start))
    }

    fn check(&self) -> Result<()> {
        self.configuration.check()?;
        self.intake.check()?;
        self.environment.check()?;
        let is_other = |snapshot: &Arc<Snapshot>| {
            snapshot.origin().configuration != self.configuration || !self.environment.is_empty()
        };
        if self.start.as_ref().is_some_and(is_other) {
            return Err(InvalidArgument::SettingsOfSnapshot.into());
        }
        hypervisor::check()?;
        // Only when there is to be a machine does macOS say whether this program may have one.
        if cfg!(target_os = "macos") && self.start.is_none() {
            image::booted(&self.configuration)?;
        }
        clock::tsc_hz();
        Ok(())
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}
