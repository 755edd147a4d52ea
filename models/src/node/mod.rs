//! Files of the addon, and stand-ins for the modules that they use, by the same names.

#[path = "../../../src/node/calls.rs"]
pub mod calls;
#[path = "../../../src/node/queue.rs"]
pub mod queue;

pub mod error {
    #[derive(Debug)]
    pub enum Error {
        Consumed { class: &'static str, method: &'static str },
    }
    pub type Result<T> = std::result::Result<T, Error>;
}

pub mod promise {
    pub fn blocking(work: impl FnOnce() + Send + 'static) {
        loom::thread::spawn(work);
    }

    pub fn let_javascript_go_on() {}
}

pub mod slot {
    pub const DISPOSE: &str = "dispose";
}
