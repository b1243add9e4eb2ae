/**
 * An authority in a process of its own, to be killed: `authority-process.ts STATE`. It prints where
 * it listens and certifies until it dies.
 */
import { startAuthority } from '../../../src/host/authority/authority-server.ts';

const [, , stateDirectory = ''] = process.argv;
const listen = { host: '127.0.0.1', port: 0 };
const authority = await startAuthority({ stateDirectory, listen });
const { url, enrollmentUrl, trustedCertificates, listenAddress, overlayName } = authority;
process.stdout.write(
  `${JSON.stringify({ url, enrollmentUrl, trustedCertificates, listenAddress, overlayName })}\n`,
);
