//! The variables of the environment that guest code finds in `process.env`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::invalid_argument::InvalidArgument;

/// Variables by name. They become part of the guest's state when its handlers are loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// A name is empty.
    pub fn check(&self) -> Result<(), InvalidArgument> {
        if self.0.contains_key("") {
            return Err(InvalidArgument::EmptyName { what: "variable" });
        }
        Ok(())
    }

    /// As the guest takes them; nothing if there are none.
    pub fn to_json(&self) -> Option<String> {
        (!self.is_empty()).then(|| serde_json::json!(*self.0).to_string())
    }
}
