// Packs what is published, from the addons that build.mjs has left: a package for each platform, and the main one, which has
// those as optional dependencies. The addon of every platform must be there.
//
// Everything happens in a copy, so the repository's own manifest knows nothing of a release and cannot be published.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output, ROOT, run, stop } from '../system.mjs';
import { ADDONS } from './build.mjs';

const STAGE = join(ROOT, 'target', 'pack', 'stage');
const TARBALLS = join(ROOT, 'target', 'pack', 'tarballs');
const PLATFORM_TARBALLS = join(TARBALLS, 'platforms');
const NAPI = join(ROOT, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
/** Fields of the manifest that matter to whoever works on the package only. */
const DEVELOPMENT = ['private', 'workspaces', 'scripts', 'devDependencies'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { missing, version } = pack();
  // What is published must be whole; for use on one's own machines its platforms are enough.
  if (missing.length > 0 && !process.argv.includes('--partial')) {
    stop(`these platforms have no addon in ${ADDONS}: ${missing.join(', ')} (--partial packs without them)`);
  }
  const { GITHUB_REF_TYPE, GITHUB_REF_NAME } = process.env;
  if (GITHUB_REF_TYPE === 'tag' && GITHUB_REF_NAME !== `v${version}`) {
    stop(`the tag ${GITHUB_REF_NAME} is not that of version ${version} in package.json`);
  }
}

/** Packs the main package and those of the platforms that have an addon, and gives what npm says of each. */
export function pack() {
  rmSync(STAGE, { recursive: true, force: true });
  rmSync(TARBALLS, { recursive: true, force: true });
  mkdirSync(PLATFORM_TARBALLS, { recursive: true });
  const { files, ...manifest } = readJson(join(ROOT, 'package.json'));
  for (const path of [...files, 'README.md', 'LICENSE']) {
    cpSync(join(ROOT, path), join(STAGE, path), { recursive: true });
  }
  // Unlike in the repository, which has the guest's modules too, each .js file here is CommonJS.
  const published = Object.entries({ ...manifest, type: 'commonjs', files, ...home(process.env) });
  writeJson(
    join(STAGE, 'package.json'),
    Object.fromEntries(published.filter(([field]) => !DEVELOPMENT.includes(field))),
  );
  napi('create-npm-dirs');
  napi('artifacts', '--output-dir', join('..', 'addons'));
  napi('pre-publish', '--skip-optional-publish', '--no-gh-release');

  const main = packFolder(STAGE, TARBALLS);
  const platforms = Object.keys(readJson(join(STAGE, 'package.json')).optionalDependencies).map((name) => {
    const platform = name.slice(manifest.name.length + 1);
    const folder = join(STAGE, 'npm', platform);
    const own = readJson(join(folder, 'package.json'));
    if (!existsSync(join(folder, own.main))) return { platform };
    for (const file of ['LICENSE', 'NOTICE']) cpSync(join(ROOT, file), join(folder, file));
    // npm packs a licence by itself, but not what others have to be named in.
    writeJson(join(folder, 'package.json'), { ...own, files: [...own.files, 'NOTICE'] });
    return { platform, packed: packFolder(folder, PLATFORM_TARBALLS) };
  });
  return {
    version: manifest.version,
    main,
    platforms: new Map(platforms.filter(({ packed }) => packed).map(({ platform, packed }) => [platform, packed])),
    missing: platforms.filter(({ packed }) => !packed).map(({ platform }) => platform),
  };
}

/**
 * Where a package comes from and where its users can ask. The sources name no place, since they can be published from any; only
 * the CI that does so knows it. npm compares the repository with what the provenance says.
 */
export function home({ GITHUB_SERVER_URL, GITHUB_REPOSITORY }) {
  if (!GITHUB_REPOSITORY) return {};
  const page = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;
  return {
    repository: { type: 'git', url: `git+${page}.git` },
    homepage: `${page}#readme`,
    bugs: { url: `${page}/issues` },
  };
}

function napi(...options) {
  run(process.execPath, [NAPI, ...options], { cwd: STAGE });
}

function packFolder(cwd, destination) {
  const options = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', destination];
  const [packed] = JSON.parse(output('npm', options, { cwd }) ?? stop(`npm cannot pack ${cwd}`));
  return { ...packed, tarball: join(destination, packed.filename) };
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
