// Runs fuzz targets: those of this folder's package, and the lives of sandboxes in Node.js. docs/fuzzing.md says what they are.
//
//   node fuzz/run.mjs [--seconds N] [--seed N] [TARGET ...]   these, or all; N seconds altogether
//   node fuzz/run.mjs TARGET FILE ...                         a target of the package with these inputs
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PACKAGE = ['cargo', 'run', '--quiet', '--package', 'hyperlight-js-fuzz', '--'];
/** Targets in the package, of which all together get a share of the time. */
const IN_PACKAGE = 11;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
const seconds = Number(values.seconds);

/** What is run elsewhere, by name. Those that are tests as well run longer here. */
const ELSEWHERE = {
  lifecycles: (share) => run([process.execPath, 'fuzz/lifecycles/run.mjs', '--seconds', String(share), '--seed', seed]),
  encoding: (share) =>
    run([process.execPath, '--test', '--test-name-pattern=generated values', 'target/__test__/encoding.test.js'], {
      HYPERLIGHT_JS_FUZZ_STEPS: String(share * 100),
    }),
  restored_memory: (share) =>
    run([...'cargo test --no-default-features --features test-guest --test restored_memory whatever'.split(' ')], {
      HYPERLIGHT_JS_FUZZ_STEPS: String(share * 2),
    }),
};

const elsewhere = positionals.length > 0 ? positionals.filter((name) => name in ELSEWHERE) : ['lifecycles'];
const others = positionals.filter((name) => !(name in ELSEWHERE));
const withPackage = positionals.length === 0 || others.length > 0;
const inPackage = withPackage ? others.length || IN_PACKAGE : 0;
const share = Math.max(1, Math.floor(seconds / (inPackage + elsewhere.length)));

let failed = 0;
if (withPackage) {
  const passed = await run([...PACKAGE, '--seconds', String(share * inPackage), '--seed', seed, ...others]);
  failed += Number(!passed);
}
for (const name of elsewhere) {
  const passed = await ELSEWHERE[name](share);
  console.log(`fuzz: ${Number(passed)} passed, ${Number(!passed)} failed (${name})`);
  failed += Number(!passed);
}
process.exitCode = failed > 0 ? 1 : 0;

/** Whether a command succeeds. */
function run([command, ...args], environment = {}) {
  const options = {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...environment, HYPERLIGHT_JS_FUZZ_SEED: seed },
    stdio: 'inherit',
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    child.on('error', (error) => {
      console.error(error.message);
      resolve(false);
    });
    child.on('exit', (status) => resolve(status === 0));
  });
}
