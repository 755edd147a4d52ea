//! Why no hypervisor can be used.

use std::io;

/// Why no hypervisor can be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoHypervisor {
    /// Linux has no KVM.
    #[error(
        "there is no /dev/kvm on this machine; turn on virtualization in its firmware (or nested virtualization if it is a \
         virtual machine itself) and load the kernel module kvm_intel or kvm_amd"
    )]
    NoDevice,
    /// This user may not use KVM.
    #[error(
        "this user may not open /dev/kvm; add it to the group that owns the device (as root: usermod -aG kvm USER) and log in \
         again"
    )]
    NoPermission,
    /// KVM cannot be opened: what the system says.
    #[error("/dev/kvm cannot be opened: {0}")]
    CannotOpen(io::Error),
    /// KVM is too old, or something else has its name.
    #[error("/dev/kvm is there but does not offer the KVM API that is needed (version 12 with user memory regions)")]
    NoKvmApi,
    /// Windows has no hypervisor, or it is turned off.
    #[error("the Windows Hypervisor Platform is not available; turn on the Windows feature of that name and restart")]
    NoWindowsHypervisorPlatform,
    /// There is no hypervisor for this system.
    #[error("there is no supported hypervisor for this platform; Linux with KVM and Windows have one")]
    UnsupportedPlatform,
    /// `hyperlight-host` has found none.
    #[error("no hypervisor was found")]
    NotFound,
}
