import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSSandbox } from '@hyperlight/js-host-api';
import { rejection, start, startWithHost, thrown } from './sandbox';

async function call(sandbox: JSSandbox, code: string, event: unknown = {}) {
  sandbox.addHandler('f', code);
  return (await sandbox.getLoadedSandbox()).callHandler('f', event);
}

test('a module is imported as user:NAME', async () => {
  const sandbox = await start();
  sandbox.addModule('math', 'export function add(a, b) { return a + b; }');
  const code = "import { add } from 'user:math'; function handler(event) { return add(event.a, event.b); }";
  assert.equal(await call(sandbox, code, { a: 1, b: 2 }), 3);
});

test('a module can have a namespace of its own, and the same name in two', async () => {
  const sandbox = await start();
  sandbox.addModule('utils', 'export const where = "mylib";', 'mylib');
  sandbox.addModule('utils', 'export const where = "user";', undefined);
  const code = `
    import { where as mine } from 'mylib:utils';
    import { where as users } from 'user:utils';
    function handler() { return [mine, users]; }
  `;
  assert.deepEqual(await call(sandbox, code), ['mylib', 'user']);
});

test('modules import each other in whatever order they were added, in circles too', async () => {
  const sandbox = await start();
  sandbox.addModule('area', "import { PI } from 'user:constants'; export const area = (r) => PI * r * r;");
  sandbox.addModule('constants', 'export const PI = 3;');
  sandbox.addModule('even', "import { odd } from 'user:odd'; export const even = (n) => n === 0 || odd(n - 1);");
  sandbox.addModule('odd', "import { even } from 'user:even'; export const odd = (n) => n !== 0 && even(n - 1);");
  const code = `
    import { area } from 'user:area';
    import { even } from 'user:even';
    function handler(event) { return [area(event), even(event)]; }
  `;
  assert.deepEqual(await call(sandbox, code, 10), [300, true]);
});

test('a module can import host functions', async () => {
  const sandbox = await startWithHost({ double: (n: number) => 2 * n });
  sandbox.addModule('twice', "import { double } from 'host:test'; export const twice = (n) => double(double(n));");
  assert.equal(await call(sandbox, "import { twice } from 'user:twice'; function handler() { return twice(5); }"), 20);
});

test('handlers share one instance of a module, which keeps its state from call to call', async () => {
  const sandbox = await start();
  sandbox.addModule('counter', 'let n = 0; export const increment = () => ++n; export const count = () => n;');
  sandbox.addHandler('write', "import { increment } from 'user:counter'; function handler() { return increment(); }");
  sandbox.addHandler('read', "import { count } from 'user:counter'; function handler() { return count(); }");
  const loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  assert.equal(await loaded.callHandler('write', {}), 1);
  assert.equal(await loaded.callHandler('read', {}), 1);
  assert.equal(await loaded.callHandler('write', {}), 2);
  assert.equal(await loaded.callHandler('read', {}), 2);
  await loaded.restore(snapshot);
  assert.equal(await loaded.callHandler('read', {}), 0);
});

test('a module that nobody imports is not compiled', async () => {
  const sandbox = await start();
  sandbox.addModule('broken', 'this is no JavaScript');
  assert.equal(await call(sandbox, 'function handler() { return 1; }'), 1);
});

test('an import of what does not exist fails the loading and names it', async () => {
  const sandbox = await start();
  sandbox.addModule('importer', "import { x } from 'user:nope'; export const y = x;");
  sandbox.addHandler('f', "import { y } from 'user:importer'; function handler() { return y; }");
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.match(error.message, /user:nope/);

  sandbox.addModule('nope', 'export const x = 1;');
  assert.equal(await (await sandbox.getLoadedSandbox()).callHandler('f', {}), 1);
});

test('names and namespaces are checked', async () => {
  const sandbox = await start();
  const wrong: unknown[] = [undefined, null, 1, {}, Symbol('s')];
  for (const name of ['', 'x'.repeat(257), 'a:b', ...wrong] as string[]) {
    thrown('ERR_INVALID_ARG', () => sandbox.addModule(name, ''));
    thrown('ERR_INVALID_ARG', () => sandbox.removeModule(name));
  }
  for (const namespace of ['', 'x'.repeat(257), 'a:b', 'host', 'hyperlight', ...wrong.slice(1)] as string[]) {
    const error = thrown('ERR_INVALID_ARG', () => sandbox.addModule('name', '', namespace));
    assert.match(error.message, /namespace/);
    thrown('ERR_INVALID_ARG', () => sandbox.removeModule('name', namespace));
  }
  for (const source of wrong as string[]) thrown('ERR_INVALID_ARG', () => sandbox.addModule('name', source));
  sandbox.addModule('name', '');
  thrown('ERR_INVALID_ARG', () => sandbox.addModule('name', ''));
  thrown('ERR_INVALID_ARG', () => sandbox.addModule('name', '', 'user'));
});

test('handlers and modules can be removed, one by one or all', async () => {
  const sandbox = await start();
  const code = 'function handler() { return "old"; }';
  sandbox.addHandler('f', code);
  sandbox.removeHandler('f');
  thrown('ERR_INVALID_ARG', () => sandbox.removeHandler('f'));
  thrown('ERR_INVALID_ARG', () => sandbox.removeHandler(undefined as unknown as string));
  sandbox.addHandler('f', code);
  sandbox.addHandler('g', code);
  sandbox.clearHandlers();
  sandbox.addHandler('f', "import { x } from 'user:m'; function handler() { return x; }");

  sandbox.addModule('m', 'export const x = "old";');
  sandbox.removeModule('m');
  thrown('ERR_INVALID_ARG', () => sandbox.removeModule('m'));
  sandbox.addModule('m', 'export const x = "old";');
  sandbox.addModule('m', '', 'other');
  thrown('ERR_INVALID_ARG', () => sandbox.removeModule('m', 'another'));
  sandbox.clearModules();
  sandbox.addModule('m', 'export const x = "new";');

  assert.equal(sandbox.poisoned, false);
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('f', {}), 'new');
  await rejection('ERR_HANDLER_NOT_FOUND', loaded.callHandler('g', {}));
  thrown('ERR_CONSUMED', () => sandbox.removeHandler('f'));
  thrown('ERR_CONSUMED', () => sandbox.clearHandlers());
  thrown('ERR_CONSUMED', () => sandbox.addModule('n', ''));
  thrown('ERR_CONSUMED', () => sandbox.removeModule('m'));
  thrown('ERR_CONSUMED', () => sandbox.clearModules());
  assert.equal(sandbox.poisoned, false);
});

test('a relative specifier is taken from the name of the importer', async () => {
  const sandbox = await start();
  sandbox.addModule(
    'deep/a',
    "import { b } from './b'; import { c } from '../c'; export const list = [b, c];",
    'mylib',
  );
  sandbox.addModule('deep/b', "export const b = 'b';", 'mylib');
  sandbox.addModule('c', "export const c = 'c';", 'mylib');
  sandbox.addHandler('f', "import { list } from 'mylib:deep/a'; function handler() { return list; }");
  assert.deepEqual(await (await sandbox.getLoadedSandbox()).callHandler('f', {}), ['b', 'c']);
});
