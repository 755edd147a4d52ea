// A server whose sandboxes can be watched: GET /metrics is for Prometheus, and POST / runs the program in the body.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { metrics, SandboxPool } from '@hyperlight/js-host-api';

const pool = new SandboxPool({ size: 2 });

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').end(metrics.prometheus());
    return;
  }
  try {
    const { value } = await pool.run(await text(request), { wallClockTimeoutMs: 1000 });
    response.end(`${JSON.stringify(value)}\n`);
  } catch ({ code, message }) {
    response.writeHead(400).end(`${code}: ${message}\n`);
  }
});

server.listen(Number(process.env.PORT ?? 0), 'localhost', () => {
  console.log(`http://localhost:${server.address().port}/metrics`);
});
