// fetch: programs and handlers that may request something, of real servers.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { after, before, test } from 'node:test';
import { type FetchPolicy, type FetchRequest, hostCall, SandboxBuilder, SandboxPool } from '@hyperlight/js-host-api';
import { load, rejection, thrown } from './sandbox';
import { allowing, bodyOf, certificate, redirect, type Serving, serve, serveSecurely } from './servers';

const MIB = 2 ** 20;
const limits = { wallClockTimeoutMs: 20_000 };

/** What the server answers, by path; any other path tells of the request. */
const paths: Record<string, RequestListener> = {
  '/text': (_, response) => response.end('some text'),
  '/empty': (_, response) => response.writeHead(204).end(),
  '/missing': (_, response) => response.writeHead(404, 'Not There', { 'x-one': '1' }).end('no'),
  '/large': (_, response) => response.end(Buffer.alloc(3 * MIB, 'abc')),
  '/to-text': (_, response) => redirect(response, '/text'),
  '/see-other': (_, response) => redirect(response, '/told', 303),
  '/again': async (request, response) => {
    // Whoever is still sending would find the connection closed.
    await bodyOf(request);
    redirect(response, '/told', 307);
  },
  '/never': () => {},
  '/endless': (_, response) => {
    const write = () => {
      while (response.write(Buffer.alloc(65_536))) sent += 65_536;
    };
    response.on('drain', write);
    write();
  },
};
let sent = 0;
let server: Serving;
let pool: SandboxPool;

before(async () => {
  server = await serve(async (request, response) => {
    const listener = paths[request.url ?? ''];
    if (listener) return listener(request, response);
    const body = await bodyOf(request).catch(() => undefined);
    // The client has gone away.
    if (!body) return undefined;
    const { method, url, headers } = request;
    response.setHeader('x-reflected', String(headers.authorization));
    response.setHeader('set-cookie', 'a=b');
    return response.end(
      JSON.stringify({ method, url, headers, body: body.toString('latin1').slice(0, 1000), size: body.length }),
    );
  });
  pool = new SandboxPool({ size: 2 });
});
after(() => Promise.all([pool.close(), server.close()]));

/** The value of a program that may request the server, which it knows as `input`. */
// biome-ignore lint/suspicious/noExplicitAny: it is whatever the program gives
async function run(source: string, policy: FetchPolicy = allowing([server.origin])): Promise<any> {
  const { value } = await pool.run(source, { ...limits, input: server.origin, fetch: policy });
  return value;
}

/** A program that tells what a request has failed with. */
const failing = (request: string) => `
  try { const response = await ${request}; return [response.status, await response.text()]; }
  catch (error) { return [error.name, error.cause?.code ?? error.message, error.cause?.rule]; }`;

test('without a grant there is no fetch, and what a call is granted is for that call', async () => {
  const source = 'typeof fetch';
  const policy = allowing([server.origin]);
  assert.equal((await pool.run(source)).value, 'undefined');
  assert.equal((await pool.run(source, { fetch: policy })).value, 'function');

  const handlers =
    'let kept; async function handler(url) { kept ??= globalThis.fetch; if (url === null) return typeof fetch;';
  const sandbox = await load({
    f: `${handlers} return kept(url).then((response) => response.text(), (error) => [error.name, error.cause.message]); }`,
  });
  const url = `${server.origin}/text`;
  assert.equal(await sandbox.callHandler('f', null), 'undefined');
  assert.equal(await sandbox.callHandler('f', url, { fetch: policy }), 'some text');
  assert.equal(await sandbox.callHandler('f', null), 'undefined');
  assert.deepEqual(await sandbox.callHandler('f', url), ['TypeError', 'there is no such host function']);
  assert.equal(await sandbox.callHandler('f', url, { fetch: policy }), 'some text');
});

