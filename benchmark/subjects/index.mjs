// What is compared, in the order in which it is shown. Each is a module of its own:
//
// - `open({ source, host, isAsync, sync, atOnce, gc, heap, buffers })` gives a tenant, in which this program is loaded;
// - a tenant has `call(event)`, `fresh(event)`, which is a call in clean state, and `close()`;
// - `openPool(program, size)` is for those that have something better than `fresh` for many clean calls;
// - `stock(program)` is for those that can prepare what a tenant of such a program needs: it ends when there is some of it;
// - `openRunner(host)` is for those that have something better than `open` for programs that are run once: `run(source, event)`
//   gives the result, and perhaps what is to be done with the tenant then;
// - `load()` says in which version a peer is there, or throws;
// - `execArgv` are the options that it needs of Node.js.
export const SUBJECTS = ['ours', 'floor', 'v8', 'isolated-vm', 'quickjs-emscripten', 'worker', 'fork'];

/** Those that have to be installed. */
export const PEERS = ['isolated-vm', 'quickjs-emscripten'];
