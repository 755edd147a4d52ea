// Functions on their way to a real registry and back, and all that can go wrong there.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SandboxBuilder, Snapshot } from '@hyperlight/js-host-api';
import { download, open, pull, push, resolve } from '../lib/index.js';
import { Artifacts, altered, ofNewerVersion, pushUnchecked, withUnfitSnapshot } from './artifacts.js';
import { DockerRegistry, USER } from './docker-registry.js';
import { startProxy } from './proxy.js';

/** Whoever runs the tests may have credentials. */
const NOBODY = { credentials: () => undefined };

const blobsIn = (folder) => readdirSync(join(folder, 'blobs', 'sha256')).sort();
const onEndOf = (t) => (action) => t.after(action);

async function callSnapshot(folder, snapshot, event) {
  const proto = await SandboxBuilder.fromSnapshot(await Snapshot.load(folder, snapshot)).build();
  const sandbox = await (await proto.loadRuntime()).getLoadedSandbox();
  try {
    return await sandbox.callHandler('handler', event);
  } finally {
    await sandbox[Symbol.asyncDispose]();
  }
}

test('functions in a registry', async (t) => {
  const onEnd = onEndOf(t);
  const registry = await DockerRegistry.start(onEnd);
  const artifacts = new Artifacts(onEnd);
  const name = `${registry.host}/functions/check`;
  const source = "import { z } from 'zod/mini'; export default (value) => z.safeParse(z.number(), value).success;";
  const made = await artifacts.bundle(source, { minify: true });

  await t.test('what is pulled is what was pushed: source with its packages, and snapshot', async () => {
    const { digest, sentBytes } = await push(made.folder, `${name}:1`, NOBODY);
    assert.equal(digest, made.digest);
    assert.ok(sentBytes > made.size);
    const folder = artifacts.place();
    assert.equal((await pull(`${name}:1`, folder, NOBODY)).digest, digest);
    assert.deepEqual(blobsIn(folder), blobsIn(made.folder));
    const opened = await open(folder);
    assert.deepEqual(opened, { digest, source: made.code, snapshot: made.snapshot });
    assert.equal(await callSnapshot(folder, opened.snapshot, 1), true);
    assert.equal(await callSnapshot(folder, opened.snapshot, '1'), false);
    assert.equal(await resolve(`${name}:1`, NOBODY), digest);
    const byDigest = artifacts.place();
    await download(`${name}@${digest}`, byDigest, NOBODY);
    assert.deepEqual(blobsIn(byDigest), blobsIn(folder));
    assert.deepEqual(await open(byDigest, digest), opened);
    assert.equal(await callSnapshot(byDigest, opened.snapshot, 2), true);
  });

  await t.test('what is there already is neither sent nor fetched again', async () => {
    assert.equal((await push(made.folder, `${name}:2`, NOBODY)).sentBytes, 0);
    const folder = artifacts.place();
    const { receivedBytes } = await pull(`${name}:1`, folder, NOBODY);
    assert.ok(receivedBytes > made.size);
    assert.equal((await pull(`${name}:2`, folder, { ...NOBODY, tag: 'two' })).receivedBytes, 0);
    const other = await artifacts.bundle(source, { minify: true, snapshot: false });
    assert.equal(other.code, made.code);
    // Only the manifest is another.
    assert.equal((await push(other.folder, `${name}:3`, NOBODY)).sentBytes, 0);
    await pull(`${name}:3`, folder, { ...NOBODY, tag: 'three' });
    assert.deepEqual(
      (await Promise.all(['latest', 'two', 'three'].map((tag) => open(folder, tag)))).map(({ digest }) => digest),
      [made.digest, made.digest, other.digest],
    );
  });

  await t.test('pushes at the same time to one tag: it is one of them, and each is whole', async () => {
    const sources = Array.from({ length: 6 }, (_, i) => `export default () => ${i};`);
    const all = await Promise.all(sources.map((text) => artifacts.bundle(text, { snapshot: false })));
    await Promise.all(all.map(({ folder }) => push(folder, `${name}:moving`, NOBODY)));
    const digest = await resolve(`${name}:moving`, NOBODY);
    const digests = all.map((it) => it.digest);
    assert.ok(digests.includes(digest));
    for (const [i, pushed] of digests.entries()) {
      const folder = artifacts.place();
      await pull(`${name}@${pushed}`, folder, NOBODY);
      assert.equal((await open(folder)).source, all[i].code);
    }
  });

  await t.test('what there is not is not found', async () => {
    for (const reference of [`${name}:none`, `${registry.host}/none:1`, `${name}@sha256:${'0'.repeat(64)}`]) {
      await assert.rejects(pull(reference, artifacts.place(), NOBODY), { code: 'ERR_FUNCTION_NOT_FOUND' });
    }
  });

  await t.test('a blob that is another, or cut short, is refused and not kept', async () => {
    const [bad, short] = await Promise.all(
      ['export default () => "bad";', 'export default () => "short";'].map((text) =>
        artifacts.bundle(text, { snapshot: false }),
      ),
    );
    for (const [{ folder }, tag] of [
      [bad, 'bad'],
      [short, 'short'],
    ])
      await push(folder, `${name}:${tag}`, NOBODY);
    const sourceOf = async ({ folder, digest }) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'blobs', 'sha256', digest.slice(7)), 'utf8'));
      return manifest.layers[0].digest;
    };
    const file = registry.fileOf(await sourceOf(bad));
    writeFileSync(file, readFileSync(file, 'utf8').replace('bad', 'BAD'));
    truncateSync(registry.fileOf(await sourceOf(short)), 5);
    for (const [tag, made, message] of [
      ['bad', bad, /sent other bytes than those of sha256/],
      ['short', short, /sent 5 of the \d+ bytes/],
    ]) {
      const folder = artifacts.place();
      await assert.rejects(pull(`${name}:${tag}`, folder, NOBODY), { code: 'ERR_ARTIFACT', message });
      assert.ok(!existsSync(join(folder, 'index.json')));
      const source = (await sourceOf(made)).slice(7);
      assert.ok(blobsIn(folder).every((blob) => !blob.startsWith(source)));
    }
  });

  await t.test('a manifest that is another than its digest says is refused', async () => {
    const one = await artifacts.bundle('export default () => "manifest";', { snapshot: false });
    await push(one.folder, `${name}:manifest`, NOBODY);
    const file = registry.fileOf(one.digest);
    writeFileSync(file, readFileSync(file, 'utf8').replace('source.js', 'SOURCE.js'));
    for (const reference of [`${name}:manifest`, `${name}@${one.digest}`]) {
      await assert.rejects(pull(reference, artifacts.place(), NOBODY), {
        code: 'ERR_ARTIFACT',
        message: /sent another manifest than that of sha256/,
      });
    }
  });

  await t.test('a function of a newer version, and what is no function, are refused', async () => {
    const newer = await artifacts.bundle('export default () => 1;', { snapshot: false });
    await ofNewerVersion(newer.folder);
    await pushUnchecked(newer.folder, `${name}:newer`);
    await assert.rejects(pull(`${name}:newer`, artifacts.place(), NOBODY), {
      code: 'ERR_ARTIFACT_VERSION',
      message: 'the function has a manifest of version 9, and this package knows those up to 1: update @hyperlight/oci',
    });
    const inside = await artifacts.bundle('export default () => 2;', { snapshot: false });
    await altered(inside.folder, async ({ manifest, replace }) => {
      await replace(manifest.config, { version: 2 });
    });
    for (const { folder } of [newer, inside]) {
      const expected = { code: 'ERR_ARTIFACT_VERSION', message: /version [29], and this package knows those up to 1/ };
      await assert.rejects(open(folder), expected);
      await assert.rejects(push(folder, `${name}:other`, NOBODY), expected);
    }
    const foreign = await artifacts.bundle('export default () => 3;', { snapshot: false });
    await altered(foreign.folder, ({ manifest }) => {
      manifest.config.mediaType = 'application/vnd.oci.image.config.v1+json';
    });
    await assert.rejects(open(foreign.folder), { code: 'ERR_ARTIFACT' });
  });

  await t.test('a folder that is damaged is not pushed', async () => {
    const { folder, code } = await artifacts.bundle('export default () => "damaged";', { snapshot: false });
    const file = blobsIn(folder)
      .map((blob) => join(folder, 'blobs', 'sha256', blob))
      .find((blob) => readFileSync(blob, 'utf8') === code);
    writeFileSync(file, code.replace('damaged', 'DAMAGED'));
    await assert.rejects(push(folder, `${name}:damaged`, NOBODY), { code: 'ERR_ARTIFACT', message: /is damaged/ });
    await assert.rejects(resolve(`${name}:damaged`, NOBODY), { code: 'ERR_FUNCTION_NOT_FOUND' });
    await assert.rejects(push(artifacts.folder, `${name}:none`, NOBODY), { code: 'ERR_ARTIFACT' });
  });

  await t.test('a snapshot that does not fit is known as such', async () => {
    const one = await artifacts.bundle('export default (n) => n + 1;');
    await withUnfitSnapshot(one.folder);
    await push(one.folder, `${name}:unfit`, NOBODY);
    const folder = artifacts.place();
    await pull(`${name}:unfit`, folder, NOBODY);
    const { snapshot, source } = await open(folder);
    await assert.rejects(Snapshot.load(folder, snapshot), { code: 'ERR_SNAPSHOT' });
    assert.equal(source, one.code);
  });

  await t.test('plain HTTP to another machine is refused unless it is allowed', async () => {
    const elsewhere = `0.0.0.0:${registry.port}/functions/check:1`;
    for (const reference of [elsewhere, `http://${elsewhere}`]) {
      await assert.rejects(resolve(reference, NOBODY), { code: 'ERR_PLAIN_HTTP' });
    }
    assert.equal(await resolve(elsewhere, { ...NOBODY, plainHttp: true }), made.digest);
    assert.equal(await resolve(`http://${name}:1`, NOBODY), made.digest);
  });

  await t.test('a transfer that is aborted ends', async () => {
    const reference = `${name}:1`;
    await assert.rejects(pull(reference, artifacts.place(), { ...NOBODY, signal: AbortSignal.abort() }), {
      name: 'AbortError',
    });
  });
});