test('a sandbox whose builder allows fetch has it while it is loaded and in each call, and so have those of its snapshots', async () => {
  const policy = allowing([server.origin], {}, { maxRequests: 1 });
  const proto = await new SandboxBuilder().allowFetch(policy).build();
  const jsSandbox = await proto.loadRuntime();
  jsSandbox.addHandler(
    'f',
    `const first = await (await fetch('${server.origin}/text')).text();
    const status = (path) => fetch('${server.origin}' + path).then(({ status }) => status, (error) => error.cause.rule);
    export const handler = async () => [first, await status('/missing'), await status('/text')];`,
  );
  const sandbox = await jsSandbox.getLoadedSandbox(limits);
  const expected = ['some text', 404, 'maxRequests'];
  assert.deepEqual(await sandbox.callHandler('f', null, limits), expected);
  // The budget is that of a call.
  assert.deepEqual(await sandbox.callHandler('f', null, limits), expected);
  assert.deepEqual(await sandbox.callHandler('f', null, { ...limits, fetch: allowing([]) }), [
    'some text',
    'origin',
    'origin',
  ]);

  const snapshot = await sandbox.snapshot();
  const without = await SandboxBuilder.fromSnapshot(snapshot).build();
  await rejection('ERR_INVALID_ARG', without.loadRuntime());
  const again = await (await SandboxBuilder.fromSnapshot(snapshot).allowFetch(policy).build()).loadRuntime();
  assert.deepEqual(await (await again.getLoadedSandbox()).callHandler('f', null, limits), expected);
  const ofSnapshot = new SandboxPool({ size: 1, snapshot });
  assert.deepEqual(await ofSnapshot.callHandler('f', null, { ...limits, fetch: policy }), expected);
  await ofSnapshot.close();
});

test('a response has all that it is to have', async () => {
  const value = await run(`
    const response = await fetch(input + '/missing');
    const copy = response.clone();
    const { ok, status, statusText, url, redirected, type, bodyUsed } = response;
    return [ok, status, statusText, url, redirected, type, bodyUsed, response.headers.get('x-one'), await response.text(),
      await copy.text(), response.bodyUsed];`);
  const expected = [false, 404, 'Not There', `${server.origin}/missing`, false, 'basic', false, '1', 'no', 'no', true];
  assert.deepEqual(value, expected);
  assert.deepEqual(
    await run(`const response = await fetch(input + '/empty'); return [response.status, response.body]`),
    [204, null],
  );
  assert.deepEqual(
    await run(
      `const response = await fetch(input + '/text', { method: 'HEAD' }); return [response.status, response.body]`,
    ),
    [200, null],
  );
  assert.equal(await run(`(await (await fetch(input + '/large')).bytes()).length`), 3 * MIB);
  const streamed = `
    const response = await fetch(new Request(input + '/large'));
    let size = 0, largest = 0;
    for await (const chunk of response.body) { size += chunk.length; largest = Math.max(largest, chunk.length); }
    return [size, largest <= 65536, largest > 1024];`;
  assert.deepEqual(await run(streamed), [3 * MIB, true, true]);
});

test('bodies of all kinds are sent', async () => {
  const bodies: [string, string, string | undefined, number][] = [
    [`'größe'`, 'grÃ¶Ã\u009fe', 'text/plain;charset=UTF-8', 7],
    [`new Uint8Array([1, 2, 3])`, '\x01\x02\x03', undefined, 3],
    [`new URLSearchParams({ a: 1 })`, 'a=1', 'application/x-www-form-urlencoded;charset=UTF-8', 3],
    [`new Blob(['ab'], { type: 'x/y' })`, 'ab', 'x/y', 2],
    [`'x'.repeat(300000)`, 'x'.repeat(1000), 'text/plain;charset=UTF-8', 300_000],
    [
      `new ReadableStream({ start(c) { for (const n of [1, 70000, 2]) c.enqueue(new Uint8Array(n).fill(65)); c.close(); } })`,
      'A'.repeat(1000),
      undefined,
      70_003,
    ],
    [`''`, '', 'text/plain;charset=UTF-8', 0],
  ];
  for (const [body, text, type, size] of bodies) {
    const told = await run(`(await fetch(input + '/told', { method: 'POST', body: ${body}, duplex: 'half' })).json()`);
    assert.deepEqual(
      [told.method, told.body, told.headers['content-type'], told.size],
      ['POST', text, type, size],
      body,
    );
  }
  const form = await run(
    `const form = new FormData(); form.set('a', 'b'); (await fetch(input + '/told', { method: 'PUT', body: form })).json()`.replace(
      '(await',
      'return (await',
    ),
  );
  assert.match(form.body, /name="a"\r\n\r\nb\r\n/);
  const none = await run(`(await fetch(input + '/told', { method: 'POST' })).json()`);
  assert.equal(none.headers['content-length'], '0');
});

