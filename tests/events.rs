//! Events and signals in the guest: `Event`, `EventTarget`, `AbortController`, `AbortSignal`.

mod sandboxes;

use sandboxes::{call, loaded};
use serde_json::{Value, json};

fn result_of(code: &str) -> Value {
    let mut sandbox = loaded(&format!("async function handler() {{ {code} }}"));
    call(&mut sandbox, "null").expect("a result")
}

#[test]
fn listeners_are_called_in_their_order_once_each_and_not_after_they_were_removed() {
    let seen = result_of(
        "const target = new EventTarget(), seen = [];
        const note = (name) => () => seen.push(name);
        const [a, b, c] = ['a', 'b', 'c'].map(note);
        target.addEventListener('x', a);
        target.addEventListener('x', a);
        target.addEventListener('x', b, { once: true });
        target.addEventListener('x', { handleEvent(event) { seen.push([this !== target, event.target === target]); } });
        target.addEventListener('x', note('capturing'), true);
        target.addEventListener('y', note('other'));
        target.addEventListener('x', () => { target.removeEventListener('x', c); target.addEventListener('x', note('new')); }, { once: true });
        target.addEventListener('x', c);
        target.addEventListener('x', null);
        const results = [target.dispatchEvent(new Event('x')), target.dispatchEvent(new Event('x'))];
        return { seen, results };",
    );
    let object = json!([true, true]);
    assert_eq!(seen["seen"], json!(["capturing", "a", "b", object, "capturing", "a", object, "new"]));
    assert_eq!(seen["results"], json!([true, true]));
}

#[test]
fn an_event_has_what_the_standard_says() {
    let seen = result_of(
        "const event = new Event('x', { cancelable: true, bubbles: true });
        const before = [event.target, event.currentTarget, event.eventPhase, event.composedPath()];
        const target = new EventTarget();
        let during;
        target.addEventListener('x', (event) => {
            event.preventDefault();
            during = [event.target === target, event.currentTarget === target, event.eventPhase, event.composedPath().length];
            try { target.dispatchEvent(event); } catch (error) { during.push(error.name); }
        }, { passive: false });
        const result = target.dispatchEvent(event);
        const after = [event.target === target, event.currentTarget, event.eventPhase, event.defaultPrevented, event.bubbles, event.isTrusted];
        const custom = new CustomEvent('y', { detail: { a: 1 } });
        const passive = new Event('z', { cancelable: true });
        target.addEventListener('z', (event) => event.preventDefault(), { passive: true });
        const tag = Object.prototype.toString.call(custom);
        return { before, during, result, after, detail: custom.detail, passive: target.dispatchEvent(passive), tag, constants: [Event.AT_TARGET, event.NONE] };",
    );
    assert_eq!(seen["before"], json!([null, null, 0, []]));
    assert_eq!(seen["during"], json!([true, true, 2, 1, "InvalidStateError"]));
    assert_eq!((&seen["result"], &seen["after"]), (&json!(false), &json!([true, null, 0, true, true, false])));
    assert_eq!((&seen["detail"], &seen["passive"]), (&json!({ "a": 1 }), &json!(true)));
    assert_eq!((&seen["tag"], &seen["constants"]), (&json!("[object CustomEvent]"), &json!([2, 0])));
}

#[test]
fn what_a_listener_throws_keeps_no_other_from_being_called() {
    let seen = result_of(
        "const target = new EventTarget(), seen = [];
        target.addEventListener('x', () => { throw new Error('a listener of a test'); });
        target.addEventListener('x', (event) => { seen.push('second'); event.stopImmediatePropagation(); });
        target.addEventListener('x', () => seen.push('third'));
        target.dispatchEvent(new Event('x'));
        return seen;",
    );
    assert_eq!(seen, json!(["second"]));
}

#[test]
fn a_controller_aborts_its_signal_once() {
    let seen = result_of(
        "const controller = new AbortController(), { signal } = controller, seen = [];
        signal.onabort = function (event) { seen.push(['on', this === signal, event.type]); };
        signal.addEventListener('abort', () => seen.push(['listener', signal.aborted, signal.reason]));
        const before = [signal.aborted, signal.reason, signal === controller.signal];
        signal.throwIfAborted();
        controller.abort('why');
        controller.abort('again');
        try { signal.throwIfAborted(); } catch (reason) { seen.push(['thrown', reason]); }
        const plain = new AbortController();
        plain.abort();
        let refused;
        try { new AbortSignal(); } catch (error) { refused = error.name; }
        return { before, seen, plain: [plain.signal.reason.name, plain.signal.reason instanceof DOMException], refused, made: AbortSignal.abort(5).reason };",
    );
    assert_eq!(seen["before"], json!([false, null, true]));
    assert_eq!(seen["seen"], json!([["on", true, "abort"], ["listener", true, "why"], ["thrown", "why"]]));
    assert_eq!(seen["plain"], json!(["AbortError", true]));
    assert_eq!((&seen["refused"], &seen["made"]), (&json!("TypeError"), &json!(5)));
}

