import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxBuilder } from '@hyperlight/js-host-api';
import { rejection, thrown } from './sandbox';

const SOURCE = `
  import process, { env } from 'process';
  const seen = process.env.REGION;
  function handler(change) {
    if (change) env.REGION = change;
    return { env: { ...process.env }, seen, isSame: env === globalThis.process.env };
  }
`;

async function load(builder: SandboxBuilder) {
  const sandbox = await (await builder.build()).loadRuntime();
  sandbox.addHandler('f', SOURCE);
  return sandbox.getLoadedSandbox();
}

test('guest code has the variables of its builder, and none of the process', async () => {
  process.env.SECRET_OF_THE_HOST = 'secret';
  const variables = { REGION: 'eu', 'with space': 'ü €', EMPTY: '', toString: 'text', 5: 'five' };
  await using loaded = await load(new SandboxBuilder().setEnvironment(variables));
  const expected = { ...variables };
  assert.deepEqual(await loaded.callHandler('f', null), { env: expected, seen: 'eu', isSame: true });
  await using other = await load(new SandboxBuilder());
  assert.deepEqual(await other.callHandler('f', null), { env: {}, isSame: true });
});

test('they are part of the state: a restore brings them back, and a snapshot has them', async () => {
  const loaded = await load(new SandboxBuilder().setEnvironment({ REGION: 'first' }).setEnvironment({ REGION: 'eu' }));
  const snapshot = await loaded.snapshot();
  const read = async (change: unknown) => ((await loaded.callHandler('f', change)) as { env: unknown }).env;
  assert.deepEqual(await read('us'), { REGION: 'us' });
  await loaded.restore(snapshot);
  assert.deepEqual(await read(null), { REGION: 'eu' });
  const jsSandbox = await (await SandboxBuilder.fromSnapshot(snapshot).build()).loadRuntime();
  const started = await jsSandbox.getLoadedSandbox();
  assert.deepEqual(((await started.callHandler('f', null)) as { env: unknown }).env, { REGION: 'eu' });
  const other = SandboxBuilder.fromSnapshot(snapshot).setEnvironment({ REGION: 'us' });
  await rejection('ERR_INVALID_ARG', other.build());
  const again = await loaded.unload();
  again.addHandler('f', SOURCE);
  const reloaded = await again.getLoadedSandbox();
  assert.deepEqual(((await reloaded.callHandler('f', null)) as { env: unknown }).env, { REGION: 'eu' });
});

test('what is no object of strings is refused, and so is what does not fit', async () => {
  for (const value of [undefined, null, 'A=1', { A: 1 }, { A: undefined }]) {
    thrown('ERR_INVALID_ARG', () => new SandboxBuilder().setEnvironment(value as never));
  }
  await rejection('ERR_INVALID_ARG', new SandboxBuilder().setEnvironment({ '': 'x' }).build());
  const large = new SandboxBuilder().setEnvironment({ A: 'x'.repeat(2 ** 20) });
  await rejection('ERR_PAYLOAD_TOO_LARGE', load(large));
});
