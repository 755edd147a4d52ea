//! Settings of a sandbox.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use guest_abi::boot::Settings;
use guest_abi::function::ConsoleLevel;
use guest_abi::memory::{BACKING_STEP, HEAP_SIZE_MAX, PAGE_SIZE, STACK_SIZE_MAX};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::host_function::HostFunctions;
use super::host_function_module::HostFunctionModule;
use super::image::{self, GuestImage};
use super::proto::ProtoJSSandbox;
use super::snapshot::Snapshot;
use super::trace::{operation, traced};
use super::{clock, hypervisor, metrics};

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
    intake: Intake,
}

/// What the host does with what comes from a guest. It is no part of the guest's state, so it can be another one for each
/// sandbox that starts from a snapshot.
#[derive(Clone)]
pub(super) struct Intake {
    pub print: Option<Arc<HostPrint>>,
    /// Most values of a result, and of the arguments of a host function.
    pub max_values: usize,
    pub unhandled_rejections: UnhandledRejections,
}

/// What becomes of a call in which a promise was rejected that nobody handles by the end of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledRejections {
    /// It is an error line on the console, with the stack; of more than 16 only their number. The call does not fail.
    #[default]
    Warn,
    /// The call fails with the reason, as if the handler or the module had thrown it; further ones are lines on the console. A call
    /// that fails anyway does so with its own error.
    Error,
}

/// Takes a line that guest code wrote to its console.
pub(super) type HostPrint = dyn Fn(ConsoleLevel, &str) + Send + Sync;

impl Default for Intake {
    fn default() -> Self {
        let max_values = SandboxBuilder::DEFAULT_MAX_OUTPUT_VALUES;
        Self { print: None, max_values, unhandled_rejections: UnhandledRejections::default() }
    }
}

impl SandboxBuilder {
    /// Default size of the guest's heap in bytes: 64 MiB.
    pub const DEFAULT_HEAP_SIZE: u64 = 64 << 20;
    /// Smallest and largest size of the guest's heap in bytes: 1 MiB and 6 GiB.
    pub const HEAP_SIZE_RANGE: RangeInclusive<u64> = 1 << 20..=6 << 30;
    /// Default size of the guest's scratch memory in bytes: 1.5 MiB, of which 1 MiB is its stack.
    pub const DEFAULT_SCRATCH_SIZE: u64 = 3 << 19;
    /// Smallest and largest size of the guest's scratch memory in bytes: 1 MiB and 64 MiB.
    pub const SCRATCH_SIZE_RANGE: RangeInclusive<u64> = 1 << 20..=64 << 20;
    /// Default limit of an event in bytes of JSON text: 1 MiB. The source of a handler or a module, and the result of a
    /// host function, have the same limit.
    pub const DEFAULT_INPUT_SIZE: usize = 1 << 20;
    /// Default limit of a result in bytes of JSON text: 1 MiB. The arguments of a host function have the same limit.
    pub const DEFAULT_OUTPUT_SIZE: usize = 1 << 20;
    /// Smallest and largest limit of an event or a result in bytes: 1 KiB and 256 MiB.
    pub const BUFFER_SIZE_RANGE: RangeInclusive<usize> = 1 << 10..=256 << 20;
    /// Default limit of the values in a result: 131,072. The arguments of a host function have the same limit.
    pub const DEFAULT_MAX_OUTPUT_VALUES: usize = 128 << 10;
    /// Smallest and largest limit of the values in a result: 1 and 134,217,728, of which the largest result has no more.
    pub const MAX_OUTPUT_VALUES_RANGE: RangeInclusive<usize> = 1..=128 << 20;

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
        self.host_functions.extend(module.functions());
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

    /// Boots the guest as which all sandboxes with these settings start, unless this process has done so already. Otherwise
    /// the first of them to load its runtime does it, which takes some hundredths of a second; others wait meanwhile. A builder
    /// that starts from a snapshot has nothing to boot.
    ///
    /// What a process boots it keeps for the 16 settings that it has used last.
    ///
    /// # Errors
    /// Those of [`build`](Self::build), and [`Error::Internal`] if the guest does not boot.
    pub fn prewarm(&self) -> Result<()> {
        traced(&operation!(DEBUG, "prewarm"), || {
            self.check()?;
            match self.start {
                Some(_) => Ok(()),
                None => image::booted(&self.configuration).map(drop),
            }
        })
    }

    /// Checks the settings and that there is a hypervisor.
    ///
    /// # Errors
    /// [`Error::NoHypervisor`] if no virtual machine can be made here; the message says why and what to do.
    /// [`Error::InvalidArgument`] for a setting out of its range, or for one that is not that of the snapshot to start from.
    pub fn build(self) -> Result<ProtoJSSandbox> {
        // Each time, since a recorder may have been installed after the last.
        metrics::describe();
        traced(&operation!(DEBUG, "build"), || self.check())?;
        Ok(ProtoJSSandbox::new(self.configuration, self.host_functions, self.intake, self.start))
    }

