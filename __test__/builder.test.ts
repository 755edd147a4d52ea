import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CountedMetric, metrics, SandboxBuilder } from '@hyperlight/js-host-api';
import { virtualMachines } from './memory';
import { rejection, runProgram, thrown } from './sandbox';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

const settings = [
  { method: 'setHeapSize', name: 'heap size', least: MIB, most: 6 * GIB },
  { method: 'setScratchSize', name: 'scratch size', least: MIB, most: 64 * MIB },
  { method: 'setInputBufferSize', name: 'input buffer size', least: KIB, most: 256 * MIB },
  { method: 'setOutputBufferSize', name: 'output buffer size', least: KIB, most: 256 * MIB },
] as const;

/** A sandbox of this builder with one handler `f`. */
async function loadFrom(builder: SandboxBuilder, code: string) {
  const proto = await builder.build();
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', code);
  return sandbox.getLoadedSandbox();
}

test('the example of the documentation builds a sandbox', async () => {
  const builder = new SandboxBuilder().setHeapSize(8 * 1024 * 1024).setScratchSize(1024 * 1024);
  const loaded = await loadFrom(builder, "function handler({ name }) { return 'Hello, ' + name + '!'; }");
  assert.equal(await loaded.callHandler('f', { name: 'World' }), 'Hello, World!');
});

test('the guest image has the version of the package and a hash, and cannot be changed', () => {
  const { guestImage } = SandboxBuilder;
  assert.deepEqual(Object.keys(guestImage), ['version', 'hash']);
  assert.equal(
    guestImage.version,
    JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')).version,
  );
  assert.match(guestImage.hash, /^[0-9a-f]{64}$/);
  assert.throws(() => Object.assign(guestImage, { hash: '' }), TypeError);
  assert.throws(() => Object.assign(SandboxBuilder, { guestImage: {} }), TypeError);
  assert.equal(SandboxBuilder.guestImage, guestImage);
});

test('prewarm() boots the guest ahead, and leaves the builder as it is', async () => {
  const builder = new SandboxBuilder().setHeapSize(9 * MIB);
  const before = virtualMachines();
  await Promise.all([builder.prewarm(), builder.prewarm()]);
  assert.equal(virtualMachines(), before);
  const loaded = await loadFrom(builder, 'function handler() { return 1; }');
  assert.equal(await loaded.callHandler('f', {}), 1);
  assert.match((await rejection('ERR_CONSUMED', builder.prewarm())).message, /build/);
  await SandboxBuilder.fromSnapshot(await loaded.snapshot()).prewarm();
  const other = SandboxBuilder.fromSnapshot(await loaded.snapshot()).setHeapSize(8 * MIB);
  await rejection('ERR_INVALID_ARG', other.prewarm());
});

/** How many sandboxes are in stock, of all settings. */
function inStock(): number {
  const gauge = metrics().hyperlight_js_stock_sandboxes_ready as CountedMetric | undefined;
  return gauge?.series[0]?.value ?? 0;
}

test('prewarm() keeps sandboxes in stock, which work as if they were made for whoever takes them', async () => {
  const builder = () => new SandboxBuilder().setHeapSize(10 * MIB);
  await builder().prewarm({ sandboxes: 2 });
  assert.equal(inStock(), 2);
  await builder().prewarm({});
  assert.equal(inStock(), 2);
  const started = Date.now();
  const tenants = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const lines: string[] = [];
      const settings = builder()
        .setEnvironment({ NAME: name })
        .setMaxOutputValues(10)
        .setHostPrintFn((_, line) => lines.push(line));
      const proto = await settings.build();
      proto.register('host', 'name', () => name);
      const sandbox = await proto.loadRuntime();
      sandbox.addHandler(
        'f',
        `import { name } from 'host:host';
         let count = 0;
         function handler({ length, bytes }) {
           console.log(name());
           const all = new Uint8Array(bytes ?? 0);
           return [++count, process.env.NAME, name(), performance.timeOrigin, ...new Array(length ?? 0).fill(all.length)];
         }`,
      );
      return { name, lines, loaded: await sandbox.getLoadedSandbox() };
    }),
  );
  for (const { name, lines, loaded } of tenants) {
    const [count, variable, fromHost, origin] = await loaded.callHandler('f', {});
    assert.deepEqual([count, variable, fromHost, lines], [1, name, name, [name]]);
    // A millisecond has fractions there.
    assert.ok(origin >= started - 1, 'its clock begins with its first call');
    await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', { length: 10 }));
    await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', { bytes: 11 * MIB }));
  }
  while (inStock() < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  await builder().prewarm({ sandboxes: 0 });
  assert.equal(inStock(), 0);
});

