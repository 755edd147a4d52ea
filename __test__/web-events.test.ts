// ErrorEvent, PromiseRejectionEvent, reportError, and the global object as a target of events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { cases } from './web';

const NOT_IN_NODE = 'its global object is no target of events';

cases({
  'an error that is reported goes to the listeners of the global object': {
    code: `
      const seen = [];
      addEventListener('error', (event) => { seen.push(event.error.message, event.message, event.isTrusted, event.target === globalThis); event.preventDefault(); });
      reportError(new RangeError('no'));
      return seen;`,
    result: ['no', 'Uncaught RangeError: no', true, true],
    notInNode: NOT_IN_NODE,
  },
  'the handler of errors has parameters of its own': {
    code: `
      const seen = [];
      globalThis.onerror = (...given) => { seen.push(given.length, given[4]); return true; };
      reportError('text');
      globalThis.onerror = null;
      return [seen, globalThis.onerror];`,
    result: [[5, 'text'], null],
    notInNode: NOT_IN_NODE,
  },
  'what a listener throws is reported, and the next one runs': {
    code: `
      const seen = [];
      globalThis.onerror = (message, file, line, column, error) => { seen.push(error); return true; };
      const target = new EventTarget();
      target.addEventListener('x', () => { throw 'first'; });
      target.addEventListener('x', () => seen.push('second'));
      target.dispatchEvent(new Event('x'));
      return seen;`,
    result: ['first', 'second'],
    notInNode: NOT_IN_NODE,
  },
  'events of errors have what they are given': {
    code: `
      const { type, message, filename, lineno, colno, error } = new ErrorEvent('e', { message: 'm', filename: 'f', lineno: 1, colno: 2, error: 3 });
      const rejection = new PromiseRejectionEvent('r', { promise: Promise.resolve(), reason: 4 });
      return [type, message, filename, lineno, colno, error, rejection.reason, thrown(() => new PromiseRejectionEvent('r', {}))];`,
    result: ['e', 'm', 'f', 1, 2, 3, 4, 'TypeError'],
    notInNode: 'old versions have neither',
  },
  'an event is trusted only if nobody has made it': {
    code: `
      const { configurable } = Object.getOwnPropertyDescriptor(new Event('x'), 'isTrusted');
      const controller = new AbortController();
      let isTrusted;
      controller.signal.onabort = (event) => { isTrusted = event.isTrusted; };
      controller.abort();
      return [configurable, new Event('x').isTrusted, isTrusted];`,
    result: [false, false, true],
    notInNode: 'old versions have it on the prototype',
  },
  'propagation can be stopped before an event is dispatched': {
    code: `
      const target = new EventTarget();
      let calls = 0;
      target.addEventListener('x', () => { calls++; });
      const event = new Event('x', { cancelable: true });
      event.stopPropagation();
      target.dispatchEvent(event);
      const stopped = calls;
      target.dispatchEvent(event);
      event.returnValue = false;
      return [stopped, calls, event.defaultPrevented, event.cancelBubble];`,
    result: [0, 1, true, false],
    notInNode: 'it calls the listeners of an event whose propagation is stopped',
  },
});

test('an error that nobody takes goes to the console', async () => {
  const lines: string[] = [];
  const proto = await new SandboxBuilder().setHostPrintFn((level, text) => lines.push(`${level} ${text}`)).build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', "function handler() { onerror = () => { throw 'again'; }; reportError(new Error('lost')); }");
  await (await sandbox.getLoadedSandbox()).callHandler('f', {});
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^error again/);
  assert.match(lines[1] ?? '', /^error Error: lost/);
});
