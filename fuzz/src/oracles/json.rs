//! The guest's parser of JSON from the host.

use std::cell::RefCell;

use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, Script};
use serde_json::Value;

use crate::generators::json::JsonText;

/// Says all that a program can find out about a value: types, order, signs, attributes and prototypes.
const DESCRIBE: &str = r#"
    function describe(value) {
        switch (typeof value) {
            case 'string': return JSON.stringify(value);
            case 'number': return Object.is(value, -0) ? '-0' : String(value);
            case 'object': break;
            default: return typeof value;
        }
        if (value === null) return 'null';
        const prototype = Object.getPrototypeOf(value);
        const kind = prototype === Object.prototype ? 'o' : prototype === Array.prototype ? 'a' : '?';
        const properties = Reflect.ownKeys(value).map((key) => {
            const { writable, enumerable, configurable, value: of } = Object.getOwnPropertyDescriptor(value, key);
            return `${JSON.stringify(key)}${writable}${enumerable}${configurable}${describe(of)}`;
        });
        return `${kind}${Array.isArray(value)}(${properties.join()})`;
    }
"#;

struct Guest(LoadedJSSandbox);

impl Guest {
    fn new() -> Self {
        let mut sandbox = SandboxBuilder::new()
            .with_max_output_values(1 << 20)
            .build()
            .and_then(|proto| proto.load_runtime())
            .expect("a sandbox");
        for (name, handler) in [
            ("event", "function handler(event) { return describe(event); }"),
            (
                "text",
                "function handler(text) { let value; try { value = JSON.parse(text); } catch { return null; } \
                 return describe(value); }",
            ),
            ("same", "function handler(event) { return event; }"),
        ] {
            sandbox.add_handler(name, Script::from_content(format!("{DESCRIBE}{handler}"))).expect("a handler");
        }
        Self(sandbox.get_loaded_sandbox().expect("handlers that load"))
    }

    /// What the guest makes of an event, or `null` if it refuses it.
    fn call(&mut self, handler: &str, event: &str) -> Value {
        match self.0.handle_event(handler, event.to_string(), None) {
            Ok(json) => serde_json::from_str(&json).expect("a result is JSON"),
            Err(Error::InvalidEvent(_)) => Value::Null,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// An event is the value that the guest's own `JSON.parse` makes of its text, or is refused if that throws. What serde_json
/// takes is not refused, and comes back as it went in.
pub fn event(JsonText(text): &JsonText) {
    thread_local!(static GUEST: RefCell<Option<Guest>> = const { RefCell::new(None) });
    GUEST.with_borrow_mut(|guest| {
        let guest = guest.get_or_insert_with(Guest::new);
        let by_event = guest.call("event", text);
        assert_eq!(by_event, guest.call("text", &Value::String(text.clone()).to_string()), "{text:?}");
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            assert!(!by_event.is_null(), "{text:?} is JSON");
            assert!(is_same(&value, &guest.call("same", text)), "{text:?} came back as something else");
        }
    });
}

/// Whether these are the same values of JavaScript.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // Here serde_json may be off by the last bit.
            let (one, other) = (one.as_f64().unwrap_or(f64::NAN), other.as_f64().unwrap_or(f64::NAN));
            one == other || ((one - other) / other).abs() < 1e-15
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}
