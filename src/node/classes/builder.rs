//! `SandboxBuilder` for JavaScript.

use std::ops::RangeInclusive;

use napi::bindgen_prelude::{JsObjectValue, Object, PromiseRaw, This};
use napi::{Env, JsValue, Property, PropertyAttributes, Unknown};
use napi_derive::napi;

use super::host_function_module::HostFunctionModule;
use super::proto::ProtoJSSandbox;
use super::snapshot::Snapshot;
use crate::node::bridge::fetch_grant;
use crate::node::bridge::host_function::HostCallback;
use crate::node::bridge::options::Options;
use crate::node::bridge::promise::promise;
use crate::node::bridge::{arguments, hash_flaw, object_lists};
use crate::node::console::callback::{Callback, recording_lines};
use crate::node::error::Result;
use crate::node::panic::catch_panic;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::worker_threads::blocking;

/// Settings of a sandbox. Every setting has a default.
///
/// Each sandbox is a separate micro-VM. Sizes are limits: memory is allocated when the guest first writes to it.
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
    held: Consumable<BuilderSettings>,
}

#[derive(Default)]
struct BuilderSettings {
    builder: crate::SandboxBuilder,
    console: Option<Callback>,
    functions: Vec<HostCallback>,
}

#[napi]
impl SandboxBuilder {
    /// A builder with the default settings.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "only JavaScript makes one")]
    pub fn new() -> Self {
        Self { held: Consumable::new("SandboxBuilder", BuilderSettings::default()) }
    }

