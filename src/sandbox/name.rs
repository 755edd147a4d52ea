//! Names that users choose: of handlers, modules and host functions.

use guest_abi::own_modules::PREFIX;

use super::invalid_argument::InvalidArgument;

type Result<T> = std::result::Result<T, InvalidArgument>;

/// Longest name in bytes.
pub const SIZE_MAX: usize = 256;

/// Checks a name; `what` says of what. One that cannot be told from another in a log or an error is refused.
///
/// # Errors
/// [`InvalidArgument`] if it is empty, too long, nothing but white space, or has a control character in it.
pub fn check(what: &'static str, name: &str) -> Result<()> {
    check_size(what, name)?;
    if name.contains(char::is_control) {
        return Err(InvalidArgument::ControlCharacters { what, name: name.to_string() });
    }
    if name.trim().is_empty() {
        return Err(InvalidArgument::WhiteSpace { what, name: name.to_string() });
    }
    Ok(())
}

/// Checks that a name is not of the kind by which the guest tells what is its runtime's own.
///
/// # Errors
/// [`InvalidArgument::ReservedName`].
pub fn check_not_ours(what: &'static str, name: &str) -> Result<()> {
    if name.starts_with(PREFIX) {
        return Err(InvalidArgument::ReservedName { what, name: name.to_string(), prefix: PREFIX });
    }
    Ok(())
}

/// Checks a name by which something is looked up: what passes may still be the name of nothing.
///
/// # Errors
/// [`InvalidArgument`] if it is empty or too long.
pub fn check_size(what: &'static str, name: &str) -> Result<()> {
    match name.len() {
        0 => Err(InvalidArgument::EmptyName { what }),
        1..=SIZE_MAX => Ok(()),
        size => Err(InvalidArgument::LongName { what, size, limit: SIZE_MAX }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_read_are_refused() {
        let long = "x".repeat(SIZE_MAX + 1);
        for name in ["", " ", "\u{a0}\u{2003}", "\t", "a\nb", "a\0", "\u{7f}", "\u{9b}31m", &long] {
            let error = check("handler", name).expect_err(name).to_string();
            assert!(error.starts_with("the handler's name ") && !error.contains(char::is_control), "{error:?}");
        }
        for name in ["a", "a b", " a", "größe", "a:b/c.js", &long[1..]] {
            assert!(check("handler", name).is_ok() && check_size("handler", name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_of_the_runtime_s_own_are_nobody_else_s() {
        for name in ["hyperlight:", "hyperlight:fetch"] {
            let error = check_not_ours("module", name).expect_err(name).to_string();
            assert!(error.starts_with("the module's name ") && error.contains(name), "{error:?}");
        }
        for name in ["hyperlight", "fetch", "my:hyperlight:fetch"] {
            assert!(check_not_ours("module", name).is_ok(), "{name}");
        }
    }
}
