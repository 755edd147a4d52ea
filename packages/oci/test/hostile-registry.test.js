// Registries that do what the real one of the other tests does not: tokens, references to other places, and hostility.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { pull, resolve } from '../lib/index.js';
import { Artifacts } from './artifacts.js';

async function serve(t, answer) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url, authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${server.address().port}`, requests };
}

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const CONFIG = Buffer.from('{"version":1}');
const SOURCE = Buffer.from('export default () => 1;');
const blob = (bytes, mediaType) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const manifestOf = (changes = {}) => ({
  schemaVersion: 2,
  config: blob(CONFIG, 'application/vnd.hyperlight.function.v1+json'),
  layers: [blob(SOURCE, 'application/vnd.hyperlight.function.source.v1+javascript')],
  ...changes,
});
const blobs = new Map([CONFIG, SOURCE].map((bytes) => [digestOf(bytes), bytes]));
const options = { credentials: () => ({ username: 'me', password: 'secret' }) };

test('tokens are asked for where the registry says, and passwords and tokens go nowhere else', async (t) => {
  const storage = await serve(t, ({ url }, response) => response.end(blobs.get(url.slice(1))));
  const tokens = await serve(t, (_, response) => response.end('{"token":"abc"}'));
  const registry = await serve(t, ({ url, headers }, response) => {
    if (headers.authorization !== 'Bearer abc') {
      const challenge = `Bearer realm="http://${tokens.host}/token",service="tests",scope="repository:f:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    } else if (url === '/v2/f/manifests/1') response.end(JSON.stringify(manifestOf()));
    else response.writeHead(307, { location: `http://${storage.host}/${url.split('/').at(-1)}` }).end();
  });
  const artifacts = new Artifacts((action) => t.after(action));
  const folder = artifacts.place();
  await pull(`${registry.host}/f:1`, folder, options);
  assert.equal(readdirSync(join(folder, 'blobs', 'sha256')).length, 3);
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  assert.deepEqual(tokens.requests, [
    { path: '/token?scope=repository%3Af%3Apull&service=tests', authorization: basic },
  ]);
  assert.deepEqual(
    storage.requests.map(({ authorization }) => authorization),
    [undefined, undefined],
  );
  assert.deepEqual(
    new Set(registry.requests.map(({ authorization }) => authorization)),
    new Set([undefined, 'Bearer abc']),
  );
});

test('what a registry sends is bounded and checked', async (t) => {
  const manifests = {
    array: '[]',
    text: '"text"',
    broken: '{',
    'no-layers': JSON.stringify(manifestOf({ layers: 1 })),
    'no-source': JSON.stringify(manifestOf({ layers: [] })),
    'many-layers': JSON.stringify(manifestOf({ layers: Array(1000).fill(manifestOf().layers[0]) })),
    'path-as-digest': JSON.stringify(manifestOf({ config: { ...manifestOf().config, digest: 'sha256:../../../x' } })),
    'negative-size': JSON.stringify(manifestOf({ config: { ...manifestOf().config, size: -1 } })),
    'null-layer': JSON.stringify(manifestOf({ layers: [null] })),
    'too-large': ' '.repeat(5 * 2 ** 20),
  };
  const registry = await serve(t, ({ url }, response) => {
    const name = url.split('/').at(-1);
    if (name === 'circle') response.writeHead(307, { location: url }).end();
    else if (name === 'nowhere') response.writeHead(307, { location: 'http://' }).end();
    else if (name === 'long-blob') {
      const layers = [{ ...manifestOf().layers[0], size: 3 }];
      response.end(JSON.stringify(manifestOf({ layers })));
    } else if (name === 'silent') response.write(' ');
    else response.end(manifests[name] ?? blobs.get(name));
  });
  const artifacts = new Artifacts((action) => t.after(action));
  const folder = artifacts.place();
  for (const name of [...Object.keys(manifests), 'long-blob']) {
    await assert.rejects(pull(`${registry.host}/f:${name}`, folder, options), { code: 'ERR_ARTIFACT' }, name);
  }
  for (const name of ['circle', 'nowhere', 'silent']) {
    const begun = resolve(`${registry.host}/f:${name}`, { ...options, patienceMs: 200 });
    await assert.rejects(begun, { code: 'ERR_REGISTRY' }, name);
  }
  const controller = new AbortController();
  const aborted = resolve(`${registry.host}/f:silent`, { ...options, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(aborted, { name: 'AbortError' });
});

test('names that are no names of functions are refused', async () => {
  for (const reference of [
    '',
    'x',
    'host/',
    'host/UPPER',
    'host/a//b',
    'host/../b',
    'host/a:',
    'host/a@sha256:12',
    'ho st/a',
    'ftp://host/a',
    'host/a?b',
    `host/${'a'.repeat(2000)}`,
    1,
    null,
  ]) {
    await assert.rejects(resolve(reference), { code: 'ERR_INVALID_ARG' }, String(reference));
  }
});
