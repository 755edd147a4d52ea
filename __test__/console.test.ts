import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type LoadedJSSandbox, SandboxBuilder } from '@hyperlight/js-host-api';
import { PATIENCE_MS, rejection, thrown } from './sandbox';

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
  const lines = await printed(ALL_LEVELS);
  const withoutPlaces = lines.map(([level, text]) => [level, text.replace(/\d+:\d+/, 'LINE')]);
  assert.deepEqual(withoutPlaces, [
    ['debug', 'd'],
    ['debug', 'Trace: t\n    at handler (f:LINE)'],
    ['info', 'l 1'],
    ['info', '{ a: 1 }'],
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

test('timers go on while guests flood the thread by every way, and no sandbox is left out', async () => {
  /** Keeps the thread busy, as a callback that has something to do. */
  const busy = () => {
    for (const end = performance.now() + 0.2; performance.now() < end; );
  };
  const handlers = {
    print: 'for (;;) console.log(event)',
    call: 'for (;;) host.mark(event)',
    await: 'for (;;) host.later(event)',
    all: 'for (;;) { console.log(event); host.mark(event); host.later(event); }',
    give: 'return new Array(5000).fill(event)',
    quiet: 'console.log(event); return host.mark(event)',
  };
  const seen = new Map<string, number>();
  const note = (name: string) => {
    busy();
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  const floods = ['print', 'print', 'call', 'call', 'await', 'await', 'all', 'give'].map((way, i) => [
    way,
    `${way} ${i}`,
  ]);
  const loaded = await Promise.all(
    [...floods, ['quiet', 'quiet']].map(async ([way, name]) => {
      const proto = await new SandboxBuilder().setHostPrintFn((_, text) => note(text)).build();
      proto.register('test', 'mark', note);
      proto.register('test', 'later', async (name: string) => note(name));
      const sandbox = await proto.loadRuntime();
      const body = handlers[way as keyof typeof handlers];
      sandbox.addHandler('f', `import * as host from 'host:test'; function handler(event) { ${body} }`);
      return { name: name as string, loaded: await sandbox.getLoadedSandbox() };
    }),
  );

  let ended = 0;
  let over = false;
  const calls = loaded.map(async ({ name, loaded }) => {
    // If the loop did not turn, only the timeout would end the floods, and the timer below would come after that.
    const call = () => loaded.callHandler('f', name, { wallClockTimeoutMs: 20_000 });
    if (name === 'quiet') {
      for (let i = 0; i < 20; i++) await call();
    } else if (name.startsWith('give')) {
      while (!over) note((await call())[0]);
    } else {
      const error = await rejection('ERR_CANCELLED', call());
      assert.equal(over, true, `${name}: ${error.message}`);
      ended += 1;
    }
  });
  const quiet = calls.at(-1);
  for (let i = 0; i < 20; i++) await sleep(1);
  assert.equal(ended, 0, 'the timers went on during the floods');
  await quiet;
  assert.equal(ended, 0, 'a sandbox has its turns during the floods of others');
  over = true;
  // That which gives results ends by itself, in the middle of a call or not.
  for (const { name, loaded: sandbox } of loaded) if (!name.startsWith('give')) sandbox.interruptHandle.kill();
  await Promise.all(calls);
  for (const [, name] of floods) assert.ok(seen.get(name as string), `${name} had a turn`);
  assert.equal(seen.get('quiet'), 40);
});

test('many lines, and what comes after them, keep their order though the event loop turns in between', async () => {
  const seen: unknown[] = [];
  const loaded = await loadWithPrint((_, text) => {
    seen.push(Number(text));
  }, "for (let i = 0; i < 3000; i++) if (i % 1000) console.log(i); else mark(String(i)); return 'result';");
  let turns = 0;
  const turn = () => {
    turns += 1;
    immediate = setImmediate(turn);
  };
  let immediate = setImmediate(turn);
  seen.push(await loaded.callHandler('f', {}));
  clearImmediate(immediate);
  assert.deepEqual(seen, [...Array.from({ length: 3000 }, (_, i) => i), 'result']);
  assert.ok(turns > 0);
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
    const { stdout, stderr } = await run(process.execPath, options, { cwd: __dirname, timeout: PATIENCE_MS });
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
  const { stdout, stderr } = await run(process.execPath, ['-e', program], { timeout: PATIENCE_MS });
  assert.match(stdout, /^d\nTrace: t\n {4}at handler \(f:.*\)\nl 1\n\{ a: 1 \}\n$/);
  assert.equal(stderr, 'w\ne\n');
});

interface Written {
  stdout: string;
  stderr: string;
}

/**
 * What a process writes whose standard output is a pipe that nobody reads until it says on standard error that its calls have
 * ended. Its standard input ends when all is there.
 */
async function unread(program: string, isAll: (written: Written) => boolean = () => false): Promise<Written> {
  const source = `const sandboxes = require(${JSON.stringify(`${__dirname}/sandbox.js`)}); (async () => { ${program} })();`;
  const child = spawn(process.execPath, ['-e', source], { stdio: 'pipe', timeout: 2 * PATIENCE_MS });
  const written = { stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
    if (isAll(written)) child.stdin.end();
    if (!written.stderr.includes('ended\n') || child.stdout.listenerCount('data')) return;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written.stdout += text;
      if (isAll(written)) child.stdin.end();
    });
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, written.stderr);
  return written;
}

const WRITE = "for (let i = 0; i < event; i++) console.log('x'.repeat(999)); return event;";

// If a call waited for the reader it would wait for ever, since the reader waits for the call.
test('no call waits for the reader of standard output, and what was written arrives completely', async () => {
  for (const open of ['', "process.stdout.write('');"]) {
    const { stdout, stderr } = await unread(
      `${open} // makes the pipe one that does not block
      const [flood, other] = await Promise.all([0, 1].map(() => sandboxes.loadBody(${JSON.stringify(WRITE)})));
      await flood.callHandler('f', 2000);
      await other.callHandler('f', 1);
      other.dispose();
      await flood.callHandler('f', 1);
      console.error('ended');
      process.stdin.resume();`,
      ({ stdout }) => stdout.length >= 2_002_000,
    );
    assert.equal(stderr, 'ended\n');
    assert.ok(stdout === `${'x'.repeat(999)}\n`.repeat(2002), `${stdout.length} characters`);
  }
});

test('a process that exits writes what its guests have written', async () => {
  for (const end of [
    'process.exit()',
    '',
    'setImmediate(() => { throw 0 }); process.on("uncaughtException", () => process.exit())',
  ]) {
    const { stdout, stderr } = await unread(`
      const loaded = await sandboxes.loadBody(${JSON.stringify(WRITE)});
      await loaded.callHandler('f', 200);
      console.error('ended');
      ${end}
    `);
    assert.equal(stderr, 'ended\n');
    assert.equal(stdout.length, 200_000, end);
  }
});

test('a process exits though nobody reads what its guests have written', async () => {
  const program = `
    require(${JSON.stringify(`${__dirname}/sandbox.js`)}).loadBody(${JSON.stringify(WRITE)})
      .then((loaded) => loaded.callHandler('f', 1000));
  `;
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 2 * PATIENCE_MS,
  });
  assert.deepEqual(await new Promise((resolve) => child.on('exit', (...end) => resolve(end))), [0, null]);
  child.stdout.destroy();
});

test('lines for which there is no room are counted, and standard error says how many they are', async () => {
  const notices = ({ stderr }: Written) => [...stderr.matchAll(/\(lines lost here: (\d+); /g)];
  const lost = (written: Written) => notices(written).reduce((sum, [, count]) => sum + Number(count), 0);
  const all = (written: Written) => written.stdout.length / 1000 + lost(written);
  const program = `
    const loaded = await sandboxes.loadBody(${JSON.stringify(WRITE)});
    await loaded.callHandler('f', 20_000);
    console.error('ended');
    process.stdin.resume();
    process.stdin.on('end', () => process.exit());`;
  const written = await unread(program, (written) => all(written) >= 20_000);
  assert.ok(lost(written) > 0, written.stderr);
  assert.equal(all(written), 20_000);
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
  const { stdout } = await run(process.execPath, ['-e', program], { cwd: __dirname, timeout: PATIENCE_MS });
  assert.equal(stdout, 'info line\n');
});
