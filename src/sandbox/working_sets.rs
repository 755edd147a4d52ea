//! Which pages guests will probably write after a restore: those that ours have written.

use std::sync::Arc;

use guest_abi::call_options::CallOptions;
use guest_abi::function;
use guest_abi::message::{HostFunctionName, HostFunctionNames, HostReply, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::suspension::HostResults;
use hyperlight_host::Sandbox;
use hyperlight_host::sandbox::snapshot::Snapshot;

use super::call_context::context;
use super::signatures::{AddHandler, CallHandler, Resume, Run};
use super::{reply, shadow_paging};

/// What a guest copies at once after a restore: as long as it has no handlers, and when it has some. The numbers of the pages, as
/// [`COPIED_PAGES`](function::COPIED_PAGES) has them.
pub struct WorkingSets {
    pub without_handlers: Vec<u8>,
    pub with_handlers: Vec<u8>,
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
    add_handler(sandbox, HANDLER)?;
    let loaded = sandbox.snapshot()?;
    restore(sandbox, loaded)?;
    call_handler(sandbox)?;
    let mut by_calling = copied(sandbox)?;

    // Where a call finds room in the heap depends on what was there before: a guest that was told its working sets, has a small
    // handler and some host functions finds it elsewhere. So these learn what is missing.
    restore(sandbox, booted.clone())?;
    set(sandbox, &by_both, &by_calling)?;
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
    set(sandbox, &by_both, &by_calling)?;
    let programs = WorkingSets { without_handlers: by_running, with_handlers: by_calling };
    Ok((sandbox.snapshot()?, programs))
}

fn restore(sandbox: &mut Sandbox, state: Arc<Snapshot>) -> hyperlight_host::Result<()> {
    sandbox.restore(state)?;
    shadow_paging::prepare_restore(sandbox)
}

fn copied(sandbox: &mut Sandbox) -> hyperlight_host::Result<Vec<u8>> {
    sandbox.call(function::COPIED_PAGES.name, ())
}

fn set(sandbox: &mut Sandbox, without_handlers: &[u8], with_handlers: &[u8]) -> hyperlight_host::Result<()> {
    sandbox.call(function::SET_WORKING_SETS.name, (without_handlers.to_vec(), with_handlers.to_vec()))
}

/// Adds the pages that are not among these yet.
fn add(pages: &mut Vec<u8>, more: &[u8]) {
    for page in more.chunks_exact(size_of::<u32>()) {
        if !pages.chunks_exact(size_of::<u32>()).any(|known| known == page) {
            pages.extend(page);
        }
    }
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

fn add_handler(sandbox: &mut Sandbox, source: &str) -> hyperlight_host::Result<()> {
    let arguments: AddHandler = (context().to_bytes().to_vec(), "handler".to_string(), source.to_string(), 0, false);
    sandbox.call::<Vec<u8>>(function::ADD_HANDLER.name, arguments).map(drop)
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
    sandbox.call::<Vec<u8>>(function::CALL_HANDLER.name, call("handler")).map(drop)
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
    let mut bytes: Vec<u8> = sandbox.call(function::RUN.name, arguments)?;
    while reply::heap_use(&mut bytes, u64::MAX).is_ok()
        && let Ok(Reply::Suspended(suspension)) = Reply::from_bytes(bytes)
    {
        let stock = || HostReply::Value(Payload::from_json(r#"{"stock":1}"#.to_string()));
        let results = HostResults(suspension.started.iter().map(|call| (call.number, stock())).collect());
        let arguments: Resume = (context().to_bytes().to_vec(), results.into_bytes());
        bytes = sandbox.call(function::RESUME.name, arguments)?;
    }
    Ok(())
}