    /// Returns a builder for a sandbox that starts in the state of a snapshot. Its settings are those of the snapshot
    /// and cannot be changed.
    ///
    /// `build()`, `loadRuntime()` and `getLoadedSandbox()` are called as usual. The sandbox needs at least the host
    /// functions of the sandbox that the snapshot was taken of, see `Snapshot.requirements`. Its handlers and modules are
    /// already there. If they are loaded, others can be added only after `unload()`, which removes those of the snapshot.
    ///
    /// - `snapshot`: from `LoadedJSSandbox.snapshot()`, `JSSandbox.snapshot()` or `Snapshot.load()`.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not a `Snapshot`.
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
            let settings = BuilderSettings {
                builder: crate::SandboxBuilder::from_snapshot(snapshot),
                console: None,
                functions: Vec::new(),
            };
            Ok(Self { held: Consumable::new("SandboxBuilder", settings) })
        });
        builder.map_err(|error| error.into_js(env))
    }

    /// Sets the limit of memory for the guest's JavaScript: objects, strings and code. Returns the builder.
    ///
    /// - `bytes`: a whole number from 1 MiB to 6 GiB. Default: 64 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not such a number.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the guest's memory in addition to its heap. All but half a MiB of it is the stack. Returns the builder.
    ///
    /// - `bytes`: a whole number from 1 MiB to 64 MiB. Default: 1.5 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not such a number.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the limit of an event: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The
    /// result of a host function has the same limit. The source of a handler or a module may be as large as that, or as
    /// an eighth of the heap if that is more. Returns the builder.
    ///
    /// - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not such a number.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the limit of a result: its JSON text in UTF-8, its binary data, and 8 bytes for each piece of that. The
    /// arguments of a host function have the same limit. Returns the builder.
    ///
    /// - `bytes`: a whole number from 1 KiB to 256 MiB. Default: 1 MiB.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not such a number.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the limit of the number of values in a result: objects, arrays, their members, and the names of members.
    /// The arguments of a host function have the same limit; beyond it the call throws a `HostFunctionError`. The
    /// setting is not part of a snapshot. Returns the builder.
    ///
    /// The JavaScript thread parses a result without interruption. That takes up to 0.5 µs for each value, or up to 1
    /// µs if there are 100,000 or more.
    ///
    /// - `count`: a whole number from 1 to 134,217,728. Default: 131,072.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not such a number.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the function that receives the lines that guest code writes to its console. Default: `debug` and `info`
    /// lines are written to the process's standard output, `warn` and `error` lines to its standard error, by another
    /// thread, so they may appear later than output of the program itself. The setting is not part of a snapshot.
    /// Returns the builder.
    ///
    /// - `callback`: is called for each line, in order, on the thread that called `setHostPrintFn()`. The guest does
    ///   not wait for it. All lines of a call arrive before the call's promise is settled. The text comes from
    ///   untrusted code and may contain line breaks and control characters.
    ///
    /// If the callback throws or returns a promise that is rejected, the process emits a warning the first time;
    /// nothing else happens. Lines waiting for a busy thread, or for standard output to be read, may take 16 MiB for
    /// each sandbox. Further lines are dropped, and a line with the level `warn` reports their number.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the callback is not a function.
    /// - `ERR_CONSUMED`: `build()` has been called.
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

    /// Sets the variables that guest code finds in `process.env`, in place of those that were set before. Default: none.
    /// Nothing of the environment of the process reaches a guest unless it is given here. They are part of a snapshot, and
    /// a sandbox that starts from one can be given no others. Returns the builder.
    ///
    /// - `variables`: strings by name. As JSON they must fit the input buffer, or `getLoadedSandbox()` rejects.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the argument is not an object of strings.
    /// - `ERR_CONSUMED`: `build()` has been called.
    ///
    /// @example
    /// ```ts
    /// builder.setEnvironment({ REGION: 'eu' });
    /// ```
    #[napi(ts_args_type = "variables: Record<string, string>", ts_return_type = "this")]
    pub fn set_environment<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        variables: Unknown,
    ) -> napi::Result<Object<'env>> {
        let read = || object_lists::variables(env, variables);
        self.change_by(env, this, read, |settings, variables| {
            settings.set(|builder| builder.with_environment(variables));
        })
    }

    /// Gives the sandbox the host functions of a module as they are now. Functions of the same names are replaced. A module
    /// can be given to several builders. Returns the builder.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: it is not a `HostFunctionModule`.
    /// - `ERR_CONSUMED`: `build()` has been called.
    #[napi(ts_args_type = "module: HostFunctionModule", ts_return_type = "this")]
    pub fn add_host_function_module<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        module: Unknown,
    ) -> napi::Result<Object<'env>> {
        self.change(env, this, |settings| {
            let expected = "a HostFunctionModule";
            let module = arguments::instance::<HostFunctionModule>(env, "the module", expected, module)?;
            settings.functions.extend(module.functions()?);
            Ok(())
        })
    }

    /// Gives guest code a global `fetch`, which can request what the policy allows; without it there is none. A policy that was
    /// given before is replaced, and the option `fetch` of a call comes before it. Its budgets are those of one call, or of
    /// `getLoadedSandbox()`. Returns the builder.
    ///
    /// A snapshot of the sandbox has the global, but not the policy: a builder that starts from it needs one, too.
    ///
    /// Throws with:
    /// - `ERR_INVALID_ARG`: the policy is none; the message says why.
    /// - `ERR_CONSUMED`: `build()` has been called.
    ///
    /// @example
    /// ```ts
    /// builder.allowFetch({ allow: [{ origin: 'https://api.example.com', paths: ['/v1'] }] });
    /// ```
    #[napi(ts_args_type = "policy: FetchPolicy", ts_return_type = "this")]
    pub fn allow_fetch<'env>(
        &self,
        env: &'env Env,
        this: This<'env, Object<'env>>,
        policy: Unknown,
    ) -> napi::Result<Object<'env>> {
        let read = || fetch_grant::of_policy(env, policy);
        self.change_by(env, this, read, |settings, functions| settings.functions.extend(functions))
    }

    /// Boots the guest for these settings, unless this process has done so already. Without it, the first sandbox with
    /// these settings does that in `loadRuntime()`, which takes some hundredths of a second; other sandboxes wait for
    /// it. Does not consume the builder. A builder that starts from a snapshot has nothing to boot.
    ///
    /// - `options`: `sandboxes`, from 0 to 256, also keeps so many in stock, see `PrewarmOptions`. They have been made when
    ///   the promise is fulfilled, unless memory is short. Without it, a stock that there is stays as it is. With 0 nothing is
    ///   booted.
    ///
    /// Rejects with:
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be created here; the message says why and what to do.
    /// - `ERR_INVALID_ARG`: the options are none, the message says why; the builder starts from a snapshot, but a setting
    ///   differs from the snapshot's; or there would be more than 256 sandboxes in stock.
    /// - `ERR_INTERNAL`: there is not enough memory, or there are not enough file descriptors, for the stock.
    /// - `ERR_NO_THREAD`: there is no thread for it.
    /// - `ERR_GUEST_ABORT`, `ERR_CANCELLED`: the guest of the snapshot ends when it is warmed up, or takes more than 5 s for
    ///   that.
    /// - `ERR_CONSUMED`: `build()` has been called.
    ///
    /// @example
    /// ```ts
    /// await new SandboxBuilder().prewarm({ sandboxes: 4 });
    /// ```
    #[napi(ts_args_type = "options?: PrewarmOptions", ts_return_type = "Promise<void>")]
    pub fn prewarm<'env>(&self, env: &'env Env, options: Unknown) -> napi::Result<PromiseRaw<'env, ()>> {
        promise(
            env,
            || {
                let sandboxes = match Options::from_js(env, options, &["sandboxes"])? {
                    Some(options) => options.count("sandboxes", &(0..=crate::SandboxBuilder::MAX_STOCK))?,
                    None => None,
                };
                let builder = self.held.with(|settings| Ok(settings.builder.clone()))?;
                Ok((builder, sandboxes))
            },
            |(builder, sandboxes), pending| {
                blocking(move || {
                    pending.settle_with(|| match sandboxes {
                        Some(count) => Ok(builder.prewarm_sandboxes(count)?),
                        None => Ok(builder.prewarm()?),
                    });
                });
            },
            |_, ()| Ok(()),
        )
    }

    /// Checks the settings and that there is a hypervisor. Consumes the builder, even if it fails.
    ///
    /// Rejects with:
    /// - `ERR_NO_HYPERVISOR`: no virtual machine can be created here; the message says why and what to do.
    /// - `ERR_INVALID_ARG`: the builder starts from a snapshot, but a setting differs from the snapshot's.
    /// - `ERR_CONSUMED`: `build()` has been called.
    #[napi]
    pub fn build<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ProtoJSSandbox>> {
        promise(
            env,
            || {
                let settings = self.held.take("build")?;
                hash_flaw::warn_once(env)?;
                Ok(settings)
            },
            |BuilderSettings { builder, console, functions }, pending| {
                blocking(move || {
                    pending.settle_with(|| {
                        let context = SandboxContext::new();
                        let builder = builder.with_host_print_fn(recording_lines(console, &context));
                        Ok((builder.build()?, functions, context))
                    });
                });
            },
            |_, (proto, functions, context)| Ok(ProtoJSSandbox::new(proto, functions, context)),
        )
    }

    /// Changes the settings by an argument whose getters may use the builder while it is read.
    fn change_by<'env, T>(
        &self,
        env: &Env,
        this: This<'env, Object<'env>>,
        read: impl FnOnce() -> Result<T>,
        change: impl FnOnce(&mut BuilderSettings, T),
    ) -> napi::Result<Object<'env>> {
        let changed = catch_panic(|| {
            let value = read()?;
            self.held.with(|settings| {
                change(settings, value);
                Ok(())
            })
        });
        changed.map(|()| this.object).map_err(|error| error.into_js(env))
    }

    fn change<'env>(
        &self,
        env: &Env,
        this: This<'env, Object<'env>>,
        change: impl FnOnce(&mut BuilderSettings) -> Result<()>,
    ) -> napi::Result<Object<'env>> {
        let changed = catch_panic(|| self.held.with(change));
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

impl BuilderSettings {
    fn set(&mut self, change: impl FnOnce(crate::SandboxBuilder) -> crate::SandboxBuilder) {
        self.builder = change(std::mem::take(&mut self.builder));
    }
}

fn buffer_size(env: &Env, what: &str, bytes: Unknown<'_>) -> Result<usize> {
    const RANGE: RangeInclusive<usize> = crate::SandboxBuilder::BUFFER_SIZE_RANGE;
    let bytes = arguments::size(env, what, &(*RANGE.start() as u64..=*RANGE.end() as u64), bytes)?;
    Ok(bytes as usize)
}
