//! Is there a hypervisor, and may this process use it?

use super::error::{Error, Result};

/// Checks that a sandbox can be made here, and says what to do if not.
///
/// # Errors
/// [`Error::NoHypervisor`]; [`Error::Internal`] if the process cannot open one more file.
pub fn check() -> Result<()> {
    // Asked of the system each time: hyperlight-host remembers its first answer for the life of the process.
    #[cfg(target_os = "linux")]
    check_kvm()?;
    if hyperlight_host::is_hypervisor_present() { Ok(()) } else { Err(Error::NoHypervisor(NONE.to_string())) }
}

/// Whether there is a hypervisor here that this process may use. It is asked each time, and agrees with what
/// [`SandboxBuilder::build`](crate::SandboxBuilder::build) says, whose error also tells the reason.
///
/// ```
/// if !hyperlight_js::is_hypervisor_present() {
///     println!("no sandboxes on this machine");
/// }
/// ```
pub fn is_hypervisor_present() -> bool {
    !matches!(check(), Err(Error::NoHypervisor(_)))
}

#[cfg(target_os = "linux")]
const NONE: &str =
    "/dev/kvm is there but does not offer the KVM API that is needed (version 12 with user memory regions)";
#[cfg(target_os = "windows")]
const NONE: &str =
    "the Windows Hypervisor Platform is not available; turn on the Windows feature of that name and restart";
#[cfg(not(any(target_os = "linux", target_os = "windows")))]
const NONE: &str = "there is no supported hypervisor for this platform; Linux with KVM and Windows have one";

#[cfg(target_os = "linux")]
fn check_kvm() -> Result<()> {
    use std::io::ErrorKind;

    use hyperlight_host::HyperlightError;

    let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") else {
        return Ok(());
    };
    if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM)) {
        let reason = format!("/dev/kvm cannot be opened: {error}; raise the limit (ulimit -n) or make fewer sandboxes");
        return Err(Error::Internal(Box::new(HyperlightError::Error(reason))));
    }
    Err(Error::NoHypervisor(match error.kind() {
        ErrorKind::NotFound => "there is no /dev/kvm on this machine; turn on virtualization in its firmware (or nested \
                                virtualization if it is a virtual machine itself) and load the kernel module kvm_intel or kvm_amd"
            .to_string(),
        ErrorKind::PermissionDenied => "this user may not open /dev/kvm; add it to the group that owns the device (as root: \
                                        usermod -aG kvm USER) and log in again"
            .to_string(),
        _ => format!("/dev/kvm cannot be opened: {error}"),
    }))
}
