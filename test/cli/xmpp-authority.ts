import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type RunningAuthority,
  startAuthority,
} from '../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../src/host/authority/initialization.ts';
import { Prosody } from '../host/xmpp/prosody.ts';
import { LOOPBACK } from './authority-fixture.ts';
import { runXor, type XorOptions, XorProcess, type XorResult } from './xor-process.ts';

export const JULIET = 'juliet@capulet.lit';
/** At the authority. */
export const CA_PASSWORD = 'a rose by any other name';
const SERVER_PASSWORD = 'wherefore art thou';
const AUTHORITY = 'ca.capulet.lit';
const SECRET = 'secret of the component';

/** An authority that is a component of Prosody, where Juliet has her account. */
export class XmppAuthority {
  readonly directory: string;
  readonly prosody: Prosody;
  readonly authority: RunningAuthority;
  private readonly trustFile: string;

  static async start(options: { readonly trustsServer: boolean }): Promise<XmppAuthority> {
    const prosody = await Prosody.start({
      hosts: [{ domain: 'capulet.lit', accounts: { juliet: { password: SERVER_PASSWORD } } }],
      components: [{ domain: AUTHORITY, secret: SECRET }],
    });
    const directory = await mkdtemp(join(tmpdir(), 'xor-enroll-'));
    const stateDirectory = join(directory, 'ca');
    await initializeAuthority({ stateDirectory, httpsNames: [LOOPBACK], xmppAddress: AUTHORITY });
    const server = { host: LOOPBACK, port: prosody.ports.component };
    const authority = await startAuthority({
      stateDirectory,
      listen: { host: LOOPBACK, port: 0 },
      component: { jid: AUTHORITY, server, secret: SECRET, ...options },
    });
    await authority.addUser(JULIET, CA_PASSWORD);
    await authority.componentAttached();
    const trustFile = join(directory, 'https.pem');
    await writeFile(trustFile, authority.trustedCertificates);
    return new XmppAuthority(directory, prosody, authority, trustFile);
  }

  private constructor(
    directory: string,
    prosody: Prosody,
    authority: RunningAuthority,
    trustFile: string,
  ) {
    this.directory = directory;
    this.prosody = prosody;
    this.authority = authority;
    this.trustFile = trustFile;
  }

  state(name: string): string {
    return join(this.directory, name);
  }

  /** `xor enroll --xmpp` of Juliet, to its end. */
  enroll(name: string, ...more: readonly string[]): Promise<XorResult> {
    return runXor(...this.command(name, more));
  }

  /** The same, while it runs. */
  enrolling(name: string, ...more: readonly string[]): XorProcess {
    return new XorProcess(...this.command(name, more));
  }

  /** What a command needs to find the overlay. */
  overlayArguments(name: string): string[] {
    const { configurationUrl } = this.authority;
    const trust = ['--trust', this.trustFile];
    return ['--state', this.state(name), '--config-url', configurationUrl, ...trust, '--json'];
  }

  /** What a command needs to log in at Prosody. */
  accountArguments(): string[] {
    const place = `${LOOPBACK}:${this.prosody.ports.client}`;
    const trust = ['--server-trust', this.prosody.certificateFile('capulet.lit')];
    return ['--account', JULIET, '--server', place, ...trust, '--password-stdin'];
  }

  async close(): Promise<void> {
    await this.authority.close();
    await this.prosody.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  private command(name: string, more: readonly string[]): [readonly string[], XorOptions] {
    const place = [...this.overlayArguments(name), ...this.accountArguments()];
    return [['enroll', '--xmpp', ...place, ...more], { input: `${SERVER_PASSWORD}\n` }];
  }
}

/** The last JSON document that a command printed. */
export function resultOf({ stdout, stderr }: XorResult): Record<string, unknown> {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (line === '') throw new Error(stderr);
  return JSON.parse(line) as Record<string, unknown>;
}
