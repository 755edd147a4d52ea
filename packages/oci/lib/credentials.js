// Credentials for registries, from where `docker login` keeps them.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { failure } from './failure.js';

/** Milliseconds that a program may take which keeps passwords. */
const HELPER_TIMEOUT_MS = 30_000;
/** What such a program gives as the name beside a token. */
const TOKEN = '<token>';

/** The name and the password for a registry, or the `token` to ask for others with, if there are some. */
export async function credentialsFor(host) {
  const config = await readConfig();
  const helper = config.credHelpers?.[host] ?? config.credsStore;
  const stored = helper === undefined ? undefined : await askHelper(helper, host);
  if (stored !== undefined) return stored;
  const { auths } = config;
  const { auth, identitytoken: token } = auths?.[host] ?? auths?.[`https://${host}`] ?? auths?.[`http://${host}`] ?? {};
  if (typeof token === 'string' && token !== '') return { token };
  if (typeof auth !== 'string') return undefined;
  const [, username, password] =
    Buffer.from(auth, 'base64')
      .toString()
      .match(/^([^:]*):(.*)$/s) ?? [];
  return username === undefined ? undefined : { username, password };
}

async function readConfig() {
  const file = join(process.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  try {
    return Object(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    // The message of a parser may show a part of the file, which has passwords.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : error.code;
    throw failure('ERR_REGISTRY_AUTH', `Docker's configuration ${file} cannot be read: ${reason}`);
  }
}

/** Docker's programs that keep passwords have such names, are told a host, and answer in JSON. */
function askHelper(helper, host) {
  if (!/^[\w.-]+$/.test(helper)) {
    throw failure(
      'ERR_REGISTRY_AUTH',
      `Docker's configuration names a strange helper: ${String(helper).slice(0, 100)}`,
    );
  }
  return new Promise((resolve, reject) => {
    const program = `docker-credential-${helper}`;
    const child = execFile(program, ['get'], { timeout: HELPER_TIMEOUT_MS }, (error, stdout) => {
      if (error?.code === 'ENOENT') {
        return reject(failure('ERR_REGISTRY_AUTH', `Docker's configuration names ${program}, which is not installed`));
      }
      // It has nothing for this host.
      if (error) return resolve(undefined);
      try {
        const { Username: username, Secret: password } = JSON.parse(stdout);
        resolve(username === TOKEN ? { token: password } : { username, password });
      } catch {
        reject(failure('ERR_REGISTRY_AUTH', `${program} did not answer in JSON`));
      }
    });
    child.stdin.on('error', () => {}).end(host);
  });
}
