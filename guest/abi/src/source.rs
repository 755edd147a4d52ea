//! Sources of guest code.

/// Endings of the names of handlers and modules that are TypeScript unless something else is said.
const TYPESCRIPT_ENDINGS: [&str; 2] = [".ts", ".mts"];

/// Whether a source of this name is TypeScript unless something else is said.
pub fn is_typescript(name: &str) -> bool {
    TYPESCRIPT_ENDINGS.iter().any(|ending| name.ends_with(ending))
}
