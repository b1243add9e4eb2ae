import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { toPem } from '../../../src/host/links/link-credentials.ts';
import { TestAuthority } from '../../overlay-config/test-authority.ts';

/** Signs the HTTPS certificates of tests; peers know it by `--trust`. */
export const webAuthority = new TestAuthority('web.example');
export const webAuthorityPem = toPem(webAuthority.root.der);

/** A real HTTPS server on loopback. */
export interface TestServer {
  readonly port: number;
  /** `https://localhost:PORT` */
  readonly origin: string;
  readonly requests: IncomingMessage[];
  close(): Promise<void>;
}

export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  dnsNames: readonly string[] = ['localhost'],
): Promise<TestServer> {
  const { der, privateKey } = webAuthority.issueServer(...dnsNames);
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    answer(request, response);
  };
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ key, cert: toPem(der) }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, origin: `https://localhost:${port}`, requests, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
