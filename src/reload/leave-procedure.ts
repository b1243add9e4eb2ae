import { ChordLeaveData } from '../wire/chord.ts';
import { decode, encode } from '../wire/codec.ts';
import { nodeDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import { LeaveReq } from '../wire/topology.ts';
import type { ChordReload } from './chord-reload.ts';
import type { CommandId } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { MessageTransport } from './message-transport.ts';
import type { OwnRecords } from './own-records.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { Replication } from './replication.ts';
import { LEAVE_TIMEOUT_MS } from './timing.ts';

/** What leaving tells the rest of the Peer. */
export interface LeaveListener {
  /** Everything is said: close and stop. */
  handleLeft(commands: readonly CommandId[]): void;
  /** A neighbour leaves and names its own neighbours, who may now be ours. */
  handleNeighborLeft(nodeId: NodeId, itsNeighbors: readonly NodeId[]): void;
}

/** The components that leaving works with. */
export interface LeaveParts {
  readonly links: LinkManager;
  readonly transport: MessageTransport;
  readonly receiver: MessageReceiver;
  readonly chord: ChordReload;
  readonly replication: Replication;
  readonly ownRecords: OwnRecords;
}

/**
 * Leaving — RFC 6940 §6.4.2.2 and §10.9: the own location is removed, copies on their way arrive,
 * then every connected node gets a Leave; and what to do when a neighbour leaves.
 */
export class LeaveProcedure {
  private readonly env: PeerEnvironment;
  private readonly parts: LeaveParts;
  private readonly listener: LeaveListener;
  private readonly commands: CommandId[] = [];
  private readonly unanswered = new Set<NodeId>();
  private step: 'none' | 'finishing' | 'telling' = 'none';

  constructor(env: PeerEnvironment, parts: LeaveParts, listener: LeaveListener) {
    this.env = env;
    this.parts = parts;
    this.listener = listener;
  }

  /** `command` asked for it; undefined: the configuration demands it. */
  start(command: CommandId | undefined): void {
    if (command !== undefined) this.commands.push(command);
    if (this.step !== 'none') return;
    const wasJoined = this.env.state === 'joined';
    this.step = 'finishing';
    this.env.after('leave', { type: 'leave' }, LEAVE_TIMEOUT_MS);
    if (wasJoined) this.parts.ownRecords.removeLocation();
    this.continue();
  }

  /** Something that leaving waits for may be done. */
  continue(): void {
    if (this.step === 'none') return;
    if (this.step === 'finishing') {
      if (this.parts.ownRecords.isRemoving || this.parts.replication.waiting > 0) return;
      this.tell();
      return;
    }
    if (this.unanswered.size === 0) this.finish();
  }

  handleTimer(): void {
    if (this.step === 'finishing') this.tell();
    else if (this.step === 'telling') this.finish();
  }

  handleOutcome(nodeId: NodeId): void {
    this.unanswered.delete(nodeId);
    this.continue();
  }

  handleNodeDisconnected(nodeId: NodeId): void {
    if (this.unanswered.delete(nodeId)) this.continue();
  }

  /** RFC 6940 §6.4.2.2 and §10.9. */
  handleLeave(request: VerifiedRequest): void {
    const leave = decode(LeaveReq, request.body, this.env.configuration.nodeIdLength);
    if (leave instanceof MalformedMessage) {
      this.parts.receiver.respondError(request, ErrorCode.Error_Invalid_Message, leave.describe());
      return;
    }
    if (leave.leavingPeerId !== request.signer.nodeId || !request.isDirect) {
      const detail = 'a Leave comes from the leaving node itself, over its own link';
      this.parts.receiver.respondError(request, ErrorCode.Error_Forbidden, detail);
      return;
    }
    const data = leave.overlaySpecificData;
    const lists = decode(ChordLeaveData, data, this.env.configuration.nodeIdLength);
    let itsNeighbors: readonly NodeId[] = [];
    if (!(lists instanceof MalformedMessage)) {
      itsNeighbors = lists.type === 'fromSucc' ? lists.successors : lists.predecessors;
    }
    this.parts.receiver.respond(request, new Uint8Array(0));
    this.listener.handleNeighborLeft(leave.leavingPeerId, itsNeighbors);
  }

  private tell(): void {
    this.step = 'telling';
    this.env.after('leave', { type: 'leave' }, LEAVE_TIMEOUT_MS);
    const wasInRing = this.parts.chord.isInRing;
    const predecessors = this.parts.chord.tables.predecessors();
    const successors = this.parts.chord.tables.successors();
    this.env.enter('leaving');
    this.parts.transport.forget((owner) => owner.type === 'update' || owner.type === 'ownRecord');
    if (wasInRing) {
      for (const nodeId of this.parts.links.connectedNodes()) {
        // To those before us we are a successor and say who follows; to the others the reverse.
        const isBeforeUs = predecessors.includes(nodeId) || !successors.includes(nodeId);
        const data: ChordLeaveData = isBeforeUs
          ? { type: 'fromSucc', successors }
          : { type: 'fromPred', predecessors };
        this.tellOne(nodeId, data);
      }
    }
    this.continue();
  }

  private tellOne(nodeId: NodeId, data: ChordLeaveData): void {
    this.unanswered.add(nodeId);
    const leave = {
      leavingPeerId: this.env.nodeId,
      overlaySpecificData: encode(ChordLeaveData, data),
    };
    this.parts.transport.request({
      destinationList: [nodeDestination(nodeId)],
      code: MessageCode.leaveReq,
      body: encode(LeaveReq, leave),
      owner: { type: 'leave', nodeId },
    });
  }

  private finish(): void {
    this.step = 'none';
    this.env.deadlines.cancel('leave');
    this.listener.handleLeft(this.commands.splice(0));
  }
}