test('prewarm() refuses what is no number of sandboxes, and more than there can be', async () => {
  const builder = new SandboxBuilder().setHeapSize(10 * MIB);
  for (const sandboxes of [-1, 1.5, 257, '1', null]) {
    const { message } = await rejection('ERR_INVALID_ARG', builder.prewarm({ sandboxes } as object));
    assert.match(message, /the option sandboxes/);
  }
  await rejection('ERR_INVALID_ARG', builder.prewarm({ sandbox: 1 } as object));
  await builder.prewarm({ sandboxes: 1 });
  await rejection('ERR_INVALID_ARG', new SandboxBuilder().setHeapSize(11 * MIB).prewarm({ sandboxes: 256 }));
  await builder.prewarm({ sandboxes: 0 });
});

test('a stock outlives the worker thread that asked for it, and keeps no process alive', async () => {
  const program = `
    const { Worker } = require('node:worker_threads');
    const { metrics } = require('@hyperlight/js-host-api');
    const source = \`
      const { SandboxBuilder } = require('@hyperlight/js-host-api');
      new SandboxBuilder().prewarm({ sandboxes: 2 });
    \`;
    new Worker(source, { eval: true }).on('exit', async (code) => {
      const ready = () => metrics().hyperlight_js_stock_sandboxes_ready.series[0].value;
      console.log(code, ready());
      const loaded = await sandboxes.loadBody('return 1;');
      console.log(await loaded.callHandler('f', 0));
    });
  `;
  assert.equal(await runProgram(program), '0 2\n1\n');
});

test('the number of threads can be set, and a bad one is none', async () => {
  const program = (threads: string) => `
    process.env.HYPERLIGHT_JS_THREADS = '${threads}';
    (async () => {
      const waiting = await sandboxes.loadWithHost({ wait: sandboxes.never }, 'return host.wait();');
      const other = await sandboxes.loadBody('return 1;');
      const first = waiting.callHandler('f', 0, { wallClockTimeoutMs: 1000 }).catch(({ code }) => console.log(code));
      await other.callHandler('f', 0).then(console.log);
      await first;
    })();
  `;
  assert.equal(await runProgram(program('1')), 'ERR_CANCELLED\n1\n');
  assert.equal(await runProgram(program('0')), '1\nERR_CANCELLED\n');
});

for (const { method, name, least, most } of settings) {
  test(`${method}() takes whole numbers within its range and gives the builder back`, () => {
    const builder = new SandboxBuilder();
    for (const bytes of [least, most, least + 1]) assert.equal(builder[method](bytes), builder);
  });

  test(`${method}() refuses every other number with the setting, the value and the range`, () => {
    const builder = new SandboxBuilder();
    for (const bytes of [0, -0, -1, least - 1, most + 1, least + 0.5, Number.NaN, Infinity, -Infinity]) {
      const { message } = thrown('ERR_INVALID_ARG', () => builder[method](bytes));
      const value = String(bytes).replace('Infinity', 'inf');
      for (const part of [name, value, String(least), String(most)]) assert.ok(message.includes(part), message);
    }
  });

  test(`${method}() refuses what is no number with the setting, the type and the range`, () => {
    const builder = new SandboxBuilder();
    for (const value of [undefined, null, '8388608', 8388608n, true, {}, [MIB], Symbol('s'), () => MIB]) {
      const { message } = thrown('ERR_INVALID_ARG', () => builder[method](value as never));
      for (const part of [name, String(least), String(most)]) assert.ok(message.includes(part), message);
    }
  });
}