test('a body that fails takes its request with it', async () => {
  const body = `new ReadableStream({ pull(c) { if (++n > 2) throw new RangeError('out'); c.enqueue(new Uint8Array(9)); } })`;
  assert.deepEqual(
    await run(`let n = 0; ${failing(`fetch(input + '/told', { method: 'POST', duplex: 'half', body: ${body} })`)}`),
    ['RangeError', 'out', null],
  );
});

test('redirections are followed, are errors or are responses', async () => {
  const told = (init: string, path: string) =>
    run(`const response = await fetch(input + '${path}', ${init}); const { status, redirected, url } = response;
      return [status, redirected, url.slice(input.length), response.headers.get('location'), (await response.text()).slice(0, 24)]`);
  assert.deepEqual(await told('{}', '/to-text#part'), [200, true, '/text#part', null, 'some text']);
  assert.deepEqual(await told(`{ redirect: 'manual' }`, '/to-text'), [302, false, '/to-text', '/text', '']);
  assert.deepEqual(await run(failing(`fetch(input + '/to-text', { redirect: 'error' })`)), [
    'TypeError',
    'ERR_FETCH_REFUSED',
    'redirect',
  ]);
  const post = `{ method: 'POST', body: 'ab' }`;
  assert.deepEqual(await told(post, '/see-other'), [200, true, '/told', null, '{"method":"GET","url":"/']);
  assert.deepEqual(await told(post, '/again'), [200, true, '/told', null, '{"method":"POST","url":"']);
  const large = `const response = await fetch(input + '/again', { method: 'POST', body: 'x'.repeat(200000) }); return (await response.json()).size`;
  assert.equal(await run(large), 200_000);
  const stream = `new ReadableStream({ start(c) { c.enqueue(new Uint8Array(9)); c.close(); } })`;
  assert.deepEqual(await run(failing(`fetch(input + '/again', { method: 'POST', duplex: 'half', body: ${stream} })`)), [
    'TypeError',
    'ERR_FETCH_REFUSED',
    'redirect',
  ]);
});

test('a signal ends a request, and the body of a response', async () => {
  const value = await run(`
    const messages = [];
    const note = (promise) => promise.then(() => messages.push('none'), (error) => messages.push(error.name ?? error));
    await note(fetch(input + '/text', { signal: AbortSignal.abort('before') }));
    await note(fetch(input + '/never', { signal: AbortSignal.timeout(50) }));
    const controller = new AbortController();
    const { body } = await fetch(input + '/endless', { signal: controller.signal });
    const reader = body.getReader();
    await reader.read();
    controller.abort();
    await note(reader.read());
    return messages;`);
  assert.deepEqual(value, ['before', 'TimeoutError', 'AbortError']);
  await allClosed();
});

test('a body comes as it is read, and whatever is open is closed when the call ends', async () => {
  sent = 0;
  const value = await run(`
    const reader = (await fetch(input + '/endless')).body.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await reader.cancel();
    await fetch(input + '/endless');
    fetch(input + '/never').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 10));
    return 'done';`);
  assert.equal(value, 'done');
  // What the guest has read, what waits for it, and the buffers of two connections.
  assert.ok(sent < 32 * MIB, `${sent} bytes were sent`);
  await allClosed();
});

async function allClosed(): Promise<void> {
  for (const socket of server.sockets) if (!socket.destroyed) await new Promise((close) => socket.once('close', close));
  assert.equal(server.sockets.size, 0);
}

test('headers of the policy are sent in place of those by the guest, which sees nothing of them', async () => {
  const key = 'Bearer 12345678';
  let asked = 0;
  const headers = { Authorization: key, 'x-token': async () => `token ${++asked}` };
  const program = `
    const response = await fetch(input + '/told', { headers: { authorization: 'mine', 'x-token': 'mine', 'x-own': 'a' } });
    return [await response.json(), [...response.headers.keys()]];`;
  const [told, names] = await run(program, allowing([server.origin], { headers }));
  assert.equal(told.headers.authorization, key);
  assert.equal(told.headers['x-token'], 'token 1');
  assert.equal(told.headers['x-own'], 'a');
  assert.ok(!names.includes('x-reflected') && !names.includes('set-cookie'), names);
  const [, all] = await run(program, allowing([server.origin], {}, { hideResponseHeaders: ['Date'] }));
  assert.ok(all.includes('x-reflected') && !all.includes('date'), all);
});

