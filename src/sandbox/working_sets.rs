//! Which pages guests will probably write after a restore: those that ours have written.

use std::sync::Arc;

use guest_abi::call_options::CallOptions;
use guest_abi::function;
use guest_abi::message::{HostFunctionName, HostFunctionNames, HostReply, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::suspension::HostResults;
use hyperlight_host::sandbox::snapshot::Snapshot;
use hyperlight_host::{HyperlightError, Sandbox};

use super::call_context::context;
use super::signatures::{AddHandler, CallHandler, Resume, Run};
use super::{reply, shadow_paging};

/// What a guest copies at once after a restore: as long as it has no handlers, and when it has some; and what more it copies when a
/// call writes to other pages. The numbers of the pages, as [`COPIED_PAGES`](function::COPIED_PAGES) has them.
pub struct WorkingSets {
    pub without_handlers: Vec<u8>,
    pub with_handlers: Vec<u8>,
    pub further: Vec<u8>,
}

/// A state in which the guest copies what is written when a handler is added and called, and what when one is only called; and
/// what is written when a program is run.
pub fn learn(sandbox: &mut Sandbox, booted: &Arc<Snapshot>) -> hyperlight_host::Result<(Arc<Snapshot>, WorkingSets)> {
    restore(sandbox, booted.clone())?;
    add_handler(sandbox, HANDLER)?;
    call_handler(sandbox)?;
    let by_both = copied(sandbox)?;
    restore(sandbox, booted.clone())?;
    warm_up(sandbox)?;
    run_program(sandbox)?;
    let by_running = copied(sandbox)?;
    restore(sandbox, booted.clone())?;
    add_handler(sandbox, LARGE_HANDLER)?;
    let loaded = sandbox.snapshot()?;
    restore(sandbox, loaded)?;
    call_handler(sandbox)?;
    let further = copied(sandbox)?;
    restore(sandbox, booted.clone())?;
    add_handler(sandbox, HANDLER)?;
    let loaded = sandbox.snapshot()?;
    restore(sandbox, loaded)?;
    call_handler(sandbox)?;
    let mut by_calling = copied(sandbox)?;

    // Where a call finds room in the heap depends on what was there before: a guest that was told its working sets, has a small
    // handler and some host functions finds it elsewhere. So these learn what is missing.
    restore(sandbox, booted.clone())?;
    let further = without(&further, &by_calling);
    set(sandbox, &by_both, &by_calling, &further)?;
    let told = sandbox.snapshot()?;
    for functions in [&[][..], &["find"], &["find", "list"]] {
        restore(sandbox, told.clone())?;
        sandbox.call::<()>(function::SET_HOST_FUNCTIONS.name, host_functions(functions).to_bytes())?;
        add_handler(sandbox, SMALL_HANDLER)?;
        let loaded = sandbox.snapshot()?;
        restore(sandbox, loaded)?;
        call_handler(sandbox)?;
        add(&mut by_calling, &copied(sandbox)?);
    }
    restore(sandbox, booted.clone())?;
    set(sandbox, &by_both, &by_calling, &further)?;
    let programs = WorkingSets { without_handlers: by_running, with_handlers: by_calling, further };
    Ok((sandbox.snapshot()?, programs))
}

fn restore(sandbox: &mut Sandbox, state: Arc<Snapshot>) -> hyperlight_host::Result<()> {
    sandbox.restore(state)?;
    shadow_paging::prepare_restore(sandbox)
}

fn copied(sandbox: &mut Sandbox) -> hyperlight_host::Result<Vec<u8>> {
    sandbox.call(function::COPIED_PAGES.name, ())
}

fn set(
    sandbox: &mut Sandbox,
    without_handlers: &[u8],
    with_handlers: &[u8],
    further: &[u8],
) -> hyperlight_host::Result<()> {
    let lists = (without_handlers.to_vec(), with_handlers.to_vec(), further.to_vec());
    sandbox.call(function::SET_WORKING_SETS.name, lists)
}

/// Adds the pages that are not among these yet.
fn add(pages: &mut Vec<u8>, more: &[u8]) {
    let new = without(more, pages);
    pages.extend(new);
}

/// The pages that are not among others.
fn without(pages: &[u8], others: &[u8]) -> Vec<u8> {
    let is_new = |page: &&[u8]| !others.chunks_exact(size_of::<u32>()).any(|other| other == *page);
    pages.chunks_exact(size_of::<u32>()).filter(is_new).flatten().copied().collect()
}

/// One that leaves more of the heap free.
const SMALL_HANDLER: &str = "function handler(event) { return event; }";

/// A little of much that handlers do.
const HANDLER: &str = "
    const greetings = new Map([['en', 'Hello'], ['de', 'Hallo']]);
    let count = 0;
    class Greeting {
        constructor(language, name) { this.text = `${greetings.get(language) ?? 'Hi'}, ${name}!`; }
    }
    function total(items) { return items.reduce((sum, { price, quantity = 1 }) => sum + price * quantity, 0); }
    function handler(event) {
        count += 1;
        const names = event.list.filter((item) => item.price > 1).map((item) => item.name.toUpperCase());
        return { message: new Greeting('en', event.text).text, count, total: total(event.list), names };
    }
";

/// Much that handlers do. To use what the engine has is to write to it: objects that are used count their uses.
const LARGE_HANDLER: &str = r"
    const cache = new Map();
    class Row {
        #id;
        constructor({ name, price }, id) { this.#id = id; this.name = name; this.price = price; }
        get id() { return this.#id; }
        toJSON() { return { id: this.#id, name: this.name }; }
    }
    function* pairs(rows) { for (const { id, name } of rows) yield [id, name]; }
    async function later(value) { await null; return value * 2; }
    async function handler({ text, list }) {
        const lines = [], count = {}, seen = new Set();
        let total = 0;
        for (const [i, { name, price, quantity = 1 }] of list.entries()) {
            const cost = price * quantity * 1.1;
            if (cost < 1 || seen.has(name)) continue;
            seen.add(name);
            lines.push(`${name.padEnd(12)}${cost.toFixed(2)} ${String(i).padStart(3, '0')}`);
            cache.set(i, new Row({ name, price }, i));
            total += cost;
        }
        for (const word of text.toLowerCase().trim().split(/[^a-z]+/)) count[word] = (count[word] ?? 0) + 1;
        const words = Object.entries(count).filter(([word]) => word).sort(([, a], [, b]) => b - a).slice(0, 10);
        const names = list.map(({ name }) => name.toUpperCase()).sort((a, b) => (a < b ? -1 : 1)).reverse();
        const rows = JSON.parse(JSON.stringify([...cache.values()]));
        const doubled = await Promise.all([1, 2, 3].map(later));
        try {
            throw new TypeError(text.replace('text', 'error').concat('!'));
        } catch (error) {
            lines.push(`${error.name}: ${error.message}`);
        }
        const prices = list.flatMap(({ price }) => [price]);
        const sum = prices.reduce((a, b) => a + b, 0);
        return {
            text: lines.join('\n'), words, rows, doubled, names: names.join(), stock: Object.fromEntries(pairs(rows)),
            size: Uint8Array.from(text, (character) => character.charCodeAt(0)).length, keys: Object.keys(count).length,
            most: Math.max(...prices), total: Math.round(total), mean: Math.floor(sum / prices.length),
            some: prices.some((price) => price > 1), every: prices.every(Number.isFinite), has: prices.includes(2),
            found: list.find(({ name }) => name === 'b'), rest: { ...list[0], price: parseFloat('1.5') }, number: parseInt('12', 10),
            matched: text.match(/\w+/g), when: new Date(0).toISOString(),
        };
    }
";

fn add_handler(sandbox: &mut Sandbox, source: &str) -> hyperlight_host::Result<()> {
    let arguments: AddHandler = (context().to_bytes().to_vec(), "handler".to_string(), source.to_string(), 0, false);
    let bytes = sandbox.call(function::ADD_HANDLER.name, arguments)?;
    finish(sandbox, bytes)
}

fn event() -> Payload {
    Payload::from_json(r#"{"text":"a \"text\"","list":[{"name":"a","price":1.5},{"name":"b","price":2}]}"#.to_string())
}

/// A call that collects garbage.
fn call(handler: &str) -> CallHandler {
    let options = CallOptions { gc: true, ..CallOptions::default() }.to_bytes();
    (context().to_bytes().to_vec(), options, handler.to_string(), event().into_bytes())
}

fn call_handler(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    let bytes = sandbox.call(function::CALL_HANDLER.name, call("handler"))?;
    finish(sandbox, bytes)
}

/// What is sent for a warm-up: a call like others, but for the handler, which is the runtime's own.
pub fn warm_up_call() -> CallHandler {
    call("")
}

fn warm_up(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    sandbox.call::<Vec<u8>>(function::WARM_UP.name, warm_up_call()).map(drop)
}

/// A little of much that programs do. It has some length, since what is compiled takes memory as well.
const PROGRAM: &str = r"
    const { text, list } = input;
    const lines = [];
    const stock = new Map();
    const seen = new Set();
    let total = 0;
    for (const { name, price, quantity = 1 } of list) {
        const found = await catalogue.find(name);
        if (found.stock < 1 || seen.has(name)) continue;
        const cost = price * quantity * 1.1;
        lines.push(`${name.padEnd(12)} ${cost.toFixed(2)}`);
        stock.set(name, { ...found, cost });
        seen.add(name);
        total += cost;
    }
    const names = list.map(({ name }) => name.toUpperCase()).sort((a, b) => (a < b ? -1 : 1));
    const some = await Promise.all(names.map(async (name) => ({ name, size: name.length })));
    const words = text.split(' ').filter((word) => /^[a-z]/i.test(word)).map((word) => word.trim().slice(0, 8));
    try {
        JSON.parse(text);
    } catch (error) {
        words.push(error.message.replace('unexpected', 'other'));
    }
    class Summary {
        constructor(fields) { Object.assign(this, fields); }
        get size() { return Object.keys(this).length; }
    }
    const most = Math.max(...list.map(({ price }) => price));
    const summary = new Summary({ names: names.join(), most, total: Math.round(total) });
    const entries = [...stock.entries()];
    return { lines: lines.join('\n'), summary, size: summary.size, some, words, entries, length: JSON.stringify(input).length };
";

/// Functions of the host's, by their names.
fn host_functions(names: &[&str]) -> HostFunctionNames {
    let named =
        |name: &&str| HostFunctionName { module: "catalogue".to_string(), function: name.to_string(), is_async: true };
    HostFunctionNames(names.iter().map(named).collect())
}

fn run_program(sandbox: &mut Sandbox) -> hyperlight_host::Result<()> {
    let options = CallOptions { gc: true, functions: host_functions(&["find"]), ..CallOptions::default() };
    let program = ProgramMessage { source: PROGRAM.to_string(), input: Some(event()), ..ProgramMessage::default() };
    let arguments: Run = (context().to_bytes().to_vec(), options.to_bytes(), program.into_bytes());
    let bytes = sandbox.call(function::RUN.name, arguments)?;
    finish(sandbox, bytes)
}

/// Goes on with what has been begun until it has ended, as it must: well.
fn finish(sandbox: &mut Sandbox, mut reply: Vec<u8>) -> hyperlight_host::Result<()> {
    loop {
        let read = reply::heap_use(&mut reply, u64::MAX).ok().and_then(|_| Reply::from_bytes(reply).ok());
        match read {
            Some(Reply::Value(_) | Reply::Undefined) => return Ok(()),
            Some(Reply::Suspended(suspension)) => {
                let stock = || HostReply::Value(Payload::from_json(r#"{"stock":1}"#.to_string()));
                let results = HostResults(suspension.started.iter().map(|call| (call.number, stock())).collect());
                let arguments: Resume = (context().to_bytes().to_vec(), results.into_bytes());
                reply = sandbox.call(function::RESUME.name, arguments)?;
            }
            _ => return Err(HyperlightError::Error("a sample did not end as it should".to_string())),
        }
    }
}
