//! Files of the addon, and stand-ins for the modules that they use, by the same names.

pub mod scheduling;

pub mod error {
    #[derive(Debug)]
    pub enum Error {
        Consumed { class: &'static str, method: &'static str },
    }
    pub type Result<T> = std::result::Result<T, Error>;
}
