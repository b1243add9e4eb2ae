import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfigurationDocument } from '../../overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
} from '../../overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../overlay-config/configuration-fault.ts';
import { nextSequence } from '../../overlay-config/configuration-sequence.ts';
import type { OverlayConfiguration } from '../../overlay-config/overlay-configuration.ts';
import { BUILT_IN_KINDS } from '../../overlay-config/registered-kinds.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../tls-auth/signer.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';
import type { HttpDocument } from './http-exchange.ts';

/** What of a configuration can change while an authority runs. */
export interface ConfigurationWish {
  /** https URL. */
  readonly ownEnrollmentServer: string;
  /** https URLs of other authorities; undefined: those of the document in force. */
  readonly otherEnrollmentServers: readonly string[] | undefined;
  /** undefined: those of the document in force. */
  readonly bootstrapNodes: readonly IpAddressPort[] | undefined;
}

/**
 * The overlay's configuration document (RFC 6940 §11.1) as this authority publishes it. A document
 * that says something else than the last one, or takes the place of one that expires, has the next
 * sequence number, and that is on disk BEFORE anybody sees it: no number ever names two documents.
 */
export class ConfigurationPublisher {
  private readonly state: AuthorityState;
  private readonly authenticator: Authenticator;
  /** From before the ledger had it. */
  private readonly fromFile: PublishedConfiguration | undefined;
  private parsed: { readonly text: string; readonly value: PublishedConfiguration } | undefined;

  private constructor(
    state: AuthorityState,
    authenticator: Authenticator,
    fromFile: PublishedConfiguration | undefined,
  ) {
    this.state = state;
    this.authenticator = authenticator;
    this.fromFile = fromFile;
  }

  static async open(
    state: AuthorityState,
    authenticator: Authenticator,
  ): Promise<ConfigurationPublisher> {
    return new ConfigurationPublisher(state, authenticator, await readPublished(state));
  }

  /** What this or another process published last. Throws AuthorityFailure when it is damaged. */
  private published(when: 'durable' | 'decided'): PublishedConfiguration | undefined {
    const text = this.state.published(CONFIGURATION_DOCUMENT, when);
    if (text === undefined) return this.fromFile;
    if (this.parsed?.text === text) return this.parsed.value;
    const value = parsePublished(text);
    if (value === undefined) throw damaged('the configuration in the ledger');
    this.parsed = { text, value };
    return value;
  }

  /** The document in force; undefined before the first `publish`. */
  get document(): HttpDocument | undefined {
    const published = this.published('durable');
    if (published === undefined) return undefined;
    return {
      contentType: 'application/p2p-overlay+xml',
      bytes: new Uint8Array(Buffer.from(published.document)),
      changedUnixMs: published.changedUnixMs,
    };
  }

  get sequence(): number | undefined {
    return this.published('durable')?.sequence;
  }

  /** Publishes what is wished, unless the document in force says it already and is fresh. */
  publish(wish: ConfigurationWish): Promise<void> {
    return this.state.exclusive(async () => {
      const unixMs = this.state.nowUnixMs();
      const content = this.contentOf(wish);
      const digest = this.digestOf(content);
      const held = this.published('decided');
      const isFresh = held !== undefined && unixMs < held.changedUnixMs + LIFETIME_MS / 2;
      if (isFresh && held.digest === digest) return;
      const sequence = held === undefined ? FIRST_SEQUENCE : nextSequence(held.sequence);
      const expirationUnixMs = unixMs - (unixMs % 1000) + LIFETIME_MS;
      const document = this.sign({ ...content, sequence, expirationUnixMs });
      const published = { sequence, digest, changedUnixMs: unixMs, document };
      const purpose = `configuration ${sequence}`;
      this.state.record({ type: 'keyUsed', unixMs, key: 'configurationSigner', purpose });
      this.state.publish(CONFIGURATION_DOCUMENT, JSON.stringify(published));
    });
  }

  private contentOf(wish: ConfigurationWish): ConfigurationContent {
    const { settings, hierarchy } = this.state;
    return {
      instanceName: settings.overlayName,
      sequence: FIRST_SEQUENCE,
      topologyPlugin: 'CHORD-RELOAD',
      nodeIdLength: 16,
      rootCertificates: [hierarchy.root],
      enrollmentServers: this.enrollmentServers(wish),
      bootstrapNodes: wish.bootstrapNodes ?? this.heldBootstrapNodes(),
      clientsPermitted: true,
      noIce: true,
      // RFC 6940's 5,000 bytes do not hold the certificates of a user with five devices.
      maxMessageSizeBytes: 65_536,
      overlayLinkProtocols: ['TLS'],
      configurationSigners: [this.signer('configurationSigner').nodeId],
      kindSigners: [this.signer('kindSigner').nodeId],
      certificateProfile: settings.profile,
    };
  }

