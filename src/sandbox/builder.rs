//! Settings of a sandbox.

use guest_abi::memory::{HEAP_SIZE_MAX, PAGE_SIZE, STACK_SIZE};

use super::error::{Error, Result};
use super::proto::ProtoJSSandbox;
use super::{clock, hypervisor};

/// Settings of a sandbox. Every setting has a default, so a builder left as it is is valid.
///
/// ```
/// # fn main() -> hyperlight_js::Result<()> {
/// let proto = hyperlight_js::SandboxBuilder::new().build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct SandboxBuilder {
    configuration: Configuration,
}

impl SandboxBuilder {
    /// Default size of the guest's heap in bytes: 16 MiB.
    pub const DEFAULT_HEAP_SIZE: u64 = 16 << 20;
    /// Default limit of an event in bytes of JSON text: 1 MiB. The source of a handler has the same limit.
    pub const DEFAULT_INPUT_SIZE: usize = 1 << 20;
    /// Default limit of a result in bytes of JSON text: 1 MiB.
    pub const DEFAULT_OUTPUT_SIZE: usize = 1 << 20;

    /// A builder with the default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses the runtime image that commits faults on demand.
    #[cfg(feature = "test-guest")]
    #[doc(hidden)]
    #[must_use]
    pub fn with_test_guest(mut self) -> Self {
        self.configuration.test_guest = true;
        self
    }

    /// Sets the size of the guest's heap in bytes, rounded up to whole pages.
    #[cfg(feature = "test-guest")]
    #[doc(hidden)]
    #[must_use]
    pub fn with_heap_size(mut self, bytes: u64) -> Self {
        self.configuration.heap_size = bytes;
        self
    }

    /// Checks the settings and that there is a hypervisor.
    ///
    /// # Errors
    /// [`Error::NoHypervisor`] if no virtual machine can be made here; the message says why and what to do.
    /// [`Error::InvalidArgument`] for a setting out of its range.
    pub fn build(self) -> Result<ProtoJSSandbox> {
        let configuration = self.configuration.checked()?;
        hypervisor::check()?;
        clock::tsc_hz();
        Ok(ProtoJSSandbox::new(configuration))
    }
}

/// The settings that decide about the state of a freshly booted guest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Configuration {
    pub heap_size: u64,
    pub input_size: usize,
    pub output_size: usize,
    #[cfg(feature = "test-guest")]
    pub test_guest: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            heap_size: SandboxBuilder::DEFAULT_HEAP_SIZE,
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
    /// The smallest heap in which the runtime starts and has room for a handler.
    const HEAP_SIZE_MIN: u64 = 4 << 20;
    /// Size of a message buffer. Few large buffers are cheaper than many small ones.
    const BUFFER_SIZE: usize = 64 << 10;
    /// What a message holds beside its payload: the header, the call context, the handler's name, the function's name.
    const MESSAGE_OVERHEAD: usize = 4096;

    fn checked(mut self) -> Result<Self> {
        if !(Self::HEAP_SIZE_MIN..=HEAP_SIZE_MAX).contains(&self.heap_size) {
            return Err(Error::InvalidArgument(format!(
                "the heap size is {} bytes; it must be between {} and {HEAP_SIZE_MAX}",
                self.heap_size,
                Self::HEAP_SIZE_MIN
            )));
        }
        self.heap_size = self.heap_size.next_multiple_of(PAGE_SIZE);
        Ok(self)
    }

    /// Buffers that hold one message with a payload of `size` bytes, and one to spare: hyperlight-host keeps one free.
    const fn buffers_for(size: usize) -> usize {
        (size + Self::MESSAGE_OVERHEAD).div_ceil(Self::BUFFER_SIZE) + 1
    }

    pub fn geometry(&self) -> Geometry {
        const PAGE: usize = PAGE_SIZE as usize;
        let h2g_buffers = Self::buffers_for(self.input_size);
        let g2h_buffers = Self::buffers_for(self.output_size);
        // Small messages have a page of small buffers of their own, ahead of the others.
        let g2h_small = hyperlight_common::virtq::G2H_LOWER_SLOT_COUNT;
        let h2g_pool_pages = h2g_buffers * Self::BUFFER_SIZE / PAGE;
        let g2h_pool_pages = 1 + g2h_buffers * Self::BUFFER_SIZE / PAGE;

        // Every page that the guest can write, once each: it is copied or zero-filled into scratch when first written.
        // The image's data and the kernel's stacks and tables are small; page tables take an entry of 8 bytes a page.
        const IMAGE_AND_KERNEL: usize = 2 << 20;
        let written =
            (self.heap_size + STACK_SIZE) as usize + IMAGE_AND_KERNEL + (h2g_pool_pages + g2h_pool_pages) * PAGE;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_out_of_range_are_refused_with_the_range() {
        for heap_size in [0, 1, Configuration::HEAP_SIZE_MIN - 1, HEAP_SIZE_MAX + 1, u64::MAX] {
            let error = Configuration { heap_size, ..Default::default() }.checked().expect_err("out of range");
            let text = error.to_string();
            assert!(matches!(error, Error::InvalidArgument(_)));
            assert!(text.contains(&heap_size.to_string()) && text.contains(&HEAP_SIZE_MAX.to_string()), "{text}");
        }
    }

    #[test]
    fn the_promised_payloads_fit_the_pools() {
        let configuration = Configuration::default();
        let geometry = configuration.geometry();
        let page = PAGE_SIZE as usize;
        assert!((geometry.h2g_pool_pages * page - geometry.buffer_size) > configuration.input_size);
        assert!((geometry.g2h_pool_pages - 1) * page > configuration.output_size);
        assert!(geometry.h2g_queue_size >= geometry.h2g_pool_pages * page / geometry.buffer_size);
        assert!(geometry.scratch_size as u64 > configuration.heap_size + STACK_SIZE);
    }
}
