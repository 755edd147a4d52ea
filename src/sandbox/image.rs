//! The guest images, and the snapshot of a guest that has just booted.

use std::sync::{Arc, Mutex, PoisonError};

use hyperlight_host::mem::memory_region::MemoryRegionFlags;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox, SandboxBuilder};

use super::configuration::Configuration;
use super::error::Result;
use super::working_sets::{self, WorkingSets};
use super::{machine, runtime_image, workers};

/// What this library has embedded.
pub(super) const EMBEDDED: GuestImage = GuestImage { version: env!("CARGO_PKG_VERSION"), hash: env!("GUEST_HASH") };

static KERNEL: &[u8] = include_bytes!(env!("GUEST_KERNEL"));
pub(super) static RUNTIME: &[u8] = include_bytes!(env!("GUEST_RUNTIME"));
#[cfg(feature = "test-guest")]
static TEST_RUNTIME: &[u8] = include_bytes!(env!("GUEST_TEST_RUNTIME"));

/// Identifies the guest: the kernel and the runtime that a build of this library has embedded and starts every sandbox with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GuestImage {
    /// Version of this library, of which the guest is a part, such as `1.2.3`.
    pub version: &'static str,
    /// SHA-256 of the kernel's image followed by the runtime's, both of them ELF files, as 64 hexadecimal digits in lower
    /// case. Two builds with the same hash run the same guest, and a [`Snapshot`](crate::Snapshot) of the one can be loaded by
    /// the other.
    pub hash: &'static str,
}

/// A guest that has booted and done nothing else.
#[derive(Clone)]
pub(super) struct Booted {
    pub state: Arc<Snapshot>,
    /// What it writes if it runs programs, if that is known.
    pub programs: Option<Arc<WorkingSets>>,
}

/// For how many different settings the state of a guest that has booted is kept. Each takes some MiB.
pub(super) const KEPT_MAX: usize = 16;

/// The state of a guest that has booted with this configuration and done nothing else.
///
/// The first use in a process boots one; that takes milliseconds, during which other first uses wait. So does a use after
/// [`KEPT_MAX`] other configurations have been used.
pub(super) fn booted(configuration: &Configuration) -> Result<Booted> {
    static BOOTED: Mutex<Recent<Configuration, Booted>> = Mutex::new(Recent(Vec::new()));

    // A panic while booting leaves the list as it was, so a poisoned lock is as good as any.
    let mut booted = BOOTED.lock().unwrap_or_else(PoisonError::into_inner);
    booted.get_or_insert(configuration, boot)
}

/// The values that were used last, [`KEPT_MAX`] at most, the latest at the end.
struct Recent<K, V>(Vec<(K, V)>);

impl<K: Clone + PartialEq, V: Clone> Recent<K, V> {
    /// The value of a key; if there is none, the one that is made.
    fn get_or_insert(&mut self, key: &K, make: impl FnOnce(&K) -> Result<V>) -> Result<V> {
        let used = match self.0.iter().position(|(known, _)| known == key) {
            Some(i) => self.0.remove(i),
            None => (key.clone(), make(key)?),
        };
        if self.0.len() == KEPT_MAX {
            self.0.remove(0);
        }
        let value = used.1.clone();
        self.0.push(used);
        Ok(value)
    }
}

/// Largest memory of a guest with this configuration in a snapshot, in bytes: what it was started from and all that it can
/// write, each page once, and some more.
pub(super) fn snapshot_size_max(configuration: &Configuration) -> u64 {
    // As pages the runtime is less than two pages a segment larger than its file, which is in what is more.
    let images = KERNEL.len() + 2 * runtime(configuration).len();
    (images + configuration.geometry().scratch_size + (16 << 20)) as u64
}