test('a refused setting leaves the builder as it was', async () => {
  const builder = new SandboxBuilder().setInputBufferSize(KIB);
  thrown('ERR_INVALID_ARG', () => builder.setInputBufferSize(0));
  const loaded = await loadFrom(builder, 'function handler(event) { return event.length; }');
  const error = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', 'x'.repeat(KIB)));
  assert.equal(error.limit, KIB);
});

test('after build() every method gives ERR_CONSUMED', async () => {
  const builder = new SandboxBuilder();
  await builder.build();
  for (const { method, least } of settings) {
    const error = thrown('ERR_CONSUMED', () => builder[method](least));
    assert.match(error.message, /build\(\)/);
  }
  thrown('ERR_CONSUMED', () => builder.setHostPrintFn(() => {}));
  await rejection('ERR_CONSUMED', builder.build());
});

test('a larger heap holds what a smaller one does not', async () => {
  const fill = 'function handler(mib) { return new Uint8Array(mib * 2 ** 20).fill(1).length; }';
  const [small, large] = await Promise.all([
    loadFrom(new SandboxBuilder().setHeapSize(2 * MIB), fill),
    loadFrom(new SandboxBuilder().setHeapSize(64 * MIB), fill),
  ]);
  assert.equal(await large.callHandler('f', 48), 48 * MIB);
  const error = await rejection('ERR_GUEST_ERROR', small.callHandler('f', 4));
  assert.match(error.message, /memory/);
  assert.equal(await small.callHandler('f', 1), MIB);
});

test('a larger scratch memory gives a deeper stack', async () => {
  const code =
    'function handler() { const dive = (depth) => { try { return dive(depth + 1); } catch { return depth; } }; return dive(0); }';
  const [small, large] = await Promise.all([
    loadFrom(new SandboxBuilder().setScratchSize(MIB), code),
    loadFrom(new SandboxBuilder().setScratchSize(8 * MIB), code),
  ]);
  const [shallow, deep] = [await small.callHandler('f', {}), await large.callHandler('f', {})];
  assert.ok(shallow > 100 && deep > 4 * shallow, `${shallow} and ${deep} calls deep`);
});

test('events and results up to the limits pass, and larger ones are refused with size and limit', async () => {
  const builder = () =>
    new SandboxBuilder()
      .setInputBufferSize(3 * MIB)
      .setOutputBufferSize(2 * MIB)
      .setHeapSize(64 * MIB);
  const loaded = await loadFrom(
    builder(),
    "function handler(event) { return typeof event === 'string' ? event.length : 'x'.repeat(event); }",
  );
  // Two bytes are the quotation marks.
  assert.equal(await loaded.callHandler('f', 'x'.repeat(3 * MIB - 2)), 3 * MIB - 2);
  assert.equal((await loaded.callHandler('f', 2 * MIB - 2)).length, 2 * MIB - 2);
  const event = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', 'x'.repeat(3 * MIB - 1)));
  assert.deepEqual([event.size, event.limit], [3 * MIB + 1, 3 * MIB]);
  const result = await rejection('ERR_PAYLOAD_TOO_LARGE', loaded.callHandler('f', 2 * MIB - 1));
  assert.deepEqual([result.size, result.limit], [2 * MIB + 1, 2 * MIB]);
  assert.equal(loaded.status, 'ready');
});

test('a host function takes and gives as much as the limits allow', async () => {
  const proto = await new SandboxBuilder()
    .setInputBufferSize(4 * MIB)
    .setOutputBufferSize(4 * MIB)
    .setHeapSize(64 * MIB)
    .build();
  proto.register('test', 'echo', (text: string) => text);
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler(
    'f',
    "import { echo } from 'host:test'; function handler(n) { return echo('x'.repeat(n)).length; }",
  );
  const loaded = await sandbox.getLoadedSandbox();
  assert.equal(await loaded.callHandler('f', 4 * MIB - 16), 4 * MIB - 16);
});
