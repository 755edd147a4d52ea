//! `SandboxBuilder` for JavaScript.

use std::ops::RangeInclusive;

use napi::bindgen_prelude::{JsObjectValue, Object, PromiseRaw, This};
use napi::{Env, JsValue, Property, PropertyAttributes, Unknown};
use napi_derive::napi;

use super::proto::ProtoJSSandbox;
use super::snapshot::Snapshot;
use crate::node::bridge::promise::promise;
use crate::node::bridge::{arguments, hash_flaw};
use crate::node::console::callback::{Callback, taking_lines};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::jobs::Source;
use crate::node::scheduling::slot::Slot;
use crate::node::scheduling::worker_threads::blocking;

/// Settings of a sandbox. Every setting has a default, so a builder left as it is is valid.
///
/// A sandbox is a micro-VM of its own. Sizes are limits: memory is taken when the guest first writes to it.
///
/// @example
/// ```ts
/// const builder = new SandboxBuilder().setHeapSize(16 * 1024 * 1024);
/// const protoSandbox = await builder.build();
/// const jsSandbox = await protoSandbox.loadRuntime();
/// jsSandbox.addHandler('greet', 'function handler({ name }) { return `Hello, ${name}!`; }');
/// const sandbox = await jsSandbox.getLoadedSandbox({ wallClockTimeoutMs: 1000 });
/// console.log(await sandbox.callHandler('greet', { name: 'World' }, { wallClockTimeoutMs: 1000 }));
/// ```
#[napi]
pub struct SandboxBuilder {
    slot: Slot<Settings>,
}

#[derive(Default)]
struct Settings {
    builder: crate::SandboxBuilder,
    console: Option<Callback>,
}

#[napi]
impl SandboxBuilder {
    /// A builder with the default settings.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "only JavaScript makes one")]
    pub fn new() -> Self {
        Self { slot: Slot::new("SandboxBuilder", Settings::default()) }
    }

    /// A builder for a sandbox that starts in the state of a snapshot, with its settings, which cannot be changed.
    ///
    /// `build()`, `loadRuntime()` and `getLoadedSandbox()` follow as always, and the sandbox needs at least the host functions
    /// of the one that the snapshot was taken of. Its handlers and modules are there already; none can be added until
    /// `unload()`, which forgets those of the snapshot.
    ///
    /// - `snapshot`: from `LoadedJSSandbox.snapshot()` or `Snapshot.load()`.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no `Snapshot`.
    /// - `ERR_CONSUMED`: the snapshot was disposed of.
    ///
    /// @example
    /// ```ts
    /// const saved = await Snapshot.load('greeter', digest);
    /// const protoSandbox = await SandboxBuilder.fromSnapshot(saved).build();
    /// const sandbox = await (await protoSandbox.loadRuntime()).getLoadedSandbox();
    /// ```
    #[napi(factory, ts_args_type = "snapshot: Snapshot", ts_return_type = "SandboxBuilder")]
    pub fn from_snapshot(env: &Env, snapshot: Unknown) -> napi::Result<Self> {
        let builder = catch_panic(|| {
            let snapshot = arguments::instance::<Snapshot>(env, "the snapshot", "a Snapshot", snapshot)?.state()?;
            let settings = Settings { builder: crate::SandboxBuilder::from_snapshot(snapshot), console: None };
            Ok(Self { slot: Slot::new("SandboxBuilder", settings) })
        });
        builder.map_err(|error| error.into_js(env))
    }

