// What is recorded: `node scenarios.mjs NAME` prepares one of these, says so to its parent, does it, and says so again. What has
// to happen once in a process has happened by then: the boot, and what the kernel learns of the pages that calls write.
import { SandboxBuilder, SandboxPool } from '../../lib/entry.js';

const ROWS = Array.from({ length: 40 }, (_, id) => ({ id, name: `row ${id}`, price: id / 4, tags: ['a', null, true] }));

/** From what a service does all the time to what it does now and then. */
const SCENARIOS = {
  /** A call in clean state. */
  call: afterRestore((event) => ({ message: `Hello, ${event.name}!`, count: event.count + 1 }), {
    name: 'World',
    count: 1,
  }),
  /** A sandbox, its handler and a call. */
  async cold() {
    const all = async () => {
      const loaded = await load('function handler(event) { event.count = event.x + 1; return event; }');
      await loaded.callHandler('handler', { x: 1 });
    };
    await repeat(all);
    return all;
  },
  /** A program that nobody has seen before, with two calls of the host. */
  async run() {
    const pool = new SandboxPool({ size: 1 });
    let runs = 0;
    const all = () =>
      pool.run(
        `const { price } = await shop.find('book ${runs++}');
         const lines = [];
         for (const [name, count] of Object.entries(input.items)) {
           const cost = price * count;
           if (cost > 1) lines.push(name.padEnd(12) + cost.toFixed(2));
         }
         const stock = new Map(Object.entries(input.items));
         await shop.order({ lines });
         return { text: lines.join('\\n').toUpperCase(), most: Math.max(...stock.values()), names: [...stock.keys()].sort() };`,
        {
          input: { items: { apples: 12, string: 3 } },
          functions: { shop: { find: async () => ({ price: 1.5 }), order: async () => null } },
        },
      );
    await repeat(all);
    return all;
  },
  /** Functions of the host, timers, console lines and errors. */
  host: afterRestore(
    async (event) => {
      const { find, now } = await import('host:db');
      console.log('found', await find(event.id), { at: now() });
      await new Promise((resolve) => setTimeout(resolve, 1));
      try {
        JSON.parse('{');
      } catch (error) {
        console.error(error);
      }
      throw new TypeError('such as this one', { cause: event });
    },
    { id: 1 },
  ),
  /** Larger values, and what programs do with them. */
  values: afterRestore((rows) => {
    const some = rows.filter(({ price }) => price > 1).map(({ name, ...rest }) => ({ ...rest, label: `${name}?` }));
    const words = some.flatMap(({ label }) => label.split(/[^a-z0-9]+/i)).filter(Boolean);
    const counts = new Map();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    const bytes = new Uint8Array(words.length).map((_, i) => i * i);
    class Total {
      #sum = 0;
      add(value) {
        this.#sum += value;
        return this;
      }
      get sum() {
        return this.#sum;
      }
    }
    const total = some.reduce((sum, { price }) => sum.add(price), new Total());
    some.sort((a, b) => b.price - a.price || a.label.localeCompare(b.label));
    const copy = structuredClone({ some, set: new Set(words) });
    return {
      some,
      counts: [...counts],
      bytes,
      sum: total.sum.toFixed(2),
      date: new Date(0).toISOString(),
      copies: copy.set.size,
    };
  }, ROWS),
};

const [name] = process.argv.slice(2);
const act = await SCENARIOS[name]();
process.send('ready');
await new Promise((resolve) => process.once('message', resolve));
await act();
process.send('done');
await new Promise((resolve) => process.once('message', resolve));
process.exit();

function afterRestore(handler, event) {
  return async () => {
    const loaded = await load(`const handler = ${handler}; export { handler };`);
    const snapshot = await loaded.snapshot();
    const all = async () => {
      await loaded.restore(snapshot);
      // One of them throws.
      await loaded.callHandler('handler', event).catch(() => {});
    };
    await repeat(all);
    return all;
  };
}

async function load(source) {
  const proto = await new SandboxBuilder().build();
  proto.hostModule('db').register('now', () => 1);
  proto.hostModule('db').registerAsync('find', async (id) => ({ id, name: 'a name' }));
  const sandbox = await proto.loadRuntime();
  sandbox.addHandler('handler', source);
  return sandbox.getLoadedSandbox();
}

async function repeat(all) {
  for (let i = 0; i < 5; i++) await all();
}
