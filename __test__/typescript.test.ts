// Guest code in TypeScript.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { type SandboxError, SandboxPool, type SourceOptions } from '@hyperlight/js-host-api';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { rejection, start, thrown } from './sandbox';

const pool = new SandboxPool({ size: 1 });
after(() => pool.close());

/** Where an error of the guest says that it is. */
function place(error: Error) {
  const { file, line, column } = error as SandboxError & { file?: string; line?: number; column?: number };
  return [file, line, column];
}

async function call(name: string, code: string, event: unknown, options?: SourceOptions): Promise<unknown> {
  const sandbox = await start();
  sandbox.addHandler(name, code, options);
  return (await sandbox.getLoadedSandbox()).callHandler(name, event);
}

test('a handler is TypeScript by its name or by an option', async () => {
  const code = 'export function handler({ a }: { a: number }): number { return a! + 1; }';
  for (const [name, options] of [
    ['add.ts', undefined],
    ['add.mts', {}],
    ['add', { language: 'typescript' }],
    ['add.js', { language: 'typescript' }],
  ] as const) {
    assert.equal(await call(name, code, { a: 1 }, options), 2, name);
  }
  await rejection('ERR_COMPILE', call('add', code, { a: 1 }));
  await rejection('ERR_COMPILE', call('add.ts', code, { a: 1 }, { language: 'javascript' }));
  assert.equal(await call('add.ts', 'const handler = (a) => a < 2 > (1)', 1, { language: 'javascript' }), false);
});

test('modules are TypeScript too, and are imported by their whole name', async () => {
  const sandbox = await start();
  sandbox.addModule('shapes.ts', 'export interface Shape { w: number }\nexport const w = (s: Shape): number => s.w;');
  sandbox.addModule('units', 'export enum Unit { Px, Em = "em" }', 'lib', { language: 'typescript' });
  sandbox.addHandler(
    'f.ts',
    `import { type Shape, w } from 'user:shapes.ts';
    import { Unit } from 'lib:units';
    import { Nothing } from 'lib:units';
    export const handler = (shape: Shape, _?: Nothing): [number, Unit] => [w(shape), Unit.Em];`,
  );
  const loaded = await sandbox.getLoadedSandbox();
  assert.deepEqual(await loaded.callHandler('f.ts', { w: 3 }), [3, 'em']);
});

test('what is run can be TypeScript: statements, an expression or a module', async () => {
  const value = async (source: string, modules?: Record<string, string>) =>
    (await pool.run(source, { language: 'typescript', input: { a: 1 }, modules })).value;
  assert.equal(await value('const { a }: { a: number } = input; return a as number + 1'), 2);
  assert.deepEqual(await value('{ a: input.a as number, b: 2 }'), { a: 1, b: 2 });
  assert.equal(await value('export default <T extends { a: number }>({ a }: T): number => a + 1'), 2);
  const modules = { 'm.ts': 'export const twice = (x: number): number => 2 * x;' };
  assert.equal(await value("import { twice } from 'm.ts'; export default twice(input.a)", modules), 2);
  await rejection('ERR_COMPILE', pool.run("import { twice } from 'm.ts'", { modules: { 'm.ts': 'let a: = 1' } }));
});

test('it computes what the compiler of TypeScript has it compute', async () => {
  const sources = [
    'enum A { B, C = 5, D, E = C | 8, F, G = "g", H = `h`.length, "i-j" = 2 } result = [A, A.B, A[5], A[A.E]];',
    'const enum A { B = -1, C, D = B << 2 } result = [A.B, A.C, A.D];',
    'enum A { B } enum A { C = 4 } result = A;',
    `namespace A { export const b = 1; export function c(): number { return b } export namespace D { export enum E { F } }
      export const { g, h: [i] } = { g: 2, h: [3] }; const hidden = 1; export class J { k = hidden } }
      result = [Object.keys(A), A.c(), A.D.E.F, new A.J()];`,
    'namespace A.B.C { export const d = 1 } namespace A.B { export const e = 2 } result = A;',
    'class A { static b = 1 } namespace A { export const c = 2 } result = [A.b, A.c];',
    'function a() { return 1 } namespace a { export const b = 2 } result = [a(), a.b];',
    `class A { own = 1; constructor(public b: number, readonly c = 2, d?: number) { this.own = this.b; } }
      class B extends A { constructor(private e: string) { const f = 3; super(f); this.own = 5; } }
      result = [new A(9), new B('x')].map((it) => Object.entries(it));`,
    `abstract class A<T> { abstract f(): T; declare d: number; e?: string; g(): T { return this.f() } }
      class B extends A<number> implements Iterable<number> { override f() { return 1 } *[Symbol.iterator]() { yield 2 } }
      result = [new B().g(), [...new B()], 'd' in new B(), 'e' in new B()];`,
    `function f(a: string): string; function f(a: number): number; function f(a: any) { return a }
      let x: any = f(1)
      ;[x as number].forEach((v): void => { x = v! + 1 })
      result = [x satisfies number, <any>x, (x as any)?.y!];`,
    'label: { type A = 1; interface B {} break label } const g = <T,>(a: T): T => a; result = g<number>(1) < 2;',
  ];
  for (const source of sources) {
    const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, useDefineForClassFields: true };
    const script = transpileModule(source, { compilerOptions }).outputText;
    const expected = runInNewContext(`let result;\n${script}\n;JSON.stringify(result)`);
    const { value } = await pool.run(`let result: any;\n${source}\nreturn JSON.stringify(result)`, {
      language: 'typescript',
    });
    assert.equal(value, expected, source);
  }
});