test('a registry that wants to know who asks', async (t) => {
  const onEnd = onEndOf(t);
  const registry = await DockerRegistry.start(onEnd, { withUsers: true });
  const artifacts = new Artifacts(onEnd);
  const { folder, digest } = await artifacts.bundle('export default () => 1;', { snapshot: false });
  const reference = `${registry.host}/private:1`;
  await assert.rejects(push(folder, reference, NOBODY), { code: 'ERR_REGISTRY_AUTH', message: /docker login/ });
  const wrong = { credentials: () => ({ ...USER, password: 'wrong' }) };
  await assert.rejects(push(folder, reference, wrong), { code: 'ERR_REGISTRY_AUTH' });

  const { DOCKER_CONFIG, PATH } = process.env;
  t.after(() => {
    Object.assign(process.env, { PATH });
    if (DOCKER_CONFIG === undefined) delete process.env.DOCKER_CONFIG;
    else process.env.DOCKER_CONFIG = DOCKER_CONFIG;
  });
  process.env.DOCKER_CONFIG = artifacts.folder;
  const configure = (config) => writeFileSync(join(artifacts.folder, 'config.json'), JSON.stringify(config));
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  configure({ auths: { [registry.host]: { auth } } });
  assert.equal((await push(folder, reference)).digest, digest);

  // As Docker has them: a program with this name, which is told the host.
  const helper = `#!/bin/sh
[ "$(cat)" = ${registry.host} ] && echo '${JSON.stringify({ Username: USER.username, Secret: USER.password })}'`;
  writeFileSync(join(artifacts.folder, 'docker-credential-tests'), helper, { mode: 0o700 });
  process.env.PATH = `${artifacts.folder}:${PATH}`;
  configure({ credHelpers: { [registry.host]: 'tests' } });
  assert.equal(await resolve(reference), digest);
  configure({ credHelpers: { [registry.host]: 'missing' } });
  await assert.rejects(resolve(reference), { code: 'ERR_REGISTRY_AUTH', message: /docker-credential-missing/ });
  writeFileSync(join(artifacts.folder, 'config.json'), '{"auths": of:tests');
  await assert.rejects(resolve(reference), (error) => {
    assert.equal(error.code, 'ERR_REGISTRY_AUTH');
    assert.ok(!error.message.includes('of:tests'));
    return true;
  });
});

