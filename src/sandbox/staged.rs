//! Handlers and modules that a sandbox is going to load.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::invalid_argument::InvalidArgument;
use super::name;
use super::script::Script;

type Result<T> = std::result::Result<T, InvalidArgument>;

/// Namespace of modules for which none is named.
pub const DEFAULT_NAMESPACE: &str = "user";
/// Namespaces that modules cannot be added to: they belong to host functions and to the runtime itself.
const RESERVED_NAMESPACES: [&str; 2] = ["host", "hyperlight"];

/// Handlers by their names and modules by their specifiers, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    pub handlers: Vec<(String, Script)>,
    pub modules: Vec<(String, Script)>,
}

impl Staged {
    /// Adds a handler.
    ///
    /// # Errors
    /// [`InvalidArgument`] if the name is malformed, taken or reserved.
    pub fn add_handler(&mut self, name: String, script: Script) -> Result<()> {
        check_handler(&name)?;
        add("handler", &mut self.handlers, name, script)
    }

    /// Removes a handler.
    ///
    /// # Errors
    /// [`InvalidArgument`] if there is none of this name.
    pub fn remove_handler(&mut self, name: &str) -> Result<()> {
        remove("handler", &mut self.handlers, name)
    }

    /// Adds a module.
    ///
    /// # Errors
    /// [`InvalidArgument`] if a name is malformed, taken or reserved.
    pub fn add_module(&mut self, name: &str, script: Script, namespace: Option<&str>) -> Result<()> {
        add("module", &mut self.modules, specifier(name, namespace)?, script)
    }

    /// Removes a module.
    ///
    /// # Errors
    /// [`InvalidArgument`] if there is none of this name, or a name is malformed or reserved.
    pub fn remove_module(&mut self, name: &str, namespace: Option<&str>) -> Result<()> {
        remove("module", &mut self.modules, &specifier(name, namespace)?)
    }

    /// Checks what may come from anyone.
    ///
    /// # Errors
    /// [`InvalidArgument`] if it could not have been added.
    pub fn check(&self) -> Result<()> {
        for (name, _) in &self.handlers {
            check_handler(name)?;
        }
        for (known, _) in &self.modules {
            let (namespace, name) = known.split_once(':').unwrap_or(("", known));
            specifier(name, Some(namespace))?;
        }
        for (what, scripts) in [("handler", &self.handlers), ("module", &self.modules)] {
            // Not one by one: there may be very many.
            let mut names = BTreeSet::new();
            if let Some((twice, _)) = scripts.iter().find(|(name, _)| !names.insert(name)) {
                return Err(taken(what, twice));
            }
        }
        Ok(())
    }
}

fn check_handler(name: &str) -> Result<()> {
    name::check("handler", name)?;
    name::check_not_ours("handler", name)
}

fn specifier(name: &str, namespace: Option<&str>) -> Result<String> {
    let namespace = namespace.unwrap_or(DEFAULT_NAMESPACE);
    for (what, text) in [("module", name), ("namespace", namespace)] {
        name::check(what, text)?;
        if text.contains(':') {
            return Err(InvalidArgument::Colon { what, name: text.to_string() });
        }
    }
    if RESERVED_NAMESPACES.contains(&namespace) {
        return Err(InvalidArgument::ReservedNamespace { namespace: namespace.to_string() });
    }
    Ok(format!("{namespace}:{name}"))
}

fn add(what: &'static str, scripts: &mut Vec<(String, Script)>, name: String, script: Script) -> Result<()> {
    if scripts.iter().any(|(known, _)| *known == name) {
        return Err(taken(what, &name));
    }
    scripts.push((name, script));
    Ok(())
}

fn taken(what: &'static str, name: &str) -> InvalidArgument {
    InvalidArgument::Taken { what, name: name.to_string() }
}

fn remove(what: &'static str, scripts: &mut Vec<(String, Script)>, name: &str) -> Result<()> {
    match scripts.iter().position(|(known, _)| known == name) {
        Some(i) => {
            scripts.remove(i);
            Ok(())
        }
        None => Err(InvalidArgument::Unknown { what, name: name.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_have_been_added_does_not_pass() {
        let script = || Script::from_content("");
        let staged = |handlers: &[&str], modules: &[&str]| Staged {
            handlers: handlers.iter().map(|name| (name.to_string(), script())).collect(),
            modules: modules.iter().map(|name| (name.to_string(), script())).collect(),
        };
        assert!(staged(&[], &[]).check().is_ok());
        assert!(staged(&["a", "b", "user:a"], &["user:a", "user:b", "lib:a"]).check().is_ok());
        for handlers in [&["a", "a"][..], &[""], &["hyperlight:a"], &["a\n"]] {
            assert!(staged(handlers, &[]).check().is_err(), "{handlers:?}");
        }
        for modules in
            [&["user:a", "user:a"][..], &["a"], &[":a"], &["a:"], &["host:a"], &["user:a:b"], &["hyperlight:a"]]
        {
            assert!(staged(&[], modules).check().is_err(), "{modules:?}");
        }
    }
}
