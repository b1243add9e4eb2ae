import { generateKeyPairSync } from 'node:crypto';
import type { StorageRules } from '../../sim/checkers/storage-rules.ts';
import { peerOptionsOf, trustedConfiguration } from '../../sim/identity/overlay-setup.ts';
import {
  cheapSignatures,
  type SignatureScheme,
  type SimKeyPair,
} from '../../sim/identity/signature-scheme.ts';
import { SimAuthority } from '../../sim/identity/sim-authority.ts';
import { constantLatency } from '../../sim/world/latency-model.ts';
import { WORLD_START_UNIX_MS } from '../../sim/world/sim-clock.ts';
import type { SimNode } from '../../sim/world/sim-node.ts';
import { World, type WorldOptions } from '../../sim/world/world.ts';
import {
  buildConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { Command, CommandOutcome } from '../../src/reload/command.ts';
import type { PeerOptions } from '../../src/reload/peer-options.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

export interface SmallWorldOptions extends Partial<WorldOptions> {
  readonly scheme?: SignatureScheme;
  /** Changes the options of every Peer that starts. */
  readonly peerOptions?: (node: SimNode, options: PeerOptions) => PeerOptions;
}

/** A World of few peers with one configuration: honest unless a test breaks one of them. */
export class SmallWorld {
  readonly world: World;
  readonly authority: SimAuthority;
  readonly configuration: VerifiedConfiguration;
  private readonly options: SmallWorldOptions;
  private readonly ids;

  constructor(options: SmallWorldOptions = {}) {
    this.options = options;
    this.world = new World({
      seed: 1,
      network: QUIET_NETWORK,
      disk: { writeLowMs: 1, writeHighMs: 5 },
      clockError: { skewMs: 500, driftPpm: 20 },
      ...options,
    });
    this.ids = this.world.stream('ids');
    this.authority = new SimAuthority(OVERLAY, options.scheme ?? cheapSignatures, keyPair());
    const content = buildConfiguration({
      instanceName: OVERLAY,
      sequence: 1,
      rootCertificates: [this.authority.rootCertificate],
      noIce: true,
      maxMessageSizeBytes: 65_536,
    });
    this.configuration = trustedConfiguration(unsignedDocument(content), OVERLAY);
  }

  get nodes(): readonly SimNode[] {
    return this.world.nodes;
  }

  /** What checkers need to know, with an Authenticator of their own. */
  get rules(): StorageRules {
    const authenticator = this.authority.newAuthenticator(trustSettingsOf(this.configuration));
    return { authenticator, kinds: this.configuration.kinds };
  }

  /** A node that does not run yet. */
  add(role: 'peer' | 'client' = 'peer', special: { isBehindNat?: boolean } = {}): SimNode {
    const nodeId = toHex(this.ids.bytes(16)) as NodeId;
    const userName = `user${this.nodes.length}@example.org`;
    const leaf = { key: keyPair(), nodeId, userName };
    const signer = this.authority.signer(leaf, WORLD_START_UNIX_MS + this.world.nowMs);
    const makeOptions = (node: SimNode) => this.peerOptions(node);
    return this.world.addNode({ signer, role, makeOptions, ...special });
  }

  /** Starts a node through three of those that run. */
  start(node: SimNode): void {
    const others = this.nodes.filter((other) => other !== node && other.isUp).slice(0, 3);
    this.world.start(
      node,
      others.map(({ address }) => ({ address })),
    );
  }

  /** Adds and starts peers, one a second, and runs until all have stored their own records. */
  grow(count: number): SimNode[] {
    const added = Array.from({ length: count }, () => this.add());
    for (const [second, node] of added.entries()) {
      this.world.schedule(1000 * second, () => this.start(node));
    }
    this.until(() => added.every((node) => node.peer?.status().ownRecordsComplete === true));
    this.run(5);
    return added;
  }

  leave(node: SimNode): void {
    this.world.command(node, { type: 'leave' }, () => undefined);
  }

  run(seconds: number): void {
    if (this.world.runUntil(this.world.nowMs + 1000 * seconds)) return;
    throw new Error(`the World was halted: ${this.world.haltReason}`);
  }

  /** Runs until `done` holds, for two minutes at most. */
  until(done: () => boolean): void {
    if (!this.world.runUntilDone(done, 120_000)) throw new Error('it did not happen in time');
  }

  /** Runs a command to its end. */
  command(node: SimNode, command: Command): CommandOutcome {
    let outcome: CommandOutcome | undefined;
    this.world.command(node, command, (found) => {
      outcome = found;
    });
    this.until(() => outcome !== undefined);
    return outcome as CommandOutcome;
  }

  /** The running peers in the order of the ring. */
  ring(): SimNode[] {
    const joined = this.nodes.filter((node) => node.isJoined && node.role === 'peer');
    return joined.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  /** Who is responsible for a place (RFC 6940 §10.1) and, after it, those who hold copies. */
  holders(resource: string): SimNode[] {
    const ring = this.ring();
    const at = ring.findIndex(({ nodeId }) => nodeId >= resource);
    const from = Math.max(at, 0);
    return [0, 1, 2].map((step) => ring[(from + step) % ring.length] as SimNode);
  }

  /**
   * An overlay's life without malice: nine peers join, one leaves, one's process crashes and comes
   * back with its disk, one's host falls silent, two join at once; then all is quiet.
   */
  liveHonestly(): void {
    const [first, leaver, crashing, silent] = this.grow(9) as [SimNode, SimNode, SimNode, SimNode];
    this.run(130);
    this.leave(leaver);
    this.run(20);
    this.world.stop(crashing, 'process');
    this.run(60);
    this.start(crashing);
    this.run(30);
    this.world.stop(silent, 'host', true);
    this.run(60);
    this.grow(2);
    this.command(first, { type: 'lookupByNodeId', nodeId: silent.nodeId });
    this.command(first, { type: 'locate', userName: crashing.userName });
    this.run(130);
  }

  private peerOptions(node: SimNode): PeerOptions {
    const { configuration } = this;
    const options = peerOptionsOf(this.world, node, {
      configuration,
      authenticator: this.authority.newAuthenticator(trustSettingsOf(configuration)),
      first: node.index === 0,
    });
    return this.options.peerOptions?.(node, options) ?? options;
  }
}

function keyPair(): SimKeyPair {
  return generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
}

const OVERLAY = 'xmpp.org';
const QUIET_NETWORK: WorldOptions['network'] = {
  latency: constantLatency(20),
  jitterShare: 0.1,
  lossShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
  bandwidthBitsPerSecond: undefined,
  transport: 'stream',
};
