// Errors of guest code that ends with a source map name the places of the original sources.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type GuestError, type RunOptions, SandboxPool } from '@hyperlight/js-host-api';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { rejection, start } from './sandbox';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

/** What TypeScript's own compiler makes of a source: other lines, and a map of them. */
function compiled(fileName: string, source: string): string {
  const compilerOptions = { inlineSourceMap: true, module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
  return transpileModule(source, { fileName, compilerOptions }).outputText;
}

/** A source with a map of this content. */
function mapped(source: string, map: unknown): string {
  const text = typeof map === 'string' ? map : JSON.stringify(map);
  return `${source}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(text).toString('base64')}`;
}

const ORDER = `
interface Order { prices: number[] }

function total(order: Order): number {
  if (order.prices.length === 0) throw new RangeError('nothing ordered');
  return order.prices.reduce((sum, price) => sum + price);
}

export function handler(order: Order): number {
  return total(order);
}
`;
const STACK = '    at total (order.ts:5:44)\n    at handler (order.ts:10:16)\n';
const FAILS = 'const f = () => { throw new Error("x"); };\nexport const handler = () => f();';

async function stackOf(code: string, options?: RunOptions): Promise<string> {
  const { guestStack } = await rejection('ERR_GUEST_ERROR', pool.run(code, options));
  return guestStack ?? assert.fail('there is no stack');
}

test('the stack of a handler, before and after a restore, and of a sandbox that begins with its snapshot', async () => {
  const sandbox = await start();
  sandbox.addHandler('order', compiled('order.ts', ORDER));
  const loaded = await sandbox.getLoadedSandbox();
  const snapshot = await loaded.snapshot();
  const stack = async () =>
    (await rejection('ERR_GUEST_ERROR', loaded.callHandler('order', { prices: [] }))).guestStack;
  assert.equal(await stack(), STACK);
  await loaded.restore(snapshot);
  assert.equal(await stack(), STACK);
  await using other = new SandboxPool({ size: 1, snapshot });
  assert.equal((await rejection('ERR_GUEST_ERROR', other.callHandler('order', { prices: [] }))).guestStack, STACK);
});

test('the stacks of modules, of causes and of errors, each by its own map', async () => {
  const sandbox = await start();
  sandbox.addModule('order', compiled('order.ts', ORDER));
  sandbox.addHandler(
    'all.js',
    compiled(
      'all.ts',
      `import { handler as total } from 'user:order';
      type Thrown = Error;
      export function handler() {
        try { total({ prices: [] }); } catch (cause) {
          throw new AggregateError([cause], 'all', { cause: cause as Thrown });
        }
      }`,
    ),
  );
  const loaded = await sandbox.getLoadedSandbox();
  const error = (await rejection('ERR_GUEST_ERROR', loaded.callHandler('all.js', {}))) as Error as GuestError;
  assert.match(error.guestStack, /^ {4}at handler \(all\.ts:5:\d+\)\n$/);
  const first = '    at total (order.ts:5:44)';
  assert.equal(error.cause?.guestStack.split('\n')[0], first);
  assert.equal(error.errors?.[0]?.guestStack.split('\n')[0], first);
});

test('the place of an error of compilation', async () => {
  const sandbox = await start();
  sandbox.addHandler(
    'h',
    compiled('h.ts', 'interface A {}\ninterface B {}\nnull!.x;\nexport const handler = () => 1;'),
  );
  const error = await rejection('ERR_COMPILE', sandbox.getLoadedSandbox());
  assert.deepEqual([error.file, error.line, error.column], ['h.ts', 3, 1]);
});

test('the stack of a program', async () => {
  const source = "interface A {}\n\nconst a: A = {};\nthrow new Error('x');\nexport {};";
  assert.equal(await stackOf(compiled('program.ts', source)), '    at <anonymous> (program.ts:4:11)\n');
});

test('what has no original, and maps that are not valid, leave the places as they are', async () => {
  const place = async (map: unknown) => (await stackOf(mapped(FAILS, map))).split('\n')[0]?.match(/\((.*)\)$/)?.[1];
  const unmapped = await place('');
  assert.match(unmapped ?? '', /^run:1:\d+$/);
  const sources = ['a.js'];
  assert.equal(await place({ version: 3, sources, mappings: 'AACA' }), 'a.js:2:1');
  assert.equal(await place({ version: 3, sources, sourceRoot: 'src/', mappings: 'AACA' }), 'src/a.js:2:1');
  for (const map of [
    '{',
    'null',
    '[]',
    '{"mappings":"AAAA"}',
    { version: 3, sources, mappings: 'A' },
    { version: 3, sources, mappings: 'AAA' },
    { version: 3, sources, mappings: ';AAAA' },
    { version: 3, sources, mappings: '\u0000\uffff' },
    { version: 3, sources, mappings: 'gggggggggggggggggggggA' },
    { version: 3, sources: [], mappings: 'AAAA' },
    { version: 3, sources: [null], mappings: 'AAAA' },
    { version: 3, sources: ['x'.repeat(2000)], mappings: 'AAAA' },
    { version: 3, sources: ['a\n    at g (b.js:1:1)'], mappings: 'AAAA' },
    { version: 3, sources: { 0: 1 }, mappings: 'AAAA' },
    { version: 3, sources, mappings: { toString: 'AAAA' } },
  ]) {
    assert.equal(await place(map), unmapped, JSON.stringify(map));
  }
});

test('a map that is too large for the heap, or an invented stack that is long, costs no more than the call', async () => {
  const large = mapped(FAILS, {
    version: 3,
    sources: ['a.js'],
    sourcesContent: ['x'.repeat(1 << 20)],
    mappings: 'AACA',
  });
  assert.match(await stackOf(large, { memoryLimitBytes: 1 << 20 }), /run:1:/);
  const invented = `const stack = '    at f (run:1:1)\\n'.repeat(1000);
    export const handler = () => { throw Object.assign(new Error('x'), { stack }); };`;
  const mappings = `AACA${';A'.repeat(100_000)}`;
  const stack = await stackOf(mapped(invented, { version: 3, sources: ['a.js'], mappings }));
  assert.equal(stack.match(/a\.js:2:1/g)?.length, 100);
  assert.ok(stack.includes('run:1:1'));
});
