//! A call that is nobody's, so that the next one finds the memory which it needs.
//!
//! None of the guest's code may run in it: nobody watches how long it takes, and what it does must not be seen. So the handler
//! is our own, its values have no prototypes, and no garbage is collected, which may call what the guest has registered for
//! that. `warm_up.js` says more.

use guest_abi::message::Reply;
use guest_abi::payload::Payload;
use rquickjs::{Ctx, Function, Persistent, Result, Value};

use super::no_collections::NoCollections;
use super::payload::{self, Encoded};
use super::{program, run_jobs};
use crate::global::Global;

static HANDLER: Global<Persistent<Function<'static>>> = Global::new();

/// Makes the handler, before any other code runs.
pub fn install(ctx: &Ctx<'_>) -> Result<()> {
    let handler: Function = ctx.eval(include_str!("warm_up.js"))?;
    HANDLER.set(Persistent::save(ctx, handler));
    Ok(())
}

/// Calls the handler. The reply has at most `limit` bytes.
///
/// # Errors
/// There is no memory left for it.
pub fn call(ctx: &Ctx<'_>, event: &Payload, limit: usize) -> Result<Reply> {
    let _no_collections = NoCollections::begin(ctx);
    let event = payload::decode(ctx, event)?;
    let handler = HANDLER.with(|handler| handler.clone()).restore(ctx)?;
    let result = handler.call((event,))?;
    Ok(match payload::encode(ctx, result, true, limit)? {
        Encoded::Payload(result) => Reply::Value(result),
        _ => Reply::Undefined,
    })
}

/// A little of much that programs do.
const PROGRAM: &str = r"
    const list = [
        { name: 'a', price: 1.5 },
        { name: 'b', price: 2 },
    ];
    const find = async (name) => ({ name, stock: 1 });
    const lines = [];
    const stock = new Map();
    let total = 0;
    for (const { name, price, quantity = 1 } of list) {
        const found = await find(name);
        if (found.stock < 1 || stock.has(name)) continue;
        const cost = price * quantity * 1.1;
        lines.push(`${name.padEnd(12)} ${cost.toFixed(2)}`);
        stock.set(name, { ...found, cost });
        total += cost;
    }
    const names = list.map((item) => item.name.toUpperCase()).sort();
    const sizes = await Promise.all(names.map(async (name) => name.length));
    const most = Math.max(...stock.values().map(({ cost }) => cost));
    return { lines: lines.join('\n'), names, sizes, most, total: Math.round(total) };
";

/// Runs a program, as long as no other code has run: then nobody can have changed what this one uses.
pub fn run_program(ctx: &Ctx<'_>) {
    let input = Value::new_undefined(ctx.clone());
    // It compiles.
    if program::compile(ctx, PROGRAM, input).is_ok() {
        run_jobs(ctx);
    }
}
