import { createHash } from 'node:crypto';
import { parseConfigurationDocument } from '../../overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  buildKindBlock,
  signConfiguration,
  unsignedDocument,
} from '../../overlay-config/configuration-document-builder.ts';
import { EditRefusal, editConfiguration } from '../../overlay-config/configuration-edit.ts';
import { ConfigurationFault } from '../../overlay-config/configuration-fault.ts';
import {
  acceptSuccessor,
  checkSuccession,
  predecessorOf,
  trustInitialConfiguration,
} from '../../overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../../overlay-config/configuration-trust-settings.ts';
import type { KindDefinition } from '../../overlay-config/kind-definition.ts';
import { KindRefusal, verifyKindBlocks } from '../../overlay-config/kind-trust.ts';
import type { OverlayConfiguration } from '../../overlay-config/overlay-configuration.ts';
import type { ParsedConfiguration } from '../../overlay-config/parsed-configuration.ts';
import { BUILT_IN_KINDS } from '../../overlay-config/registered-kinds.ts';
import { SuccessionRefusal } from '../../overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import type { NodeId } from '../../wire/node-id.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';
import {
  type ConfigurationWish,
  expirationFrom,
  kindChanges,
  renewalChanges,
  wishedChanges,
} from './configuration-upkeep.ts';
import { type DocumentSigner, signThrough } from './document-signer.ts';
import type { HttpDocument } from './http-exchange.ts';
import { type PublishedConfiguration, PublishedConfigurations } from './published-configuration.ts';

/** What came of publishing a document. */
export interface PublicationSummary {
  readonly sequence: number;
  /** Whose signature counts. */
  readonly signer: NodeId;
  /** The very same document was in force before. */
  readonly isUnchanged: boolean;
  /** Sentences about what the operator may not have meant. */
  readonly warnings: readonly string[];
}

/**
 * The overlay's configuration document (RFC 6940 §11.1) as this authority publishes it. A document
 * that says something else than the last one, or takes the place of one that expires, has the next
 * sequence number, and that is on disk BEFORE anybody sees it: no number ever names two documents.
 */
export class ConfigurationPublisher {
  private readonly state: AuthorityState;
  private readonly authenticator: Authenticator;
  private readonly published: PublishedConfigurations;

  private constructor(
    state: AuthorityState,
    authenticator: Authenticator,
    published: PublishedConfigurations,
  ) {
    this.state = state;
    this.authenticator = authenticator;
    this.published = published;
  }

  static async open(
    state: AuthorityState,
    authenticator: Authenticator,
  ): Promise<ConfigurationPublisher> {
    return new ConfigurationPublisher(
      state,
      authenticator,
      await PublishedConfigurations.open(state),
    );
  }

  /** The document in force; undefined before the first `publish`. */
  get document(): HttpDocument | undefined {
    const published = this.published.last('durable');
    if (published === undefined) return undefined;
    return {
      contentType: 'application/p2p-overlay+xml',
      bytes: new Uint8Array(Buffer.from(published.document)),
      changedUnixMs: published.changedUnixMs,
    };
  }

  get sequence(): number | undefined {
    return this.published.last('durable')?.sequence;
  }

  /**
   * Publishes what is wished, unless the document in force says it already and is fresh. A document
   * that another authority signed is left to that one, and so is one that trusts this one no more.
   */
  publish(wish: ConfigurationWish): Promise<void> {
    return this.state.exclusive(async () => {
      const held = this.published.last('decided');
      if (held !== undefined && !this.isToSign(held)) return;
      const next = held === undefined ? await this.first(wish) : await this.next(held, wish);
      if (next === undefined) return;
      const document = await this.signed(next.signedBytes);
      this.recordUse('configurationSigner', `configuration ${next.sequence}`);
      this.published.replace({
        sequence: next.sequence,
        changedUnixMs: this.state.nowUnixMs(),
        document: textOf(document),
        certificates: this.certificatesDigest(),
        ownEnrollmentServer: wish.ownEnrollmentServer,
      });
    });
  }

