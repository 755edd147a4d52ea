//! Large pages for guests that grow.
//!
//! Scratch memory is empty after a start and after a restore: the kernel finds a page for each page that the guest touches, and
//! KVM maps one at a time. Where a page of 2 MiB has been found, the pages of the guest that lie in it have memory already, and KVM
//! maps several at a time where it shadows page tables. (It would map all at once where guest and host addresses are aligned alike,
//! to which hyperlight-host does not see.) But a guest that does not need so much must not take it. So only the part of scratch
//! memory that small guests do not get to is for large pages: the guest takes free pages in ascending order.
//!
//! hyperlight-host does not say where in the process that memory is. It shows it to whoever looks for roots of page tables when a
//! snapshot is taken, so a sandbox of which none was ever taken has no large pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyperlight_host::Sandbox;

/// Memory that a guest uses in small pages, at least: large ones begin where addresses are aligned for them.
pub const SMALL: usize = 1 << 20;

/// Whether a sandbox has been allowed large pages.
#[derive(Clone)]
pub struct LargePages(Arc<AtomicBool>);

impl LargePages {
    /// Those of this sandbox are allowed with the first snapshot, from `SMALL` bytes beyond an offset into its scratch memory on:
    /// the offset of the first page that the guest may take.
    pub fn from_first_snapshot(sandbox: &mut Sandbox, first_free: usize) -> Self {
        let this = Self(Arc::new(AtomicBool::new(!cfg!(all(target_os = "linux", target_arch = "x86_64")))));
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        sandbox.set_pt_root_finder({
            let this = this.clone();
            Box::new(move |_, scratch, _| {
                if !this.0.swap(true, Ordering::Relaxed) {
                    // The part at the end has the kernel's stacks, which every guest uses.
                    let part = scratch.get(first_free + SMALL..scratch.len().saturating_sub(linux::LARGE_PAGE));
                    part.into_iter().for_each(linux::advise);
                }
                // No other roots than the processor's.
                Vec::new()
            })
        });
        #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
        let _ = (sandbox, first_free);
        this
    }

    /// Whether they have been, as far as this system knows such pages.
    pub fn are_allowed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux {
    pub const LARGE_PAGE: usize = 2 << 20;

    /// Tells the kernel that the whole large pages of this memory may be such.
    pub fn advise(memory: &[u8]) {
        let start = (memory.as_ptr() as usize).next_multiple_of(LARGE_PAGE);
        let end = (memory.as_ptr() as usize + memory.len()) / LARGE_PAGE * LARGE_PAGE;
        if start < end {
            // SAFETY: the memory is there, and its content stays what it is.
            let advised = unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
            if advised != 0 {
                tracing::debug!("no large pages for a sandbox: {}", std::io::Error::last_os_error());
            }
        }
    }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::{LoadedJSSandbox, Result, SandboxBuilder, SandboxPool, Script};

    const GROWS: &str = "function handler(count) { return new Array(count).fill().map((_, id) => ({ id })).length; }";

    fn loaded() -> Result<LoadedJSSandbox> {
        let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
        sandbox.add_handler("handler", Script::from_content(GROWS))?;
        sandbox.get_loaded_sandbox()
    }

    #[test]
    fn the_first_snapshot_allows_them() -> Result<()> {
        let mut sandbox = loaded()?;
        assert!(!sandbox.has_large_pages()?);
        let snapshot = sandbox.snapshot()?;
        assert!(sandbox.has_large_pages()?);
        if Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            let mappings = fs::read_to_string("/proc/self/smaps").expect("Linux has it");
            assert!(mappings.lines().any(|line| line.starts_with("VmFlags:") && line.contains(" hg")));
        }
        for count in ["100000", "1", "100000"] {
            sandbox.restore(snapshot.clone())?;
            assert_eq!(sandbox.handle_event("handler", count.into(), None)?, count);
        }
        Ok(())
    }

    #[test]
    fn a_pool_made_of_a_snapshot_has_them_once_a_call_has_grown() -> Result<()> {
        let snapshot = loaded()?.snapshot()?;
        let pool = SandboxPool::from_snapshot(1, 10, snapshot)?;
        for (count, before) in [("1", false), ("100000", false), ("1", true)] {
            // They are for when nobody waits.
            while pool.ready() < 1 {
                std::thread::yield_now();
            }
            let (result, has) = pool.with_sandbox(|sandbox| {
                (sandbox.handle_event("handler", count.into(), None), sandbox.has_large_pages())
            })?;
            assert_eq!((result?.as_str(), has?), (count, before));
        }
        Ok(())
    }
}
