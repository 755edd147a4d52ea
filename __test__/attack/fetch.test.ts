// What a program with `fetch` tries in order to reach what its policy does not allow, and what a server does to whoever asks it. None of
// it gets through: the servers tell who has come, and the names are resolved by the tests.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type FetchPolicy, SandboxPool } from '@hyperlight/js-host-api';
import { ALLOWED, allowing, NAME, redirect, type Serving, serve, serveRaw } from '../servers';

const MIB = 2 ** 20;
const limits = { wallClockTimeoutMs: 20_000 };
const METADATA = '169.254.169.254';
/** Addresses that are not public, each for a range, and each in more than one form if it has some. */
const PRIVATE = [
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', METADATA],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '168.63.129.16'],
  ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '::ffff:0:127.0.0.1'],
  ...[
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '100::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
  ],
  ...['ff02::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '2002:a9fe:a9fe::', '3fff::1', '5f00::1', '4000::1'],
];

/** What nobody may reach: it listens on all addresses of this machine. */
let victim: Serving;
/** What may be reached. */
let server: Serving;
let pool: SandboxPool;

before(async () => {
  victim = await serve((_, response) => response.end('the secrets of the victim'), '::').catch(() =>
    serve((_, response) => response.end('the secrets of the victim'), '0.0.0.0'),
  );
  server = await serve((request, response) => {
    const url = new URL(request.url ?? '', server.origin);
    const target = url.searchParams.get('to');
    if (target !== null) return redirect(response, target);
    return response.end(JSON.stringify({ url: request.url, headers: request.rawHeaders }));
  });
  pool = new SandboxPool({ size: 2 });
});
after(async () => {
  assert.equal(victim.connections, 0, 'nobody has reached the victim');
  await Promise.all([pool.close(), victim.close(), server.close()]);
});

/** What becomes of requests for these URLs: the text of a response, or what refused it. */
async function attempt(urls: string[], policy: FetchPolicy, init = '{}', prelude = ''): Promise<unknown[]> {
  const source = `
    ${prelude}
    const results = [];
    for (const url of input) {
      try { results.push(await (await fetch(url, ${init})).text()); }
      catch (error) { results.push(error.cause?.rule ?? error.cause?.code ?? error.name); }
    }
    return results;`;
  const { value } = await pool.run<unknown[]>(source, { ...limits, input: urls, fetch: policy });
  return value;
}

/** A policy by which all servers can be asked whose addresses are public, at the ports of the victim and of the server. */
function all(others: Partial<FetchPolicy> = {}): FetchPolicy {
  const ports = [victim.port, server.port, 80];
  const allow = ports.map((port) => `http://*:${port}`);
  return { allow, allowHttp: true, maxRequests: 1000, ...others };
}

const each = (list: unknown[], value: unknown) => list.map(() => value);

test('an address that is not public is not reached, in whatever way it is written', async () => {
  const hosts = [
    ...PRIVATE.map((address) => (address.includes(':') ? `[${address}]` : address)),
    ...['0x7f.1', '0x7f000001', '2130706433', '017700000001', '0177.0.0.1', '127.1', '127.0.1', '0', '0x0'],
    ...[
      '127.0.0.1.',
      '１２７.0.0.1',
      '127。0。0。1',
      '①②⑦.0.0.1',
      '%31%32%37.0.0.1',
      '0xA9FEA9FE',
      '0251.0376.0251.0376',
    ],
    ...['localhost', 'LOCALHOST', 'localhost.'],
  ];
  const urls = hosts.flatMap((host) => [`http://${host}:${victim.port}/`, `http://${host}/`]);
  const results = await attempt(urls, all());
  // What looks like a name may be none to the system's resolver.
  const got = results.map((result, i) =>
    result === 'ENOTFOUND' && urls[i]?.includes('localhost.') ? 'address' : result,
  );
  assert.deepEqual(got, each(urls, 'address'));
});

