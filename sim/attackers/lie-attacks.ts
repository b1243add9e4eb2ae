/** Lies about the overlay itself: RFC 6940 §13.6.3 and §13.6.6. */
import {
  buildConfiguration,
  signConfiguration,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { advance } from '../../src/reload/ring.ts';
import { AttachReqAns } from '../../src/wire/attach.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { ConfigUpdateReq } from '../../src/wire/config-update.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { CONFIGURATION_SEQUENCE_ANY } from '../../src/wire/forwarding-header.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { ProbeAns, ProbeInformationType } from '../../src/wire/topology.ts';
import { Attacker, type SeenMessage } from './attacker.ts';
import type { Treatment } from './bent-frames.ts';

/**
 * Tells each neighbour of a predecessor that does not exist, a moment's walk before it, and of its
 * friends as the only others: who believes it takes itself to be responsible for next to nothing.
 */
export class LieInUpdate extends Attacker {
  override begin(): void {
    super.begin();
    this.repeat(LIE_EVERY_MS, () => {
      for (const { link, nodeId } of this.links()) {
        if (this.isFriend(nodeId)) continue;
        const body = encode(ChordUpdate, this.lie(nodeId));
        this.sendOver(link, this.sealed([nodeDestination(nodeId)], MessageCode.updateReq, body));
      }
    });
  }

  protected override treat(seen: SeenMessage): Treatment {
    if (seen.code !== MessageCode.attachReq || seen.isForThisNode) return 'pass';
    // The Attach to a peer that it made up must not be answered with the truth.
    const { signerFor } = this.context;
    const { target } = seen;
    if (signerFor !== undefined && target?.type === 'node') {
      this.answer(seen, NO_OFFER, [], MessageCode.attachAns, signerFor(target.nodeId));
    }
    return 'discard';
  }

  private lie(victim: NodeId): ChordUpdate {
    const before = -BigInt(1 + this.random.uint32());
    const invented = advance(victim, before) as string as NodeId;
    const friends = this.context.friends.map((friend) => friend.nodeId);
    return {
      type: 'neighbors',
      uptime: 1_000_000,
      predecessors: [invented, ...friends.slice(0, NAMED_MAX)],
      successors: friends.slice(0, NAMED_MAX),
    };
  }
}

/** Answers a Probe as if it were responsible for nearly nothing, and had run for ever. */
export class LieInProbe extends Attacker {
  protected override treat(seen: SeenMessage): Treatment {
    if (seen.code !== MessageCode.probeReq || !seen.isForThisNode) return 'pass';
    const body = encode(ProbeAns, {
      probeInfo: [
        { type: ProbeInformationType.responsibleSet, value: 1 },
        { type: ProbeInformationType.numResources, value: 0 },
        { type: ProbeInformationType.uptime, value: 0xffff_ffff },
      ],
    });
    this.answer(seen, body);
    return 'discard';
  }
}

/** Sends everybody a newer configuration, signed by an attacker, in which all others are bad. */
export class ForgedConfiguration extends Attacker {
  override begin(): void {
    super.begin();
    const { victims, configurationSequence, overlayName, friends } = this.context;
    const [signer] = friends.map((friend) => friend.signer);
    if (signer === undefined) return;
    const configuration = buildConfiguration({
      instanceName: overlayName,
      sequence: configurationSequence + 1,
      badNodes: victims.map(({ nodeId }) => nodeId),
      rootCertificates: this.roots(),
      noIce: true,
    });
    const configData = signConfiguration(configuration, signer);
    const body = encode(ConfigUpdateReq, { type: 'config', configData });
    this.repeat(LIE_EVERY_MS, () => {
      for (const { link, nodeId } of this.links()) {
        const to = [nodeDestination(nodeId)];
        const any = { configurationSequence: CONFIGURATION_SEQUENCE_ANY };
        this.sendOver(link, this.sealed(to, MessageCode.configUpdateReq, body, any));
      }
    });
  }

  private roots(): Uint8Array[] {
    return [...this.context.world.authenticatorOf(this.node).trustSettings.rootCertificates];
  }
}

/** An AttachAns of somebody who will not connect. */
const NO_OFFER = encode(AttachReqAns, {
  ufrag: new Uint8Array(0),
  password: new Uint8Array(0),
  role: 'active',
  candidates: [],
  sendUpdate: false,
});
const LIE_EVERY_MS = 2_000;
const NAMED_MAX = 8;
