// A real registry, Debian's docker-registry, on a free port of the loopback interface, for one test.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MISSING = 'docker-registry is not installed. Debian, Ubuntu: apt-get install docker-registry';
/** The only user of a registry that wants to know who asks, and the hash of the password. */
export const USER = { username: 'tester', password: 'of:tests' };
const HTPASSWD = 'tester:$2y$04$abcdefghijklmnopqrstuuOncDMQ3gFJo1i1yFWsr62Psc6Sy5Tqy\n';

export class DockerRegistry {
  #folder = mkdtempSync(join(tmpdir(), 'hyperlight-registry-'));
  #process;
  port;

  /** Starts it. `onEnd` takes what is to be done when the test has ended. */
  static async start(onEnd, { withUsers = false } = {}) {
    const registry = new DockerRegistry();
    registry.port = await freePort();
    const auth = withUsers && { auth: { htpasswd: { realm: 'tests', path: join(registry.#folder, 'htpasswd') } } };
    const config = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: registry.#folder } },
      http: { addr: registry.host },
      ...auth,
    };
    writeFileSync(join(registry.#folder, 'htpasswd'), HTPASSWD);
    // JSON is YAML.
    writeFileSync(join(registry.#folder, 'config.yml'), JSON.stringify(config));
    onEnd(() => registry.#end());
    await registry.#begin();
    return registry;
  }

  get host() {
    return `127.0.0.1:${this.port}`;
  }

  /** Where it keeps a blob. */
  fileOf(digest) {
    const hex = digest.slice('sha256:'.length);
    return join(this.#folder, 'docker', 'registry', 'v2', 'blobs', 'sha256', hex.slice(0, 2), hex, 'data');
  }

  /** Ends it as a machine that loses its power does. */
  kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return undefined;
    return new Promise((resolve) => {
      this.#process.once('exit', resolve);
      this.#process.kill('SIGKILL');
    });
  }

  async #begin() {
    const args = ['serve', join(this.#folder, 'config.yml')];
    this.#process = spawn('docker-registry', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let problem;
    let said = '';
    this.#process.stderr?.on('data', (text) => {
      said = `${said}${text}`.slice(-2000);
    });
    this.#process.once('error', (error) => {
      problem = error.code === 'ENOENT' ? new Error(MISSING) : error;
    });
    this.#process.once('exit', (code) => {
      problem = new Error(`docker-registry has exited: ${code}\n${said}`);
    });
    while (!(await this.#answers())) {
      if (problem !== undefined) throw problem;
      await sleep(20);
    }
  }

  #answers() {
    return fetch(`http://${this.host}/v2/`).then(
      () => true,
      () => false,
    );
  }

  async #end() {
    if (this.#process?.pid !== undefined) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
