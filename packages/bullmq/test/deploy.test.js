// deploy/kubernetes against the schemas of Kubernetes and KEDA, and what it promises of workers. .ci/run lints the Dockerfiles.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { readOptions } from '../lib/worker-options.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DEPLOY = join(ROOT, 'deploy', 'kubernetes');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const objects = readdirSync(DEPLOY)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => parseAllDocuments(readFileSync(join(DEPLOY, name), 'utf8'), { uniqueKeys: true }))
  .map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
const one = (kind, name = 'hyperlight-worker') =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);

/** The module of the schemas that has this kind of object. */
function moduleOf({ apiVersion, kind }) {
  const library = apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models';
  return `${library}/${apiVersion}/${kind}`;
}

test('all objects are as the schemas of Kubernetes and KEDA have them', async () => {
  assert.ok(objects.length >= 8);
  for (const object of objects) {
    const { [object.kind]: Model } = await import(moduleOf(object));
    new Model(object).validate();
  }
});

test('no object has a field that Kubernetes and KEDA do not know', (t) => {
  // The validators let those pass. As types the same schemas do not.
  const check = (mangle = (text) => text) => {
    const folder = mkdtempSync(join(ROOT, 'packages', 'node_modules', '.deploy-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const lines = objects.flatMap((object, i) => [
      `import type { I${object.kind} as T${i} } from '${moduleOf(object)}';`,
      `export const object${i}: T${i} = ${mangle(JSON.stringify(object))};`,
    ]);
    writeFileSync(join(folder, 'objects.mts'), lines.join('\n'));
    const options = { module: 'nodenext', strict: true, noEmit: true, types: [], skipLibCheck: true };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['objects.mts'] }));
    return spawnSync(process.execPath, [TSC, '--project', folder], { encoding: 'utf8' }).stdout;
  };
  assert.equal(check(), '');
  const wrong = check((text) => text.replace('"pollingInterval"', '"pollingIntervals"'));
  assert.match(wrong, /'"pollingIntervals"' does not exist in type 'IScaledObjectSpec'/);
});

test('workers have no privileges, and nothing to write to but their folder for temporary files', () => {
  const { spec } = one('Deployment').spec.template;
  assert.equal(spec.automountServiceAccountToken, false);
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.deepEqual(spec.securityContext.seccompProfile, { type: 'RuntimeDefault' });
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) assert.equal(spec[name], undefined);
  const [worker] = spec.containers;
  assert.deepEqual(worker.securityContext, {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.ok(spec.volumes.every((volume) => volume.hostPath === undefined));
  assert.deepEqual(
    worker.volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath),
    [worker.env.find(({ name }) => name === 'TMPDIR').value],
  );
  assert.equal(worker.resources.limits['smarter-devices/kvm'], '1');
});

test('what the parts are told of each other fits', () => {
  const { spec } = one('Deployment').spec.template;
  const [worker] = spec.containers;
  const {
    worker: options,
    http,
    drainTimeoutMs,
  } = readOptions(worker.args, { REDIS_URL: 'redis://redis.example:6379' });
  assert.equal(http.port, worker.ports[0].containerPort);
  assert.equal(http.host, '0.0.0.0');
  assert.deepEqual([worker.readinessProbe.httpGet.path, worker.livenessProbe.httpGet.path], ['/ready', '/alive']);
  // What the program itself takes to give back jobs.
  assert.ok(spec.terminationGracePeriodSeconds * 1000 > drainTimeoutMs + 10_000);
  const mebibytes = (text) => Number(text.match(/^(\d+)Gi$/)[1]) * 1024;
  assert.ok(mebibytes(worker.resources.limits.memory) * 2 ** 20 >= options.memoryBudgetBytes + 2 ** 30);
  assert.ok(mebibytes(spec.volumes[0].emptyDir.sizeLimit) * 2 ** 20 >= 2 * options.cacheBytes);
  assert.equal(options.concurrency, Number(worker.resources.requests.cpu));
  const labels = one('Deployment').spec.template.metadata.labels;
  assert.deepEqual(one('Deployment').spec.selector.matchLabels, labels);
  assert.deepEqual(one('PodDisruptionBudget').spec.selector.matchLabels, labels);
  assert.deepEqual(one('NetworkPolicy').spec.podSelector.matchLabels, labels);
  const { scaleTargetRef, triggers } = one('ScaledObject').spec;
  assert.equal(scaleTargetRef.name, one('Deployment').metadata.name);
  // BullMQ's own names of what waits and what runs.
  const key = (state) => `${options.prefix}:${options.queue}:${state}`;
  assert.deepEqual(
    triggers.map(({ metadata }) => metadata.listName),
    [key('prioritized'), key('active')],
  );
  assert.equal(one('TriggerAuthentication', 'hyperlight-redis').spec.secretTargetRef[0].name, 'hyperlight-redis');
});
