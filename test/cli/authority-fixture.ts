import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type RunningAuthority,
  startAuthority,
} from '../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../src/host/authority/initialization.ts';
import { freePort } from '../../src/host/free-port.ts';
import type { SocketAddress } from '../../src/host/socket-address.ts';

export const LOOPBACK = '127.0.0.1';

/** An authority in this process, and a directory for the peers of a test. */
export class AuthorityFixture {
  readonly directory: string;
  readonly trustFile: string;
  /** The address of the first peer, which the configuration names. */
  readonly bootstrap: SocketAddress;
  readonly authority: RunningAuthority;

  static async start(): Promise<AuthorityFixture> {
    const directory = await mkdtemp(join(tmpdir(), 'xor-overlay-'));
    const stateDirectory = join(directory, 'ca');
    await mkdir(stateDirectory, { mode: 0o700 });
    await initializeAuthority({ stateDirectory, httpsNames: [LOOPBACK] });
    const bootstrap = { host: LOOPBACK, port: await freePort() };
    const authority = await startAuthority({
      stateDirectory,
      listen: { host: LOOPBACK, port: 0 },
      bootstrap: [bootstrap],
    });
    const trustFile = join(directory, 'https.pem');
    await writeFile(trustFile, authority.trustedCertificates);
    return new AuthorityFixture(directory, trustFile, bootstrap, authority);
  }

  private constructor(
    directory: string,
    trustFile: string,
    bootstrap: SocketAddress,
    authority: RunningAuthority,
  ) {
    this.directory = directory;
    this.trustFile = trustFile;
    this.bootstrap = bootstrap;
    this.authority = authority;
  }

  state(name: string): string {
    return join(this.directory, name);
  }

  /** The arguments of every `xor peer` of this overlay. */
  peerArguments(name: string, listenPort = 0): string[] {
    return [
      'peer',
      '--json',
      '--state',
      this.state(name),
      '--config-url',
      this.authority.configurationUrl,
      '--trust',
      this.trustFile,
      '--listen',
      `${LOOPBACK}:${listenPort}`,
    ];
  }

  async close(): Promise<void> {
    await this.authority.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