  /**
   * Publishes a document that an operator brings, signed. It must follow the one in force, as peers
   * will ask; with `replace` it need not, which is for an authority that begins to share the
   * configuration of others. Throws AuthorityFailure.
   */
  publishDocument(document: Uint8Array, replace: boolean): Promise<PublicationSummary> {
    return this.state.exclusive(async () => {
      const held = this.published.last('decided');
      const parsed = this.parsed(document);
      const before = replace || held === undefined ? predecessorOf(parsed) : this.trusted(held);
      const isUnchanged = held !== undefined && held.document === textOf(document);
      const signer = isUnchanged
        ? this.signerOf(predecessorOf(parsed), document)
        : this.judged(before, document, replace);
      const warnings = this.warningsAbout(parsed, signer);
      const summary = { sequence: parsed.sequence, signer, isUnchanged, warnings };
      if (isUnchanged) return summary;
      const unixMs = this.state.nowUnixMs();
      const operation = `configuration ${parsed.sequence} of ${signer} is published`;
      this.state.record({ type: 'operatorActed', unixMs, operation });
      const own = held?.ownEnrollmentServer;
      this.published.replace({
        sequence: parsed.sequence,
        changedUnixMs: unixMs,
        document: textOf(document),
        certificates: this.certificatesDigest(),
        ...(own === undefined ? {} : { ownEnrollmentServer: own }),
        ...(signer === this.signer('configurationSigner').node.nodeId ? {} : { isOfOthers: true }),
      });
      return summary;
    });
  }

  /** A document with a signature of this authority. Throws AuthorityFailure. */
  signDocument(document: Uint8Array): Promise<Uint8Array> {
    return this.state.exclusive(async () => {
      const held = this.published.last('decided');
      const parsed = this.parsed(document);
      const signed = await this.signed(parsed.signedBytes);
      const before = held === undefined ? predecessorOf(parsed) : this.trusted(held);
      this.judged(before, signed, false);
      this.recordUse('configurationSigner', `configuration ${parsed.sequence}, for an operator`);
      return signed;
    });
  }

  /** A `<kind-block>` with a signature of this authority. */
  signKind(kind: KindDefinition): Promise<Uint8Array> {
    return this.state.exclusive(async () => {
      this.recordUse('kindSigner', `Kind 0x${kind.kindId.toString(16)}, for an operator`);
      return this.kindBlock(kind);
    });
  }

  private isToSign(held: PublishedConfiguration): boolean {
    if (held.isOfOthers === true) return false;
    const { configuration } = this.parsed(Buffer.from(held.document));
    const { nodeId } = this.signer('configurationSigner').node;
    return configuration.configurationSigners.includes(nodeId) && this.isTrustedBy(configuration);
  }

  private isTrustedBy({ rootCertificates }: OverlayConfiguration): boolean {
    const { root } = this.state.hierarchy;
    return rootCertificates.some((other) => Buffer.compare(other, root) === 0);
  }

  private async first(wish: ConfigurationWish): Promise<ParsedConfiguration> {
    const { settings, hierarchy } = this.state;
    const requiredKinds: Uint8Array[] = [];
    for (const kind of BUILT_IN_KINDS.values()) requiredKinds.push(await this.kindBlock(kind));
    const configuration = buildConfiguration({
      instanceName: settings.overlayName,
      sequence: FIRST_SEQUENCE,
      expirationUnixMs: expirationFrom(this.state.nowUnixMs()),
      topologyPlugin: 'CHORD-RELOAD',
      nodeIdLength: 16,
      rootCertificates: [hierarchy.root],
      enrollmentServers: [wish.ownEnrollmentServer, ...(wish.otherEnrollmentServers ?? [])],
      bootstrapNodes: wish.bootstrapNodes ?? [],
      clientsPermitted: true,
      noIce: true,
      // RFC 6940's 5,000 bytes do not hold the certificates of a user with five devices.
      maxMessageSizeBytes: 65_536,
      overlayLinkProtocols: ['TLS'],
      configurationSigners: [this.signer('configurationSigner').node.nodeId],
      kindSigners: [this.signer('kindSigner').node.nodeId],
      certificateProfile: settings.profile,
      requiredKinds,
    });
    return this.parsed(unsignedDocument(configuration));
  }

  /** undefined: nothing is to change. */
  private async next(
    held: PublishedConfiguration,
    wish: ConfigurationWish,
  ): Promise<ParsedConfiguration | undefined> {
    const parsed = this.parsed(Buffer.from(held.document));
    const unixMs = this.state.nowUnixMs();
    const renewal = renewalChanges(parsed.configuration, unixMs);
    const wished = wishedChanges(parsed.configuration, wish, held.ownEnrollmentServer);
    const hasNewCertificates = held.certificates !== this.certificatesDigest();
    const kinds = hasNewCertificates ? await this.kindsSignedAnew(parsed) : [];
    if (!hasNewCertificates && renewal.length === 0 && wished.length === 0) return undefined;
    const edited = editConfiguration(parsed, [...wished, ...kinds, ...renewal]);
    if (!(edited instanceof EditRefusal)) return edited;
    throw new AuthorityFailure(`the configuration cannot be made anew: ${edited.detail}`);
  }

