// A guest that awaits: it fetches three pages at once through a host function, with a time limit of its own.
import { createServer } from 'node:http';
import { SandboxBuilder } from '@hyperlight/js-host-api';

// The pages take their time; the last one never comes.
const server = createServer((request, response) => {
  if (request.url !== '/never') setTimeout(() => response.end(`page ${request.url.slice(1)}`), 50);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const protoSandbox = await new SandboxBuilder().build();
// The guest gets a promise at once and goes on; the program decides what may be fetched.
protoSandbox.hostModule('web').registerAsync('get', async (path) => {
  const response = await fetch(new URL(path, origin));
  return response.text();
});

const jsSandbox = await protoSandbox.loadRuntime();
jsSandbox.addHandler(
  'fetch',
  `
  import { get } from 'host:web';

  /** The promise, or a rejection when the signal is aborted. */
  function unlessAborted(promise, signal) {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      promise.then(resolve, reject);
    });
  }

  async function handler({ paths, limit }) {
    const pages = await Promise.allSettled(
      paths.map((path) => unlessAborted(get(path), AbortSignal.timeout(limit))),
    );
    return pages.map(({ value, reason }) => value ?? reason.name);
  }
`,
);

const loadedSandbox = await jsSandbox.getLoadedSandbox();
const limits = { wallClockTimeoutMs: 10_000, cpuTimeoutMs: 1_000 };
console.log(await loadedSandbox.callHandler('fetch', { paths: ['/1', '/2', '/3'], limit: 5_000 }, limits));
console.log(await loadedSandbox.callHandler('fetch', { paths: ['/1', '/never'], limit: 1_000 }, limits));
loadedSandbox.dispose();
server.closeAllConnections();
server.close();
