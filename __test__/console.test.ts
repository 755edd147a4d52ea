import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { rejection, thrown } from './sandbox';

type Line = [level: string, text: string];

const run = promisify(execFile);
const ALL_LEVELS = `
  console.debug('d'); console.trace('t'); console.log('l', 1); console.info({ a: 1 }); console.warn('w'); console.error('e');
`;

/** A sandbox whose handler `f` has this body, and whose console goes to this callback. */
async function loadWithPrint(print: (level: string, text: string) => unknown, body: string): Promise<LoadedJSSandbox> {
  const proto = await new SandboxBuilder().setHostPrintFn(print as () => void).build();
  proto.register('test', 'mark', (text: string) => void print('host', text));
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('f', `import { mark } from 'host:test'; function handler(event) { ${body} }`);
  return sandbox.getLoadedSandbox();
}

/** What a sandbox's console gives to its callback. */
async function printed(body: string, event: unknown = {}): Promise<Line[]> {
  const lines: Line[] = [];
  const loaded = await loadWithPrint((level, text) => lines.push([level, text]), body);
  await loaded.callHandler('f', event);
  return lines;
}

test('each line comes with its level', async () => {
  assert.deepEqual(await printed(ALL_LEVELS), [
    ['debug', 'd'],
    ['debug', 't'],
    ['info', 'l 1'],
    ['info', '{"a":1}'],
    ['warn', 'w'],
    ['error', 'e'],
  ]);
});

test('all lines of a call come in their order, before its promise is settled', async () => {
  const lines = await printed('for (let i = 0; i < 2000; i++) console.log(i);');
  assert.deepEqual(
    lines.map(([, text]) => Number(text)),
    Array.from({ length: 2000 }, (_, i) => i),
  );
});

test('so they do when the call fails, and when a module is evaluated', async () => {
  const lines: Line[] = [];
  const loaded = await loadWithPrint((...line) => lines.push(line), "console.warn('before'); throw new Error('no');");
  await rejection('ERR_GUEST_ERROR', loaded.callHandler('f', {}));
  assert.deepEqual(lines.splice(0), [['warn', 'before']]);
  const sandbox = await loaded.unload();
  sandbox.addHandler('f', "console.log('evaluated'); null.property; function handler() {}");
  await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.deepEqual(lines, [['info', 'evaluated']]);
});

test('lines and host functions keep their order', async () => {
  assert.deepEqual(await printed("console.log(1); mark('2'); console.log(3); mark('4');"), [
    ['info', '1'],
    ['host', '2'],
    ['info', '3'],
    ['host', '4'],
  ]);
});

test('lines come while the call is still running', async () => {
  let first: (value: unknown) => void;
  const written = new Promise((resolve) => {
    first = resolve;
  });
  const loaded = await loadWithPrint((_, text) => first(text), "console.log('running'); for (;;);");
  const call = loaded.callHandler('f', {});
  assert.equal(await written, 'running');
  loaded.interruptHandle.kill();
  await rejection('ERR_CANCELLED', call);
});

test('each sandbox has its own callback, and strings of any kind pass', async () => {
  const text = '\u{1f600} \ud800\0\n"ä';
  const results = await Promise.all(['a', text].map((event) => printed('console.log(event);', event)));
  assert.deepEqual(results[0], [['info', 'a']]);
  assert.equal(results[1]?.length, 1);
  assert.ok(results[1]?.[0]?.[1].startsWith('\u{1f600} '), JSON.stringify(results[1]));
});

/** Keeps this thread from everything else until the process has nothing to do, so that its guests are through. */
function waitForGuests(): void {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (let before = process.cpuUsage(), idle = 0; idle < 3; ) {
    Atomics.wait(word, 0, 0, 100);
    const { user, system } = process.cpuUsage(before);
    idle = user + system < 20_000 ? idle + 1 : 0;
    before = process.cpuUsage();
  }
}

test('the guest does not wait for the callback, and what does not fit is counted', async () => {
  const lines: Line[] = [];
  const loaded = await loadWithPrint(
    (...line) => lines.push(line),
    "const text = 'x'.repeat(16000); for (let i = 0; i < 3000; i++) console.log(text); return 'done';",
  );
  const call = loaded.callHandler('f', {});
  waitForGuests();
  assert.equal(await call, 'done');
  const lost = lines
    .filter(([level]) => level === 'warn')
    .map(([, text]) => Number(text.match(/lost here: (\d+)/)?.[1]));
  const kept = lines.filter(([level]) => level === 'info').length;
  assert.equal(lost.length, 1);
  assert.ok(kept > 500 && kept <= (16 << 20) / 16000, `${kept} lines kept`);
  assert.equal(kept + (lost[0] ?? 0), 3000);
});

test('the event loop goes on while a guest writes without end', async () => {
  const loaded = await loadWithPrint(() => {}, "for (;;) console.log('again');");
  const call = rejection('ERR_CANCELLED', loaded.callHandler('f', {}));
  // There would be no end to this if the loop did not go on.
  for (let i = 0; i < 10; i++) await sleep(10);
  loaded.interruptHandle.kill();
  await call;
});

test('a callback that fails harms nothing, and the process is warned once', async () => {
  for (const failure of ['() => { throw new Error("no"); }', 'async () => { throw new Error("no"); }']) {
    const program = `
      process.on('warning', (warning) => console.log('warned:', warning.message));
      const { SandboxBuilder } = require('@hyperlight/js-host-api');
      (async () => {
        const proto = await new SandboxBuilder().setHostPrintFn(${failure}).build();
        const sandbox = await proto.loadRuntime();
        sandbox.addHandler('f', 'function handler(n) { console.log(n); console.error(n); return n; }');
        const loaded = await sandbox.getLoadedSandbox();
        console.log(await loaded.callHandler('f', 1), await loaded.callHandler('f', 2));
      })();
    `;
    const options = ['--unhandled-rejections=strict', '--no-warnings', '-e', program];
    const { stdout, stderr } = await run(process.execPath, options, { cwd: __dirname, timeout: 30_000 });
    const warning = 'warned: the callback of setHostPrintFn() failed: Error: no';
    assert.deepEqual(stdout.trim().split('\n').sort(), ['1 2', warning]);
    assert.equal(stderr, '');
  }
});

test('what is no function is refused', () => {
  for (const value of [undefined, null, 'print', {}]) {
    thrown('ERR_INVALID_ARG', () => new SandboxBuilder().setHostPrintFn(value as never));
  }
});

test('without a callback lines go to standard output and standard error', async () => {
  const program = `
    require(${JSON.stringify(`${__dirname}/sandbox.js`)}).loadBody(${JSON.stringify(ALL_LEVELS)})
      .then((loaded) => loaded.callHandler('f', {}));
  `;
  const { stdout, stderr } = await run(process.execPath, ['-e', program], { timeout: 30_000 });
  assert.equal(stdout, 'd\nt\nl 1\n{"a":1}\n');
  assert.equal(stderr, 'w\ne\n');
});

test('a process with a callback and a sandbox that is not disposed of exits by itself', async () => {
  const program = `
    const { SandboxBuilder } = require('@hyperlight/js-host-api');
    (async () => {
      const proto = await new SandboxBuilder().setHostPrintFn((level, text) => console.log(level, text)).build();
      const sandbox = await proto.loadRuntime();
      sandbox.addHandler('f', "function handler() { console.log('line'); }");
      globalThis.loaded = await sandbox.getLoadedSandbox();
      await loaded.callHandler('f', {});
    })();
  `;
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: __dirname, timeout: 30_000 });
  assert.equal(stdout, 'info line\n');
});