test('a name is refused if it resolves to an address that is not public, be it one of many', async () => {
  const tried = [...PRIVATE, 'fe80::1%lo', '0x7f.1', '2130706433', '127.1', 'localhost', '', ' 1.1.1.1', '1.1.1.1 '];
  const found: string[][] = tried.flatMap((address) => [[address], ['93.184.215.14', address]]);
  const urls = found.map((_, i) => `http://${i}.test:${victim.port}/`);
  const resolve = (name: string) => found[Number(name.split('.')[0])] ?? [];
  assert.deepEqual(await attempt(urls, all({ resolve })), each(urls, 'address'));
  const many = () => Array(65).fill('93.184.215.14');
  assert.deepEqual(await attempt(urls.slice(0, 1), all({ resolve: many })), ['address']);
  const none = () => [];
  assert.deepEqual(await attempt(urls.slice(0, 1), all({ resolve: none })), ['ENOTFOUND']);
});

test('a name that resolves to something else the next time leads nowhere else', async () => {
  let asked = 0;
  const answers = [ALLOWED, '127.0.0.1', ALLOWED, '::ffff:127.0.0.1', ALLOWED];
  const policy = allowing([`http://rebinding.test:${server.port}`], {}, { resolve: () => [answers[asked++] ?? ''] });
  const urls = each(answers, `http://rebinding.test:${server.port}/`) as string[];
  const results = await attempt(urls, policy);
  assert.deepEqual(
    results.map((result) => (String(result).startsWith('{') ? 'served' : result)),
    ['served', 'address', 'served', 'address', 'served'],
  );
  // What was checked is what is connected to: nobody asks in between.
  assert.equal(asked, 5);

  asked = 0;
  const onTheWay = `http://rebinding.test:${server.port}/?to=/again`;
  assert.deepEqual(await attempt([onTheWay], policy), ['address']);
  assert.equal(asked, 2);
});

test('a redirection leads nowhere where a request could not go', async () => {
  const targets: [string, string][] = [
    [`http://${METADATA}/latest/meta-data/`, 'address'],
    [`http://127.0.0.1:${victim.port}/`, 'address'],
    [`http://0x7f.1:${victim.port}/`, 'address'],
    [`//[::ffff:127.0.0.1]:${victim.port}/`, 'address'],
    [`http://localhost:${victim.port}/`, 'address'],
    [`http://127.0.0.1:1/`, 'origin'],
    [`http://user:word@${NAME}:${server.port}/`, 'credentials'],
    [`http://${NAME}:${server.port}@127.0.0.1:${victim.port}/`, 'credentials'],
    [`https://127.0.0.1:${victim.port}/`, 'origin'],
    ['file:///etc/passwd', 'scheme'],
    ['data:text/plain,x', 'scheme'],
    ['javascript:1', 'scheme'],
    ['http://', 'ERR_FETCH_INVALID'],
    [`http://a.test/${'x'.repeat(20_000)}`, 'ERR_FETCH_INVALID'],
  ];
  const urls = targets.map(([target]) => `${server.origin}/?to=${encodeURIComponent(target)}`);
  const policy = all({ maxRequests: 100 });
  policy.allow = [...allowing([server.origin]).allow, ...policy.allow];
  policy.resolve = (name) => [name === NAME ? ALLOWED : '127.0.0.1'];
  assert.deepEqual(
    await attempt(urls, policy),
    targets.map(([, rule]) => rule),
  );
});

test('redirections end, whatever they lead to', async () => {
  const loop = await serve((_, response) => redirect(response, '/again'));
  assert.deepEqual(await attempt([`${loop.origin}/`], allowing([loop.origin], {}, { maxRequests: 1000 })), [
    'maxRedirects',
  ]);
  assert.equal(loop.connections, 21);
  assert.deepEqual(await attempt([`${loop.origin}/`], allowing([loop.origin], {}, { maxRequests: 5 })), [
    'maxRequests',
  ]);
  assert.equal(loop.connections, 26);
  await loop.close();
});

