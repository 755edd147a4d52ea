//! Giving memory back at once: `dispose()`, `using` and `await using`.

use napi::bindgen_prelude::{JsObjectValue, Object, PromiseRaw};
use napi::{Env, JsValue, Unknown, ValueType};

use crate::node::bridge::promise::promise;
use crate::node::error::Result;
use crate::node::scheduling::consumable::Consumable;
use crate::node::scheduling::worker_threads::blocking;

/// Classes whose objects can be disposed of.
const CLASSES: [&str; 5] = ["ProtoJSSandbox", "JSSandbox", "LoadedJSSandbox", "Snapshot", "SandboxPool"];

/// The methods, under the names by which the classes define them, and the symbols that they belong under.
const METHODS: [(&str, &str); 2] = [("[Symbol.dispose]", "dispose"), ("[Symbol.asyncDispose]", "asyncDispose")];

/// Puts the methods of the classes under their symbols. Node.js before 18.18 does not know the symbols; there it is
/// `dispose()` that is left.
pub fn define_symbols(env: &Env, exports: &Object) -> napi::Result<()> {
    let symbols: Object = object(env, env.get_global()?.get_named_property_unchecked("Symbol")?);
    for class in CLASSES {
        let class = object(env, exports.get_named_property_unchecked(class)?);
        let mut prototype = object(env, class.get_named_property_unchecked("prototype")?);
        for (name, symbol) in METHODS {
            let method: Unknown = prototype.get_named_property_unchecked(name)?;
            let symbol: Unknown = symbols.get_named_property_unchecked(symbol)?;
            if symbol.get_type()? == ValueType::Symbol {
                prototype.set_property(symbol, method)?;
            }
            prototype.delete_named_property(name)?;
        }
    }
    Ok(())
}

fn object<'env>(env: &'env Env, value: Unknown<'env>) -> Object<'env> {
    Object::from_raw(env.raw(), value.raw())
}

/// Drops what an object stands for on another thread, unless another method has consumed it.
pub fn dispose<T: Send + 'static>(held: &Consumable<T>) {
    if let Some(value) = held.dispose() {
        blocking(move || drop(value));
    }
}

/// As [`dispose`]; the promise is fulfilled when it has been dropped.
pub fn dispose_async<'env, T: Send + 'static>(
    env: &'env Env,
    held: &Consumable<T>,
) -> napi::Result<PromiseRaw<'env, ()>> {
    promise(
        env,
        || Ok(held.dispose()),
        |value, pending| {
            blocking(move || {
                pending.settle_with(|| {
                    drop(value);
                    Ok(())
                });
            });
        },
        |_, ()| -> Result<()> { Ok(()) },
    )
}
