//! What is wrong with a value that JavaScript has given.

/// What is wrong with an argument that JavaScript has given. What the Rust API refuses has a type of its own there.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidValue {
    /// It is of another type.
    #[error("{what} must be {expected}, but the type is {actual}")]
    Type {
        /// Which argument.
        what: String,
        /// What it may be.
        expected: String,
        /// Name of its type.
        actual: String,
    },
    /// It is an object of another class.
    #[error("{what} must be {expected}")]
    Class {
        /// Which argument.
        what: String,
        /// What it may be.
        expected: String,
    },
    /// It is another number.
    #[error("{what} must be {expected}, but it is {number}")]
    Number {
        /// Which argument.
        what: String,
        /// What it may be.
        expected: String,
        /// What it is.
        number: f64,
    },
    /// It is another text.
    #[error("{what} must be {}, but it is {text:?}", alternatives(.known))]
    Text {
        /// Which argument.
        what: String,
        /// What it may be.
        known: Vec<String>,
        /// What it is.
        text: String,
    },
    /// It is an empty text.
    #[error("{0} must not be empty")]
    Empty(String),
    /// JSON has no expression for it.
    #[error("the {what} cannot be expressed in JSON: {reason}")]
    NoJson {
        /// Which argument.
        what: String,
        /// Its type, or what its conversion has thrown.
        reason: String,
    },
    /// There is no option of this name.
    #[error("there is no option {0:?}")]
    UnknownOption(String),
    /// An option is missing that must be given.
    #[error("the option {0} is missing")]
    MissingOption(&'static str),
    /// Reading the options has thrown.
    #[error("the options cannot be read: {0}")]
    UnreadableOptions(String),
    /// Using the signal has thrown.
    #[error("the option signal cannot be used: {0}")]
    UnusableSignal(String),
    /// A pool is given no options.
    #[error("the options of the pool are missing")]
    NoPoolOptions,
    /// A pool can have its state from one source only.
    #[error("only one of the options snapshot and prepare can be given")]
    TwoSources,
    /// The function that makes the sandboxes of a pool sets these.
    #[error("the options hostPrintFn and maxOutputValues are not for a pool with the option prepare")]
    SetByPrepare,
    /// A pool cannot be made of a snapshot whose handlers are not loaded.
    #[error("the handlers of the snapshot must be loaded")]
    NotLoaded,
    /// A pool whose sandboxes a function makes prepares no modules.
    #[error("a pool with the option prepare cannot prepare modules: its function can add them")]
    PreparesItself,
    /// The arguments of a host function are not what the guest's runtime sends.
    #[error("the arguments are no JSON array")]
    NoArray,
    /// A host function is called with too many arguments.
    #[error("more than {0} arguments")]
    TooManyArguments(u32),
    /// Code of the program's own, which was asked about the argument, has thrown this.
    #[error("{0}")]
    Thrown(String),
}

fn alternatives(known: &[String]) -> String {
    known.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(" or ")
}
