// What is between a client and a registry, and may break.
import { connect, createServer } from 'node:net';

/**
 * Starts it on a port of the loopback interface. When as many bytes have come from the registry, or have gone to it, no more
 * goes through, and `onBroken` is called.
 */
export async function startProxy(onEnd, port, { downBytes = Infinity, upBytes = Infinity, onBroken }) {
  const sockets = new Set();
  let isBroken = false;
  const breakAll = () => {
    if (isBroken) return;
    isBroken = true;
    onBroken?.();
    for (const socket of sockets) socket.destroy();
  };
  const forward = (from, to, count) => {
    from.on('data', (chunk) => {
      if (count(chunk.length)) breakAll();
      else to.write(chunk);
    });
    from.on('error', () => {}).on('close', () => to.destroy());
    sockets.add(from);
  };
  const totals = { down: 0, up: 0 };
  const server = createServer((client) => {
    if (isBroken) return client.destroy();
    const registry = connect(port, '127.0.0.1');
    forward(client, registry, (bytes) => {
      totals.up += bytes;
      return totals.up > upBytes;
    });
    forward(registry, client, (bytes) => {
      totals.down += bytes;
      return totals.down > downBytes;
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${server.address().port}` };
}