  /**
   * The own one first, where most users are; of those of the document in force, the own one may
   * have another address now.
   */
  private enrollmentServers(wish: ConfigurationWish): string[] {
    const { ownEnrollmentServer: own } = wish;
    const held = this.heldConfiguration()?.enrollmentServers.slice(1) ?? [];
    const others = wish.otherEnrollmentServers ?? held;
    return [own, ...others.filter((url) => url !== own)];
  }

  private heldBootstrapNodes(): readonly IpAddressPort[] {
    return this.heldConfiguration()?.bootstrapNodes ?? [];
  }

  private heldConfiguration(): OverlayConfiguration | undefined {
    const published = this.published('decided');
    if (published === undefined) return undefined;
    const document = Buffer.from(published.document);
    const parsed = parseConfigurationDocument(document, this.state.settings.overlayName);
    return parsed instanceof ConfigurationFault ? undefined : parsed.configuration;
  }

  /** Equal for documents that say the same. Signatures differ each time, certificates count. */
  private digestOf(content: ConfigurationContent): string {
    const { configurationSigner, kindSigner } = this.state.configurationKeys;
    return createHash('sha256')
      .update(buildConfiguration(content))
      .update(JSON.stringify([...BUILT_IN_KINDS.values()]))
      .update(configurationSigner.certificate)
      .update(kindSigner.certificate)
      .digest('hex');
  }

  private sign(content: ConfigurationContent): string {
    const kindSigner = this.signer('kindSigner');
    const requiredKinds = [...BUILT_IN_KINDS.values()].map((kind) =>
      buildKindBlock(kind, kindSigner),
    );
    const configuration = buildConfiguration({ ...content, requiredKinds });
    const document = signConfiguration(configuration, this.signer('configurationSigner'));
    const parsed = parseConfigurationDocument(document, content.instanceName);
    if (parsed instanceof ConfigurationFault) {
      throw new Error(`the own configuration is at fault: ${parsed.describe()}`);
    }
    return Buffer.from(document).toString('utf8');
  }

  private signer(name: 'configurationSigner' | 'kindSigner'): Signer {
    const { certificate, privateKey } = this.state.configurationKeys[name];
    const node = this.authenticator.authenticate(certificate, [], this.state.nowUnixMs());
    if (node instanceof CertificateRefusal) {
      throw new AuthorityFailure(`the certificate of ${name} does not count: ${node.describe()}`);
    }
    return createSigner(node, node.nodeId, privateKey);
  }
}

/** A document of the ledger; in version 0.1 it was the file `configuration.json`. */
interface PublishedConfiguration {
  readonly sequence: number;
  readonly digest: string;
  readonly changedUnixMs: number;
  /** XML. */
  readonly document: string;
}

async function readPublished(state: AuthorityState): Promise<PublishedConfiguration | undefined> {
  const path = join(state.directory.path, CONFIGURATION_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const published = parsePublished(text);
  if (published !== undefined) return published;
  throw damaged(path);
}

function damaged(what: string): AuthorityFailure {
  return new AuthorityFailure(
    `${what} is damaged; restore it from a backup, since peers take newer sequences only`,
  );
}

function parsePublished(text: string): PublishedConfiguration | undefined {
  try {
    const value = JSON.parse(text) as Partial<PublishedConfiguration>;
    const { sequence, digest, changedUnixMs, document } = value;
    const isWhole =
      Number.isSafeInteger(sequence) &&
      Number.isSafeInteger(changedUnixMs) &&
      typeof digest === 'string' &&
      typeof document === 'string';
    return isWhole ? (value as PublishedConfiguration) : undefined;
  } catch {
    return undefined;
  }
}

const CONFIGURATION_DOCUMENT = 'configuration';
const CONFIGURATION_FILE = 'configuration.json';
const FIRST_SEQUENCE = 1;
/** Peers fetch it again before; half-way a new one is published. */
const LIFETIME_MS = 30 * 86_400_000;
