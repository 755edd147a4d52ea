//! The memory that the guest shares with the host, as `hyperlight_common::virtq` wants to see it.

use core::ops::Range;
use core::sync::atomic::{AtomicU16, Ordering};

use hyperlight_common::virtq::{BufferLease, BufferMap, MemOps};

/// Shared memory: the rings and the buffers.
#[derive(Clone, Debug)]
pub struct Arena {
    addresses: Range<u64>,
}

/// An access outside the arena, or a misaligned one.
#[derive(Clone, Copy, Debug)]
pub struct OutOfBounds;

impl Arena {
    /// # Safety
    /// `addresses` is mapped for as long as the program runs and shared with the host alone.
    pub unsafe fn new(addresses: Range<u64>) -> Self {
        Self { addresses }
    }

    #[cfg(feature = "commit-faults")]
    pub fn end_address(&self) -> u64 {
        self.addresses.end
    }

    fn pointer(&self, address: u64, length: usize) -> Result<*mut u8, OutOfBounds> {
        let end = address.checked_add(length as u64).ok_or(OutOfBounds)?;
        if address < self.addresses.start || end > self.addresses.end {
            return Err(OutOfBounds);
        }
        Ok(address as *mut u8)
    }

    fn word(&self, address: u64) -> Result<&AtomicU16, OutOfBounds> {
        let pointer = self.pointer(address, 2)?.cast::<u16>();
        if !pointer.is_aligned() {
            return Err(OutOfBounds);
        }
        // SAFETY: aligned and within the arena; both sides access ring words atomically.
        Ok(unsafe { AtomicU16::from_ptr(pointer) })
    }
}

// SAFETY: every access is checked against the arena, which stays mapped. The host runs only while the guest does not.
unsafe impl MemOps for Arena {
    type Error = OutOfBounds;

    fn read(&self, address: u64, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.pointer(address, into.len())?;
        // SAFETY: within the arena; `into` is the caller's own and may lie there too.
        unsafe { core::ptr::copy(from, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    fn write(&self, address: u64, from: &[u8]) -> Result<(), OutOfBounds> {
        let into = self.pointer(address, from.len())?;
        // SAFETY: as in `read`.
        unsafe { core::ptr::copy(from.as_ptr(), into, from.len()) };
        Ok(())
    }

    fn load_acquire(&self, address: u64) -> Result<u16, OutOfBounds> {
        Ok(self.word(address)?.load(Ordering::Acquire))
    }

    fn store_release(&self, address: u64, value: u16) -> Result<(), OutOfBounds> {
        self.word(address)?.store(value, Ordering::Release);
        Ok(())
    }

    unsafe fn as_slice(&self, address: u64, length: usize) -> Result<&[u8], OutOfBounds> {
        let start = self.pointer(address, length)?;
        // SAFETY: within the arena; that nobody writes to it meanwhile is the caller's promise.
        Ok(unsafe { core::slice::from_raw_parts(start, length) })
    }

    #[allow(clippy::mut_from_ref)] // the trait wants it so
    unsafe fn as_mut_slice(&self, address: u64, length: usize) -> Result<&mut [u8], OutOfBounds> {
        let start = self.pointer(address, length)?;
        // SAFETY: within the arena; that nobody else uses it meanwhile is the caller's promise.
        Ok(unsafe { core::slice::from_raw_parts_mut(start, length) })
    }
}

/// A buffer that the host has filled. It goes back to the pool when this is dropped.
///
/// A restore empties the arena, so none of these may outlive the call in which it was received.
pub struct FilledBuffer {
    start: *const u8,
    length: usize,
    _lease: BufferLease,
}

// SAFETY: the guest has one thread.
unsafe impl Send for FilledBuffer {}

impl AsRef<[u8]> for FilledBuffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: checked when made; the lease keeps the buffer from being offered to the host again.
        unsafe { core::slice::from_raw_parts(self.start, self.length) }
    }
}

impl BufferMap for Arena {
    type Mapping = FilledBuffer;

    unsafe fn map_buffer(&self, lease: BufferLease, written: usize) -> Result<FilledBuffer, OutOfBounds> {
        let start = self.pointer(lease.allocation().addr, written)?;
        Ok(FilledBuffer { start, length: written, _lease: lease })
    }
}