test('the host sees each request and can refuse it', async () => {
  const seen: [string, number, string][] = [];
  const onRequest = async ({ method, url, redirects, headers }: FetchRequest) => {
    assert.ok(!('authorization' in headers));
    seen.push([`${method} ${url.slice(server.origin.length)}`, redirects, hostCall()?.context]);
    if (url.endsWith('/missing')) throw new Error('the reason is not for the guest');
    return !url.endsWith('/large');
  };
  const policy = allowing([server.origin], { headers: { authorization: 'secret 1' } }, { onRequest });
  const program = `
    const rules = [];
    for (const path of ['/to-text', '/large', '/missing']) {
      rules.push(await fetch(input + path).then(({ status }) => status, ({ cause }) => cause.rule + ': ' + cause.message));
    }
    return rules;`;
  const { value } = await pool.run(program, { ...limits, input: server.origin, fetch: policy, context: 'ann' });
  const refused = 'onRequest: the host has refused the request';
  assert.deepEqual(value, [200, refused, refused]);
  assert.deepEqual(seen, [
    ['GET /to-text', 0, 'ann'],
    ['GET /text', 1, 'ann'],
    ['GET /large', 0, 'ann'],
    ['GET /missing', 0, 'ann'],
  ]);
});

test('each limit of a policy is one', async () => {
  const cases: [Partial<FetchPolicy>, string, string][] = [
    [{ maxRequests: 1 }, `fetch(input + '/to-text')`, 'maxRequests'],
    [{ maxRedirects: 0 }, `fetch(input + '/to-text')`, 'maxRedirects'],
    [{ maxRequestBytes: 9 }, `fetch(input + '/told', { method: 'POST', body: '0123456789' })`, 'maxRequestBytes'],
    [
      { maxRequestBytes: 99_999 },
      `fetch(input + '/told', { method: 'POST', body: 'x'.repeat(100000) })`,
      'maxRequestBytes',
    ],
    [{ maxResponseBytes: 8 }, `fetch(input + '/text')`, 'maxResponseBytes'],
    [{ timeoutMs: 100 }, `fetch(input + '/never')`, 'timeoutMs'],
    [{ timeoutMs: 300 }, `fetch(input + '/endless')`, 'timeoutMs'],
  ];
  for (const [limit, request, rule] of cases) {
    const result = await run(failing(request), allowing([server.origin], {}, limit));
    assert.deepEqual(result, ['TypeError', 'ERR_FETCH_REFUSED', rule], JSON.stringify(limit));
  }
  const exact = allowing([server.origin], {}, { maxRequests: 2, maxRequestBytes: 10, maxResponseBytes: 18 });
  const program = `
    const texts = await Promise.all([1, 2].map(async () => (await fetch(input + '/text', { method: 'POST', body: '01234' })).text()));
    return texts.length`;
  assert.equal(await run(program, exact), 2);
});

test('requests beyond those that may be open wait for their turn', async () => {
  let open = 0;
  let most = 0;
  const slow = await serve((_, response) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      response.end('x');
    }, 20);
  });
  const policy = allowing([slow.origin], {}, { maxConcurrent: 2 });
  const source = `
    // Nobody reads these bodies: they have come all the same.
    const responses = await Promise.all(Array.from({ length: 10 }, () => fetch(input)));
    return responses.map(({ status }) => status).join()`;
  const { value } = await pool.run(source, { ...limits, input: slow.origin, fetch: policy });
  assert.equal(value, Array(10).fill(200).join());
  assert.equal(most, 2);
  await slow.close();
});

test('a server with TLS must have a certificate for its name', async () => {
  const secure = await serveSecurely((_, response) => response.end('secret'));
  const { port } = secure;
  const get = async (host: string, ca?: string) => {
    const origin = `https://${host}:${port}`;
    const options = { ...limits, input: origin, fetch: allowing([origin], {}, { ca, allowHttp: false }) };
    return (await pool.run(failing('fetch(input)'), options)).value;
  };
  assert.deepEqual(await get('secure.test', certificate), [200, 'secret']);
  assert.deepEqual(await get('127.0.0.2', certificate), [200, 'secret']);
  const refused = ['TypeError', 'ERR_FETCH_TLS', null];
  assert.deepEqual(await get('secure.test'), refused);
  assert.deepEqual(await get('other.test', certificate), refused);
  await secure.close();
});

