//! The guest images, and the snapshot of a guest that has just booted.

use std::sync::{Arc, Mutex, PoisonError};

use guest_abi::call_options::CallOptions;
use guest_abi::function;
use guest_abi::message::{HostFunctionName, HostFunctionNames};
use guest_abi::payload::Payload;
use guest_abi::program::Program;
use hyperlight_host::mem::memory_region::MemoryRegionFlags;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox, SandboxBuilder};

use super::call_context::context;
use super::configuration::Configuration;
use super::error::Result;
use super::signatures::{AddHandler, CallHandler, Run};
use super::{machine, runtime_image, shadow_paging, workers};

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

/// For how many different settings the state of a guest that has booted is kept. Each takes some MiB.
pub(super) const KEPT_MAX: usize = 16;

/// The state of a guest that has booted with this configuration and done nothing else.
///
/// The first use in a process boots one; that takes milliseconds, during which other first uses wait. So does a use after
/// [`KEPT_MAX`] other configurations have been used.
pub(super) fn booted(configuration: &Configuration) -> Result<Arc<Snapshot>> {
    static BOOTED: Mutex<Recent<Configuration, Arc<Snapshot>>> = Mutex::new(Recent(Vec::new()));

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

fn boot(configuration: &Configuration) -> Result<Arc<Snapshot>> {
    // See `Vm::call`; nobody could stop this one.
    workers::probe("that the hypervisor needs to boot a guest")?;
    let init_data = runtime_image::init_data(runtime(configuration), configuration.for_guest())
        .map_err(|error| HyperlightError::Error(format!("the runtime image cannot be used: {error}")))?;
    let mut sandbox = booted_with(configuration, init_data)?;
    let booted = sandbox.snapshot()?;
    // Without working sets everything works as well, only slower.
    Ok(with_working_sets(&mut sandbox, &booted).unwrap_or_else(|error| {
        tracing::warn!("calls after a restore will be slow: the guest could not learn what they write: {error}");
        booted
    }))
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

/// The same state, in which the guest knows what it will probably write after a restore: what it writes when a handler is added
/// and called or a program is run, and when a handler is only called.
fn with_working_sets(sandbox: &mut Sandbox, booted: &Arc<Snapshot>) -> hyperlight_host::Result<Arc<Snapshot>> {
    restore(sandbox, booted.clone())?;
    add_handler(sandbox)?;
    call_handler(sandbox)?;
    run_program(sandbox)?;
    let by_all: Vec<u8> = sandbox.call(function::COPIED_PAGES.name, ())?;
    restore(sandbox, booted.clone())?;
    add_handler(sandbox)?;
    let loaded = sandbox.snapshot()?;
    restore(sandbox, loaded)?;
    call_handler(sandbox)?;
    let by_calling: Vec<u8> = sandbox.call(function::COPIED_PAGES.name, ())?;
    restore(sandbox, booted.clone())?;
    sandbox.call::<()>(function::SET_WORKING_SETS.name, (by_all, by_calling))?;
    sandbox.snapshot()
}

fn restore(sandbox: &mut Sandbox, state: Arc<Snapshot>) -> hyperlight_host::Result<()> {
    sandbox.restore(state)?;
    shadow_paging::prepare_restore(sandbox)
}

/// A little of much that handlers do.
const HANDLER: &str = "
    const greetings = new Map([['en', 'Hello'], ['de', 'Hallo']]);
    let count = 0;
    class Greeting {
        constructor(language, name) { this.text = `${greetings.get(language) ?? 'Hi'}, ${name}!`; }
    }
    function total(items) { return items.reduce((sum, { price, quantity = 1 }) => sum + price * quantity, 0); }
    function handler(event) {
        count += 1;
        const names = event.list.filter((item) => item.price > 1).map((item) => item.name.toUpperCase());
        return { message: new Greeting('en', event.text).text, count, total: total(event.list), names };
    }
";

fn add_handler(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    let arguments: AddHandler =
        (context().to_bytes().to_vec(), "handler".to_string(), HANDLER.to_string(), false, false);
    sandbox.call::<Vec<u8>>(function::ADD_HANDLER.name, arguments).map(drop)
}

fn event() -> Payload {
    Payload::from_json(r#"{"text":"text","list":[{"name":"a","price":1.5},{"name":"b","price":2}]}"#.to_string())
}

fn call_handler(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    let options = CallOptions { gc: true, ..CallOptions::default() }.to_bytes();
    let arguments: CallHandler = (context().to_bytes().to_vec(), options, "handler".to_string(), event().into_bytes());
    sandbox.call::<Vec<u8>>(function::CALL_HANDLER.name, arguments).map(drop)
}

#[cfg(feature = "test-guest")]
fn runtime(configuration: &Configuration) -> &'static [u8] {
    if configuration.test_guest { TEST_RUNTIME } else { RUNTIME }
}

#[cfg(not(feature = "test-guest"))]
fn runtime(_: &Configuration) -> &'static [u8] {
    RUNTIME
}

/// A little of much that programs do: its result is awaited, and it has a host function, which it does not call.
const PROGRAM: &str = "
    const found = await Promise.all(input.list.map(async ({ name, price }) => ({ name: name.toUpperCase(), price })));
    const total = found.reduce((sum, { price }) => sum + price, 0);
    return { total, names: found.map(({ name }) => `${name} ${typeof host.find}`) };
";

fn run_program(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    let find = HostFunctionName { module: "host".to_string(), function: "find".to_string(), is_async: true };
    let options = CallOptions { gc: true, functions: HostFunctionNames(vec![find]), ..CallOptions::default() };
    let program = Program { source: PROGRAM.to_string(), input: Some(event()), ..Program::default() };
    let arguments: Run = (context().to_bytes().to_vec(), options.to_bytes(), program.into_bytes());
    sandbox.call::<Vec<u8>>(function::RUN.name, arguments).map(drop)
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
