//! Guest addresses.
//!
//! The lower half of the address space belongs to CPL 3 and the upper half to CPL 0, with two exceptions in scratch
//! memory: the transport arena, which the host and the runtime share, and a page that code of the kernel's at CPL 3 uses.

/// Size of a page in bytes. The guest uses no larger pages: the host's page-table walkers know none.
pub const PAGE_SIZE: u64 = 4096;

/// Where the runtime image may lie. It is linked at fixed addresses inside this window.
pub const IMAGE_START: u64 = 0x4000_0000;
/// Exclusive end of the window for the runtime image.
pub const IMAGE_END: u64 = 0x4800_0000;

/// One page for what a thread has of its own: the variables of Rust's and C's libraries, and the C library's descriptor.
pub const THREAD_AREA: u64 = 0x4fff_0000;
/// Where the descriptor is, behind the variables. The kernel points the FS segment here.
pub const THREAD_POINTER: u64 = THREAD_AREA + PAGE_SIZE / 2;

/// A byte by which the runtime says that it has handlers; see [`PREFAULT_CODE`].
pub const HAS_HANDLERS: u64 = THREAD_AREA + PAGE_SIZE - 8;

/// One page of code that copies a page at CPL 3, where that is fast; the kernel sends the runtime through it.
pub const COPY_CODE: u64 = THREAD_AREA + PAGE_SIZE;
/// Where the page that is being copied can be read.
pub const COPY_SOURCE: u64 = THREAD_AREA + 2 * PAGE_SIZE;

/// One page of code that does work on page tables at CPL 3, and one that says what to do. The kernel uses them before a call
/// after a restore; code at CPL 3 can only look at them.
pub const PREFAULT_CODE: u64 = THREAD_AREA + 3 * PAGE_SIZE;
/// See [`PREFAULT_CODE`].
pub const PREFAULT_PLAN: u64 = THREAD_AREA + 4 * PAGE_SIZE;
/// Where pages are filled then, up to [`THREAD_AREA`]. At all other times nothing is there.
pub const PREFAULT_WINDOW: u64 = THREAD_AREA & !(512 * PAGE_SIZE - 1);

/// One page of code that maps and copies runs of pages at CPL 3. The kernel sends the runtime through it at a fault; code at CPL 3 that runs it
/// by itself finds no page tables.
pub const FILL_CODE: u64 = THREAD_AREA + 5 * PAGE_SIZE;

/// Exclusive end of the runtime's stack.
pub const STACK_TOP: u64 = 0x7000_0000;
/// Largest stack in bytes. Its size is a setting of the sandbox, a multiple of [`BACKING_STEP`].
pub const STACK_SIZE_MAX: u64 = 64 << 20;
/// Stacks and heaps are multiples of this: the kernel backs them by so much at a time.
pub const BACKING_STEP: u64 = 8 * PAGE_SIZE;
/// Size of the unmapped area below the stack in bytes.
pub const STACK_GUARD_SIZE: u64 = 1 << 20;

/// Start of the runtime's heap. Its size is a setting of the sandbox, a multiple of [`BACKING_STEP`].
pub const HEAP_START: u64 = 0x1_0000_0000;
/// Largest heap in bytes: what fits into the 16 GiB that hyperlight-host allows for scratch memory, beside the rest.
pub const HEAP_SIZE_MAX: u64 = 8 << 30;

/// What the runtime uses of its heap as long as that is enough, in bytes, and what the kernel makes ready of it for a call after a
/// restore.
pub const HEAP_FIRST_SIZE: u64 = 512 * PAGE_SIZE;

/// Exclusive end of the addresses that CPL 3 may use.
pub const USER_END: u64 = 0x0000_8000_0000_0000;

