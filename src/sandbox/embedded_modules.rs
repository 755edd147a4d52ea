//! Modules that a program has compiled in.

use super::script::Script;

/// Modules by their specifiers, as [`embed_modules!`](crate::embed_modules) makes them of files: a module loader that reads no file
/// while the program runs, so that guest code can reach nothing but these.
///
/// ```
/// use hyperlight_js::{EmbeddedModules, SandboxBuilder, Script, embed_modules};
///
/// // Or `"lib:math" => "modules/math.js"`, relative to the file with the macro.
/// static MODULES: EmbeddedModules = embed_modules! {
///     "lib:math" => @inline "export { add } from './add';",
///     "lib:add" => @inline "export const add = (a, b) => a + b;",
/// };
///
/// # fn main() -> hyperlight_js::Result<()> {
/// let mut proto = SandboxBuilder::new().build()?;
/// proto.set_module_loader(|specifier, _importer| MODULES.get(specifier));
/// let mut sandbox = proto.load_runtime()?;
/// sandbox.add_handler("sum", Script::from("
///     import { add } from 'lib:math';
///     export const handler = ([a, b]) => add(a, b);
/// "))?;
/// assert_eq!(sandbox.get_loaded_sandbox()?.handle_event("sum", "[1, 2]".to_string(), None)?, "3");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedModules(&'static [(&'static str, &'static str)]);

impl EmbeddedModules {
    /// Modules, each with its specifier and its source. Of several with one specifier the first counts.
    pub const fn new(modules: &'static [(&'static str, &'static str)]) -> Self {
        Self(modules)
    }

    /// The module of this specifier, if there is one.
    pub fn get(&self, specifier: &str) -> Option<Script> {
        self.0.iter().find(|(known, _)| *known == specifier).map(|(_, source)| Script::from(*source))
    }

    /// The specifiers.
    pub fn specifiers(&self) -> impl ExactSizeIterator<Item = &'static str> {
        self.0.iter().map(|(specifier, _)| *specifier)
    }
}

/// Makes [`EmbeddedModules`] of files, whose paths are relative to the file with the macro, or of texts:
/// `embed_modules! { "lib:a" => "a.js", "lib:b" => @inline "export const b = 1;" }`.
#[macro_export]
macro_rules! embed_modules {
    ($($modules:tt)*) => { $crate::EmbeddedModules::new($crate::__embedded_modules!([] $($modules)*)) };
}

/// What [`embed_modules!`] does, one module after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! __embedded_modules {
    ([$($done:tt)*]) => { &[$($done)*] };
    ([$($done:tt)*] $specifier:expr => @inline $source:expr $(, $($rest:tt)*)?) => {
        $crate::__embedded_modules!([$($done)* ($specifier, $source),] $($($rest)*)?)
    };
    ([$($done:tt)*] $specifier:expr => $file:expr $(, $($rest:tt)*)?) => {
        $crate::__embedded_modules!([$($done)* ($specifier, include_str!($file)),] $($($rest)*)?)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_by_their_specifiers_and_nothing_else_is() {
        static MODULES: EmbeddedModules = crate::embed_modules! {
            "this" => "embedded_modules.rs",
            "lib:a" => @inline "export const a = 1;",
            "lib:a" => @inline "never",
        };
        assert_eq!(MODULES.specifiers().collect::<Vec<_>>(), ["this", "lib:a", "lib:a"]);
        assert_eq!(MODULES.get("lib:a"), Some(Script::from("export const a = 1;")));
        assert!(MODULES.get("this").expect("this file").content().contains("modules_are_found"));
        for none in ["", "lib:", "lib:b", "lib:a.js", "../this", "embedded_modules.rs"] {
            assert_eq!(MODULES.get(none), None, "{none}");
        }
        assert_eq!(crate::embed_modules! {}.specifiers().len(), 0);
    }
}
