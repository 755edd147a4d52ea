//! What travels of an error, in either direction, and how much of it.
//!
//! | | from guest code | from a host function |
//! |---|---|---|
//! | name, message | of an error; of anything else no name, and the text of it | the same |
//! | stack | the guest's | none: it would tell the guest about the host |
//! | own properties | those that JSON can express, `code` first, even if it is inherited | the same |
//! | cause, errors | the same of each | the same |
//!
//! What is too much is left out: see the constants of [`Exception`]. Both sides make what they send [fit](Exception::fit),
//! and the host refuses what does not.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Something that was thrown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// The error's name, such as `TypeError`; empty if what was thrown is not an error.
    pub name: String,
    /// The error's message, or what was thrown as text.
    pub message: String,
    /// The stack trace, one frame a line; empty if there is none.
    pub stack: String,
    /// What else is known of it.
    pub details: Box<Details>,
}

/// What is known of something that was thrown beside its name, its message and its stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The text of a JSON object with the own properties that JSON can express, and `code`; empty if there are none.
    pub properties: String,
    /// The error's `cause`.
    pub cause: Option<Box<Exception>>,
    /// The first of the error's `errors`, which an `AggregateError` has.
    pub errors: Vec<Exception>,
}

impl Exception {
    /// Longest name, message or stack in bytes.
    pub const TEXT_SIZE_MAX: usize = crate::message::TEXT_SIZE_MAX;
    /// Most bytes of properties, those of causes and errors included.
    pub const PROPERTIES_SIZE_MAX: usize = 16 << 10;
    /// Most bytes of all texts together.
    pub const SIZE_MAX: usize = 96 << 10;
    /// How deep causes and errors may be nested.
    pub const DEPTH_MAX: usize = 8;
    /// Most `errors` of one.
    pub const ERRORS_MAX: usize = 16;
    /// Most causes and errors together, the outermost included.
    pub const COUNT_MAX: usize = 64;

    /// One of this name and message.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), ..Self::default() }
    }

    /// Leaves out what is too much.
    pub fn fit(&mut self) {
        self.fit_into(&mut Room::new(), 0);
    }

    fn fit_into(&mut self, room: &mut Room, depth: usize) {
        room.count -= 1;
        for text in [&mut self.name, &mut self.message, &mut self.stack] {
            text.truncate(text.floor_char_boundary(room.size.min(Self::TEXT_SIZE_MAX)));
            room.size -= text.len();
        }
        let Details { properties, cause, errors } = &mut *self.details;
        if properties.len() > room.properties.min(room.size) {
            properties.clear();
        }
        room.properties -= properties.len();
        room.size -= properties.len();
        if depth == Self::DEPTH_MAX {
            *cause = None;
            errors.clear();
        }
        if room.count == 0 {
            *cause = None;
        }
        if let Some(cause) = cause {
            cause.fit_into(room, depth + 1);
        }
        errors.truncate(Self::ERRORS_MAX);
        let mut kept = 0;
        for error in &mut *errors {
            if room.count == 0 {
                break;
            }
            error.fit_into(room, depth + 1);
            kept += 1;
        }
        errors.truncate(kept);
    }

    /// Whether nothing of it is too much.
    pub fn fits(&self) -> bool {
        self.fits_into(&mut Room::new(), 0)
    }

    fn fits_into(&self, room: &mut Room, depth: usize) -> bool {
        let Details { properties, cause, errors } = &*self.details;
        depth <= Self::DEPTH_MAX
            && errors.len() <= Self::ERRORS_MAX
            && room.take(self)
            && cause.iter().all(|cause| cause.fits_into(room, depth + 1))
            && errors.iter().all(|error| error.fits_into(room, depth + 1))
            && properties.len() <= Self::PROPERTIES_SIZE_MAX
    }
}

/// What there may still be.
struct Room {
    size: usize,
    properties: usize,
    count: usize,
}

impl Room {
    const fn new() -> Self {
        Self { size: Exception::SIZE_MAX, properties: Exception::PROPERTIES_SIZE_MAX, count: Exception::COUNT_MAX }
    }

    /// Makes room for an exception without its cause and errors; `false` if there is none.
    fn take(&mut self, exception: &Exception) -> bool {
        let texts = [&exception.name, &exception.message, &exception.stack];
        let properties = exception.details.properties.len();
        let size = texts.iter().map(|text| text.len()).sum::<usize>() + properties;
        let (Some(size), Some(properties), Some(count)) =
            (self.size.checked_sub(size), self.properties.checked_sub(properties), self.count.checked_sub(1))
        else {
            return false;
        };
        *self = Self { size, properties, count };
        texts.iter().all(|text| text.len() <= Exception::TEXT_SIZE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Exception {
        let mut exception = Exception::new("Error", "innermost");
        for level in 0..depth {
            let mut outer = Exception::new("Error", alloc::format!("{level}"));
            outer.details.cause = Some(Box::new(exception));
            exception = outer;
        }
        exception
    }

    fn depth(exception: &Exception) -> usize {
        exception.details.cause.as_ref().map_or(0, |cause| 1 + depth(cause))
    }

    fn count(exception: &Exception) -> usize {
        1 + exception.details.cause.iter().map(|cause| count(cause)).sum::<usize>()
            + exception.details.errors.iter().map(count).sum::<usize>()
    }

    fn tree(depth: usize) -> Exception {
        let mut exception = Exception::new("AggregateError", "x".repeat(20_000));
        if depth > 0 {
            exception.details.errors = (0..20).map(|_| tree(depth - 1)).collect();
            exception.details.cause = Some(Box::new(tree(depth - 1)));
        }
        exception
    }

    #[test]
    fn what_is_within_the_limits_is_left_as_it_is() {
        let mut exception = nested(Exception::DEPTH_MAX);
        exception.stack = "x".repeat(Exception::TEXT_SIZE_MAX);
        exception.details.properties = "x".repeat(Exception::PROPERTIES_SIZE_MAX);
        exception.details.errors = (0..Exception::ERRORS_MAX).map(|_| Exception::default()).collect();
        assert!(exception.fits());
        let before = exception.clone();
        exception.fit();
        assert_eq!(exception, before);
    }

    #[test]
    fn what_is_too_much_is_left_out_and_the_rest_stays() {
        let mut exception = nested(Exception::DEPTH_MAX + 1);
        assert!(!exception.fits());
        exception.fit();
        assert!(exception.fits());
        assert_eq!(depth(&exception), Exception::DEPTH_MAX);

        let mut exception = Exception::new("n", "\u{e9}".repeat(Exception::TEXT_SIZE_MAX));
        exception.details.properties = "x".repeat(Exception::PROPERTIES_SIZE_MAX + 1);
        assert!(!exception.fits());
        exception.fit();
        assert!(exception.fits());
        assert_eq!((exception.message.len(), &*exception.details.properties), (Exception::TEXT_SIZE_MAX, ""));

        let mut exception = tree(3);
        assert!(!exception.fits());
        exception.fit();
        assert!(exception.fits());
        assert_eq!(count(&exception), Exception::COUNT_MAX);
        assert_eq!(exception.details.cause.as_ref().map(|cause| cause.message.len()), Some(Exception::TEXT_SIZE_MAX));
    }
}
