import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { SandboxBuilder } from '@hyperlight/js-host-api';

/** Bodies that write to `console`. */
const BODIES = {
  log: "console.log('a', 1, { b: [2] }, 'c'); console.log(); console.log('%s is %d', 'x', 5, 'more'); console.log(null)",
  levels: "console.debug('d'); console.info('i', {}); console.warn('w', []); console.error('e', new Map())",
  dir: 'console.dir({ a: { b: { c: { d: 1 } } } }); console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 }); console.dir("x")',
  dirxml: "console.dirxml({ a: 1 }, 'b')",
  assert: "console.assert(true, 'no'); console.assert(false, 'yes %s', 1); console.assert(false)",
  count:
    "console.count(); console.count(); console.count('a'); console.countReset(); console.count(); console.count(5)",
  group: `
    console.group('one', 1); console.log('in\\ntwo lines'); console.group(); console.warn({ a: 'x'.repeat(40), b: 'y'.repeat(40) });
    console.groupEnd(); console.groupCollapsed('two'); console.error('deep'); console.groupEnd(); console.groupEnd(); console.groupEnd();
    console.log('out');
  `,
  'tables of objects': 'console.table([{ a: 1, b: "x" }, { a: 2, c: null }])',
  'tables of lists': 'console.table([["a", 1], ["b", { c: 2 }]])',
  'tables of values': 'console.table([1, "two", Symbol("three"), undefined])',
  'tables of both': 'console.table([1, { a: 2 }, [3]])',
  'tables of an object': 'console.table({ x: { a: 1 }, y: { a: 2, b: [1, 2, 3, 4, 5] } })',
  'tables of some columns': 'console.table([{ a: 1, b: 2 }, { a: 3, b: 4 }], ["b", "none"])',
  'tables of a map': 'console.table(new Map([["a", 1], [{ k: 1 }, { v: 2 }]]))',
  'tables of a set': 'console.table(new Set([1, "a", { b: 1 }]))',
  'tables of nothing':
    'console.table([]); console.table({}); console.table(null); console.table("text"); console.table(5)',
  'tables of wide texts': 'console.table([{ "日本": "語", é: "é" }, { "日本": "x".repeat(20) }])',
  'tables of nested values': 'console.table([{ a: { b: { c: 1 } }, d: { e: 1, f: 2, g: 3 } }])',
};

/** The lines of the guest, one for each call, with their levels. */
async function lines(body: string): Promise<[string, string][]> {
  const printed: [string, string][] = [];
  const proto = await new SandboxBuilder().setHostPrintFn((level, text) => void printed.push([level, text])).build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', `function handler() { ${body} }`);
  await using loaded = await sandbox.getLoadedSandbox();
  await loaded.callHandler('f', null);
  return printed;
}

/** What Node.js writes. */
function written(body: string): string {
  let text = '';
  const sink = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  new Function('console', body)(new Console({ stdout: sink, stderr: sink }));
  return text;
}

/** Whether the cells of tables are in the middle or at the left depends on the version of Node.js. */
const comparable = (name: string, text: string): string =>
  name.startsWith('tables') ? text.replaceAll(/ +|─+/g, ' ') : text;

for (const [name, body] of Object.entries(BODIES)) {
  test(`the console writes as that of Node.js: ${name}`, async () => {
    const text = (await lines(body)).map(([, line]) => `${line}\n`).join('');
    assert.equal(comparable(name, text), comparable(name, written(body)));
  });
}

test('times are told, and labels that are not there', async () => {
  const found = await lines(`
    console.time('a'); console.timeLog('a', { x: 1 }); console.timeEnd('a'); console.timeEnd('a'); console.time(); console.time();
    console.countReset('none'); console.timeEnd();
  `);
  const shown = found.map(([level, text]) => [level, text.replace(/\d+(?:\.\d+)?ms/, 'TIME')]);
  assert.deepEqual(shown, [
    ['info', 'a: TIME { x: 1 }'],
    ['info', 'a: TIME'],
    ['warn', "Warning: No such label 'a' for console.timeEnd()"],
    ['warn', "Warning: Label 'default' already exists for console.time()"],
    ['warn', "Warning: Count for 'none' does not exist"],
    ['info', 'default: TIME'],
  ]);
});

test('a failed assertion is a warning, and a trace says where it is', async () => {
  const [failed, value, trace] = await lines(
    "console.assert(false, 'no'); console.assert(0, { a: 1 }); (function inner() { console.trace('%s', 1) })()",
  );
  assert.deepEqual(failed, ['warn', 'Assertion failed: no']);
  // As the standard has it; Node.js shows no more of an object than that it is one.
  assert.deepEqual(value, ['warn', 'Assertion failed { a: 1 }']);
  assert.equal(trace?.[0], 'debug');
  assert.match(trace?.[1] ?? '', /^Trace: 1\n {4}at inner \(f:1:\d+\)\n {4}at handler \(f:1:\d+\)$/);
});

test('whatever is written, the console does not fail, and a line has its length', async () => {
  const found = await lines(`
    const many = {}; for (let i = 0; i < 20000; i++) many['key' + i] = 'x'.repeat(50);
    let deep = []; for (let i = 0; i < 5000; i++) deep = [deep];
    console.log({ get [Symbol.toStringTag]() { throw new Error('tag'); } });
    console.log('%s', { toString() { throw new Error('text'); } });
    console.log({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('own'); } });
    console.dir({}, { get depth() { throw new Error('option'); } });
    console.table([{ get a() { throw new Error('cell'); } }]);
    console.log(many, many);
    console.log(Array.from({ length: 200000 }, (_, i) => i));
    console.dir(deep, { depth: Infinity });
    console.log('é'.repeat(20000));
    for (let i = 0; i < 3000; i++) console.group();
    console.log('\\n'.repeat(20000));
    Array.prototype.push = Array.prototype.join = () => { throw new Error('changed'); };
    console.log({ a: [1] }, 'and', 2);
  `);
  assert.equal(found.length, 11);
  for (const [, text] of found) assert.ok(Buffer.byteLength(text) <= 16384, `${Buffer.byteLength(text)}`);
  for (const [, text] of found.slice(5, 6)) assert.ok(Buffer.byteLength(text) > 16000);
});

test('what hyperlight-js has beside the console is there', async () => {
  const found = await lines(`
    print('one\\n'); print('two'); print(3);
    console.log(String.bytesFrom('aMOpbGxv', 'base64url'), String.bytesFrom(new Uint8Array([89, 81]), 'base64url'));
    try { String.bytesFrom('YQ', 'hex'); } catch (error) { console.log(error.name); }
  `);
  assert.deepEqual(
    found.map(([, text]) => text),
    ['one', 'two', '3', 'héllo a', 'TypeError'],
  );
});

test('the console is a module too', async () => {
  const printed: string[] = [];
  const proto = await new SandboxBuilder().setHostPrintFn((_, text) => void printed.push(text)).build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'f',
    `import console, { log } from 'console'; import { print, flush } from 'io'; import other from 'node:console';
     function handler() { log('a'); console.log(console === other && console === globalThis.console); print('b'); flush(); }`,
  );
  await using loaded = await sandbox.getLoadedSandbox();
  await loaded.callHandler('f', null);
  assert.deepEqual(printed, ['a', 'true', 'b']);
});
