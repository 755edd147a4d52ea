//! Is there a hypervisor, and may this process use it?

use super::error::{Error, Result};
use super::no_hypervisor::NoHypervisor;

const NONE: NoHypervisor = if cfg!(target_os = "linux") {
    NoHypervisor::NoKvmApi
} else if cfg!(target_os = "windows") {
    NoHypervisor::NoWindowsHypervisorPlatform
} else if cfg!(target_os = "macos") {
    NoHypervisor::NoHypervisorFramework
} else {
    NoHypervisor::UnsupportedPlatform
};

/// Checks that a sandbox can be made here, and says what to do if not.
///
/// # Errors
/// [`Error::NoHypervisor`]; [`Error::Internal`] if the process cannot open one more file.
pub fn check() -> Result<()> {
    // Asked of the system each time: hyperlight-host remembers its first answer for the life of the process.
    #[cfg(target_os = "linux")]
    check_kvm()?;
    if hyperlight_host::is_hypervisor_present() { Ok(()) } else { Err(NONE.into()) }
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
        ErrorKind::NotFound => NoHypervisor::NoDevice,
        ErrorKind::PermissionDenied => NoHypervisor::NoPermission,
        _ => NoHypervisor::CannotOpen(error),
    }))
}

/// Why no virtual machine could be made, if it is a matter of the machine and not of what it has left.
///
/// `hyperlight-host` does not export the types of these errors, so their texts are compared.
pub fn refusal(error: &str) -> Option<NoHypervisor> {
    // What Hypervisor.framework answers: HV_BUSY, HV_DENIED, HV_UNSUPPORTED.
    let (_, code) = error.split_once("VM creation failed: ")?.1.split_once("0xfae940")?;
    match code.get(..2)? {
        "02" => Some(NoHypervisor::TakenByOther),
        "07" => Some(NoHypervisor::NotEntitled),
        "0f" => Some(NoHypervisor::NoHypervisorFramework),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_macos_refuses_is_told_apart() {
        let refused = |code| {
            refusal(&format!("VM operation error: Failed to create vm: VM creation failed: HVF error: 0x{code}"))
        };
        assert!(matches!(refused("fae94002"), Some(NoHypervisor::TakenByOther)));
        assert!(matches!(refused("fae94007"), Some(NoHypervisor::NotEntitled)));
        assert!(matches!(refused("fae9400f"), Some(NoHypervisor::NoHypervisorFramework)));
        assert!(refused("fae94005").is_none());
        assert!(refusal("VCPU creation failed: HVF error: 0xfae94007").is_none());
    }
}
