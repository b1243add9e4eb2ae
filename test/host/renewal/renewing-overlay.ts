import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type RunningAuthority,
  startAuthority,
} from '../../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { ConfigurationCache } from '../../../src/host/configuration/configuration-cache.ts';
import { enroll } from '../../../src/host/enrollment/enrollment-client.ts';
import { freePort } from '../../../src/host/free-port.ts';
import { saveIdentity } from '../../../src/host/identity-file.ts';
import { openPeer, type PeerHost } from '../../../src/host/join-overlay.ts';
import {
  afterTest,
  ask,
  configurationOf,
  OVERLAY,
  temporaryDirectory,
} from '../authority/authority-fixture.ts';

const LOOPBACK = '127.0.0.1';
const LIFE_DAYS = 1;
const DAY_MS = 86_400_000;

/**
 * An authority in this process, and peers over real TLS whose certificates have little of their day
 * left: they were issued while the authority's clock was behind.
 */
export class RenewingOverlay {
  readonly authority: RunningAuthority;
  readonly peers: PeerHost[] = [];
  private readonly directory: string;
  private readonly firstPort: number;

  /** Enrolls `count` users whose certificates end `leftMs` from now; none runs yet. */
  static async enrolled(count: number, leftMs: number): Promise<RenewingOverlay> {
    const directory = await temporaryDirectory();
    const stateDirectory = join(directory, 'ca');
    let behindMs = LIFE_DAYS * DAY_MS - leftMs;
    const nowUnixMs = () => Date.now() - behindMs;
    await initializeAuthority({
      stateDirectory,
      overlayName: OVERLAY,
      httpsNames: [LOOPBACK],
      certificateDays: LIFE_DAYS,
      nowUnixMs,
    });
    const firstPort = await freePort();
    const authority = await startAuthority({
      stateDirectory,
      listen: { host: LOOPBACK, port: 0 },
      bootstrap: [{ host: LOOPBACK, port: firstPort }],
      nowUnixMs,
    });
    afterTest(() => authority.close());
    const { configuration, authenticator } = await configurationOf(authority);
    for (let number = 1; number <= count; number++) {
      const userName = `user-${number}@example.org`;
      await authority.addUser(userName, PASSWORD);
      const identity = await enroll({
        url: authority.enrollmentUrl,
        trust: authority.trustedCertificates,
        overlayName: OVERLAY,
        configuration,
        authenticator,
        userName,
        password: PASSWORD,
      });
      const state = join(directory, `peer-${number}`);
      await mkdir(state, { mode: 0o700 });
      await saveIdentity(state, identity);
      // As after a first run: it starts without the authority, too.
      const { body: document } = await ask(authority, '/.well-known/reload-config');
      const held = { overlayName: OVERLAY, document, lastModified: undefined };
      await new ConfigurationCache(state).write({ ...held, checkedUnixMs: Date.now() }, false);
    }
    behindMs = 0;
    return new RenewingOverlay(authority, directory, firstPort);
  }

  private constructor(authority: RunningAuthority, directory: string, firstPort: number) {
    this.authority = authority;
    this.directory = directory;
    this.firstPort = firstPort;
  }

  state(number: number): string {
    return join(this.directory, `peer-${number}`);
  }

  /** Starts the next peer with what its state directory holds: it has no password. */
  async start(): Promise<PeerHost> {
    const { authority } = this;
    const number = this.peers.length + 1;
    const host = await openPeer({
      stateDirectory: this.state(number),
      overlay: OVERLAY,
      configuration: {
        from: 'https',
        url: authority.configurationUrl,
        trustedCertificates: authority.trustedCertificates,
      },
      listen: { host: LOOPBACK, port: number === 1 ? this.firstPort : 0 },
      first: number === 1,
      revocation: 'off',
    });
    afterTest(() => host.close());
    this.peers.push(host);
    await host.whenJoined();
    return host;
  }
}

const PASSWORD = 'a password that nobody keeps';