#[test]
fn a_signal_of_several_is_aborted_with_the_first_of_them() {
    let seen = result_of(
        "const [a, b, c] = [0, 0, 0].map(() => new AbortController()), order = [];
        const any = AbortSignal.any([a.signal, b.signal]);
        const nested = AbortSignal.any([any, c.signal]);
        a.signal.addEventListener('abort', () => order.push(['a', any.aborted, nested.aborted]));
        any.addEventListener('abort', () => order.push('any'));
        nested.addEventListener('abort', () => order.push('nested'));
        b.abort('b');
        a.abort('a');
        const already = AbortSignal.any([c.signal, AbortSignal.abort('before')]);
        return { order, reasons: [any.reason, nested.reason, already.reason, AbortSignal.any([]).aborted] };",
    );
    assert_eq!(seen["order"], json!(["any", "nested", ["a", true, true]]));
    assert_eq!(seen["reasons"], json!(["b", "b", "before", false]));
}

#[test]
fn a_signal_with_a_time_is_aborted_after_it() {
    let seen = result_of(
        "const signal = AbortSignal.timeout(5);
        const reason = await new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
        const refused = [];
        for (const time of [-1, NaN, 2 ** 53, 'soon']) try { AbortSignal.timeout(time); } catch (error) { refused.push(error.name); }
        return [reason.name, reason.code, refused, AbortSignal.timeout(2 ** 40).aborted];",
    );
    assert_eq!(seen, json!(["TimeoutError", 23, vec!["TypeError"; 4], false]));
}

#[test]
fn a_signal_of_several_is_aborted_by_a_time_or_a_controller_whichever_comes_first() {
    let seen = result_of(
        "const controller = new AbortController();
        const timed = AbortSignal.any([controller.signal, AbortSignal.timeout(1)]);
        await new Promise((resolve) => timed.addEventListener('abort', resolve));
        const controlled = AbortSignal.any([controller.signal, AbortSignal.timeout(1e6)]);
        controller.abort();
        return [timed, controlled].map(({ aborted, reason }) => [aborted, reason instanceof DOMException, reason.name, reason.code]);",
    );
    assert_eq!(seen, json!([[true, true, "TimeoutError", 23], [true, true, "AbortError", 20]]));
}

#[test]
fn a_domexception_has_the_name_and_the_code_of_the_standard() {
    let seen = result_of(
        "const failures = [
            () => new AbortController().signal.throwIfAborted(),
            () => AbortSignal.abort().throwIfAborted(),
            () => structuredClone(() => {}),
            () => crypto.getRandomValues(new Uint8Array(65537)),
            () => { const event = new Event('x'), target = new EventTarget(); let thrown; target.addEventListener('x', () => { try { target.dispatchEvent(event); } catch (error) { thrown = error; } }); target.dispatchEvent(event); throw thrown; },
            () => atob('?'),
            () => { throw new DOMException('m', 'TimeoutError'); },
            () => { throw new DOMException('m', 'of our own'); },
            () => { throw new DOMException(); },
        ];
        return failures.map((fail) => { try { fail(); } catch (error) { return [error instanceof DOMException && error instanceof Error, error.name, error.code]; } return null; });",
    );
    let expected = json!([
        null,
        [true, "AbortError", 20],
        [true, "DataCloneError", 25],
        [true, "QuotaExceededError", 22],
        [true, "InvalidStateError", 11],
        [true, "InvalidCharacterError", 5],
        [true, "TimeoutError", 23],
        [true, "of our own", 0],
        [true, "Error", 0],
    ]);
    assert_eq!(seen, expected);
}

#[test]
fn a_listener_is_removed_when_its_signal_is_aborted() {
    let seen = result_of(
        "const target = new EventTarget(), controller = new AbortController(), seen = [];
        target.addEventListener('x', () => seen.push('kept'));
        target.addEventListener('x', () => seen.push('removed'), { signal: controller.signal });
        target.addEventListener('x', () => seen.push('never'), { signal: AbortSignal.abort() });
        target.dispatchEvent(new Event('x'));
        controller.abort();
        target.dispatchEvent(new Event('x'));
        return seen;",
    );
    assert_eq!(seen, json!(["kept", "removed", "kept"]));
}