test('what is for one origin does not go along to another', async () => {
  const other = await serve((request, response) => {
    if (request.url === '/back') redirect(response, `${server.origin}/told`);
    else response.end(JSON.stringify({ headers: request.rawHeaders }));
  });
  const policy = allowing([other.origin]);
  policy.allow.unshift(...allowing([server.origin], { headers: { 'x-api-key': 'the secret' } }).allow);
  const init = `{ headers: { authorization: 'of the guest', cookie: 'a=b', 'x-own': 'c' } }`;
  const to = (target: string) => `${server.origin}/?to=${encodeURIComponent(target)}`;
  const told = await attempt([to(`${other.origin}/`), to(`${other.origin}/back`), `${server.origin}/`], policy, init);
  const names = told.map((text) => JSON.parse(String(text)).headers.filter((_: string, i: number) => i % 2 === 0));
  const usual = ['x-own', 'accept', 'user-agent', 'host', 'accept-encoding', 'connection'];
  assert.deepEqual(
    names.map((list) => list.sort()),
    [usual, [...usual, 'x-api-key'], [...usual, 'authorization', 'cookie', 'x-api-key']].map((list) => list.sort()),
  );
  await other.close();
});

test('a URL that looks like an allowed one is that or nothing', async () => {
  const { port } = server;
  const before = server.connections;
  const policy = allowing([server.origin], { paths: ['/v1/', '/v2'] });
  const refused: [string, string][] = [
    [`http://${NAME}:${port}@127.0.0.1:${victim.port}/v2`, 'TypeError'],
    [`http://user@${NAME}:${port}/v2`, 'TypeError'],
    [`http://127.0.0.1:${victim.port}\\@${NAME}:${port}/v2`, 'origin'],
    [`http://127.0.0.1:${victim.port}#@${NAME}:${port}/v2`, 'origin'],
    [`http://${NAME}.:${port}/v2`, 'origin'],
    [`http://${NAME}:${port + 1}/v2`, 'origin'],
    [`http://${NAME}/v2`, 'origin'],
    [`https://${NAME}:${port}/v2`, 'origin'],
    [`http://not-${NAME}:${port}/v2`, 'origin'],
    [`http://${NAME}.evil.test:${port}/v2`, 'origin'],
    [`http://${NAME}:${port}:80/v2`, 'TypeError'],
    [`http://${NAME}:${port + 65_536}/v2`, 'TypeError'],
    ['file:///etc/passwd', 'scheme'],
    ['data:text/plain,x', 'scheme'],
    ['blob:null/1', 'scheme'],
    ['about:blank', 'scheme'],
    ['ws://127.0.0.1/', 'scheme'],
    ['javascript:1', 'scheme'],
    ['/v2', 'TypeError'],
    ...[
      ...[
        '/',
        '/v10',
        '/v',
        '/v1',
        '/V1/',
        '//v1/',
        '/v1/../admin',
        '/v1/%2e%2e/admin',
        '/v1/.%2E/admin',
        '/v1/..\\admin',
      ],
      ...['/v1/..%2fadmin', '/v1/..%5cadmin', '/v1/%252e%252e%252fadmin', '/v1/..;/admin', '/v1/.;x/admin', '/v1/%00'],
      ...['/v2/%25252e/x', '/v2%2f..%2fadmin'],
    ].map((path): [string, string] => [`${server.origin}${path}`, 'paths']),
  ];
  assert.deepEqual(
    await attempt(
      refused.map(([url]) => url),
      policy,
    ),
    refused.map(([, rule]) => rule),
  );
  assert.equal(server.connections, before);

  const allowed = [
    `HTTP://SERVER.TEST:${port}/v2`,
    `http://${NAME}:0${port}/v1/x?a=`,
    `${server.origin}/v2/./a/../b#c`,
  ];
  const told = (await attempt(allowed, policy)).map((text) => JSON.parse(String(text)).url);
  assert.deepEqual(told.slice(0, 1), ['/v2']);
  assert.deepEqual(told.slice(2), ['/v2/b']);
});