    fn check(&self) -> Result<()> {
        self.configuration.check()?;
        let (max_values, range) = (self.intake.max_values, Self::MAX_OUTPUT_VALUES_RANGE);
        if !range.contains(&max_values) {
            let (least, most) = (range.start(), range.end());
            return Err(Error::InvalidArgument(format!(
                "the limit of values in a result is {max_values}; it must be between {least} and {most}"
            )));
        }
        if self.start.as_ref().is_some_and(|snapshot| snapshot.origin().configuration != self.configuration) {
            return Err(Error::InvalidArgument(
                "the settings are those of the snapshot and cannot be changed".to_string(),
            ));
        }
        hypervisor::check()?;
        clock::tsc_hz();
        Ok(())
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder").field("configuration", &self.configuration).finish_non_exhaustive()
    }
}

/// The settings that decide about the state of a freshly booted guest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Configuration {
    pub heap_size: u64,
    pub scratch_size: u64,
    pub input_size: usize,
    pub output_size: usize,
    #[cfg(feature = "test-guest")]
    pub test_guest: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            heap_size: SandboxBuilder::DEFAULT_HEAP_SIZE,
            scratch_size: SandboxBuilder::DEFAULT_SCRATCH_SIZE,
            input_size: SandboxBuilder::DEFAULT_INPUT_SIZE,
            output_size: SandboxBuilder::DEFAULT_OUTPUT_SIZE,
            #[cfg(feature = "test-guest")]
            test_guest: false,
        }
    }
}

/// Sizes that hyperlight-host needs, derived from a [`Configuration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub scratch_size: usize,
    pub buffer_size: usize,
    pub h2g_queue_size: usize,
    pub h2g_pool_pages: usize,
    pub g2h_queue_size: usize,
    pub g2h_pool_pages: usize,
}

impl Configuration {
    /// Size of a message buffer. Few large buffers are cheaper than many small ones.
    const BUFFER_SIZE: usize = 64 << 10;
    /// What a message holds beside its payload: the header, the call context, the handler's name, the function's name.
    const MESSAGE_OVERHEAD: usize = 4096;
    /// Scratch memory that is not stack: the image's data, the kernel's stacks and tables.
    const SCRATCH_BESIDE_STACK: u64 = 512 << 10;
    /// Heap for native code, beside what its messages need.
    const NATIVE_HEAP_SIZE: u64 = 1 << 20;

    pub fn check(&self) -> Result<()> {
        fn check<T: PartialOrd + fmt::Display>(what: &str, value: &T, range: &RangeInclusive<T>) -> Result<()> {
            if range.contains(value) {
                return Ok(());
            }
            let (least, most) = (range.start(), range.end());
            Err(Error::InvalidArgument(format!("the {what} is {value} bytes; it must be between {least} and {most}")))
        }
        check("heap size", &self.heap_size, &SandboxBuilder::HEAP_SIZE_RANGE)?;
        check("scratch size", &self.scratch_size, &SandboxBuilder::SCRATCH_SIZE_RANGE)?;
        check("input buffer size", &self.input_size, &SandboxBuilder::BUFFER_SIZE_RANGE)?;
        check("output buffer size", &self.output_size, &SandboxBuilder::BUFFER_SIZE_RANGE)
    }

    /// The settings as the guest needs them.
    pub fn for_guest(&self) -> Settings {
        // Native code holds a message as it came, as text, and encoded for the way back. While it waits for the host it keeps the
        // source that it evaluates, or the result that the call has come to.
        let messages = (3 * (self.input_size + self.output_size) + self.input_size.max(self.output_size)) as u64;
        Settings {
            heap_size: (self.heap_size + messages + Self::NATIVE_HEAP_SIZE).next_multiple_of(BACKING_STEP),
            javascript_limit: self.heap_size,
            stack_size: (self.scratch_size - Self::SCRATCH_BESIDE_STACK) / BACKING_STEP * BACKING_STEP,
            output_limit: self.output_size as u64,
        }
    }

    /// Buffers that hold one message with a payload of `size` bytes, and one to spare: hyperlight-host keeps one free.
    const fn buffers_for(size: usize) -> usize {
        (size + Self::MESSAGE_OVERHEAD).div_ceil(Self::BUFFER_SIZE) + 1
    }

