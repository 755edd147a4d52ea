//! Why no hypervisor can be used.

use std::io;

/// Why no hypervisor can be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoHypervisor {
    /// Linux has no KVM.
    #[error(
        "there is no /dev/kvm here; {KERNEL}; a virtual machine needs nested virtualization, which its host must turn on (clouds \
         have it on some kinds of machines); a container must be given the device (docker run --device /dev/kvm; Kubernetes: a \
         device plugin); see docs/where-it-runs.md"
    )]
    NoDevice,
    /// This user may not use KVM.
    #[error(
        "this user may not open /dev/kvm; add it to the group that owns the device (as root: usermod -aG kvm USER) and log in \
         again; a container must be given the device and that group (docker run --device /dev/kvm --group-add GROUP); see \
         docs/where-it-runs.md"
    )]
    NoPermission,
    /// KVM cannot be opened: what the system says.
    #[error("/dev/kvm cannot be opened: {0}")]
    CannotOpen(io::Error),
    /// KVM is too old, or something else has its name.
    #[error("/dev/kvm is there but does not offer the KVM API that is needed (version 12 with user memory regions)")]
    NoKvmApi,
    /// Windows has no hypervisor, or it is turned off.
    #[error(
        "the Windows Hypervisor Platform is not available; turn on the Windows feature of that name and restart; a virtual \
         machine needs nested virtualization; see docs/where-it-runs.md"
    )]
    NoWindowsHypervisorPlatform,
    /// macOS offers no virtual machines here.
    #[error(
        "macOS offers no virtual machines here (sysctl kern.hv_support); if it is a virtual machine itself, that needs nested \
         virtualization (an M3 or later, macOS 15 or later); see docs/where-it-runs.md"
    )]
    NoHypervisorFramework,
    /// The program, `node` for instance, may not use the hypervisor of macOS.
    #[error(
        "macOS does not let this program use the hypervisor: its signature must have the entitlement \
         com.apple.security.hypervisor. Sign a copy of it: codesign --sign - --force --entitlements \
         node_modules/@hyperlight/js-host-api/lib/hypervisor.entitlements COPY; see docs/where-it-runs.md"
    )]
    NotEntitled,
    /// macOS has one virtual machine for each process, and something else has it.
    #[error(
        "macOS has one virtual machine for each process, and something else in this one has made it: run sandboxes in a \
         process of their own; see docs/where-it-runs.md"
    )]
    TakenByOther,
    /// There is no hypervisor for this system.
    #[error("there is no supported hypervisor for this platform; see docs/where-it-runs.md")]
    UnsupportedPlatform,
    /// `hyperlight-host` has found none.
    #[error("no hypervisor was found")]
    NotFound,
}

/// What a kernel of one's own needs.
const KERNEL: &str = if cfg!(target_arch = "aarch64") {
    "on a machine of your own the kernel must have KVM and be started at EL2 (see dmesg)"
} else {
    "on a machine of your own turn on virtualization in its firmware and load the kernel module kvm_intel or kvm_amd"
};
