// The life of a sandbox, from its settings to a handler's result.
import { SandboxBuilder } from '@hyperlight/js-host-api';

const builder = new SandboxBuilder();
const protoSandbox = await builder.build();
const jsSandbox = await protoSandbox.loadRuntime();

// 'greet' is the name to call it by; the function itself must be named `handler`.
jsSandbox.addHandler(
  'greet',
  `
  function handler(event) {
    event.message = 'Hello, ' + event.name + '!';
    return event;
  }
`,
);

const loadedSandbox = await jsSandbox.getLoadedSandbox();
const result = await loadedSandbox.callHandler('greet', { name: 'World' });
console.log(result); // { name: 'World', message: 'Hello, World!' }
