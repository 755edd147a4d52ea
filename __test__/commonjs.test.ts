// What handlers and modules may look like beside ES modules, and what `require()` gives.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SandboxPool } from '@hyperlight/js-host-api';
import { rejection, start, startWithHost } from './sandbox';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

/** An error, and where in the guest's code it comes from. */
type Told = Error & { file?: string; line?: number; column?: number; guestStack?: string };

/** What a handler gives, with these modules. */
async function call(code: string, event: unknown = {}, modules: Record<string, string> = {}): Promise<unknown> {
  const sandbox = await start();
  for (const [name, source] of Object.entries(modules)) sandbox.addModule(name, source);
  sandbox.addHandler('f', code);
  return (await sandbox.getLoadedSandbox()).callHandler('f', event);
}

test('each shape of a handler is one', async () => {
  for (const code of [
    'function handler(n) { return n + 1 }',
    'export default function (n) { return n + 1 }',
    'export default (n) => n + 1',
    'const add = (n) => n + 1; export { add as handler }',
    'module.exports = (n) => n + 1',
    'module.exports = async function (n) { return n + 1 }',
    'exports.handler = (n) => n + 1',
    'module.exports = { handler: (n) => n + 1 }',
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = (n) => n + 1;',
    '#!/usr/bin/env node\nexports.handler = (n) => n + 1',
    'exports.other = 1; function handler(n) { return n + exports.other }',
    'const handler = (n) => n + 1; // exports nothing',
    'with ({ one: 01 }) module.exports = (n) => n + one',
    'export { handler } from "user:m"',
    'module.exports = require("user:m").handler',
  ]) {
    assert.equal(await call(code, 1, { m: 'export const handler = (n) => n + 1' }), 2, code);
  }
});

test('what is no handler says what would be', async () => {
  for (const code of [
    '',
    'const f = () => 1',
    'exports.f = () => 1',
    'module.exports = { f() {} }',
    'export const f = 1',
  ]) {
    const { message } = await rejection('ERR_COMPILE', call(code));
    for (const shape of ["'handler'", 'export default', 'module.exports', 'exports.handler']) {
      assert.ok(message.includes(shape), message);
    }
  }
});

test('errors of CommonJS are in the lines and columns of the source', async () => {
  for (const [code, line, column] of [
    ['exports.handler = 1;\nthrow new Error("x")', 2, 11],
    ['module.exports = () => 1;\n\n  let a = ;', 3, 11],
    ['exports.handler = () => 1\n}, function () {', 2, 1],
  ] as const) {
    const { file, ...error } = (await rejection('ERR_COMPILE', call(code))) as Told;
    assert.deepEqual([file, error.line, error.column], ['f', line, column], code);
  }
  const thrown = await rejection('ERR_GUEST_ERROR', call('exports.handler = () => {\n  throw new Error("x") }'));
  assert.match((thrown as Told).guestStack ?? '', /^ +at .*\(f:2:\d+\)/);
});

test('a module in CommonJS is required, and imported by its default and its names', async () => {
  const modules = {
    c: 'exports.a = 1; exports.b = () => this === exports; exports.name = __filename; exports.deep = __dirname;',
    f: 'module.exports = function f() { return "f" }',
    'deep/d': 'module.exports = { c: require("../c").a, e: require("./e.json") }',
    'deep/e.json': '{ "e": [1] }',
  };
  const imported = `
    import c, { a, b, name, deep } from 'user:c'; import f from 'user:f'; import * as d from 'user:deep/d';
    export const handler = () => [a, b(), name, deep, c.a, f(), d.c, d.e, d.default === require('user:deep/d')];`;
  const expected = [1, true, 'user:c', '.', 1, 'f', 1, { e: [1] }, true];
  assert.deepEqual(await call(imported, null, modules), expected);
  const required = `
    const { a, b, name, deep } = require('./c'), d = require('user:deep/d');
    module.exports = async () =>
      [a, b(), name, deep, require('./c').a, require('./f')(), d.c, d.e, (await import('./deep/d')).default === d];`;
  assert.deepEqual(await call(required, null, modules), expected);
});

test('a module has one instance, however it is asked for', async () => {
  const modules = {
    counter: 'let n = 0; exports.next = () => ++n;',
    es: 'let n = 0; export const next = () => ++n;',
    'data.json': '{ "n": 0 }',
  };
  const code = `
    import { next } from 'user:counter'; import * as es from './es'; import data from './data.json' with { type: 'json' };
    export const handler = async () => {
      const counters = [{ next }, require('./counter'), (await import('user:counter')).default];
      const modules = [es, require('user:es'), await import('./es')];
      data.n++;
      const again = await import('./data.json', { with: { type: 'json' } });
      return [...[...counters, ...modules].map((it) => it.next()), require('user:data.json').n, again.default.n];
    };`;
  assert.deepEqual(await call(code, null, modules), [1, 2, 3, 1, 2, 3, 1, 1]);
});

