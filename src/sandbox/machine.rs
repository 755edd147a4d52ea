//! The virtual machine of `hyperlight-host`, and how it is started.

use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use hyperlight_host::func::Registerable;
use hyperlight_host::sandbox::SandboxConfiguration;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox};

use super::error::Result;

/// Time between two signals to a guest that is to be left, where signals do that. One is enough, but for one that comes right
/// before the entry.
#[cfg(unix)]
const INTERRUPT_RETRY_DELAY: Duration = Duration::from_micros(100);

/// What `hyperlight-host` calls when a guest's kernel has it do so: nothing. What our guest asks for comes as the reply of an
/// entry.
///
/// There is one function, since a guest that boots is given it, and with that all that come from it: in the place of the one that
/// writes to standard output.
pub fn host_functions() -> Result<hyperlight_host::HostFunctions> {
    let mut functions = hyperlight_host::HostFunctions::empty();
    functions.register_host_function("HostPrint", || Ok::<(), HyperlightError>(()))?;
    Ok(functions)
}

#[cfg(all(feature = "gdb", not(debug_assertions)))]
compile_error!("hyperlight-host lets gdb in only with debug assertions: build the feature `gdb` without --release");

/// Lets gdb in at the port that the environment names. The guest stops at its first call, until gdb has come.
///
/// # Errors
/// [`Error::InvalidArgument`] if it names no port.
#[cfg(all(feature = "gdb", debug_assertions))]
fn let_gdb_in(configuration: &mut SandboxConfiguration) -> Result<()> {
    use hyperlight_host::sandbox::config::DebugInfo;

    let Some(port) = std::env::var_os("HYPERLIGHT_JS_GDB") else { return Ok(()) };
    let number = port.to_str().and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    let port = number.ok_or_else(|| super::invalid_argument::InvalidArgument::GdbPort(port.display().to_string()))?;
    configuration.set_guest_debug_info(DebugInfo { port });
    Ok(())
}

/// A virtual machine whose guest is in this state.
pub fn start(state: Arc<Snapshot>) -> Result<Sandbox> {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "nothing is set there"))]
    let mut configuration = SandboxConfiguration::default();
    #[cfg(unix)]
    configuration.set_interrupt_retry_delay(INTERRUPT_RETRY_DELAY);
    #[cfg(all(feature = "gdb", debug_assertions))]
    let_gdb_in(&mut configuration)?;
    start_as(configuration, state)
}

/// As [`start`], with other settings of `hyperlight-host`.
pub fn start_as(configuration: SandboxConfiguration, state: Arc<Snapshot>) -> Result<Sandbox> {
    Ok(Sandbox::from_snapshot(state, host_functions()?, Some(configuration))?)
}
