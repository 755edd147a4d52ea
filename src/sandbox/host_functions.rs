//! The host functions of a sandbox, or of one of its calls, and where its modules come from.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use guest_abi::message::{HostFunctionName, HostFunctionNames, ModuleReply};
use guest_abi::payload::Payload;

use super::error::Result;
use super::host_function::{Function, FunctionResult, HostCall};
use super::host_function_module::HostFunctionModule;
use super::script::Script;

/// The host functions of a sandbox, or of one of its calls, by module.
#[derive(Clone, Default)]
pub(crate) struct HostFunctions {
    modules: BTreeMap<String, HostFunctionModule>,
    module_loader: Option<Arc<ModuleLoader>>,
}

/// Gives the source of a module: its specifier, then the name of the importer.
type ModuleLoader = dyn Fn(&str, &str) -> Option<Script> + Send + Sync;

impl HostFunctions {
    /// The module of this name. One without functions is as none.
    pub fn module(&mut self, name: impl Into<String>) -> &mut HostFunctionModule {
        let name = name.into();
        self.modules.entry(name.clone()).or_insert_with(|| HostFunctionModule::new(name))
    }

    /// Registers a function.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn register(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(&HostCall, Payload) -> FunctionResult<Payload> + Send + Sync + 'static,
    ) -> Result<()> {
        self.module(module).insert_any(name, Function::blocking(function))
    }

    /// Registers an asynchronous function. It is called, and its future polled, by whoever waits for the guest's call.
    #[cfg_attr(not(feature = "node"), allow(dead_code, reason = "only the addon has use for it"))]
    pub fn register_async<Result: Future<Output = FunctionResult<Payload>> + Send + 'static>(
        &mut self,
        module: &str,
        name: &str,
        function: impl Fn(Payload) -> Result + Send + Sync + 'static,
    ) -> super::error::Result<()> {
        self.module(module).insert_any(name, Function::not_blocking(function))
    }

    /// Adds the functions of a module; they replace those of the same names.
    pub fn extend(&mut self, module: &HostFunctionModule) {
        self.module(module.name()).extend(module);
    }

    pub fn set_module_loader(&mut self, loader: impl Fn(&str, &str) -> Option<Script> + Send + Sync + 'static) {
        self.module_loader = Some(Arc::new(loader));
    }

    pub(super) fn load_module(&self, specifier: &str, importer: &str) -> ModuleReply {
        let Some(loader) = &self.module_loader else { return ModuleReply::Unknown };
        // A panic of the user's code ends neither the call nor the process.
        match catch_unwind(AssertUnwindSafe(|| loader(specifier, importer))) {
            Ok(Some(script)) => {
                let language = script.language_as(script.specifier().unwrap_or(specifier));
                let name = script.specifier().unwrap_or_default().to_string();
                ModuleReply::Source { name, source: script.into_content(), language }
            }
            Ok(None) => ModuleReply::Unknown,
            Err(_) => ModuleReply::Failed("the module loader panicked".to_string()),
        }
    }

    pub(super) fn find(&self, (module, name): &(String, String)) -> Option<&Function> {
        self.modules.get(module)?.find(name)
    }

    /// By module and name.
    pub fn names(&self) -> HostFunctionNames {
        let functions = self.modules.values().flat_map(|module| {
            module.functions().map(|(name, function)| HostFunctionName {
                module: module.name().to_string(),
                function: name.clone(),
                is_async: function.is_async(),
            })
        });
        HostFunctionNames(functions.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.modules.values().all(|module| module.functions().len() == 0)
    }
}

impl std::fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.modules.values()).finish()
    }
}
