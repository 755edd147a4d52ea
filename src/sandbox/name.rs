//! Names that users choose: of handlers, modules and host functions.

use super::error::{Error, Result};

/// Longest name in bytes.
pub const SIZE_MAX: usize = 256;

/// Checks a name; `what` says of what. One that cannot be told from another in a log or an error is refused.
///
/// # Errors
/// [`Error::InvalidArgument`] if it is empty, too long, nothing but white space, or has a control character in it.
pub fn check(what: &str, name: &str) -> Result<()> {
    check_size(what, name)?;
    if name.contains(char::is_control) {
        return Err(refused(what, &format!("{name:?} must not have control characters in it")));
    }
    if name.trim().is_empty() {
        return Err(refused(what, &format!("{name:?} must not be white space only")));
    }
    Ok(())
}

/// Checks a name by which something is looked up: what passes may still be the name of nothing.
///
/// # Errors
/// [`Error::InvalidArgument`] if it is empty or too long.
pub fn check_size(what: &str, name: &str) -> Result<()> {
    match name.len() {
        0 => Err(refused(what, "must not be empty")),
        1..=SIZE_MAX => Ok(()),
        size => Err(refused(what, &format!("is {size} bytes long; at most {SIZE_MAX} are allowed"))),
    }
}

fn refused(what: &str, problem: &str) -> Error {
    Error::InvalidArgument(format!("the {what}'s name {problem}"))
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
}