fn boot(configuration: &Configuration) -> Result<Booted> {
    // See `Vm::call`; nobody could stop this one.
    workers::probe("that the hypervisor needs to boot a guest")?;
    let init_data = runtime_image::init_data(runtime(configuration), configuration.for_guest())
        .map_err(|error| HyperlightError::Error(format!("the runtime image cannot be used: {error}")))?;
    let mut sandbox = booted_with(configuration, init_data)?;
    let booted = sandbox.snapshot()?;
    // Without working sets everything works as well, only slower.
    Ok(match working_sets::learn(&mut sandbox, &booted) {
        Ok((state, programs)) => Booted { state, programs: Some(Arc::new(programs)) },
        Err(error) => {
            tracing::warn!("calls after a restore will be slow: the guest could not learn what they write: {error}");
            Booted { state: booted, programs: None }
        }
    })
}

fn booted_with(configuration: &Configuration, init_data: Vec<u8>) -> Result<Sandbox> {
    let geometry = configuration.geometry();
    let sandbox = SandboxBuilder::from_bytes(KERNEL)
        .init_data(init_data, MemoryRegionFlags::READ)
        // The runtime's heap is in scratch memory; hyperlight-host wants a heap of its own, so it gets the smallest.
        .heap_size(guest_abi::memory::PAGE_SIZE)
        .scratch_size(geometry.scratch_size)
        .h2g_buffer_size(geometry.buffer_size)
        .h2g_pool_pages(geometry.h2g_pool_pages)
        .h2g_queue_size(geometry.h2g_queue_size)
        .g2h_buffer_size(geometry.buffer_size)
        .g2h_pool_pages(geometry.g2h_pool_pages)
        .g2h_queue_size(geometry.g2h_queue_size)
        .host_functions(machine::host_functions()?)
        .build()?;
    Ok(sandbox)
}

#[cfg(feature = "test-guest")]
fn runtime(configuration: &Configuration) -> &'static [u8] {
    if configuration.test_guest { TEST_RUNTIME } else { RUNTIME }
}

#[cfg(not(feature = "test-guest"))]
fn runtime(_: &Configuration) -> &'static [u8] {
    RUNTIME
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::super::error::Error;
    use super::*;

    #[test]
    fn the_values_used_last_are_kept_and_no_more() {
        let mut recent = Recent(Vec::new());
        let mut made = Vec::new();
        let mut get = |key: usize| {
            let value = recent.get_or_insert(&key, |key| {
                made.push(*key);
                Ok(2 * key)
            });
            assert_eq!(value.expect("a value"), 2 * key);
            assert!(recent.0.len() <= KEPT_MAX);
            made.len()
        };
        for key in 0..KEPT_MAX {
            get(key);
        }
        assert_eq!(get(0), KEPT_MAX, "it is still there");
        assert_eq!(get(100), KEPT_MAX + 1);
        assert_eq!(get(0), KEPT_MAX + 1, "it has been used after 1, which has made room");
        assert_eq!(get(1), KEPT_MAX + 2);
        let failed = recent.get_or_insert(&200, |_| Err(Error::Cancelled));
        assert!(failed.is_err() && recent.0.len() == KEPT_MAX && recent.0.iter().all(|(key, _)| *key != 200));
    }

    #[test]
    fn a_kernel_of_another_version_does_not_boot_and_says_what_to_do() {
        let configuration = Configuration::default();
        let init_data = runtime_image::init_data(RUNTIME, configuration.for_guest()).expect("a good image");
        assert!(booted_with(&configuration, init_data.clone()).is_ok());
        let mut other = init_data;
        other[8] ^= 0x40; // the version follows the eight bytes that mark the header
        let error = booted_with(&configuration, other).map(drop).expect_err("another version").to_string();
        let (kernel, host) = (guest_abi::VERSION, guest_abi::VERSION ^ 0x40);
        let message = format!("the kernel has version {kernel}, the host {host}: {}", guest_abi::VERSION_ADVICE);
        assert!(error.contains(&message), "{error}");
    }

    #[test]
    fn the_hash_is_that_of_the_embedded_kernel_and_runtime() {
        let digest = Sha256::new().chain_update(KERNEL).chain_update(RUNTIME).finalize();
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(EMBEDDED.hash, digits);
    }
}