  private kindsSignedAnew(parsed: ParsedConfiguration) {
    const { nodeId } = this.signer('kindSigner').node;
    const signers = verifyKindBlocks(parsed, this.state.nowUnixMs());
    const own = parsed.kindBlocks
      .map(({ definition }) => definition)
      .filter(({ kindId }) => {
        // Where a certificate has expired, nobody is known to have signed: then all are ours.
        return signers instanceof KindRefusal || signers.get(kindId) === nodeId;
      });
    return kindChanges(own, (kind) => this.kindBlock(kind));
  }

  private signed(configuration: Uint8Array): Promise<Uint8Array> {
    const signer = this.signer('configurationSigner');
    return signThrough(signer, (by) => signConfiguration(configuration, by));
  }

  private kindBlock(kind: KindDefinition): Promise<Uint8Array> {
    return signThrough(this.signer('kindSigner'), (by) => buildKindBlock(kind, by));
  }

  /** Who signed it; throws AuthorityFailure where peers that hold `before` will not take it. */
  private judged(before: VerifiedConfiguration, document: Uint8Array, replace: boolean): NodeId {
    const parsed = this.parsed(document);
    const { profile } = this.state.settings;
    if (parsed.configuration.certificateProfile !== profile) {
      throw new AuthorityFailure(`this authority certifies by the profile ${profile} alone`);
    }
    const authenticator = new Authenticator(trustSettingsOf(before));
    const next = acceptSuccessor(before, parsed, authenticator, this.state.nowUnixMs());
    if (next instanceof SuccessionRefusal) {
      const todo = replace ? '' : '; if they hold another one, see --replace';
      throw new AuthorityFailure(`peers would not take it: ${next.describe()}${todo}`);
    }
    return this.signerOf(before, document);
  }

  private signerOf(before: VerifiedConfiguration, document: Uint8Array): NodeId {
    const parsed = this.parsed(document);
    const authenticator = new Authenticator(trustSettingsOf(before));
    const signer = checkSuccession(before, parsed, authenticator, this.state.nowUnixMs());
    if (!(signer instanceof SuccessionRefusal)) return signer.nodeId;
    throw new AuthorityFailure(`peers would not take it: ${signer.describe()}`);
  }

  private warningsAbout({ configuration }: ParsedConfiguration, signer: NodeId): string[] {
    const own = this.signer('configurationSigner').node.nodeId;
    return [
      ...(this.isTrustedBy(configuration)
        ? []
        : ['the root of this authority is not in it: its users are refused now']),
      ...(configuration.configurationSigners.includes(own)
        ? []
        : ['the signer of this authority is not in it: others make the documents from now on']),
      ...(signer === own ? [] : ['another authority signed it, and has to renew it in time']),
    ];
  }

  private trusted(held: PublishedConfiguration): VerifiedConfiguration {
    return trustInitialConfiguration(this.parsed(Buffer.from(held.document)));
  }

  private parsed(document: Uint8Array): ParsedConfiguration {
    const parsed = parseConfigurationDocument(document, this.state.settings.overlayName);
    if (!(parsed instanceof ConfigurationFault)) return parsed;
    throw new AuthorityFailure(parsed.describe());
  }

  private recordUse(key: 'configurationSigner' | 'kindSigner', purpose: string): void {
    this.state.record({ type: 'keyUsed', unixMs: this.state.nowUnixMs(), key, purpose });
  }

  /** Other certificates, another digest: then what they signed is signed anew. */
  private certificatesDigest(): string {
    const { configurationSigner, kindSigner } = this.state.configurationKeys;
    return createHash('sha256')
      .update(configurationSigner.certificate)
      .update(kindSigner.certificate)
      .digest('hex');
  }

  private signer(name: 'configurationSigner' | 'kindSigner'): DocumentSigner {
    const key = this.state.configurationKeys[name];
    const node = this.authenticator.authenticate(key.certificate, [], this.state.nowUnixMs());
    if (node instanceof CertificateRefusal) {
      throw new AuthorityFailure(`the certificate of ${name} does not count: ${node.describe()}`);
    }
    return { node, key };
  }
}

function textOf(document: Uint8Array): string {
  return Buffer.from(document).toString('utf8');
}

const FIRST_SEQUENCE = 1;