test('a program cannot write more than one request, nor what belongs to the connection', async () => {
  const policy = allowing([server.origin]);
  const injecting = [
    `${server.origin}/a\r\nx-evil: 1`,
    `${server.origin}/a?\r\n\r\nGET /evil HTTP/1.1\r\nx-evil: 1\r\n\r\n`,
  ];
  for (const text of await attempt(injecting, policy)) {
    const { headers } = JSON.parse(String(text));
    assert.ok(!headers.some((name: string) => name.toLowerCase() === 'x-evil'), headers);
  }
  const own = [
    `{ headers: { 'x-a': 'b\\r\\nx-evil: 1' } }`,
    `{ headers: { 'x a': 'b' } }`,
    `{ method: 'GET / HTTP/1.1\\r\\nx-evil: 1\\r\\n' }`,
  ];
  for (const init of own) assert.deepEqual(await attempt([server.origin], policy, init), ['TypeError']);

  // The host does not rely on what the guest's classes have checked.
  const yielding = (pairs: string) => `Headers.prototype[Symbol.iterator] = function* () { yield* ${pairs} };`;
  for (const pair of [
    `['x-a', 'b\\r\\nx-evil: 1']`,
    `['x-a', 'b\\0']`,
    `['x-a: b\\r\\nx-evil', '1']`,
    `['x-a', 'ā']`,
    `['', 'a']`,
    `['x-a']`,
    `[1, 2]`,
    `7`,
  ]) {
    assert.deepEqual(await attempt([server.origin], policy, '{}', yielding(`[${pair}]`)), ['ERR_FETCH_INVALID'], pair);
  }
  const many = `Array.from({ length: 257 }, (_, i) => ['x-' + i, 'a'])`;
  assert.deepEqual(await attempt([server.origin], policy, '{}', yielding(many)), ['ERR_FETCH_INVALID']);
  assert.deepEqual(await attempt([server.origin], policy, '{}', yielding(`[['x-a', 'a'.repeat(40000)]]`)), [
    'ERR_FETCH_INVALID',
  ]);
  const ofConnection = `[['Host', '${METADATA}'], ['content-length', '7'], ['Transfer-Encoding', 'chunked'], ['connection', 'x-a'], ['upgrade', 'h2c'],
    ['expect', '100-continue'], ['te', 'trailers'], ['proxy-authorization', 'a'], ['x-a', 'b']]`;
  const [text] = await attempt([server.origin], policy, '{}', yielding(ofConnection));
  const { headers } = JSON.parse(String(text));
  const list = ['x-a', 'b', 'accept', '*/*', 'user-agent', 'hyperlight-js', 'host', `${NAME}:${server.port}`];
  assert.deepEqual(headers, [...list, 'accept-encoding', 'gzip, deflate, br', 'connection', 'close']);
});

