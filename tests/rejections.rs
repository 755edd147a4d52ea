//! Promises that are rejected and that nobody handles.

mod sandboxes;

use hyperlight_js::{Error, SandboxBuilder, UnhandledRejections};
use sandboxes::{call, with_lines, with_lines_and};

#[test]
fn rejections_that_nobody_handles_are_lines_of_the_console() {
    let source = "async function handler(event) {
            if (event === 'handled late') {
                const promise = Promise.reject(new Error('late'));
                setTimeout(() => promise.catch(() => {}), 1);
                await new Promise((resolve) => setTimeout(resolve, 5));
            }
            if (event === 'unhandled') {
                Promise.reject(new TypeError('lost'));
                (async () => { throw 'a text'; })();
                Promise.reject(1).catch(() => {});
            }
            if (event === 'many') for (let i = 0; i < 1000; i++) Promise.reject(i);
            if (event === 'rejects') throw new RangeError('the call itself');
            return 'done';
        }";
    let (mut sandbox, lines) = with_lines(source);
    let mut lines_of = |event: &str| {
        let result = call(&mut sandbox, event);
        (result.is_ok(), std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    assert_eq!(lines_of("\"handled late\""), (true, vec![]));
    let lost =
        vec!["Error Unhandled rejection: TypeError: lost".to_string(), "Error Unhandled rejection: a text".to_string()];
    assert_eq!(lines_of("\"unhandled\""), (true, lost));
    assert_eq!(lines_of("\"rejects\""), (false, vec![]));
    let (is_ok, many) = lines_of("\"many\"");
    assert!(is_ok && many.len() == 17 && many[16] == "Error Unhandled rejections beside these: 984", "{many:?}");
    assert_eq!(lines_of("null"), (true, vec![]));
}

#[test]
fn rejections_that_nobody_handles_fail_the_call_if_they_shall() {
    let source = "import { waitUntil } from 'hyperlight:context';
        async function handler(event) {
            switch (event) {
                case 'handled late': {
                    const promise = Promise.reject(new Error('late'));
                    setTimeout(() => promise.catch(() => {}), 1);
                    await new Promise((resolve) => setTimeout(resolve, 5));
                    break;
                }
                case 'unhandled':
                    Promise.reject(new TypeError('lost', { cause: new Error('why') }));
                    (async () => { throw 'another'; })();
                    break;
                case 'text': Promise.reject('a text'); break;
                case 'in the end': queueMicrotask(() => Promise.reject(new RangeError('last'))); return;
                case 'kept': waitUntil(new Promise((_, reject) => setTimeout(reject, 1, new RangeError('kept')))); break;
                case 'rejects': Promise.reject(new TypeError('lost')); throw new RangeError('the call itself');
            }
            return 'done';
        }";
    let (mut sandbox, lines) =
        with_lines_and(|builder| builder.with_unhandled_rejections(UnhandledRejections::Error), source);
    let mut failure = |event: &str| {
        let error = match call(&mut sandbox, event) {
            Ok(result) => (result.to_string(), String::new()),
            Err(Error::Guest { name, message, .. }) => (name, message),
            Err(other) => panic!("{other:?}"),
        };
        assert!(!sandbox.poisoned());
        (error, std::mem::take(&mut *lines.lock().expect("no panic")))
    };
    let failed = |name: &str, message: &str, lines: &[&str]| {
        ((name.to_string(), message.to_string()), lines.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(failure("\"handled late\""), failed("\"done\"", "", &[]));
    assert_eq!(failure("\"unhandled\""), failed("TypeError", "lost", &["Error Unhandled rejection: another"]));
    assert_eq!(failure("\"text\""), failed("", "a text", &[]));
    assert_eq!(failure("\"in the end\""), failed("RangeError", "last", &[]));
    assert_eq!(failure("\"kept\""), failed("RangeError", "kept", &[]));
    let own = failed("RangeError", "the call itself", &["Error Unhandled rejection: TypeError: lost"]);
    assert_eq!(failure("\"rejects\""), own);
    assert_eq!(failure("null"), failed("\"done\"", "", &[]));

    let builder = SandboxBuilder::new().with_unhandled_rejections(UnhandledRejections::Error);
    let loaded = sandboxes::load(builder, "function handler() {}\nPromise.reject(new TypeError('lost'));");
    assert!(matches!(loaded, Err(Error::Compile { name, line: 2, .. }) if name == "TypeError"));
}