test('require() gives what can be imported: built-in modules, host functions, ES modules', async () => {
  const sandbox = await startWithHost({ double: (n: number) => 2 * n });
  sandbox.addModule('es', 'export default 1; export const two = 2; export const self = () => import.meta.url;');
  sandbox.addModule('late', 'export const three = await new Promise((resolve) => setTimeout(resolve, 1, 3));');
  const code = `
    const { createHash } = require('node:crypto'), { double } = require('host:test'), es = require('user:es');
    module.exports = async (n) => [
      typeof createHash, double(n), es.default, es.two, es.self(), (await require('./late')).three, require('crypto') === require('node:crypto'),
    ];`;
  sandbox.addHandler('f', code);
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('f', 4), ['function', 8, 1, 2, 'user:es', 3, true]);
});

test('modules that require each other see what there is so far', async () => {
  const modules = {
    a: 'exports.early = 1; exports.b = require("./b").name; exports.late = 2;',
    b: 'exports.name = "b"; exports.seen = Object.keys(require("./a"));',
  };
  const code = 'exports.handler = () => [require("./a"), require("./b").seen]';
  assert.deepEqual(await call(code, null, modules), [{ early: 1, b: 'b', late: 2 }, ['early']]);
});

test('a module that fails says why, each time', async () => {
  const code = `exports.handler = () => {
    const errors = [];
    for (const name of ['user:thrower', 'user:thrower', 'user:es', 'user:es', 'user:wrong', 'user:none', './none', 'none.json', 'user:bad.json', 1]) {
      try { require(name) } catch (error) { errors.push(error.name + ': ' + error.message) }
    }
    return errors;
  }`;
  const modules = {
    thrower: 'exports.a = 1; globalThis.n = (globalThis.n ?? 0) + 1; throw new RangeError("no " + n)',
    es: 'export const a = 1; throw new RangeError("never")',
    wrong: 'exports.a = ',
    'bad.json': '{ "a": }',
    'deep/none': '',
  };
  const errors = (await call(code, null, modules)) as string[];
  assert.deepEqual(errors.slice(0, 4), [
    'RangeError: no 1',
    'RangeError: no 2',
    'RangeError: never',
    'RangeError: never',
  ]);
  assert.match(errors[4] as string, /^SyntaxError/);
  assert.match(errors[5] as string, /^ReferenceError: cannot find module 'user:none'$/);
  assert.match(errors[6] as string, /^ReferenceError: cannot find module '.\/none': to 'f' it means 'none'$/);
  assert.match(errors[7] as string, /^ReferenceError: cannot find module 'none.json'$/);
  assert.match(errors[8] as string, /^SyntaxError: 'user:bad.json' is not JSON: /);
  assert.match(errors[9] as string, /^TypeError: require\(\) takes the name of a module$/);
});

test('an import of what has another name says which', async () => {
  const { message, ...error } = (await rejection(
    'ERR_COMPILE',
    call("import x from 'tools'; export const handler = x", null, { tools: '' }),
  )) as Told;
  assert.match(message, /cannot find module 'tools': there is 'user:tools'/);
  assert.deepEqual([error.file, error.line, error.column], ['f', 1, 15]);
});

test("a handler's ./ means the default namespace, but first its own", async () => {
  const sandbox = await start();
  sandbox.addModule('m', 'export default "user"');
  sandbox.addModule('m', 'export default "lib"', 'lib');
  sandbox.addHandler('f', "import m from './m'; export const handler = () => m");
  sandbox.addHandler('lib:f', "import m from './m'; export const handler = () => m");
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual([await loaded.callHandler('f', null), await loaded.callHandler('lib:f', null)], ['user', 'lib']);
});

test('JSON is imported with its attribute, and no other attribute is known', async () => {
  const json = { 'data.json': '{ "a": [1, "ä"] }', text: '[1]' };
  const importing = (clause: string) => `import d from ${clause}; export const handler = () => d`;
  assert.deepEqual(await call(importing("'./data.json' with { type: 'json' }"), null, json), { a: [1, 'ä'] });
  assert.deepEqual(await call(importing("'user:text' with { 'type': 'json' }"), null, json), [1]);
  for (const [clause, expected] of [
    ["'user:data.json' with { type: 'css' }", /the import attribute type: 'css' is not supported/],
    ["'user:data.json' with { type: 'json', lang: 'x' }", /the import attribute lang: 'x' is not supported/],
    ["'crypto' with { type: 'json' }", /the module 'crypto' is not JSON/],
    ["'user:data.json'", /'user:data.json' is no JavaScript: to import JSON takes with \{ type: 'json' \}/],
    ["'user:none.json' with { type: 'json' }", /cannot find module 'user:none.json'/],
    ["'user:code' with { type: 'json' }", /'user:code' is not JSON/],
  ] as const) {
    const { message } = await rejection('ERR_COMPILE', call(importing(clause), null, { ...json, code: 'export {}' }));
    assert.match(message, expected);
  }
});

