// A forked Node.js process for each tenant; clean state is a new one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tenantOf } from './channel.mjs';

const TENANT = fileURLToPath(new URL('tenant.mjs', import.meta.url));

export function open(program) {
  return tenantOf(start, program);
}

function start({ source, host }) {
  const child = fork(TENANT, { execArgv: [] });
  child.send({ source, names: Object.keys(host ?? {}) });
  return {
    pid: child.pid,
    onMessage: (listener) => child.on('message', listener),
    onEnd: (listener) => child.on('exit', (code, signal) => listener(new Error(`it has ended: ${signal ?? code}`))),
    send: (message) => child.send(message),
    async end() {
      child.removeAllListeners('exit');
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