#[cfg(target_arch = "aarch64")]
mod upper_half {
    /// Where the kernel is linked.
    pub const KERNEL_START: u64 = 0x0000_fd00_0000_0000;
    /// Exclusive end of scratch memory, as a guest virtual address. All of scratch is mapped below it, for EL1.
    pub const SCRATCH_END: u64 = 0x0000_ffff_ffff_e000;
    /// Exclusive end of scratch memory, as a guest physical address.
    pub const SCRATCH_END_PHYSICAL: u64 = 0xf_ffff_c000;
    /// The page whose words are ports to the host, eight bytes each; see [`port`](crate::gate::port). Nothing is there, so the host
    /// is asked what to do with a store to it.
    pub const IO_PAGE: u64 = SCRATCH_END;
}

#[cfg(not(target_arch = "aarch64"))]
mod upper_half {
    /// Where the kernel is linked.
    pub const KERNEL_START: u64 = 0xffff_fd00_0000_0000;
    /// Exclusive end of scratch memory, as a guest virtual address. All of scratch is mapped below it, for CPL 0.
    pub const SCRATCH_END: u64 = 0xffff_ffff_ffff_f000;
    /// Exclusive end of scratch memory, as a guest physical address.
    pub const SCRATCH_END_PHYSICAL: u64 = 0x10_0000_0000;
}

pub use upper_half::*;

/// Descriptor tables and boot-time constants of the kernel: read-only once the sandbox has booted, kept by snapshots.
pub const KERNEL_TABLES: u64 = KERNEL_START + (1 << 30);

/// Largest scratch memory that hyperlight-host allows, rounded up.
pub const SCRATCH_SIZE_MAX: u64 = 16 << 30;
/// Pages at the end of scratch that hyperlight-host leaves to the guest. A restore zeroes them.
pub const SCRATCH_RESERVED_PAGES: u64 = 12;

/// The words that hyperlight-host publishes at the very end of scratch memory.
///
/// The first field has the lowest address; the struct ends at [`SCRATCH_END`].
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ScratchMetadata {
    /// Keeps the struct a multiple of 16 bytes long.
    pub reserved: u64,
    /// Size of one host-to-guest buffer in bytes.
    pub h2g_buffer_size: u64,
    /// Pages in the host-to-guest buffer pool.
    pub h2g_pool_pages: u64,
    /// Descriptors in the host-to-guest queue.
    pub h2g_queue_size: u64,
    /// Size of one guest-to-host buffer in bytes.
    pub g2h_buffer_size: u64,
    /// Pages in the guest-to-host buffer pool.
    pub g2h_pool_pages: u64,
    /// Descriptors in the guest-to-host queue.
    pub g2h_queue_size: u64,
    /// Guest physical address of the rings, the mailbox and the buffer pools.
    pub transport_arena: u64,
    /// A pending change of the guest's log level. Not used by this guest.
    pub guest_log_level: u64,
    /// A pending request to seed the C library's random numbers. Not used by this guest.
    pub libc_rng_seed: u64,
    /// How many snapshots lie between the boot and the state that was restored.
    pub snapshot_generation: u64,
    /// Guest physical address of the page tables that the host built.
    pub page_tables: u64,
    /// Guest physical address of the next free page of scratch memory. The kernel advances it.
    pub next_free: u64,
    /// Size of scratch memory in bytes.
    pub scratch_size: u64,
}

/// Guest virtual address of the [`ScratchMetadata`].
pub const SCRATCH_METADATA: u64 = SCRATCH_END - size_of::<ScratchMetadata>() as u64;

const _: () = {
    assert!(
        size_of::<ScratchMetadata>() == 0x70,
        "hyperlight-host fixes this layout; follow its version, do not edit the number"
    );
    assert!(IMAGE_END <= PREFAULT_WINDOW && FILL_CODE + PAGE_SIZE <= STACK_TOP - STACK_SIZE_MAX - STACK_GUARD_SIZE);
    assert!(STACK_TOP <= HEAP_START && HEAP_START + HEAP_SIZE_MAX <= USER_END);
    assert!(KERNEL_TABLES + (1 << 30) < SCRATCH_END - SCRATCH_SIZE_MAX, "scratch memory grows down from its end");
    assert!(THREAD_POINTER < 1 << 32, "the FS descriptor in the GDT holds a 32-bit base");
    assert!(STACK_TOP < 1 << 31, "the kernel pushes it as a sign-extended 32-bit immediate");
};