    /// Sets how much memory the guest's JavaScript may use: its objects, strings and code. Gives the builder back.
    ///
    /// - `bytes`: a whole number from 1 MiB to 6 GiB. Default: 64 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no such number.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_args_type = "bytes: number", ts_return_type = "this")]
    pub fn set_heap_size<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        bytes: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let bytes = arguments::size(env, "the heap size", &crate::SandboxBuilder::HEAP_SIZE_RANGE, bytes)?;
            settings.set(|builder| builder.with_guest_heap_size(bytes));
            Ok(())
        })
    }

    /// Sets the guest's memory beside its heap. All of it but half a MiB is the stack. Gives the builder back.
    ///
    /// - `bytes`: a whole number from 1 MiB to 64 MiB. Default: 1.5 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no such number.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_args_type = "bytes: number", ts_return_type = "this")]
    pub fn set_scratch_size<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        bytes: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let bytes = arguments::size(env, "the scratch size", &crate::SandboxBuilder::SCRATCH_SIZE_RANGE, bytes)?;
            settings.set(|builder| builder.with_guest_scratch_size(bytes));
            Ok(())
        })
    }

    /// Sets the limit of an event: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The source of
    /// a handler or a module, and the result of a host function, have the same limit. Gives the builder back.
    ///
    /// - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no such number.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_args_type = "bytes: number", ts_return_type = "this")]
    pub fn set_input_buffer_size<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        bytes: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let bytes = buffer_size(env, "the input buffer size", bytes)?;
            settings.set(|builder| builder.with_guest_input_buffer_size(bytes));
            Ok(())
        })
    }

    /// Sets the limit of a result: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The arguments
    /// of a host function have the same limit. Gives the builder back.
    ///
    /// - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no such number.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_args_type = "bytes: number", ts_return_type = "this")]
    pub fn set_output_buffer_size<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        bytes: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let bytes = buffer_size(env, "the output buffer size", bytes)?;
            settings.set(|builder| builder.with_guest_output_buffer_size(bytes));
            Ok(())
        })
    }

    /// Sets how many values a result may consist of: objects, arrays, their members, and the names of those. The arguments of
    /// a host function have the same limit; with more of them its call throws a `HostFunctionError`. It is no part of a
    /// snapshot. Gives the builder back.
    ///
    /// The JavaScript thread parses a result at one go, which takes up to half a microsecond for each value, and for 100,000
    /// and more of them up to a whole one.
    ///
    /// - `count`: a whole number from 1 to 134,217,728. Default: 131,072.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is no such number.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_args_type = "count: number", ts_return_type = "this")]
    pub fn set_max_output_values<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        count: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let range = crate::SandboxBuilder::MAX_OUTPUT_VALUES_RANGE;
            let count = arguments::count(env, "the limit of values in a result", &range, count)?;
            settings.set(|builder| builder.with_max_output_values(count));
            Ok(())
        })
    }

    /// Sets what takes the lines that guest code writes to its console. Default: the process's standard output for
    /// `debug` and `info`, its standard error for `warn` and `error`; another thread writes them, so they may come later than
    /// what the program itself writes. It is no part of a snapshot. Gives the builder back.
    ///
    /// - `callback`: is called for each line, in their order, on the thread that called `setHostPrintFn()`. The guest
    ///   does not wait for it. The lines of a call come before the call's promise is settled. The text is what untrusted
    ///   code made of it: it may hold line breaks and control characters.
    ///
    /// If the callback throws, or gives a promise that is rejected, the process gets a warning the first time, and nothing
    /// else happens. Lines that wait for a busy thread, or for standard output to be read, may take 16 MiB for each
    /// sandbox; more are dropped, and a line with the level `warn` says how many.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the callback is no function.
    /// - `ERR_CONSUMED`: `build()` was called already.
    ///
    /// @example
    /// ```ts
    /// builder.setHostPrintFn((level, text) => console.log(JSON.stringify({ level, text })));
    /// ```
    #[napi(
        ts_args_type = "callback: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void",
        ts_return_type = "this"
    )]
    pub fn set_host_print_fn<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        callback: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let callback = arguments::function(env, "the callback", callback)?;
            settings.console = Some(Callback::new(env, callback)?);
            Ok(())
        })
    }

    /// Boots the guest as which all sandboxes with these settings start, unless this process has done so already. Otherwise the
    /// first of them does it in `loadRuntime()`, which takes some hundredths of a second; others wait meanwhile. Does not
    /// consume the builder. One that starts from a snapshot has nothing to boot.
    ///
    /// Rejects with:
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be made here; the message says why and what to do.
    /// - `ERR_INVALID_ARG`: it starts from a snapshot, but a setting is not the snapshot's.
    /// - `ERR_CONSUMED`: `build()` was called already.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn prewarm<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || self.slot.with(|settings| Ok(settings.builder.clone())),
            |builder, pending| blocking(move || pending.settle_with(|| Ok(builder.prewarm()?))),
            |_, ()| Ok(()),
        )
    }

    /// Checks the settings and that there is a hypervisor. Consumes the builder, also when it fails.
    ///
    /// Rejects with:
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be made here; the message says why and what to do.
    /// - `ERR_INVALID_ARG`: it starts from a snapshot, but a setting is not the snapshot's.
    /// - `ERR_CONSUMED`: the builder was used already.
    #[napi]
    pub fn build<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ProtoJSSandbox>> {
        promise(
            env,
            || {
                let settings = self.slot.take("build")?;
                hash_flaw::warn_once(env)?;
                Ok(settings)
            },
            |Settings { builder, console }, pending| {
                blocking(move || {
                    pending.settle_with(|| {
                        let source = Source::next();
                        let builder = builder.with_host_print_fn(taking_lines(console, source));
                        Ok((builder.build()?, source))
                    });
                });
            },
            |_, (proto, source)| Ok(ProtoJSSandbox::new(proto, source)),
        )
    }

    fn change<'env>(
        &self,
        env: &Env,
        this: This<'env, Object<'env>>,
        change: impl FnOnce(&mut Settings) -> Result<()>,
    ) -> napi::Result<Object<'env>> {
        let changed = catch_panic(|| self.slot.with(change));
        changed.map(|()| this.object).map_err(|error| error.into_js(env))
    }
}

/// Defines `SandboxBuilder.guestImage`. The napi macros know static methods but no static properties; its type is in
/// `types.d.ts`.
pub fn define_guest_image(env: &Env, exports: &Object) -> napi::Result<()> {
    let guest = crate::SandboxBuilder::guest_image();
    let mut image = Object::new(env)?;
    image.set_named_property("version", guest.version)?;
    image.set_named_property("hash", guest.hash)?;
    image.freeze()?;
    let class: Unknown = exports.get_named_property_unchecked("SandboxBuilder")?;
    let mut class = Object::from_raw(env.raw(), class.raw());
    let property = Property::new().with_utf8_name("guestImage")?.with_value(&image);
    class.define_properties(&[property.with_property_attributes(PropertyAttributes::Enumerable)])
}

impl Settings {
    fn set(&mut self, change: impl FnOnce(crate::SandboxBuilder) -> crate::SandboxBuilder) {
        self.builder = change(std::mem::take(&mut self.builder));
    }
}

fn buffer_size(env: &Env, what: &str, bytes: Unknown<'_>) -> Result<usize> {
    const RANGE: RangeInclusive<usize> = crate::SandboxBuilder::BUFFER_SIZE_RANGE;
    let bytes = arguments::size(env, what, &(*RANGE.start() as u64..=*RANGE.end() as u64), bytes)?;
    Ok(bytes as usize)
}
