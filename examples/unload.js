// One sandbox, given other handlers: unloading forgets the old ones with all their state.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();
const jsSandbox = await protoSandbox.loadRuntime();

jsSandbox.addHandler('greet', "function handler({ name }) { return 'Hello, ' + name + '!'; }");
jsSandbox.addHandler('count', 'let count = 0; function handler() { return ++count; }');
const loadedSandbox = await jsSandbox.getLoadedSandbox();
console.log(await loadedSandbox.callHandler('greet', { name: 'World' }));
await loadedSandbox.callHandler('count', {});
console.log('count:', await loadedSandbox.callHandler('count', {}));

// The old object is consumed; the host functions, if there are any, stay.
const unloadedSandbox = await loadedSandbox.unload();
try {
  await loadedSandbox.callHandler('greet', { name: 'World' });
} catch (error) {
  console.log(error.code);
}

unloadedSandbox.addHandler('greet', "function handler({ name }) { return 'Goodbye, ' + name + '!'; }");
unloadedSandbox.addHandler('count', 'let count = 0; function handler() { return ++count; }');
const reloadedSandbox = await unloadedSandbox.getLoadedSandbox();
console.log(await reloadedSandbox.callHandler('greet', { name: 'World' }));
console.log('count:', await reloadedSandbox.callHandler('count', {}));
