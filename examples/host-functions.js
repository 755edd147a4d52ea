// Functions of this program that guest code can call: synchronous ones, asynchronous ones, and one that fails.
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxBuilder } from '@hyperlight/js-host-api';

const protoSandbox = await new SandboxBuilder().build();

protoSandbox
  .hostModule('math')
  .register('add', (a, b) => a + b)
  .register('multiply', (a, b) => a * b);

const users = new Map([[42, { id: 42, name: 'Alice' }]]);
protoSandbox.hostModule('db').register('findUser', async (id) => {
  await sleep(10); // as a database would
  const user = users.get(id);
  if (!user) throw new RangeError(`there is no user ${id}`);
  return user;
});

// The same for a single function.
protoSandbox.register('strings', 'upper', (text) => text.toUpperCase());

const jsSandbox = await protoSandbox.loadRuntime();
jsSandbox.addHandler(
  'report',
  `
  import * as math from 'host:math';
  import { findUser } from 'host:db';
  import { upper } from 'host:strings';

  function handler({ id, price, pieces }) {
    try {
      // For the guest every call is synchronous.
      const user = findUser(id);
      return { user: upper(user.name), total: math.add(math.multiply(price, pieces), 5) };
    } catch (error) {
      return { error: error.name + ': ' + error.message };
    }
  }
`,
);

const loadedSandbox = await jsSandbox.getLoadedSandbox();
console.log(await loadedSandbox.callHandler('report', { id: 42, price: 20, pieces: 3 }));
console.log(await loadedSandbox.callHandler('report', { id: 7, price: 20, pieces: 3 }));
