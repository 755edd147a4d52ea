// The same engine as in our guest, in WebAssembly on the calling thread: a runtime for each tenant, a context for clean state.
import { versionOf } from '../peers.mjs';

let quickjs;

export async function load() {
  const { getQuickJS } = await import('quickjs-emscripten');
  quickjs = await getQuickJS();
  return versionOf('quickjs-emscripten');
}

export async function open({ source, host, isAsync }) {
  const runtime = quickjs.newRuntime();
  const entry = isAsync
    ? 'async (text) => JSON.stringify(await handler(JSON.parse(text)))'
    : '(text) => JSON.stringify(handler(JSON.parse(text)))';

  function start() {
    const context = runtime.newContext();
    if (host) addHost(context, host);
    const handler = context.unwrapResult(context.evalCode(`${source}\n${entry}`));
    return { context, handler };
  }
  async function call({ context, handler }, event) {
    const text = context.newString(JSON.stringify(event));
    let result = context.unwrapResult(context.callFunction(handler, context.undefined, text));
    text.dispose();
    if (isAsync) {
      const settled = context.resolvePromise(result);
      result.dispose();
      runtime.executePendingJobs();
      result = context.unwrapResult(await settled);
    }
    const json = context.getString(result);
    result.dispose();
    return JSON.parse(json);
  }
  function end({ context, handler }) {
    handler.dispose();
    context.dispose();
  }

  const tenant = start();
  return {
    call: (event) => call(tenant, event),
    async fresh(event) {
      const fresh = start();
      try {
        return await call(fresh, event);
      } finally {
        end(fresh);
      }
    },
    async close() {
      end(tenant);
      runtime.dispose();
    },
  };
}

/** For functions that take and give numbers. */
function addHost(context, host) {
  const object = context.newObject();
  for (const [name, callback] of Object.entries(host)) {
    const wrapped = context.newFunction(name, (...values) => {
      const result = callback(...values.map((value) => context.getNumber(value)));
      return typeof result === 'number' ? context.newNumber(result) : promise(context, result);
    });
    context.setProp(object, name, wrapped);
    wrapped.dispose();
  }
  context.setProp(context.global, 'host', object);
  object.dispose();
}

function promise(context, result) {
  const deferred = context.newPromise();
  deferred.settled.then(() => context.runtime.executePendingJobs());
  result.then((number) => {
    const value = context.newNumber(number);
    deferred.resolve(value);
    value.dispose();
  });
  return deferred.handle;
}