test('import.meta.url is the name, and import() works in each shape', async () => {
  const modules = { m: 'export const url = import.meta.url', c: 'exports.load = () => import("./m")' };
  const code = `import { load } from './c';
    export const handler = async () => [import.meta.url, (await load()).url, (await import('user:m')).url, require('./m').url];`;
  assert.deepEqual(await call(code, null, modules), ['module:f', 'user:m', 'user:m', 'user:m']);
});

test('programs may be CommonJS, and have modules of each kind', async () => {
  const modules = {
    'c.js': 'exports.one = 1',
    'd.json': '{ "two": 2 }',
    't.ts': 'const three: number = 3; module.exports = { three }',
  };
  const value = async (source: string) => (await pool.run(source, { input: 4, modules })).value;
  assert.equal(await value('module.exports = (n) => n + require("c.js").one'), 5);
  assert.equal(await value('exports.handler = (n) => n + require("./d.json").two'), 6);
  assert.deepEqual(await value('exports.a = require("t.ts").three'), { a: 3 });
  assert.equal(await value('const { three } = require("t.ts"); return three + input'), 7);
  assert.equal(
    await value(
      "import { one } from './c.js'; import d from 'd.json' with { type: 'json' }; export default one + d.two",
    ),
    3,
  );
  await rejection('ERR_COMPILE', pool.run('exports.a = ;'));
});

test('an ES module that is being evaluated is not required, and does no harm', async () => {
  const modules = {
    // Each imports the next, and the last requires one that is not done.
    a: 'import "./b"; export const a = 1;',
    b: 'import "./c"; export const b = 1;',
    c: 'export const c = []; for (const name of ["./a", "./b", "./c"]) try { require(name) } catch (error) { c.push(error.message) }',
    // The same from CommonJS, of which it is known what has been evaluated.
    d: 'import "./e"; import "./f"; export const d = 1;',
    e: 'export const e = 2;',
    f: 'exports.e = require("./e").e; exports.g = require("./g").g; try { require("./d") } catch (error) { exports.error = error.message }',
    g: 'import { e } from "./e"; export const g = e + 1;',
  };
  const code = `import './a'; import { c } from './c'; import './d'; import f from './f';
    const early = require('./a').a;
    export const handler = () => [c, early, require('./b').b, f, require('./d').d]`;
  const refused = (name: string) => `'user:${name}' cannot be required yet: it is being evaluated, or imports what is`;
  assert.deepEqual(await call(code, null, modules), [
    ['a', 'b', 'c'].map(refused),
    1,
    1,
    { e: 2, g: 3, error: refused('d') },
    1,
  ]);
});

test('modules that import and require each other at random do no harm', async () => {
  let seed = 1;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  for (let round = 0; round < 40; round++) {
    const count = 2 + random(6);
    const names = Array.from({ length: count }, (_, i) => `m${i}`);
    const other = () => `./${names[random(count)]}`;
    const modules = Object.fromEntries(
      names.map((name) => {
        const isCommonJs = random(3) === 0;
        const requires = Array.from({ length: random(4) }, () => `try { require('${other()}') } catch {}`);
        const dynamic = Array.from({ length: random(2) }, () => `import('${other()}').catch(() => {});`);
        const code = [...requires, ...dynamic, random(5) === 0 ? 'throw 1;' : '', `globalThis.log.push('${name}');`];
        if (isCommonJs) return [name, `${code.join('\n')}\nexports.a = 1`];
        const imports = Array.from({ length: random(4) }, () => `import '${other()}';`);
        const waits = random(4) === 0 ? 'await null;' : '';
        return [name, `${imports.join('\n')}\n${waits}\n${code.join('\n')}\nexport const a = 1;`];
      }),
    );
    const source = `globalThis.log = [];
      const names = ${JSON.stringify(names)};
      // Imports that the engine never settles are not waited for.
      const soon = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1))]);
      for (const name of names) await soon(import(name)).catch(() => {});
      for (const name of names) try { await soon(require(name)) } catch {}
      return log;`;
    const log = (await pool.run(source, { modules })).value as string[];
    assert.ok(log.length >= 0 && log.every((name) => names.includes(name)));
    // Code that does not throw has run once.
    const thrown = names.filter((name) => modules[name]?.includes('throw 1'));
    const once = log.filter((name) => !thrown.includes(name));
    assert.equal(new Set(once).size, once.length, `${JSON.stringify(modules)} ran ${log}`);
  }
});
