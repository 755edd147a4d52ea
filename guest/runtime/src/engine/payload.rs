//! Values on their way between JavaScript and the host: JSON text with byte arrays beside it.
//!
//! Whether a value has binary data in it shows while it is turned into JSON: `Uint8Array` and `ArrayBuffer` have a method
//! `toJSON` here, which does nothing unless [`encode`] listens. Only a value that has some is walked in JavaScript, by the
//! script that both sides share; see [`guest_abi::payload`].

use core::sync::atomic::{AtomicU8, Ordering};

use guest_abi::payload::{BINARY_SOURCE, Payload};
use rquickjs::function::This;
use rquickjs::object::Property;
use rquickjs::{Array, ArrayBuffer, Ctx, Error, Exception, Function, Object, Persistent, Result, TypedArray, Value};

use super::{exception, json};
use crate::global::Global;

static FUNCTIONS: Global<Functions> = Global::new();

/// The functions of the script.
struct Functions {
    stringify_with_bytes: Persistent<Function<'static>>,
    parse: Persistent<Function<'static>>,
}

/// What `toJSON` of binary data is to do.
static LISTENER: AtomicU8 = AtomicU8::new(NOBODY);

/// Nobody listens: the value itself is what JSON is made of.
const NOBODY: u8 = 0;
/// `encode` wants to know whether there is any.
const LISTENING: u8 = 1;
/// There is some.
const HEARD: u8 = 2;

/// Makes JavaScript ready for it.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let functions: Object = ctx.eval(BINARY_SOURCE)?;
    let function = |name| -> Result<_> { Ok(Persistent::save(ctx, functions.get::<_, Function>(name)?)) };
    FUNCTIONS.set(Functions { stringify_with_bytes: function("stringifyWithBytes")?, parse: function("parse")? });
    let to_json = Function::new(ctx.clone(), to_json)?.with_name("toJSON")?;
    for class in ["Uint8Array", "ArrayBuffer"] {
        let prototype: Object = ctx.globals().get::<_, Object>(class)?.get("prototype")?;
        prototype.prop("toJSON", Property::from(to_json.clone()).configurable().writable())?;
    }
    Ok(())
}

fn to_json<'js>(ctx: Ctx<'js>, This(value): This<Value<'js>>) -> Result<Value<'js>> {
    if LISTENER.load(Ordering::Relaxed) == NOBODY {
        return Ok(value);
    }
    LISTENER.store(HEARD, Ordering::Relaxed);
    // The text would be of no use.
    Err(Exception::throw_type(&ctx, "this is binary data"))
}

/// A value of JavaScript; `None` if it is of a kind that JSON leaves out. Without `bytes` it is plain JSON.
///
/// # Errors
/// What `JSON.stringify` throws; a `RangeError` for too many byte arrays.
pub fn encode<'js>(ctx: &Ctx<'js>, value: Value<'js>, bytes: bool) -> Result<Option<Payload>> {
    LISTENER.store(if bytes { LISTENING } else { NOBODY }, Ordering::Relaxed);
    let json = ctx.json_stringify(value.clone());
    if LISTENER.swap(NOBODY, Ordering::Relaxed) != HEARD {
        return text_of(ctx, json?);
    }
    if json.is_err() {
        ctx.catch();
    }
    let byte_arrays = Array::new(ctx.clone())?;
    let stringify = FUNCTIONS.with(|functions| functions.stringify_with_bytes.clone()).restore(ctx)?;
    let json = stringify.call((value, byte_arrays.clone()))?;
    let Some(mut payload) = text_of(ctx, json)? else { return Ok(None) };
    for bytes in byte_arrays.iter::<Value>() {
        push(&mut payload, &bytes?);
    }
    Ok(Some(payload))
}

fn text_of<'js>(ctx: &Ctx<'js>, json: Option<rquickjs::String<'js>>) -> Result<Option<Payload>> {
    let Some(json) = json else { return Ok(None) };
    exception::text(ctx, json.as_value()).map(|text| Some(Payload::from_json(text))).ok_or(Error::Exception)
}

/// Adds a `Uint8Array` or an `ArrayBuffer`. A detached one has no bytes.
fn push(payload: &mut Payload, bytes: &Value<'_>) {
    if let Ok(array) = TypedArray::<u8>::from_value(bytes.clone()) {
        // SAFETY: no JavaScript runs before the bytes are copied.
        payload.push(unsafe { array.as_bytes() }.unwrap_or_default());
    } else {
        let buffer = ArrayBuffer::from_value(bytes.clone());
        // SAFETY: as above.
        payload.push(buffer.as_ref().and_then(|buffer| unsafe { buffer.as_bytes() }).unwrap_or_default());
    }
}

/// The value that a payload stands for.
///
/// # Errors
/// What `JSON.parse` throws.
pub fn decode<'js>(ctx: &Ctx<'js>, payload: Payload) -> Result<Value<'js>> {
    if payload.byte_arrays().len() == 0 {
        return json::parse(ctx, payload.into_json());
    }
    let byte_arrays = Array::new(ctx.clone())?;
    for (i, bytes) in payload.byte_arrays().enumerate() {
        byte_arrays.set(i, TypedArray::new_copy(ctx.clone(), bytes)?)?;
    }
    let parse = FUNCTIONS.with(|functions| functions.parse.clone()).restore(ctx)?;
    parse.call((payload.into_json(), byte_arrays))
}