test('what a server sends has limits, and ends', async () => {
  const bombs: Record<string, Buffer> = {
    gzip: gzipSync(Buffer.alloc(16 * MIB)),
    br: brotliCompressSync(Buffer.alloc(16 * MIB)),
  };
  const bomb = await serve((request, response) => {
    const coding = request.url?.slice(1) ?? '';
    response.writeHead(200, { 'content-encoding': coding }).end(bombs[coding.split(',')[0] ?? ''] ?? 'neither');
  });
  const small = allowing([bomb.origin], {}, { maxResponseBytes: 2 * MIB });
  const urls = ['gzip', 'br'].map((coding) => `${bomb.origin}/${coding}`);
  assert.deepEqual(await attempt(urls, small), each(urls, 'maxResponseBytes'));
  // Several codings, one on top of the other, are not undone.
  const [twice] = await attempt([`${bomb.origin}/gzip,gzip`], small);
  assert.notEqual(twice, 'maxResponseBytes');
  assert.ok(String(twice).length < MIB);
  assert.deepEqual(await attempt([`${bomb.origin}/deflate`], small), ['ERR_FETCH_RESPONSE']);
  await bomb.close();

  const again = (write: () => void) => {
    const timer = setInterval(write, 10);
    return () => clearInterval(timer);
  };
  const dripping = (send: (text: string) => boolean, first: string, more: string) => {
    send(first);
    return again(() => send(more));
  };
  const ways: [string, (send: (text: string) => boolean) => undefined | (() => void)][] = [
    ['timeoutMs', () => undefined],
    ['timeoutMs', (send) => dripping(send, 'HTTP/1.1 200 OK\r\nx: ', 'y')],
    ['timeoutMs', (send) => again(() => send('HTTP/1.1 100 Continue\r\n\r\n'))],
    ['timeoutMs', (send) => void send('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab')],
    ['timeoutMs', (send) => dripping(send, 'HTTP/1.1 200 OK\r\n\r\n', 'x')],
    ['headers', (send) => void send(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(MIB)}\r\n\r\n`)],
    ['headers', (send) => dripping(send, 'HTTP/1.1 200 OK\r\n', 'x: yyyyyyyyyyyyyyyyyy\r\n'.repeat(100))],
    ['maxResponseBytes', (send) => dripping(send, 'HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536))],
    [
      'maxResponseBytes',
      (send) => void send(`HTTP/1.1 200 OK\r\ncontent-length: ${3 * MIB}\r\n\r\n${'x'.repeat(3 * MIB)}`),
    ],
    ['ERR_FETCH_RESPONSE', (send) => void send('hello\r\n\r\n')],
    ['ERR_FETCH_RESPONSE', (send) => void send('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab')],
    ['ECONNRESET', (send) => void send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n')],
    ['ERR_FETCH_RESPONSE', (send) => void send('HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n')],
  ];
  for (const [expected, begin] of ways) {
    const raw = await serveRaw((socket) => {
      socket.once('data', () => {
        const stop = begin((text) => !socket.destroyed && socket.write(text));
        socket.once('close', () => stop?.());
      });
    });
    const time = expected === 'timeoutMs' ? { timeoutMs: 300 } : {};
    const policy = allowing([raw.origin], {}, { maxResponseBytes: MIB, ...time });
    assert.deepEqual(await attempt([raw.origin], policy), [expected], begin.toString());
    await raw.close();
  }
  const ending: [string, string][] = [
    ['', 'ECONNRESET'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab', 'ECONNRESET'],
    ['HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n', 'ERR_FETCH_RESPONSE'],
    ['HTTP/1.1 407 Proxy\r\nproxy-authenticate: basic\r\n\r\n', ''],
  ];
  for (const [text, expected] of ending) {
    const raw = await serveRaw((socket) => void socket.once('data', () => socket.end(text)));
    assert.deepEqual(await attempt([raw.origin], allowing([raw.origin])), [expected], text);
    await raw.close();
  }
});

test('what a request fails with says nothing of the inside', async () => {
  const closed = await serve(() => {});
  await closed.close();
  const source = `
    try { await fetch(input); return 'none'; }
    catch (error) { return [error.message, error.stack, error.cause.message, error.cause.stack, JSON.stringify(error.cause)].join(); }`;
  const policies: [FetchPolicy, RegExp][] = [
    [allowing([closed.origin]), /refused the connection.*ECONNREFUSED/s],
    [allowing([closed.origin], { allowAddresses: ['10.1.2.3'] }), /address that the policy does not allow/],
    [
      allowing([closed.origin], {}, { resolve: () => Promise.reject(new Error('resolver 10.1.2.3 is down')) }),
      /request has failed/,
    ],
    [
      allowing([closed.origin], { headers: { a: () => Promise.reject(new Error('vault 10.1.2.3: key')) } }),
      /cannot give a header/,
    ],
    [allowing([closed.origin], {}, { onRequest: () => assert.fail('10.1.2.3') }), /host has refused/],
  ];
  for (const [policy, expected] of policies) {
    const { value } = await pool.run(source, { ...limits, input: closed.origin, fetch: policy });
    assert.match(value, expected);
    assert.ok(!/127\.0|10\.1\.2\.3|vault|node:|lib\/fetch/.test(value), value);
  }
});

test('a secret is not seen in what a server says of it', async () => {
  const secret = 'Bearer s3cr3t/+key';
  const echo = await serve((request, response) => {
    const { authorization = '' } = request.headers;
    if (request.url === '/to')
      return redirect(response, `${server.origin}/?key=${encodeURIComponent(authorization.slice(7))}`);
    const key = authorization.slice(7);
    response.writeHead(200, `OK ${authorization}`, {
      a: authorization,
      b: `your key is ${key}`,
      c: encodeURIComponent(key),
      d: key.toUpperCase(),
      e: 'nothing',
    });
    return response.end();
  });
  const policy = allowing([echo.origin], { headers: { authorization: secret } });
  policy.allow.push(...allowing([server.origin]).allow);
  assert.deepEqual(await attempt([`${echo.origin}/to`], policy), ['redirect']);
  const source = `const { headers, statusText } = await fetch(input); return [statusText, [...headers.keys()]]`;
  const { value } = await pool.run(source, { ...limits, input: echo.origin, fetch: policy });
  assert.equal(value[0], '');
  assert.deepEqual(
    value[1].filter((name: string) => name.length === 1),
    ['e'],
  );
  await echo.close();
});

test('the host takes nothing from a guest that has no request to tell of', async () => {
  const { grant } = require(join(__dirname, '..', '..', '..', 'lib', 'fetch', 'grant.js'));
  const controller = new AbortController();
  const list = grant(() => ({ signal: controller.signal }))(allowing([server.origin]));
  const functions = Object.fromEntries(
    list.flatMap((_: unknown, i: number) => (i % 2 ? [] : [[list[i], list[i + 1]]])),
  );
  const right = {
    method: 'POST',
    url: server.origin,
    headers: [],
    redirect: 'follow',
    hasBody: true,
    bytes: new Uint8Array(1),
  };
  const wrong: [string, unknown[]][] = [
    ...[[], [1], [1, null], [1, 'x'], ['1', right], [Number.NaN, right], [{}, right]].map(
      (args): [string, unknown[]] => ['request', args],
    ),
    ...Object.entries({ method: 'CONNECT', url: 7, headers: {}, length: -1, bytes: 'x' }).map(
      ([name, value]): [string, unknown[]] => [
        'request',
        [
          9,
          {
            ...right,
            [name]: value,
            ...(name === 'length' ? { bytes: undefined } : {}),
            ...(name === 'bytes' ? { length: 'x' } : {}),
          },
        ],
      ],
    ),
    ['request', [9, { ...right, method: 'get' }]],
    ['request', [9, { ...right, method: 'GET\r\n' }]],
    ...['read', 'write', 'finish'].flatMap((name): [string, unknown[]][] => [
      [name, []],
      [name, [3]],
      [name, [{}, {}]],
    ]),
  ];
  for (const [name, args] of wrong) {
    await assert.rejects(
      functions[name](...args),
      { code: /^ERR_FETCH_(INVALID|CANCELLED)$/ } as never,
      `${name} ${JSON.stringify(args)}`,
    );
  }
  assert.equal((await functions.request(1, right)).status, 200);
  await assert.rejects(functions.request(1, right), { code: 'ERR_FETCH_INVALID' });
  await assert.rejects(functions.write(1, 'text'), { code: 'ERR_FETCH_INVALID' });
  const [first, second] = await Promise.allSettled([functions.read(1), functions.read(1)]);
  assert.deepEqual([first.status, second.status].sort(), ['fulfilled', 'rejected']);
  controller.abort();
  await assert.rejects(functions.read(1), { code: 'ERR_FETCH_CANCELLED' });
  await assert.rejects(functions.request(2, right), { code: 'ERR_FETCH_CANCELLED' });
});
