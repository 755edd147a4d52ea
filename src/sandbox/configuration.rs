//! The settings that a guest boots with, and the sizes that follow from them.

use std::ops::RangeInclusive;

use guest_abi::boot::Settings;
use guest_abi::memory::{BACKING_STEP, HEAP_SIZE_MAX, PAGE_SIZE, STACK_SIZE_MAX};
use serde::{Deserialize, Serialize};

use super::invalid_argument::{InvalidArgument, check_range};

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
            heap_size: Configuration::DEFAULT_HEAP_SIZE,
            scratch_size: Configuration::DEFAULT_SCRATCH_SIZE,
            input_size: Configuration::DEFAULT_INPUT_SIZE,
            output_size: Configuration::DEFAULT_OUTPUT_SIZE,
            #[cfg(feature = "test-guest")]
            test_guest: false,
        }
    }
}

/// Sizes that hyperlight-host needs, derived from a [`Configuration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub scratch_size: usize,
    /// Scratch memory for page tables, at most.
    pub page_tables: usize,
    pub buffer_size: usize,
    pub h2g_queue_size: usize,
    pub h2g_pool_pages: usize,
    pub g2h_queue_size: usize,
    pub g2h_pool_pages: usize,
}

impl Geometry {
    /// How far into scratch memory the first page is, at most, that the guest may take: the buffers of messages come first, then the
    /// page tables that the host has built.
    pub const fn first_free(&self) -> usize {
        (self.h2g_pool_pages + self.g2h_pool_pages) * PAGE_SIZE as usize + self.page_tables
    }
}

impl Configuration {
    pub const DEFAULT_HEAP_SIZE: u64 = 64 << 20;
    pub const HEAP_SIZE_RANGE: RangeInclusive<u64> = 1 << 20..=6 << 30;
    pub const DEFAULT_SCRATCH_SIZE: u64 = 3 << 19;
    pub const SCRATCH_SIZE_RANGE: RangeInclusive<u64> = 1 << 20..=64 << 20;
    pub const DEFAULT_INPUT_SIZE: usize = 1 << 20;
    pub const DEFAULT_OUTPUT_SIZE: usize = 1 << 20;
    pub const BUFFER_SIZE_RANGE: RangeInclusive<usize> = 1 << 10..=256 << 20;

    /// Size of a message buffer. Few large buffers are cheaper than many small ones.
    const BUFFER_SIZE: usize = 64 << 10;
    /// What a message holds beside its payload: the header, the call context, the handler's name, the function's name.
    const MESSAGE_OVERHEAD: usize = 4096;
    /// Scratch memory that is not stack: the image's data, the kernel's stacks and tables.
    const SCRATCH_BESIDE_STACK: u64 = 512 << 10;
    /// Heap for native code, beside what its messages need.
    const NATIVE_HEAP_SIZE: u64 = 1 << 20;

    /// How much heap there must be for each byte of a source.
    const HEAP_PER_SOURCE: u64 = 8;

    pub fn check(&self) -> Result<(), InvalidArgument> {
        let bytes = |what, value, range: &RangeInclusive<_>| check_range(what, value, " bytes", range);
        let buffer = *Self::BUFFER_SIZE_RANGE.start() as u64..=*Self::BUFFER_SIZE_RANGE.end() as u64;
        bytes("heap size", self.heap_size, &Self::HEAP_SIZE_RANGE)?;
        bytes("scratch size", self.scratch_size, &Self::SCRATCH_SIZE_RANGE)?;
        bytes("input buffer size", self.input_size as u64, &buffer)?;
        bytes("output buffer size", self.output_size as u64, &buffer)
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

    /// Most bytes of a source, or of a program with its modules. What is larger than a message comes in pieces; the guest has
    /// several copies of it while it is compiled.
    pub fn source_limit(&self) -> usize {
        self.input_size.max((self.heap_size / Self::HEAP_PER_SOURCE) as usize)
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
            page_tables,
            buffer_size: Self::BUFFER_SIZE,
            h2g_queue_size: h2g_buffers.next_power_of_two(),
            h2g_pool_pages,
            g2h_queue_size: (g2h_buffers + g2h_small).next_power_of_two(),
            g2h_pool_pages,
        }
    }
}

const _: () = {
    assert!(*Configuration::SCRATCH_SIZE_RANGE.start() >= Configuration::SCRATCH_BESIDE_STACK + BACKING_STEP);
    assert!(*Configuration::SCRATCH_SIZE_RANGE.end() <= STACK_SIZE_MAX);
    let messages = 6 * *Configuration::BUFFER_SIZE_RANGE.end() as u64 + (1 << 20);
    assert!(*Configuration::HEAP_SIZE_RANGE.end() + messages <= HEAP_SIZE_MAX);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_out_of_range_are_refused_with_value_and_range() {
        let refused = |configuration: Configuration, value: u64, limit: u64| {
            let error = configuration.check().expect_err("out of range");
            let text = error.to_string();
            assert!(matches!(error, InvalidArgument::OutOfRange { .. }));
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
            heap_size: *Configuration::HEAP_SIZE_RANGE.end(),
            scratch_size: *Configuration::SCRATCH_SIZE_RANGE.end(),
            input_size: *Configuration::BUFFER_SIZE_RANGE.end(),
            output_size: *Configuration::BUFFER_SIZE_RANGE.end(),
            #[cfg(feature = "test-guest")]
            test_guest: false,
        };
        let smallest = Configuration {
            heap_size: *Configuration::HEAP_SIZE_RANGE.start(),
            scratch_size: *Configuration::SCRATCH_SIZE_RANGE.start(),
            input_size: *Configuration::BUFFER_SIZE_RANGE.start(),
            output_size: *Configuration::BUFFER_SIZE_RANGE.start(),
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
