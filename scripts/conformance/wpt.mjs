// The web-platform-tests (https://github.com/web-platform-tests/wpt): files `.any.js`, which need no document, with the harness
// that the checkout has. Left out is what is not for a guest: what needs a document, a worker, or a server.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize } from 'node:path';

const { SandboxBuilder } = createRequire(import.meta.url)('../..');

export const NAME = 'web-platform-tests';
/** What is in a checkout. */
export const MARK = 'resources/testharness.js';
export const FOLDERS = [
  'url',
  'urlpattern',
  'encoding',
  'dom/abort',
  'dom/events',
  'html/webappapis',
  'streams',
  'FileAPI',
  'fetch/api',
  'xhr/formdata',
  'compression',
  'hr-time',
  'user-timing',
  'WebCryptoAPI',
];

/** What a sandbox cannot run, and what for it would need. */
const LEFT_OUT = [
  // A server that answers, and a cache.
  /^fetch\/api\/(abort\/(cache|general)|basic|cors|crashtests|credentials|policies|redirect)/,
  /^fetch\/api\/request\/(destination|multi-globals|request-(bad-port|cache|clone\.sub|keepalive|reset))/,
  /^fetch\/api\/response\/multi-globals/,
  /^FileAPI\/file\/send-file/,
  /^fetch\/api\/headers\/header-values-normalize/,
  // URLs of blobs, which only a document or fetch() could use.
  /^FileAPI\/url/,
  // Messages between workers, documents or ports.
  /^streams\/transferable/,
  /^encoding\/(sharedarraybuffer|unsupported-encodings|unsupported-labels)/,
  // FileReader, which neither Node.js nor Workers have.
  /^FileAPI\/(reading-data-section|FileReader|fileReader)/,
  // Curves that are not in the standard, and documents that were not loaded by https.
  /^WebCryptoAPI\/(.*448|historical)/,
  // What no document and no server has.
  /shadowrealm/,
];
const TIME_LIMIT = 120_000;
/** The scripts that a test is given can be some megabytes. */
const BUFFER_SIZE = 24 << 20;

/** Runs a file; evaluated in the guest. */
async function handler({ path, variant, harness, scripts, code }) {
  const { eval: evaluate, Promise: NativePromise } = globalThis;
  const { read } = await import('host:suite');
  globalThis.self ??= globalThis;
  globalThis.location = { href: `https://web-platform.test/${path}${variant}`, search: variant, pathname: `/${path}` };
  globalThis.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };
  // Resources of a test are files; there is no network.
  globalThis.fetch ??= async (resource) => {
    const bytes = read(path, `${resource}`);
    if (bytes === null) throw new TypeError('there is no network');
    return new Response(bytes);
  };
  // The suite reads blobs with it.
  globalThis.FileReader ??= class {
    #read(promise) {
      promise.then((result) => {
        this.result = result;
        const event = { target: this };
        this.onload?.(event);
        this.onloadend?.(event);
      });
    }

    readAsText(blob) {
      this.#read(blob.text());
    }

    readAsArrayBuffer(blob) {
      this.#read(blob.arrayBuffer());
    }
  };
  // It is where the suite has SharedArrayBuffer from.
  globalThis.WebAssembly ??= {
    Memory: class {
      buffer = new SharedArrayBuffer();
    },
  };
  evaluate(harness);
  // For interfaces, a guest is a worker; that the harness runs in one it is not to think.
  globalThis.DedicatedWorkerGlobalScope = { [Symbol.hasInstance]: (value) => value === globalThis };
  const results = new NativePromise((resolve) => {
    add_completion_callback((tests, { status, message }) => {
      const list = tests.map((test) => ({
        name: test.name,
        failure: test.status === test.PASS ? null : `${test.message}`,
      }));
      if (status !== 0) list.push({ name: '(the file)', failure: `${message}` });
      resolve(list);
    });
  });
  try {
    for (const script of scripts) evaluate(script);
    evaluate(code);
  } catch (error) {
    return [{ name: '(the file)', failure: `${error?.name}: ${error?.message}` }];
  }
  return results;
}

function filesIn(checkout, path) {
  if (!existsSync(join(checkout, path))) return [];
  if (!statSync(join(checkout, path)).isDirectory()) {
    return path.endsWith('.any.js') && !LEFT_OUT.some((pattern) => pattern.test(path)) ? [path] : [];
  }
  return readdirSync(join(checkout, path))
    .sort()
    .flatMap((name) => filesIn(checkout, join(path, name)));
}

/** Where files are that the suite's server gives under another name. */
const ALIASES = { '/resources/WebIDLParser.js': '/resources/webidl2/lib/webidl2.js' };

/** A file of the checkout that a test names, if there is one. */
function bytesOf(checkout, path, resource) {
  const [bare] = resource.replace(/^https:\/\/web-platform\.test(?=\/)/, '').split(/[?#]/);
  const file = normalize(bare.startsWith('/') ? bare : join('/', dirname(path), bare));
  const full = join(checkout, ALIASES[file] ?? file);
  return existsSync(full) && statSync(full).isFile() ? readFileSync(full) : null;
}

/** What a file asks for in its first lines. */
function askedFor(source, key) {
  return [...source.matchAll(new RegExp(`^// META: *${key}=(.*)$`, 'gm'))].map(([, value]) => value.trim());
}

/** A script, such that what it declares is seen by those after it, though it is evaluated and not run as a script. */
function shared(source) {
  return source
    .replace(/^(['"])use strict\1;?$/m, '')
    .replace(/^(let|const) /gm, 'var ')
    .replace(/^class (\w+)/gm, 'var $1 = class $1');
}

/** A checkout whose files can be run: each gives results with the name of a test, and the failure if there was one. */
export async function open(checkout) {
  const harness = readFileSync(join(checkout, MARK), 'utf8');
  const builder = new SandboxBuilder()
    .setInputBufferSize(BUFFER_SIZE)
    .setOutputBufferSize(BUFFER_SIZE)
    .setHeapSize(256 << 20)
    .setScratchSize(32 << 20)
    .setMaxOutputValues(1 << 20);
  const proto = await builder.build();
  proto.hostModule('suite').register('read', (path, resource) => bytesOf(checkout, path, resource));
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('run', `export ${handler}`);
  const loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  return {
    filesIn: (path) => filesIn(checkout, path),
    async run(file) {
      const code = readFileSync(join(checkout, file), 'utf8');
      const scripts = askedFor(code, 'script').map((script) => {
        return shared(bytesOf(checkout, file, script)?.toString() ?? `throw new Error('there is no ${script}')`);
      });
      const results = [];
      for (const variant of askedFor(code, 'variant').concat(askedFor(code, 'variant').length > 0 ? [] : [''])) {
        const event = { path: file, variant, harness, scripts, code };
        await loaded.restore(snapshot);
        try {
          const found = await loaded.callHandler('run', event, { wallClockTimeoutMs: TIME_LIMIT, gc: false });
          results.push(...found.map(({ name, failure }) => ({ name: `${variant}${variant && ': '}${name}`, failure })));
        } catch (error) {
          results.push({ name: `${variant}(the file)`, failure: `${error.code}: ${error.message}` });
        }
      }
      return results;
    },
  };
}
