import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readOptions, UsageError } from '../lib/options.js';
import { connect, SERVER } from './client.js';

const execute = promisify(execFile);

test('programs are run', async (t) => {
  const { client, run, value, call, describe } = await connect(t);
  assert.equal(client.getServerVersion().name, 'hyperlight-js-sandbox');

  await t.test('the tool says what it is and its limits', async () => {
    const tools = await describe();
    assert.deepEqual(Object.keys(tools), ['run_javascript']);
    const { description, inputSchema } = tools.run_javascript;
    for (const text of ['Hyperlight', '1000ms', '5000ms', '16MB', '1MB']) assert.ok(description.includes(text), text);
    assert.deepEqual(inputSchema.required, ['code']);
  });

  await t.test('the first part of the content is the value as JSON', async () => {
    assert.deepEqual(await value('return { result: 2 + 2 };'), { result: 4 });
    assert.equal(await value('const a = await Promise.resolve(6); return a * 7'), 42);
    assert.equal(await value('1 + 1'), 2);
    assert.equal(await value('return new Uint8Array([1, 2, 3])'), 'data:application/octet-stream;base64,AQID');
    assert.equal((await run('')).content[0].text, 'undefined');
    assert.equal(await value('const digits = 10n ** 30n; return String(digits)'), `1${'0'.repeat(30)}`);
  });

  await t.test('programs may be TypeScript', async () => {
    assert.equal(
      await value('enum Unit { Px = 2 }\nconst twice = (n: number): number => n * Unit.Px; return twice(21)'),
      42,
    );
    const { content } = await run('const a: number = 1;\nreturn a +;');
    assert.match(content[0].text, /line 2, column 11/);
  });

  await t.test('the console is the second part', async () => {
    const { content, isError } = await run("console.log('one', { two: 2 }); console.error('three'); return 1");
    assert.deepEqual(
      content.map(({ text }) => text),
      ['1', 'Console:\none { two: 2 }\n[error] three'],
    );
    assert.ok(!isError);
    const failed = await run("console.log('begun'); throw new Error('deliberate failure')");
    assert.ok(failed.isError);
    assert.match(failed.content[0].text, /^Error: deliberate failure\n/);
    assert.equal(failed.content[1].text, 'Console:\nbegun');
    const flood = await run("for (let i = 0; i < 2000; i++) console.log('x'.repeat(100)); return 1");
    assert.match(flood.content[1].text, /\n\(\d+ more lines\)$/);
    assert.ok(flood.content[1].text.length < 20_000);
  });

  await t.test('what is wrong with a program is said', async () => {
    const syntax = await run('const a = 1;\nreturn a +;');
    assert.ok(syntax.isError);
    assert.match(syntax.content[0].text, /line 2, column 11/);
    assert.ok((await run('this is not valid javascript ???')).isError);
    const large = await run("return 'x'.repeat(300_000)");
    assert.match(large.content[0].text, /^The value has 300002 bytes as JSON, more than 262144/);
    const memory = await run("const all = []; for (;;) all.push('x'.repeat(100_000) + all.length)");
    assert.match(memory.content[0].text, /out of memory/);
    for (const input of [{}, { code: 7 }, { code: 'return 1', more: 1 }]) {
      const { isError, content } = await call('run_javascript', input);
      assert.ok(isError);
      assert.match(content[0].text, /It is called as/);
    }
    await assert.rejects(call('no_tool', {}), /there is no tool no_tool/);
  });

  await t.test('a program that does not end is stopped, and the next one runs in clean state', async () => {
    await run('globalThis.left = 1; Array.prototype.map = null');
    const stopped = await run('while (true) {}');
    assert.ok(stopped.isError);
    assert.match(stopped.content[0].text, /timed out.*1000ms.*5000ms/);
    assert.deepEqual(await value('return [typeof left, [3].map((n) => n * 7)]'), ['undefined', [21]]);
    assert.equal(await value('return typeof tools'), 'undefined');
  });

  await t.test('several run at the same time', async () => {
    const squares = await Promise.all(Array.from({ length: 20 }, (_, i) => value(`return ${i} ** 2`)));
    assert.deepEqual(
      squares,
      Array.from({ length: 20 }, (_, i) => i ** 2),
    );
  });

  await t.test('a call that is cancelled stops its program', async () => {
    const controller = new AbortController();
    const call = run('await new Promise((resolve) => setTimeout(resolve, 4000)); return 1', {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(call);
    assert.equal(await value('return 1'), 1);
  });
});

test('limits are flags', async (t) => {
  const args = ['--cpu-timeout-ms', '100', '--wall-clock-timeout-ms', '8000', '--heap-mib', '8', '--scratch-mib', '2'];
  const { run, describe } = await connect(t, [...args, '--max-result-bytes', '10', '--max-console-bytes', '0']);
  const { description } = (await describe()).run_javascript;
  for (const text of ['100ms', '8000ms', '8MB', '2MB']) assert.ok(description.includes(text), text);
  assert.match((await run('for (;;);')).content[0].text, /timed out.*100ms/);
  assert.match((await run('return new Uint8Array(9 * 2 ** 20).length')).content[0].text, /out of memory/);
  assert.match((await run("return 'x'.repeat(9)")).content[0].text, /^The value has 11 bytes/);
  assert.equal((await run('console.log(1); return 1')).content[1].text, 'Console:\n(1 more lines)');
});

test('programs reach the origins that are allowed, and no other', async (t) => {
  const nothing = await connect(t);
  assert.equal(await nothing.value('return typeof fetch'), 'undefined');
  assert.match((await nothing.describe()).run_javascript.description, /no network/);
  const allowed = ['https://a.example', 'https://*.b.example'];
  const { value, describe } = await connect(
    t,
    allowed.flatMap((origin) => ['--allow-origin', origin]),
  );
  assert.match(
    (await describe()).run_javascript.description,
    /GET from https:\/\/a\.example, https:\/\/\*\.b\.example only/,
  );
  const rule = (url, init = {}) =>
    value(`try { await fetch('${url}', ${JSON.stringify(init)}) } catch (error) { return error.cause.rule }`);
  assert.equal(await rule('https://c.example'), 'origin');
  assert.equal(await rule('http://a.example'), 'origin');
  assert.equal(await rule('https://a.example', { method: 'POST' }), 'methods');
});

test("hyperlight-js's variables are heard", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-server-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [timing, code] = ['timing', 'code'].map((name) => join(folder, name));
  const { call, describe, errors } = await connect(t, ['--tool-name', 'execute_javascript'], {
    HYPERLIGHT_CPU_TIMEOUT_MS: '900',
    HYPERLIGHT_WALL_TIMEOUT_MS: '-999',
    HYPERLIGHT_HEAP_SIZE_MB: '0',
    HYPERLIGHT_STACK_SIZE_MB: '3.14',
    HYPERLIGHT_TIMING_LOG: timing,
    HYPERLIGHT_CODE_LOG: code,
  });
  const { description } = (await describe()).execute_javascript;
  for (const text of ['900ms', '5000ms', '16MB', '1MB']) assert.ok(description.includes(text), text);
  for (const text of ['"-999"', '"0"', '"3.14"']) assert.ok(errors().includes(`ignoring invalid value ${text}`), text);

  const run = (code) => call('execute_javascript', { code });
  await run('return 1');
  await run('return 2');
  assert.ok((await run('while (true) {}')).isError);
  const records = readFileSync(timing, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(records.length, 3);
  for (const record of records) {
    assert.deepEqual(Object.keys(record), ['initMs', 'setupMs', 'compileMs', 'executeMs', 'snapshotMs', 'totalMs']);
    for (const ms of Object.values(record)) assert.ok(Number.isInteger(ms) && ms >= 0);
    assert.ok(record.totalMs >= record.initMs + record.executeMs - 2);
  }
  assert.ok(records[0].initMs > 0);
  assert.deepEqual(
    records.slice(1).map(({ initMs }) => initMs),
    [0, 0],
  );
  assert.ok(records[2].executeMs >= 900);
  assert.match(readFileSync(code, 'utf8'), /return 1\n[\s\S]*return 2\n[\s\S]*while \(true\) \{\}\n/);
});

test('a wrong command line is refused', async (t) => {
  const file = fileURLToPath(import.meta.url);
  for (const args of [
    ['--cpu-timeout-ms', 'banana'],
    ['--cpu-timeout-ms', '0'],
    ['--heap-mib', '1.5'],
    ['--pool-size', '1e3'],
    ['--no-such-flag'],
    ['--allow-origin', 'http://a.example'],
    ['--allow-origin', 'https://a.example/path'],
    ['positional'],
    ['--tool-name', 'a b'],
    ['--tool-name', 'search_tools'],
    ['--connect', 'name'],
    ['--connect', '=node'],
    ['--connect', 'name='],
    ['--connect', 'name=https://'],
    ['--connect', 'a=node', '--connect', 'a=node'],
    ['--config', '/does/not/exist'],
    ['--config', file],
  ]) {
    await t.test(args.join(' '), () => assert.throws(() => readOptions(args, {}, assert.fail), UsageError));
  }
  const error = await execute(process.execPath, [SERVER, '--heap-mib', 'x']).catch((error) => error);
  assert.deepEqual([error.code, error.stdout], [2, '']);
  assert.match(error.stderr, /^\[hyperlight\] --heap-mib: a whole number from 1 to 1024, not "x"\n/);
  assert.match((await execute(process.execPath, [SERVER, '--help'])).stdout, /--connect NAME=COMMAND/);
  assert.match((await execute(process.execPath, [SERVER, '--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('it ends when its client goes, whatever it is doing', async (t) => {
  const message = (id, method, params) => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
  const clientInfo = { name: 'test', version: '1' };
  const call = message(2, 'tools/call', { name: 'run_javascript', arguments: { code: 'for (;;);' } });
  for (const [name, leave] of Object.entries({
    'its input ends while a program runs': ({ stdin }) => stdin.end(call),
    'its output is closed': ({ stdin, stdout }) => {
      stdout.destroy();
      stdin.write(message(3, 'tools/list'));
    },
    'a message is too large': ({ stdin }) => {
      stdin.on('error', () => {});
      stdin.write('x'.repeat(11 * 1024 * 1024));
    },
    'it is asked to end': (server) => server.kill('SIGTERM'),
  })) {
    await t.test(name, async () => {
      const server = spawn(process.execPath, [SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
      server.stdin.write(message(1, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }));
      await once(server.stdout, 'data');
      server.stdin.write('this is no JSON\n');
      leave(server);
      assert.deepEqual(await once(server, 'exit'), [0, null]);
    });
  }
});