test('a policy that is none is refused, and nothing is run', async () => {
  const wrong: [unknown, RegExp][] = [
    [1, /must be an object/],
    [{}, /allow must be an array/],
    [{ allow: ['http://a.test'] }, /"http:\/\/a.test" is no origin .*allowHttp/],
    [{ allow: ['a.test'] }, /is no origin/],
    [{ allow: ['https://a.test/path'] }, /more than a scheme/],
    [{ allow: ['https://u:p@a.test'] }, /more than a scheme/],
    [{ allow: ['ftp://a.test'] }, /scheme/],
    [{ allow: ['https://*.com'] }, /\* can only/],
    [{ allow: ['https://a.*.test'] }, /\* can only/],
    [{ allow: [{ origin: 'https://a.test', path: '/' }] }, /knows no "path"/],
    [{ allow: [{ origin: 'https://a.test', paths: ['a'] }] }, /is no path/],
    [{ allow: [{ origin: 'https://a.test', paths: ['/a/../b'] }] }, /is no path/],
    [{ allow: [{ origin: 'https://a.test', paths: ['/a%2fb'] }] }, /is no path/],
    [{ allow: [{ origin: 'https://a.test', methods: ['CONNECT'] }] }, /CONNECT/],
    [{ allow: [{ origin: 'https://a.test', methods: 'GET' }] }, /array of names/],
    [{ allow: [{ origin: 'https://a.test', headers: { a: 'b\r\nc' } }] }, /text of one line/],
    [{ allow: [{ origin: 'https://a.test', headers: { 'a b': 'c' } }] }, /no name of a header/],
    [{ allow: [{ origin: 'https://a.test', headers: { Host: 'b' } }] }, /no name of a header/],
    [{ allow: [], ca: 1 }, /ca must be/],
    [{ allow: [{ origin: 'https://*', headers: { a: 'b' } }] }, /all origins/],
    [{ allow: [{ origin: 'https://a.test', allowAddresses: ['localhost'] }] }, /no address/],
    [{ allow: [{ origin: 'https://a.test', allowAddresses: ['10.0.0.0/33'] }] }, /no address/],
    [{ allow: [{ origin: 'https://a.test', allowAddresses: ['::ffff:10.0.0.1'] }] }, /one of IPv4/],
    [{ allow: [], maxRequests: 0 }, /maxRequests must be a whole number from 1 to/],
    [{ allow: [], timeoutMs: Number.NaN }, /timeoutMs/],
    [{ allow: [], onRequest: 1 }, /onRequest must be a function/],
    [{ allow: [], alow: 1 }, /knows no "alow"/],
  ];
  for (const [policy, message] of wrong) {
    const error = await rejection('ERR_INVALID_ARG', pool.run('1', { fetch: policy as FetchPolicy }));
    assert.match(error.message, message);
    assert.match(
      thrown('ERR_INVALID_ARG', () => new SandboxBuilder().allowFetch(policy as FetchPolicy)).message,
      message,
    );
  }
  const builder = new SandboxBuilder();
  await builder.build();
  thrown('ERR_CONSUMED', () => builder.allowFetch({ allow: [] }));
});

test('nobody else can give or import the functions behind fetch', async () => {
  const name = 'hyperlight:fetch';
  const refused = /names that begin with "hyperlight:"/;
  const proto = await new SandboxBuilder().build();
  assert.match(thrown('ERR_INVALID_ARG', () => proto.hostModule(name)).message, refused);
  const functions = { [name]: { request: async () => 1 } };
  assert.match((await rejection('ERR_INVALID_ARG', pool.run('1', { functions }))).message, refused);
  const policy = allowing([server.origin]);
  await rejection('ERR_INVALID_ARG', pool.run('1', { fetch: policy, functions: { fetch: { get: async () => 1 } } }));
  const imports = `import('host:${name}').then(() => 'there', () => 'none')`;
  assert.equal(await run(imports), 'none');
});
