// Packs the package as for a release, installs it where nothing else is, and uses it there as its users do.
//
//   check.mjs            the packages for Linux on x86-64
//   check.mjs --arm64    those for Linux on arm64 as well, which takes minutes: they are loaded by an emulator of a processor, as far
//                        as is possible without KVM; `npm run test:standard-kvm -- --arch arm64` runs the tests with that
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NODE_HOME, prepareNode } from '../arm64.mjs';
import { prepare } from '../prepare.mjs';
import { installPackages, ROOT, say, stop } from '../system.mjs';
import { build, ON_LINUX } from './build.mjs';
import { inMusl, inMuslArm64, prepareMusl, prepareMuslArm64 } from './musl.mjs';
import { home, pack } from './pack.mjs';

const KIB = 1024;
/** All that may be in the packages, and the most that each may take, packed and unpacked. */
const MAIN = {
  files: [
    ...['LICENSE', 'README.md', 'index.d.ts', 'package.json'],
    ...[
      'bin/bundle.js',
      'bin/doctor-text.js',
      'bin/doctor.js',
      'bin/elsewhere.js',
      'bin/hyperlight-js.js',
      'lib/addon.js',
      'lib/bundle.d.ts',
      'lib/bundle.js',
      'lib/diagnostics.js',
      'lib/entry.js',
      'lib/errors.js',
      ...['addresses', 'call', 'connection', 'errors', 'exchange', 'grant', 'headers', 'policy', 'upload'].map(
        (name) => `lib/fetch/${name}.js`,
      ),
      'lib/guest-modules.js',
      'lib/hypervisor.entitlements',
      'lib/metrics.js',
      'lib/run.js',
      'lib/stand-in.js',
    ],
  ],
  packed: 58 * KIB,
  unpacked: 192 * KIB,
};
const PLATFORM = {
  files: ['LICENSE', 'NOTICE', 'README.md', 'package.json'],
  packed: 5184 * KIB,
  unpacked: 11424 * KIB,
};
/** The oldest glibc that Node.js runs with. */
const GLIBC = [2, 28];
const WITH_ARM64 = process.argv.includes('--arm64');
const PLATFORMS = Object.values(ON_LINUX).filter((platform) => WITH_ARM64 || !platform.includes('arm64'));
const NAME = '@hyperlight/js-host-api';
const GREETING = "{ name: 'World', message: 'Hello, World!' }\n";
const BIN = join(ROOT, 'node_modules', '.bin');
const TSC = join(BIN, 'tsc');
const TYPES = join(ROOT, 'node_modules', '@types');

const { platform, arch, report } = process;
if (platform !== 'linux' || arch !== 'x64' || !report.getReport().header.glibcVersionRuntime) {
  stop('The packages are checked on Linux on x86-64 with glibc, where those for musl can be built as well.');
}
prepare();
installPackages({ readelf: ['binutils'], unshare: ['util-linux'] }, { Fedora: 'dnf install binutils util-linux' });
prepareMusl();
build(Object.keys(ON_LINUX).filter((target) => PLATFORMS.includes(ON_LINUX[target])));
if (WITH_ARM64) {
  installPackages({ 'qemu-aarch64-static': ['qemu-user-static'] }, { Fedora: 'dnf install qemu-user-static' });
  prepareNode();
  prepareMuslArm64();
}
const { main, platforms, version } = pack();
for (const { filename, size, unpackedSize } of [main, ...platforms.values()]) {
  say(`${filename}: ${Math.ceil(size / KIB)} KiB packed, ${Math.ceil(unpackedSize / KIB)} KiB unpacked`);
}

