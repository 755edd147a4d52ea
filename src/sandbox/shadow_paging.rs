//! Restoring where the hypervisor shadows page tables.
//!
//! A restore puts other page tables into the guest's memory. With nested paging the processor reads them there. Without it,
//! KVM runs the guest on *shadows* of its tables and keeps them up to date by protecting the tables against writes of the guest.
//! Of a write of user space it learns nothing, and no flush that the guest can do makes it compare: a shadow of a directory
//! counts as right for as long as the guest does not write there. So the shadow of an entry that the restore has cleared still
//! leads to the shadow of the table that was there. Once the guest uses the same page of memory as the table of other
//! addresses, it reads and writes at the old addresses, where nothing is mapped, what belongs to the new ones, without a fault.
//!
//! KVM drops all shadows of a virtual machine when a memory slot of it is removed: it always did, and the documentation of
//! `KVM_X86_QUIRK_SLOT_ZAP_ALL` promises it. A restore by hyperlight-host removes the slots of regions that were mapped later,
//! before it writes to memory, but leaves the others where they are if the snapshot is the one that was restored last. So such a
//! region is mapped before the guest runs, only to be removed.

use hyperlight_host::Sandbox;

/// Sees to it that the next restore makes the hypervisor forget the page tables that it replaces. It is called before the guest
/// first runs, and again after each restore, but not before it has to be: hyperlight-host has to make a new snapshot after it
/// where it could give out the one that was restored.
///
/// # Errors
/// The hypervisor has no room for a memory region. The guest must not run then.
pub fn prepare_restore(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    if *kvm::SHADOWS_TABLES {
        return kvm::map_region(sandbox);
    }
    let _ = sandbox;
    Ok(())
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod kvm {
    use std::arch::x86_64::__cpuid;
    use std::fs::{self, File};
    use std::os::fd::AsRawFd;
    use std::path::Path;
    use std::sync::LazyLock;

    use guest_abi::memory::{PAGE_SIZE, SCRATCH_END_PHYSICAL, SCRATCH_SIZE_MAX};
    use hyperlight_host::Sandbox;
    use hyperlight_host::mem::memory_region::{MemoryRegion, MemoryRegionFlags, MemoryRegionType};

    /// Where the guest could find the region, which none does: below all scratch memory, above all snapshots.
    const PLACE: usize = (SCRATCH_END_PHYSICAL - SCRATCH_SIZE_MAX - PAGE_SIZE) as usize;

    #[repr(align(4096))]
    struct Page([u8; PAGE_SIZE as usize]);

    static EMPTY: Page = Page([0; PAGE_SIZE as usize]);

    pub fn map_region(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
        let start = EMPTY.0.as_ptr() as usize;
        let region = MemoryRegion {
            guest_region: PLACE..PLACE + PAGE_SIZE as usize,
            host_region: start..start + PAGE_SIZE as usize,
            flags: MemoryRegionFlags::READ,
            region_type: MemoryRegionType::MappedFile,
        };
        // SAFETY: the page is static and constant.
        unsafe { sandbox.map_region(&region) }
    }

    /// Whether KVM shadows the guest's page tables here, or may.
    pub static SHADOWS_TABLES: LazyLock<bool> = LazyLock::new(|| !has_nested_paging());

    fn has_nested_paging() -> bool {
        const KVM_CHECK_EXTENSION: libc::Ioctl = 0xae03;
        const KVM_CAP_PRE_FAULT_MEMORY: libc::c_int = 236;

        // Since Linux 6.11 this capability says just that.
        let capability = File::open("/dev/kvm").map_or(0, |kvm| {
            // SAFETY: the argument is a number.
            unsafe { libc::ioctl(kvm.as_raw_fd(), KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) }
        });
        capability > 0 || !Path::new("/sys/module/kvm_pvm").exists() && (has_ept() || has_npt())
    }

    // The parameters are there with the modules, which may be built in and idle.
    fn has_ept() -> bool {
        const VMX: u32 = 1 << 5;
        __cpuid(1).ecx & VMX != 0 && is_set("/sys/module/kvm_intel/parameters/ept")
    }

    fn has_npt() -> bool {
        const SVM: u32 = 1 << 2;
        __cpuid(0x8000_0000).eax > 0x8000_0000
            && __cpuid(0x8000_0001).ecx & SVM != 0
            && is_set("/sys/module/kvm_amd/parameters/npt")
    }

    fn is_set(parameter: &str) -> bool {
        fs::read_to_string(parameter).is_ok_and(|value| matches!(value.trim(), "Y" | "1"))
    }
}
