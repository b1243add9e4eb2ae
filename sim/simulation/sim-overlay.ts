import {
  buildConfiguration,
  buildKindBlock,
  type ConfigurationContent,
  signConfiguration,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { PeerOptions } from '../../src/reload/peer-options.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { RevocationSource } from '../faults/revocation-source.ts';
import { peerOptionsOf, trustedConfiguration } from '../identity/overlay-setup.ts';
import type { SignatureScheme, SimKeyPair } from '../identity/signature-scheme.ts';
import { type LeafPlan, SimAuthority } from '../identity/sim-authority.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LatencyModel } from '../world/latency-model.ts';
import { WORLD_START_UNIX_MS } from '../world/sim-clock.ts';
import type { NodeBehavior, SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { World } from '../world/world.ts';
import type { StopManner } from '../world/world-observer.ts';

/** What a SimOverlay is made of. */
export interface SimOverlayOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly scheme: SignatureScheme;
  /** At least two; nodes beyond the number of keys share them in turn. */
  readonly keys: readonly SimKeyPair[];
  readonly latency: LatencyModel;
}

/** What is special about a new node. */
export interface NewNode {
  readonly role?: 'peer' | 'client';
  readonly isBehindNat?: boolean;
  readonly nodeId?: NodeId;
  readonly notAfterUnixMs?: number;
  readonly behavior?: NodeBehavior;
  /** Its certificate is of the second root. */
  readonly isOfSecondRoot?: boolean;
  readonly peerOptions?: Partial<PeerOptions>;
}

/**
 * One overlay in a World: an authority, a configuration with its signer, bootstrap nodes, and nodes
 * that are made, started and stopped. It decides nothing about when.
 */
export class SimOverlay {
  readonly world: World;
  readonly scenario: Scenario;
  readonly authority: SimAuthority;
  /** The newest configuration, as the configuration server would give it to who asks. */
  configuration: VerifiedConfiguration;
  /** The nodes whose addresses everybody knows. */
  readonly bootstrapNodes: SimNode[] = [];
  /** The lists that the authority publishes; absent: its certificates are in no list. */
  readonly revocation: RevocationSource | undefined;
  private readonly keys: readonly SimKeyPair[];
  private readonly signer: Signer;
  private readonly random: SimRandom;
  /** What the certificate of each node is made of. */
  private readonly leaves = new Map<SimNode, Leaf>();
  private readonly secondAuthority: SimAuthority;
  /** What later configurations have until it is changed again. */
  private lasting: Partial<ConfigurationContent> = {};
  private identities = 0;

  constructor(options: SimOverlayOptions) {
    const { scenario, keys, scheme } = options;
    const { network, disk, clock } = scenario;
    const bandwidth = network.bandwidthBitsPerSecond;
    this.scenario = scenario;
    this.keys = keys;
    this.world = new World({
      seed: options.seed,
      network: {
        ...network,
        latency: options.latency,
        bandwidthBitsPerSecond: bandwidth === 0 ? undefined : bandwidth,
      },
      disk,
      clockError: clock,
    });
    this.random = this.world.stream('overlay');
    this.authority = new SimAuthority(OVERLAY, scheme, keys[0] as SimKeyPair);
    this.secondAuthority = new SimAuthority(OVERLAY, scheme, keys[1] as SimKeyPair);
    const isByList = scenario.faults.some(({ type }) => type === 'revocationList');
    this.revocation = isByList ? new RevocationSource(this.world, this.authority) : undefined;
    this.signer = this.authority.signer(
      { key: keys[1] as SimKeyPair, nodeId: this.newNodeId(), userName: SIGNER_NAME },
      WORLD_START_UNIX_MS,
    );
    this.configuration = trustedConfiguration(this.document({}), OVERLAY);
  }

  /** A node with the next identity; it does not run yet. */
  newNode(plan: NewNode = {}): SimNode {
    const number = this.identities++;
    const key = this.keys[2 + (number % (this.keys.length - 2))] as SimKeyPair;
    const nodeId = plan.nodeId ?? this.newNodeId();
    const { notAfterUnixMs } = plan;
    const unixMs = WORLD_START_UNIX_MS + this.world.nowMs;
    const leaf = { key, nodeId, userName: userNameOf(number) };
    const authority = plan.isOfSecondRoot === true ? this.secondAuthority : this.authority;
    const signer = authority.signer(
      notAfterUnixMs === undefined ? leaf : { ...leaf, notAfterUnixMs },
      unixMs,
    );
    const role = plan.role ?? 'peer';
    const node = this.world.addNode({
      signer,
      role,
      isBehindNat: plan.isBehindNat === true,
      makeOptions: (started) => this.peerOptions(started, plan.peerOptions),
    });
    node.behavior = plan.behavior;
    this.leaves.set(node, { ...leaf, authority });
    return node;
  }

  /**
   * A node gets a new certificate for its key, Node-ID and name, which expires `RENEWED_FOR_MS`
   * from now: new links show it, and its Peer, if it runs, goes on with it at once.
   */
  renewCertificate(node: SimNode): void {
    const unixMs = WORLD_START_UNIX_MS + Math.round(this.world.nowMs);
    const laterUnixMs = node.signer.node.validUntilUnixMs + 1_000;
    const notAfterUnixMs = Math.max(unixMs + RENEWED_FOR_MS, laterUnixMs);
    const leaf = this.leaves.get(node);
    if (leaf === undefined) throw new Error(`${node.name} is not of this overlay`);
    const { authority, ...plan } = leaf;
    const signer = authority.signer({ ...plan, notAfterUnixMs }, unixMs);
    node.signers.push(signer);
    this.world.handle(node, { type: 'renewed', signer });
  }

  /** Starts a node through some of the bootstrap nodes. */
  start(node: SimNode): void {
    const others = this.bootstrapNodes.filter((other) => other !== node && other.isUp);
    const chosen = this.random.shuffled(others).slice(0, BOOTSTRAP_TRIED);
    this.world.start(
      node,
      chosen.map(({ address }) => ({ address })),
    );
  }

  /** Ends a node's process or host; a leave takes some seconds. `wiped`: it never comes back. */
  stop(node: SimNode, how: StopManner, wiped = false): void {
    node.leavesForGood = wiped;
    if (how !== 'leave' || !node.isUp) this.world.stop(node, how, wiped);
    else this.world.command(node, { type: 'leave' }, () => undefined);
  }

  /** Bytes of a configuration that follows the present one, signed by its configuration-signer. */
  document(change: Partial<ConfigurationContent>): Uint8Array {
    const sequence = this.identities === 0 ? 1 : this.configuration.sequence + 1;
    const { overlay } = this.scenario;
    const content = buildConfiguration({
      instanceName: OVERLAY,
      sequence,
      rootCertificates: [this.authority.rootCertificate],
      configurationSigners: [this.signer.nodeId],
      kindSigners: [this.signer.nodeId],
      noIce: true,
      maxMessageSizeBytes: MESSAGE_BYTES_MAX,
      ...overlay,
      ...this.lasting,
      ...change,
    });
    return signConfiguration(content, this.signer);
  }

  /** A newer configuration as one that was fetched and verified: `configuration` from now on. */
  publishConfiguration(change: Partial<ConfigurationContent>): VerifiedConfiguration {
    this.configuration = trustedConfiguration(this.document(change), OVERLAY);
    return this.configuration;
  }

  /** Whether the next configurations trust the second root too. */
  trustSecondRoot(isTrusted: boolean): void {
    const { rootCertificate } = this.authority;
    const second = isTrusted ? [this.secondAuthority.rootCertificate] : [];
    this.lasting = { ...this.lasting, rootCertificates: [rootCertificate, ...second] };
  }

  /** The next configurations have this Kind. */
  requireKind(kind: KindDefinition): void {
    this.lasting = { ...this.lasting, requiredKinds: [buildKindBlock(kind, this.signer)] };
  }

  /** For checkers: trusts whoever is trusted at any time of a run. */
  checkingAuthenticator(): Authenticator {
    const rootCertificates = [this.authority, this.secondAuthority].map(
      ({ rootCertificate }) => rootCertificate,
    );
    return this.authority.newAuthenticator({
      ...trustSettingsOf(this.configuration),
      rootCertificates,
    });
  }

  /** All peers that are up and in the ring. */
  joinedPeers(): SimNode[] {
    return this.world.nodes.filter((node) => node.role === 'peer' && node.isJoined);
  }

  private peerOptions(node: SimNode, more: Partial<PeerOptions> | undefined): PeerOptions {
    const configuration = node.configuration ?? this.configuration;
    const first = this.bootstrapNodes[0] === node;
    const settings = trustSettingsOf(configuration);
    const authenticator = this.authority.newAuthenticator(settings, this.revocation?.listsOf(node));
    return { ...peerOptionsOf(this.world, node, { configuration, authenticator, first }), ...more };
  }

  private newNodeId(): NodeId {
    return toHex(this.random.bytes(16)) as NodeId;
  }
}

interface Leaf extends LeafPlan {
  readonly authority: SimAuthority;
}

/** All names have one length, so that certificates have. */
function userNameOf(number: number): string {
  return `user${String(number).padStart(6, '0')}@example.org`;
}

export const OVERLAY = 'xmpp.org';
const SIGNER_NAME = 'configuration@example.org';
const MESSAGE_BYTES_MAX = 65_536;
const BOOTSTRAP_TRIED = 3;
/** A year more than the certificates that are issued at the beginning. */
const RENEWED_FOR_MS = 10 * 365 * 24 * 3_600_000;