const folder = mkdtempSync(join(tmpdir(), 'pack-check-'));
after(() => rmSync(folder, { recursive: true }));
const quickStart = readFileSync(join(ROOT, 'README.md'), 'utf8').match(/^## Quick Start\n+```js\n(.*?)^```$/ms)?.[1];
assert.ok(quickStart, 'the README has a Quick Start');
// As a program has it that cannot import, or that cannot wait at its top level.
const [, names] = quickStart.match(/^import (.*) from '.*';$/m);
const inFunction = `async function main() {\n${quickStart.replace(/^import .*;$/m, '')}}\nmain();\n`;
const commonJs = `const ${names} = require('${NAME}');\n${inFunction}`;
const commonTs = `import ${names} from '${NAME}';\n${inFunction}`;

test('the packages hold what they should and no more', () => {
  const expected = [[main, MAIN], ...PLATFORMS.map((platform) => [platforms.get(platform), withAddon(platform)])];
  for (const [{ name, files, size, unpackedSize }, budget] of expected) {
    assert.deepEqual(files.map(({ path }) => path).sort(), budget.files.toSorted(), name);
    assert.ok(size <= budget.packed, `${name} takes ${size} bytes packed, more than ${budget.packed}`);
    assert.ok(unpackedSize <= budget.unpacked, `${name} takes ${unpackedSize} bytes, more than ${budget.unpacked}`);
  }
});

test('a package says where its CI has published it from', () => {
  const github = { GITHUB_SERVER_URL: 'https://github.example', GITHUB_REPOSITORY: 'somebody/something' };
  assert.deepEqual(home(github), {
    repository: { type: 'git', url: 'git+https://github.example/somebody/something.git' },
    homepage: 'https://github.example/somebody/something#readme',
    bugs: { url: 'https://github.example/somebody/something/issues' },
  });
  assert.deepEqual(home({}), {});
});

test('publint has nothing to say', () => {
  const publint = (...options) => execute(join(BIN, 'publint'), ['run', '--strict', ...options]);
  assert.match(publint(main.tarball), /All good!/);
  // The napi tools write their manifests; a suggestion would be one to them.
  for (const { tarball } of platforms.values()) assert.match(publint('--level', 'warning', tarball), /All good!/);
});

test('the types are not wrong', () => {
  assert.match(execute(join(BIN, 'attw'), ['--no-color', '--no-emoji', main.tarball]), /No problems found/);
});

for (const platform of PLATFORMS.filter((platform) => platform.endsWith('gnu'))) {
  test(`the addon ${platform} needs no later glibc than ${GLIBC.join('.')}`, () => {
    const file = addonOf(install(`symbols-${platform}`, { platform }), platform);
    const versions = [...execute('readelf', ['--version-info', '--wide', file]).matchAll(/\bGLIBC_(\d+)\.(\d+)/g)];
    const needed = versions.map(([, major, minor]) => [Number(major), Number(minor)]);
    assert.ok(needed.length > 0);
    for (const [major, minor] of needed) {
      assert.ok(major === GLIBC[0] && minor <= GLIBC[1], `it needs GLIBC_${major}.${minor}`);
    }
  });
}

for (const platform of PLATFORMS.filter((platform) => platform.endsWith('musl'))) {
  test(`the addon ${platform} needs no library but musl`, () => {
    const file = addonOf(install(`libraries-${platform}`, { platform }), platform);
    assert.deepEqual(librariesOf(file), ['libc.so']);
  });
}

test('npm installs the package of the platform only', () => {
  for (const platform of PLATFORMS) {
    const project = install(`only-${platform}`, { platform });
    const installed = createRequire(join(project, 'x.js'));
    const present = PLATFORMS.filter((platform) => isThere(installed, `${NAME}-${platform}/package.json`));
    assert.deepEqual(present, [platform]);
    assert.equal(installed(`${NAME}/package.json`).version, version);
  }
});

test('the Quick Start runs as an ES module and as CommonJS', () => {
  const project = install('javascript');
  assert.equal(node(project, 'quick-start.mjs', quickStart), GREETING);
  assert.equal(node(project, 'quick-start.cjs', commonJs), GREETING);
});

test('the Quick Start compiles with TypeScript as an ES module and as CommonJS, and runs', () => {
  const project = install('typescript');
  writeFileSync(join(project, 'module.mts'), quickStart);
  writeFileSync(join(project, 'common.cts'), commonTs);
  const node16 = { module: 'node16', moduleResolution: 'node16', types: ['node'], typeRoots: [TYPES] };
  // Here without the types of Node.js; the console is the browser's.
  const bundler = { module: 'preserve', moduleResolution: 'bundler', types: [], lib: ['es2022', 'dom'], noEmit: true };
  for (const options of [node16, bundler]) {
    const compilerOptions = { target: 'es2022', strict: true, ...options };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    execute(TSC, [], project);
  }
  for (const file of ['module.mjs', 'common.cjs']) assert.equal(execute(process.execPath, [file], project), GREETING);

  writeFileSync(join(project, 'module.mts'), `import { NoSuchName } from '${NAME}';\nnew NoSuchName();\n`);
  assert.throws(() => execute(TSC, [], project), /has no exported member 'NoSuchName'/);
});

test('the smoke check passes', () => {
  const project = install('smoke');
  const smoke = readFileSync(join(ROOT, '__test__', 'smoke.mjs'), 'utf8');
  assert.match(node(project, 'smoke.mjs', smoke), /everything works/);
});

test('with musl the Quick Start and the smoke check run', () => {
  const project = install('musl', { platform: 'linux-x64-musl' });
  writeFileSync(join(project, 'quick-start.mjs'), quickStart);
  writeFileSync(join(project, 'quick-start.cjs'), commonJs);
  cpSync(join(ROOT, '__test__', 'smoke.mjs'), join(project, 'smoke.mjs'));
  assert.equal(execute(...inMusl(project, ['/project/quick-start.mjs'])), GREETING);
  assert.equal(execute(...inMusl(project, ['/project/quick-start.cjs'])), GREETING);
  assert.match(execute(...inMusl(project, ['/project/smoke.mjs'])), /everything works/);
});

test('the doctor finds each platform well, and the same guest on all', () => {
  const [glibc, musl] = [install('doctor-glibc'), install('doctor-musl', { platform: 'linux-x64-musl' })];
  const reports = [
    execute(join(glibc, 'node_modules', '.bin', 'hyperlight-js'), ['doctor', '--json']),
    execute(...inMusl(musl, [`/project/node_modules/${NAME}/bin/hyperlight-js.js`, 'doctor', '--json'])),
  ].map((report) => JSON.parse(report));
  assert.deepEqual(
    reports.map(({ ok, system }) => [ok, system.libc.split(' ')[0]]),
    [
      [true, 'glibc'],
      [true, 'musl'],
    ],
  );
  assert.match(reports[0].library.guestImage.hash, /^[0-9a-f]{64}$/);
  assert.deepEqual(reports[0].library, reports[1].library);
});

const BUILD = `
  await new SandboxBuilder().build().then(
    () => console.log('built'),
    (error) => console.log(error.code, error.message),
  );
`;

test('without the package of the platform build() names it', () => {
  const project = install('main-only', { optional: [] });
  const program = `import { SandboxBuilder } from '${NAME}';\n${BUILD}`;
  assert.match(node(project, 'build.mjs', program), /^ERR_NO_HYPERVISOR \S+-linux-x64-gnu, .* is not installed/);
  writeFileSync(join(project, 'build.mjs'), program);
  assert.match(
    execute(...inMusl(project, ['/project/build.mjs'])),
    /^ERR_NO_HYPERVISOR \S+-linux-x64-musl, .* is not installed/,
  );
});

if (WITH_ARM64) {
  // The kernel for this processor knows no virtual machines of the other, so this is as far as it goes here.
  const program = `
    import { SandboxBuilder } from '${NAME}';
    console.log(process.arch, SandboxBuilder.guestImage.hash);${BUILD}`;
  const emulated = /^arm64 [0-9a-f]{64}\nERR_NO_HYPERVISOR .*\/dev\/kvm/;

  test('on arm64 the addons are libraries for that and load, and build() says that there is no KVM', () => {
    const [glibc, musl] = ['gnu', 'musl'].map((abi) => {
      const platform = `linux-arm64-${abi}`;
      const project = install(platform, { platform });
      const header = execute('readelf', ['--file-header', '--wide', addonOf(project, platform)]);
      assert.match(header, /Type: +DYN .*\n *Machine: +AArch64$/m);
      writeFileSync(join(project, 'build.mjs'), program);
      return project;
    });
    const node = join(NODE_HOME, 'bin', 'node');
    const reports = [
      execute('qemu-aarch64-static', ['-L', NODE_HOME, node, 'build.mjs'], glibc),
      execute(...inMuslArm64(musl, ['/project/build.mjs'])),
    ];
    for (const report of reports) assert.match(report, emulated);
    // The guest is the same on both.
    assert.equal(reports[0].split('\n')[0], reports[1].split('\n')[0]);
  });

  test('the addon linux-arm64-gnu needs no library but those of glibc and of gcc', () => {
    const file = addonOf(install('libraries-arm64', { platform: 'linux-arm64-gnu' }), 'linux-arm64-gnu');
    const known = /^(lib(c|m|dl|pthread|rt|gcc_s)\.so\.\d|ld-linux-aarch64\.so\.1)$/;
    for (const library of librariesOf(file)) assert.match(library, known);
  });
}

test('on another platform build() names that', () => {
  const project = install('other-platform');
  const fake = "Object.defineProperty(process, 'platform', { value: 'freebsd' });\n";
  const program = `${fake}const { SandboxBuilder } = await import('${NAME}');\n${BUILD}`;
  assert.match(node(project, 'build.mjs', program), /^ERR_NO_HYPERVISOR .* does not run on freebsd-x64;/);
});

function withAddon(platform) {
  return { ...PLATFORM, files: [...PLATFORM.files, `js-host-api.${platform}.node`] };
}

/**
 * Installs the packages into an empty project: the main one, and those of the platforms as what they are for it, optional.
 * npm has no registry to ask.
 */
function install(name, { platform = 'linux-x64-gnu', optional = PLATFORMS } = {}) {
  const [os, cpu, abi] = platform.split('-');
  const project = join(folder, name);
  mkdirSync(project);
  const optionalDependencies = Object.fromEntries(
    optional.map((platform) => [`${NAME}-${platform}`, `file:${platforms.get(platform).tarball}`]),
  );
  const manifest = { private: true, dependencies: { [NAME]: `file:${main.tarball}` }, optionalDependencies };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  const machine = [`--os=${os}`, `--cpu=${cpu}`, `--libc=${abi === 'musl' ? abi : 'glibc'}`];
  execute('npm', ['install', '--offline', '--no-audit', '--no-fund', ...machine], project);
  return project;
}

/** The libraries that a library is linked with. */
function librariesOf(file) {
  const needed = [...execute('readelf', ['--dynamic', '--wide', file]).matchAll(/\(NEEDED\).*\[(.*)\]/g)];
  return needed.map(([, library]) => library);
}

function addonOf(project, platform) {
  return createRequire(join(project, 'x.js')).resolve(`${NAME}-${platform}`);
}

function isThere(require, specifier) {
  try {
    return Boolean(require.resolve(specifier));
  } catch {
    return false;
  }
}

function node(project, file, program) {
  writeFileSync(join(project, file), program);
  return execute(process.execPath, [file], project);
}

/** Runs a command and gives what it prints. */
function execute(command, args, cwd = folder) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${[command, ...args].join(' ')}: ${error ?? stdout + stderr}`);
  return stdout;
}