test('a registry that is gone in the middle', async (t) => {
  const onEnd = onEndOf(t);
  const artifacts = new Artifacts(onEnd);
  const { folder, digest } = await artifacts.bundle('export default () => 1;');

  await t.test('of a push: the tag is not there, and the next push goes on', async () => {
    const registry = await DockerRegistry.start(onEnd);
    const proxy = await startProxy(onEnd, registry.port, { upBytes: 2 * 2 ** 20 });
    await assert.rejects(push(folder, `${proxy.host}/functions/one:1`, NOBODY), { code: 'ERR_REGISTRY' });
    const reference = `${registry.host}/functions/one:1`;
    await assert.rejects(resolve(reference, NOBODY), { code: 'ERR_FUNCTION_NOT_FOUND' });
    assert.equal((await push(folder, reference, NOBODY)).digest, digest);
    assert.equal(await resolve(reference, NOBODY), digest);
  });

  await t.test('of a pull: nothing is kept that is not whole, and the next pull goes on', async () => {
    const registry = await DockerRegistry.start(onEnd);
    await push(folder, `${registry.host}/functions/one:1`, NOBODY);
    let gone;
    const proxy = await startProxy(onEnd, registry.port, {
      downBytes: 2 * 2 ** 20,
      onBroken: () => {
        gone = registry.kill();
      },
    });
    const pulled = artifacts.place();
    await assert.rejects(pull(`${proxy.host}/functions/one:1`, pulled, NOBODY), { code: 'ERR_REGISTRY' });
    await gone;
    assert.ok(!existsSync(join(pulled, 'index.json')));
    const kept = blobsIn(pulled);
    assert.ok(kept.length > 0 && kept.every((blob) => blobsIn(folder).includes(blob)), String(kept));
    const next = await DockerRegistry.start(onEnd);
    const reference = `${next.host}/functions/one:1`;
    await push(folder, reference, NOBODY);
    await pull(reference, pulled, NOBODY);
    assert.deepEqual(blobsIn(pulled), blobsIn(folder));
  });
});
