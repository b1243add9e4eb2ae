import {
  buildConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { LookupDefences } from '../../src/reload/lookup-defences.ts';
import type { PeerOptions } from '../../src/reload/peer-options.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { peerOptionsOf, trustedConfiguration } from '../identity/overlay-setup.ts';
import { cheapSignatures, type SimKeyPair } from '../identity/signature-scheme.ts';
import { SimAuthority } from '../identity/sim-authority.ts';
import { constantLatency } from '../world/latency-model.ts';
import { WORLD_START_UNIX_MS } from '../world/sim-clock.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { World } from '../world/world.ts';
import { AttackGroup, chosenNodeId } from './attack-group.ts';
import { ATTACKS, type AttackName } from './attacks.ts';

/** A small overlay of which a share attacks the rest. */
export interface AttackSettings {
  readonly attack: AttackName;
  /** Of the peers, in [0, 1). The first peer, through which the others join, is honest. */
  readonly share: number;
  /** What the honest peers do beyond the RFC; undefined: nothing. */
  readonly defences?: LookupDefences | undefined;
  /** Whether honest peers make the check that prevents the attack (`Attack.preventedBy`). */
  readonly checks: 'made' | 'removed';
  readonly seed: number;
  readonly peers: number;
  /** For the authority and then each peer; used in turn. */
  readonly keys: readonly SimKeyPair[];
  /** Certificates that each attacker draws to choose from (`chosen-node-ids`), at least 1. */
  readonly certificatesEach: number;
}

/** The overlay of one measurement, built and settled, before the attack begins. */
export class AttackedOverlay {
  readonly world: World;
  readonly honest: SimNode[] = [];
  readonly attackers: SimNode[] = [];
  /** What a targeted attack is aimed at: who is looked up then. */
  readonly targets: SimNode[] = [];
  private readonly settings: AttackSettings;
  private readonly authority: SimAuthority;
  private readonly random: SimRandom;
  private readonly group: AttackGroup;
  private readonly stores = new Map<SimNode, ResourceStore>();
  private readonly configuration: VerifiedConfiguration;

  constructor(settings: AttackSettings) {
    this.settings = settings;
    this.world = new World({
      seed: settings.seed,
      network: {
        latency: constantLatency(ONE_WAY_MS),
        jitterShare: 0,
        lossShare: 0,
        duplicateShare: 0,
        reorderShare: 0,
        bandwidthBitsPerSecond: undefined,
        transport: 'stream',
      },
      disk: { writeLowMs: 1, writeHighMs: 2 },
      clockError: { skewMs: 0, driftPpm: 0 },
    });
    this.random = this.world.stream('attacked overlay');
    this.authority = new SimAuthority(OVERLAY, cheapSignatures, this.key(0));
    const attackers = Math.round(settings.share * settings.peers);
    const honestIds = this.nodeIds(settings.peers - attackers);
    const { certificates } = ATTACKS[settings.attack];
    const targetIds = certificates === 'chosen' ? honestIds.slice(1, 1 + attackers) : [];
    const attackerIds =
      certificates === 'chosen'
        ? targetIds.map((target) => chosenNodeId(target, this.nodeIds(settings.certificatesEach)))
        : this.nodeIds(attackers);
    const signs = settings.attack === 'forged-configuration' && settings.checks === 'removed';
    this.configuration = this.configurationWith({
      configurationSigners: signs ? attackerIds.slice(0, 1) : [],
    });
    for (const nodeId of honestIds) this.honest.push(this.addNode(nodeId, false));
    for (const nodeId of attackerIds) this.attackers.push(this.addNode(nodeId, true));
    this.targets.push(...this.honest.filter(({ nodeId }) => targetIds.includes(nodeId)));
    this.group = new AttackGroup({
      world: this.world,
      attack: settings.attack,
      attackers: this.attackers,
      victims: this.honest,
      targets: this.targets,
      overlayName: OVERLAY,
      configurationSequence: 1,
      signerFor: settings.checks === 'removed' ? (id) => this.signerFor(id) : undefined,
    });
  }

  /** All join, one after another in random order, and store their records. */
  build(): void {
    const { world, honest, attackers } = this;
    const [first, ...others] = honest;
    if (first === undefined) return;
    world.start(first, []);
    for (const node of this.random.shuffled([...others, ...attackers])) {
      world.runUntil(world.nowMs + JOIN_EVERY_MS);
      const known = this.random.shuffled(honest.filter(({ isJoined }) => isJoined)).slice(0, 3);
      world.start(
        node,
        known.map(({ address }) => ({ address })),
      );
    }
    const isComplete = (node: SimNode) => node.peer?.status().ownRecordsComplete === true;
    world.runUntilDone(() => honest.every(isComplete), BUILD_MS_MAX);
    world.runUntil(world.nowMs + SETTLE_MS);
  }

  /** The attack begins; those whose certificates are revoked are so from now on. */
  begin(): void {
    this.group.begin();
    const { attack, checks } = this.settings;
    if (ATTACKS[attack].certificates !== 'revoked' || checks === 'removed') return;
    const badNodes = this.attackers.map(({ nodeId }) => nodeId);
    const configuration = this.configurationWith({ sequence: 2, badNodes });
    for (const node of this.honest) {
      this.world.handle(node, { type: 'configuration', configuration });
    }
  }

  /** Bytes of the values that a node stores. */
  storedBytes(node: SimNode): number {
    return this.stores.get(node)?.counters().bytes ?? 0;
  }

  private addNode(nodeId: NodeId, isAttacker: boolean): SimNode {
    const index = this.world.nodes.length;
    // Two honest peers are devices of one user; each attacker is a user of its own.
    const user = isAttacker ? `attacker${index}` : `user${index >> 1}`;
    const isExpired = isAttacker && ATTACKS[this.settings.attack].certificates === 'expired';
    const expiry = isExpired ? { notAfterUnixMs: WORLD_START_UNIX_MS - DAY_MS } : {};
    const signer = this.authority.signer(
      { key: this.key(1 + index), nodeId, userName: `${user}@example.org`, ...expiry },
      WORLD_START_UNIX_MS - 2 * DAY_MS,
    );
    const makeOptions = (node: SimNode) => this.peerOptions(node, isAttacker);
    return this.world.addNode({ signer, role: 'peer', makeOptions });
  }

  /** A check removed: the authority gives a certificate for whatever Node-ID is asked for. */
  private signerFor(nodeId: NodeId): Signer {
    const leaf = { key: this.key(1), nodeId, userName: 'invented@example.org' };
    return this.authority.signer(leaf, WORLD_START_UNIX_MS + this.world.nowMs);
  }

  private peerOptions(node: SimNode, isAttacker: boolean): PeerOptions {
    const { defences } = this.settings;
    const options = peerOptionsOf(this.world, node, {
      configuration: this.configuration,
      authenticator: this.authenticator(),
      first: node === this.honest[0],
    });
    this.stores.set(node, options.store);
    return isAttacker || defences === undefined ? options : { ...options, defences };
  }

  private authenticator(): Authenticator {
    const settings = trustSettingsOf(this.configuration);
    const { attack, checks } = this.settings;
    if (ATTACKS[attack].certificates === 'expired' && checks === 'removed') {
      return new TimelessAuthenticator(settings, cheapSignatures.verify);
    }
    return this.authority.newAuthenticator(settings);
  }

  private configurationWith(change: {
    readonly sequence?: number;
    readonly badNodes?: readonly NodeId[];
    readonly configurationSigners?: readonly NodeId[];
  }): VerifiedConfiguration {
    const document = buildConfiguration({
      instanceName: OVERLAY,
      sequence: 1,
      rootCertificates: [this.authority.rootCertificate],
      noIce: true,
      maxMessageSizeBytes: 65_536,
      ...change,
    });
    return trustedConfiguration(unsignedDocument(document), OVERLAY);
  }

  private nodeIds(count: number): NodeId[] {
    return Array.from({ length: count }, () => toHex(this.random.bytes(16)) as NodeId);
  }

  private key(index: number): SimKeyPair {
    const { keys } = this.settings;
    return keys[index % keys.length] as SimKeyPair;
  }
}

/** A check removed: everything is valid that was valid before the World began. */
class TimelessAuthenticator extends Authenticator {
  override authenticate(leaf: Uint8Array, pool: readonly Uint8Array[]) {
    return super.authenticate(leaf, pool, WORLD_START_UNIX_MS - 2 * DAY_MS);
  }

  override authenticateByHash(hash: Uint8Array) {
    return super.authenticateByHash(hash, WORLD_START_UNIX_MS - 2 * DAY_MS);
  }
}

const OVERLAY = 'xmpp.org';
const DAY_MS = 86_400_000;
const ONE_WAY_MS = 25;
const JOIN_EVERY_MS = 500;
const BUILD_MS_MAX = 120_000;
const SETTLE_MS = 10_000;
