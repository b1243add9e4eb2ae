import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type RunningAuthority,
  startAuthority,
} from '../../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { freePort } from '../../../src/host/free-port.ts';
import { joinOverlay, type PeerHost } from '../../../src/host/join-overlay.ts';
import type { SocketAddress } from '../../../src/host/socket-address.ts';
import { parseConfigurationDocument } from '../../../src/overlay-config/configuration-document.ts';
import { signConfiguration } from '../../../src/overlay-config/configuration-document-builder.ts';
import {
  type ConfigurationChange,
  EditRefusal,
  editConfiguration,
} from '../../../src/overlay-config/configuration-edit.ts';
import { ConfigurationFault } from '../../../src/overlay-config/configuration-fault.ts';
import type { ParsedConfiguration } from '../../../src/overlay-config/parsed-configuration.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { createSigner } from '../../../src/tls-auth/signer.ts';

export const OVERLAY = 'overlay.example.org';
const PASSWORD = 'wherefore art thou';
const HOST = '127.0.0.1';

/**
 * Two root authorities that serve one document (eax-car), and real peers of either over TLS. The
 * first one signs the document.
 */
export class RollingOverlay {
  readonly directory: string;
  readonly first: RunningAuthority;
  readonly second: RunningAuthority;
  readonly peers: PeerHost[] = [];
  private readonly bootstrap: SocketAddress;

  static async open(): Promise<RollingOverlay> {
    const directory = await mkdtemp(join(tmpdir(), 'xor-rolling-'));
    const bootstrap = { host: HOST, port: await freePort() };
    const start = async (name: string) => {
      const stateDirectory = join(directory, name);
      await initializeAuthority({ stateDirectory, overlayName: OVERLAY, name });
      return startAuthority({
        stateDirectory,
        listen: { host: HOST, port: 0 },
        bootstrap: [bootstrap],
      });
    };
    const overlay = new RollingOverlay(
      directory,
      await start('first'),
      await start('second'),
      bootstrap,
    );
    const value = overlay.second.enrollmentUrl;
    await overlay.publish([
      { type: 'addRoot', certificate: await overlay.secondRoot() },
      { type: 'add', list: 'enrollment-server', value },
    ]);
    await overlay.share(true);
    return overlay;
  }

  private constructor(
    directory: string,
    first: RunningAuthority,
    second: RunningAuthority,
    bootstrap: SocketAddress,
  ) {
    this.directory = directory;
    this.first = first;
    this.second = second;
    this.bootstrap = bootstrap;
  }

  /** A peer with an account at one of the authorities; its configuration is of that one. */
  async join(authority: RunningAuthority): Promise<PeerHost> {
    const number = this.peers.length;
    await authority.addUser(jidOf(number), PASSWORD);
    const peer = await this.start(number, authority);
    this.peers.push(peer);
    return peer;
  }

  /** The same again, from its state directory. */
  start(number: number, authority: RunningAuthority): Promise<PeerHost> {
    const isFirst = number === 0;
    return joinOverlay({
      stateDirectory: this.stateOf(number),
      overlay: OVERLAY,
      configuration: {
        from: 'https',
        url: authority.configurationUrl,
        trustedCertificates: this.first.trustedCertificates + this.second.trustedCertificates,
      },
      identity: {
        from: 'enrollment',
        userName: jidOf(number),
        password: () => Promise.resolve(PASSWORD),
        enrollmentUrl: authority.enrollmentUrl,
      },
      listen: isFirst ? this.bootstrap : { host: HOST, port: 0 },
      first: isFirst,
      revocation: 'off',
    });
  }

  stateOf(number: number): string {
    return join(this.directory, `peer-${number}`);
  }

  /** The document that the first authority serves. */
  async document(): Promise<string> {
    const { document } = await this.first.configurationDocument();
    if (document === undefined) throw new Error('the authority serves no configuration');
    return document;
  }

  /** As an operator: change, sign, publish, at the first authority alone. Returns the sequence. */
  async publish(changes: readonly ConfigurationChange[]): Promise<number> {
    const edited = await this.edited(changes);
    const text = Buffer.from(edited.document).toString('utf8');
    const signed = await this.first.signConfiguration(text);
    return (await this.first.publishConfiguration(signed)).sequence;
  }

  /** The second authority serves what the first one does. */
  async share(replace = false): Promise<void> {
    await this.second.publishConfiguration(await this.document(), replace);
  }

  /** The changed document, signed by the second authority, which calls itself its signer. */
  async forged(changes: readonly ConfigurationChange[]): Promise<string> {
    const place = join(this.directory, 'second');
    const pem = await readFile(join(place, 'configuration-signer.pem'));
    const leaf = new Uint8Array(new X509Certificate(pem).raw);
    const authenticator = new Authenticator({
      overlayName: OVERLAY,
      nodeIdLength: 16,
      profile: 'xep-0416',
      rootCertificates: [await this.secondRoot()],
      badNodes: new Set(),
      selfSignedDigest: undefined,
    });
    const node = authenticator.authenticate(leaf, [], Date.now());
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    const key = await readFile(join(place, 'configuration-signer-key.pem'));
    const signer = createSigner(node, node.nodeId, createPrivateKey(key));
    const own = { type: 'add', list: 'configuration-signer', value: node.nodeId } as const;
    const { signedBytes } = await this.edited([...changes, own]);
    return Buffer.from(signConfiguration(signedBytes, signer)).toString('utf8');
  }

  async secondRoot(): Promise<Uint8Array> {
    const pem = await readFile(join(this.directory, 'second', 'root.pem'));
    return new Uint8Array(new X509Certificate(pem).raw);
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.close()));
    await Promise.all([this.first.close(), this.second.close()]);
    await rm(this.directory, { recursive: true, force: true });
  }

  private async edited(changes: readonly ConfigurationChange[]): Promise<ParsedConfiguration> {
    const parsed = parseConfigurationDocument(Buffer.from(await this.document()), OVERLAY);
    if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
    const edited = editConfiguration(parsed, changes);
    if (edited instanceof EditRefusal) throw new Error(edited.detail);
    return edited;
  }
}

/** Waits for what comes by itself; how long it may take is no requirement. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function jidOf(number: number): string {
  return `user${number}@capulet.lit`;
}

const WITHIN_MS = 60_000;
