import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { PATIENCE_MS } from './sandbox';

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z +(ERROR|WARN|INFO|DEBUG|TRACE) /;
const CALL = `
  const loaded = await sandboxes.load({ greet: 'function handler(name) { return "Hello, " + name; }' });
  process.stdout.write(await loaded.callHandler('greet', 'a secret'));
`;

interface Output {
  stdout: string;
  /** The lines of standard error. */
  lines: string[];
}

/** What a program in a process of its own writes, with what `sandbox.ts` exports in scope, and with this filter. */
async function run(filter: string | undefined, program: string, stderr: 'pipe' | number = 'pipe'): Promise<Output> {
  const { HYPERLIGHT_JS_LOG: _, ...env } = process.env;
  if (filter !== undefined) env.HYPERLIGHT_JS_LOG = filter;
  const helpers = JSON.stringify(require.resolve('./sandbox'));
  const source = `const sandboxes = require(${helpers}); (async () => { ${program} })();`;
  const child = spawn(process.execPath, ['-e', source], {
    env,
    stdio: ['ignore', 'pipe', stderr],
    timeout: PATIENCE_MS,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, output.stderr);
  return { stdout: output.stdout, lines: output.stderr.split('\n').filter((line) => line !== '') };
}

test('without the variable, and with an empty one, nothing is logged', async () => {
  for (const filter of [undefined, '', ' ', 'off']) {
    assert.deepEqual(await run(filter, CALL), { stdout: 'Hello, a secret', lines: [] }, `${filter}`);
  }
});

test('each operation is logged when it ends, with its fields and how long it took', async () => {
  const { stdout, lines } = await run('hyperlight_js=debug', CALL);
  assert.equal(stdout, 'Hello, a secret');
  for (const line of lines) assert.match(line, LINE);
  for (const [level, name] of [
    ['DEBUG', 'build'],
    ['DEBUG', 'load_runtime'],
    ['INFO', 'get_loaded_sandbox'],
  ]) {
    const ended = lines.filter((line) => line.includes(`${level} ${name}`) && line.includes('close time.busy='));
    assert.equal(ended.length, 1, `${name}\n${lines.join('\n')}`);
  }
  const call = lines.filter((line) => line.includes('INFO handle_event{'));
  assert.equal(call.length, 1, lines.join('\n'));
  assert.match(call[0] ?? '', /handle_event\{handler="greet" event\.size=10 gc=true result\.size=17\}.* time\.busy=/);
  assert.ok(!lines.join().includes('secret'), 'no content is logged');
});

test('a failed call is logged with the kind of its error, and with the monitor that stopped it', async () => {
  const { lines } = await run(
    'hyperlight_js=info',
    `const loaded = await sandboxes.load({ f: 'function handler(spin) { for (; spin;); throw new Error("secret"); }' });
     await loaded.callHandler('f', false).catch(() => {});
     await loaded.callHandler('f', true, { wallClockTimeoutMs: 30 }).catch(() => {});`,
  );
  const [thrown, stopped] = lines.filter((line) => line.includes(' close ') && line.includes('handle_event{'));
  assert.match(thrown ?? '', /otel\.status_code="ERROR" error\.type="guest_error"/);
  assert.match(stopped ?? '', /monitor="wall-clock" otel\.status_code="ERROR" error\.type="cancelled"/);
  assert.ok(!lines.join().includes('secret'), 'no content is logged');
});

test('the filter says what is logged', async () => {
  const { lines } = await run('info,hyperlight_js::sandbox::loaded=off,hyperlight_host=off', CALL);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.ok(lines[0]?.includes('get_loaded_sandbox'), lines[0]);
});

test('what guests write cannot pass for a line of the log', async () => {
  const forged = '2000-01-01T00:00:00.000000Z  WARN hyperlight_js: forged';
  const text = `a\n${forged}\r\u001b[2J\u2028${forged}`;
  const program = `
    const loaded = await sandboxes.load({ f: 'function handler(text) { console.error(text); console.log(text); }' });
    await loaded.callHandler('f', ${JSON.stringify(text)});
    await loaded.callHandler(${JSON.stringify(text)}).catch(() => {});`;
  for (const filter of ['hyperlight_js=debug', 'hyperlight_host=error']) {
    const { stdout, lines } = await run(filter, program);
    assert.equal(stdout, `${text}\n`, 'what goes to standard output is as before');
    assert.ok(
      lines.some((line) => line.includes(String.raw`hyperlight_js::console: a\n2000-`) && line.includes('ERROR')),
      lines.join('\n'),
    );
    for (const line of lines) {
      assert.match(line, LINE);
      assert.ok(!line.startsWith('2000-'), line);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028]/);
    }
  }
});

test('a value that is no filter gives one warning and no log, however many threads load the addon', async () => {
  const { stdout, lines } = await run(
    'hyperlight_js=lo\nud',
    `${CALL}
     const { Worker } = require('node:worker_threads');
     const source = "require('@hyperlight/js-host-api')";
     await new Promise((resolve) => new Worker(source, { eval: true }).on('exit', resolve));`,
  );
  assert.equal(stdout, 'Hello, a secret');
  const warnings = lines.filter((line) => line.includes('HYPERLIGHT_JS_LOG'));
  assert.equal(warnings.length, 1, lines.join('\n'));
  assert.match(
    warnings[0] ?? '',
    /^\(node:\d+\) Warning: HYPERLIGHT_JS_LOG is .*, which is no filter .*there is no log$/,
  );
  assert.ok(!lines.some((line) => LINE.test(line)));
});

test('all threads write to one log', async () => {
  const { lines } = await run(
    'hyperlight_js=info',
    `${CALL}
     const { Worker } = require('node:worker_threads');
     const source = "const sandboxes = require(" + ${JSON.stringify(JSON.stringify(require.resolve('./sandbox')))} + ");"
       + "sandboxes.load({ f: 'function handler() {}' }).then((loaded) => loaded.callHandler('f', 1));";
     await new Promise((resolve) => new Worker(source, { eval: true }).on('exit', resolve));`,
  );
  assert.equal(lines.filter((line) => line.includes('handle_event{handler="greet"')).length, 1, lines.join('\n'));
  assert.equal(lines.filter((line) => line.includes('handle_event{handler="f"')).length, 1, lines.join('\n'));
});

test('a log that nobody can take harms nothing', { skip: process.platform !== 'linux' }, async () => {
  const { stdout } = await run('trace', CALL, openSync('/dev/full', 'w'));
  assert.equal(stdout, 'Hello, a secret');
});
