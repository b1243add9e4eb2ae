import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Key and certificate of a server, in PEM. */
export interface TlsFiles {
  readonly key: string;
  readonly certificate: string;
}

/** Whether OpenSSL's command is here; where it is not, its tests are skipped, but not under CI. */
export const isOpensslMissing =
  process.env.CI !== 'true' && spawnSync('openssl', ['version']).status !== 0;

/** Makes a root, whose certificate is `PREFIXroot.pem`, and a server with that DNS name. */
export async function newTlsFiles(
  directory: string,
  dnsName: string,
  prefix = '',
): Promise<TlsFiles> {
  const before = prefix === '' ? '' : `${prefix}-`;
  const path = (name: string) => join(directory, `${before}${name}`);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    path('root.key'),
    '-subj',
    '/CN=a root of a test',
    '-days',
    '2',
    '-out',
    path('root.pem'),
  );
  openssl('req', ...newKey, path('server.key'), '-subj', '/CN=server', '-out', path('server.csr'));
  await writeFile(path('names'), `subjectAltName=DNS:${dnsName}\n`);
  openssl(
    'x509',
    '-req',
    '-in',
    path('server.csr'),
    '-CA',
    path('root.pem'),
    '-CAkey',
    path('root.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    path('names'),
    '-out',
    path('server.pem'),
  );
  return {
    key: await readFile(path('server.key'), 'utf8'),
    certificate: await readFile(path('server.pem'), 'utf8'),
  };
}

function openssl(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('openssl', args);
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`);
}
