// The package's entry: the addon or, where that cannot be loaded, what stands in for it.
const { load } = require('./addon.js');
const { publish } = require('./diagnostics.js');
const { isSandboxError } = require('./errors.js');
const { metricsOf } = require('./metrics.js');
const { runIn, sync } = require('./run.js');

let addon;
try {
  addon = load();
  const asyncHooks = process.getBuiltinModule?.('node:async_hooks') ?? require('node:async_hooks');
  addon.useAsyncHooks(asyncHooks, publish(addon));
  addon.useFetch((policy) => require('./fetch/grant.js').grant(addon.hostCall)(policy));
} catch (error) {
  addon = require('./stand-in.js').standIn(error);
}

const run = runIn(addon);

// Node.js reads from these lines which names `import` can have.
exports.HostFunctionModule = addon.HostFunctionModule;
// Its name in hyperlight-js.
exports.HostModule = addon.HostFunctionModule;
exports.InterruptHandle = addon.InterruptHandle;
exports.JSSandbox = addon.JSSandbox;
exports.LoadedJSSandbox = addon.LoadedJSSandbox;
exports.ProtoJSSandbox = addon.ProtoJSSandbox;
exports.SandboxBuilder = addon.SandboxBuilder;
exports.SandboxPool = addon.SandboxPool;
exports.SandboxStatus = Object.freeze({
  Ready: 'ready',
  Poisoned: 'poisoned',
  Unrecoverable: 'unrecoverable',
  Disposed: 'disposed',
});
exports.Snapshot = addon.Snapshot;
exports.hostCall = addon.hostCall;
exports.isSandboxError = isSandboxError;
exports.metrics = metricsOf(addon.readMetrics);
exports.run = run;
exports.sync = sync;