test('errors are in the lines and columns of the source', async () => {
  const typescript = `interface Order { prices: number[] }
export function handler(order: Order): number {
  if (order.prices!.length === 0) throw new RangeError(\`nothing \${0 as number}\`);
  return 1;
}
`;
  const javascript = `
export function handler(order       )         {
  if (order.prices .length === 0) throw new RangeError(\`nothing \${0          }\`);
  return 1;
}
`;
  const stackOf = async (code: string, options: SourceOptions) => {
    const error = await rejection('ERR_GUEST_ERROR', call('order', code, { prices: [] }, options));
    return (error as { guestStack?: string }).guestStack;
  };
  const stack = await stackOf(typescript, { language: 'typescript' });
  assert.match(stack ?? '', /^ +at handler \(order:3:\d+\)\n$/);
  assert.equal(stack, await stackOf(javascript, { language: 'javascript' }));

  for (const [source, message, line, at] of [
    ['let a: string =\n  5 as;', /Unexpected token|Expected/, 2, 7],
    ['\n  @sealed class A {}', /decorators are not supported/, 2, 3],
    ["\nimport fs = require('fs');", /require\(\) is not supported/, 2, 1],
    ['export = 1', /export = is not supported/, 1, 1],
  ] as const) {
    const failure = await rejection('ERR_COMPILE', call('a.ts', `${source}\nfunction handler() {}`, {}));
    assert.match(failure.message, message);
    assert.deepEqual(place(failure), ['a.ts', line, at], source);
  }
  const modules = { 'm.ts': '\n\nexport const a: = 1' };
  const failure = await rejection('ERR_COMPILE', pool.run("import { a } from 'm.ts'; a", { modules }));
  assert.deepEqual(place(failure), ['m.ts', 3, 17]);
});

test('code that is nested too deeply for the parser, or too large, is refused, and the pool goes on', async () => {
  for (const source of ['('.repeat(1 << 20), `let a: ${'['.repeat(50_000)}`, `${'1+'.repeat(20_000)}1`]) {
    const error = await rejection(
      'ERR_COMPILE',
      pool.run(source, { language: 'typescript', wallClockTimeoutMs: 60_000 }),
    );
    assert.match(error.message, /the source is nested too deeply/);
    assert.deepEqual(place(error).slice(0, 2), ['run', 1]);
  }
  assert.equal((await pool.run('1 as number', { language: 'typescript' })).value, 1);
});

test('the options of a source are checked', async () => {
  const sandbox = await start();
  const wrong = [null, 1, { language: 'coffee' }, { language: 1 }, { langage: 'typescript' }];
  for (const options of wrong as SourceOptions[]) {
    thrown('ERR_INVALID_ARG', () => sandbox.addHandler('a', 'function handler() {}', options));
    thrown('ERR_INVALID_ARG', () => sandbox.addModule('a', '', 'user', options));
  }
  const throws = Object.defineProperty({}, 'language', { enumerable: true, get: () => assert.fail('no') });
  thrown('ERR_INVALID_ARG', () => sandbox.addHandler('a', 'function handler() {}', throws));
  sandbox.addHandler('a', 'function handler() { return 1 }');
  assert.equal(await (await sandbox.getLoadedSandbox()).callHandler('a', null), 1);
  await rejection('ERR_INVALID_ARG', pool.run('1', { language: 'coffee' } as never));
});