    pub fn geometry(&self) -> Geometry {
        const PAGE: usize = PAGE_SIZE as usize;
        let h2g_buffers = Self::buffers_for(self.input_size);
        // The guest sends a call of a host function together with room for its result.
        let g2h_buffers = Self::buffers_for(self.output_size) + Self::buffers_for(self.input_size);
        // Small messages have a page of small buffers of their own, ahead of the others.
        let g2h_small = hyperlight_common::virtq::G2H_LOWER_SLOT_COUNT;
        let h2g_pool_pages = h2g_buffers * Self::BUFFER_SIZE / PAGE;
        let g2h_pool_pages = 1 + g2h_buffers * Self::BUFFER_SIZE / PAGE;

        // Every page that the guest can write, once each: it is copied or zero-filled into scratch when first written.
        // Page tables take an entry of 8 bytes a page.
        let written =
            (self.for_guest().heap_size + self.scratch_size) as usize + (h2g_pool_pages + g2h_pool_pages) * PAGE;
        let page_tables = (written / PAGE * 8).next_multiple_of(PAGE) * 2 + 64 * PAGE;
        Geometry {
            scratch_size: (written + page_tables).next_multiple_of(16 << 10),
            buffer_size: Self::BUFFER_SIZE,
            h2g_queue_size: h2g_buffers.next_power_of_two(),
            h2g_pool_pages,
            g2h_queue_size: (g2h_buffers + g2h_small).next_power_of_two(),
            g2h_pool_pages,
        }
    }
}

const _: () = {
    assert!(*SandboxBuilder::SCRATCH_SIZE_RANGE.start() >= Configuration::SCRATCH_BESIDE_STACK + BACKING_STEP);
    assert!(*SandboxBuilder::SCRATCH_SIZE_RANGE.end() <= STACK_SIZE_MAX);
    let messages = 6 * *SandboxBuilder::BUFFER_SIZE_RANGE.end() as u64 + (1 << 20);
    assert!(*SandboxBuilder::HEAP_SIZE_RANGE.end() + messages <= HEAP_SIZE_MAX);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_out_of_range_are_refused_with_value_and_range() {
        let refused = |configuration: Configuration, value: u64, limit: u64| {
            let error = configuration.check().expect_err("out of range");
            let text = error.to_string();
            assert!(matches!(error, Error::InvalidArgument(_)));
            assert!(text.contains(&value.to_string()) && text.contains(&limit.to_string()), "{text}");
        };
        let default = Configuration::default;
        for heap_size in [0, (1 << 20) - 1, (6 << 30) + 1, u64::MAX] {
            refused(Configuration { heap_size, ..default() }, heap_size, 6 << 30);
        }
        for scratch_size in [0, (1 << 20) - 1, (64 << 20) + 1, u64::MAX] {
            refused(Configuration { scratch_size, ..default() }, scratch_size, 64 << 20);
        }
        for size in [0, 1023, (256 << 20) + 1, usize::MAX] {
            refused(Configuration { input_size: size, ..default() }, size as u64, 256 << 20);
            refused(Configuration { output_size: size, ..default() }, size as u64, 256 << 20);
        }
    }

    #[test]
    fn whatever_the_settings_the_promised_payloads_and_the_memory_fit() {
        let largest = Configuration {
            heap_size: *SandboxBuilder::HEAP_SIZE_RANGE.end(),
            scratch_size: *SandboxBuilder::SCRATCH_SIZE_RANGE.end(),
            input_size: *SandboxBuilder::BUFFER_SIZE_RANGE.end(),
            output_size: *SandboxBuilder::BUFFER_SIZE_RANGE.end(),
            #[cfg(feature = "test-guest")]
            test_guest: false,
        };
        let smallest = Configuration {
            heap_size: *SandboxBuilder::HEAP_SIZE_RANGE.start(),
            scratch_size: *SandboxBuilder::SCRATCH_SIZE_RANGE.start(),
            input_size: *SandboxBuilder::BUFFER_SIZE_RANGE.start(),
            output_size: *SandboxBuilder::BUFFER_SIZE_RANGE.start(),
            #[cfg(feature = "test-guest")]
            test_guest: false,
        };
        for configuration in [Configuration::default(), largest, smallest] {
            configuration.check().expect("within the ranges");
            let (geometry, settings) = (configuration.geometry(), configuration.for_guest());
            let page = PAGE_SIZE as usize;
            assert!((geometry.h2g_pool_pages * page - geometry.buffer_size) > configuration.input_size);
            assert!((geometry.g2h_pool_pages - 1) * page > configuration.output_size + configuration.input_size);
            assert!(geometry.h2g_queue_size >= geometry.h2g_pool_pages * page / geometry.buffer_size);
            assert!(geometry.scratch_size as u64 > settings.heap_size + settings.stack_size);
            assert!(geometry.scratch_size as u64 <= guest_abi::memory::SCRATCH_SIZE_MAX - PAGE_SIZE * 4);
            assert!(settings.heap_size <= HEAP_SIZE_MAX && settings.stack_size <= STACK_SIZE_MAX);
        }
    }
}
