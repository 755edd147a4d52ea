// Servers on loopback addresses for the tests of `fetch`, and the policies that take one of these addresses for a public one.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net';
import type { FetchPolicy, FetchRule } from '@hyperlight/js-host-api';

/** The address that the policies of tests allow, as a policy allows that of an internal service. */
export const ALLOWED = '127.0.0.2';
/** The name that tests have for it. */
export const NAME = 'server.test';

/** The certificate of `secure.test`, by nobody, until 2126. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBsTCCAVegAwIBAgIUGaG/r4ZnzkeHsNaeBnRQUq2/1mYwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLc2VjdXJlLnRlc3QwIBcNMjYxMTMwMTYwMjA4WhgPMjEyNjEx
MDYxNjAyMDhaMBYxFDASBgNVBAMMC3NlY3VyZS50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEeqq5poRaC55/XhZ+gNNegpyLf8pTPll6gk0YqdNPZ+T2w8lm
FoJ/5bj9Y85I553rJT0g6SQ97EU1wZB4YHv9+qOBgDB+MB0GA1UdDgQWBBTIbQso
amBQcBq0HojhocpervRm7TAfBgNVHSMEGDAWgBTIbQsoamBQcBq0HojhocpervRm
7TAPBgNVHRMBAf8EBTADAQH/MCsGA1UdEQQkMCKCC3NlY3VyZS50ZXN0gg0qLnNl
Y3VyZS50ZXN0hwR/AAACMAoGCCqGSM49BAMCA0gAMEUCIQDirZVT6x2m3Jd8rS+V
lxHeGxLLsVHTIy6rUAfVqxbPKgIgEbb9buQm4pCS8ojcJXmIGSVYlKNdwozzpnzt
TwrMBGg=
-----END CERTIFICATE-----`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghzTUGKrszEJSq/kS
/WLvjmM6X/ksV2ZZQXG5woq8/dChRANCAAR6qrmmhFoLnn9eFn6A016CnIt/ylM+
WXqCTRip009n5PbDyWYWgn/luP1jzkjnneslPSDpJD3sRTXBkHhge/36
-----END PRIVATE KEY-----`;

export interface Serving {
  origin: string;
  port: number;
  /** The connections that are open. */
  sockets: Set<Socket>;
  /** How many connections there have been. */
  connections: number;
  close(): Promise<void>;
}

async function serving(server: Server, scheme: string, name: string, host: string): Promise<Serving> {
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<Socket>();
  const served: Serving = {
    origin: `${scheme}://${name}:${port}`,
    port,
    sockets,
    connections: 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', (socket: Socket) => {
    served.connections++;
    sockets.add(socket);
    // Clients go away in the midst of things.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  return served;
}

/** A server that answers requests like this. */
export function serve(listener: RequestListener, host = ALLOWED): Promise<Serving> {
  return serving(createServer({ keepAlive: false }, listener), 'http', NAME, host);
}

/** The same with TLS, for `secure.test`. */
export function serveSecurely(listener: RequestListener): Promise<Serving> {
  const server = createSecureServer({ cert: certificate, key }, listener);
  return serving(server as unknown as Server, 'https', 'secure.test', ALLOWED);
}

/** A server that says whatever it likes to each connection. */
export function serveRaw(listener: (socket: Socket) => void, host = ALLOWED): Promise<Serving> {
  return serving(createRawServer(listener) as unknown as Server, 'http', NAME, host);
}

/** All of a request's body. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A policy that allows these origins by all methods, at the address of the tests. Each name is resolved to that. */
export function allowing(
  origins: string[],
  rule: Partial<FetchRule> = {},
  others: Partial<FetchPolicy> = {},
): FetchPolicy {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  return {
    allow: origins.map((origin) => ({ origin, methods, allowAddresses: [ALLOWED], ...rule })),
    allowHttp: true,
    resolve: () => [ALLOWED],
    ...others,
  };
}

/** Answers with a redirection. */
export function redirect(response: ServerResponse, location: string, status = 302): void {
  response.writeHead(status, { location }).end();
}
