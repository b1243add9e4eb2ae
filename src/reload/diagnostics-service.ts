import type { ResourceStore } from '../storage/resource-store.ts';
import { AppAttachReqAns } from '../wire/attach.ts';
import { decode, encode } from '../wire/codec.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import {
  PingAns,
  PingReq,
  ProbeAns,
  type ProbeInformation,
  ProbeInformationType,
  ProbeReq,
  RESPONSIBLE_PPB_MAX,
} from '../wire/topology.ts';
import { applicationAddresses, ownCandidates, reachableAddresses } from './candidates.ts';
import type { ChordReload } from './chord-reload.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { distance, RING_BITS } from './ring.ts';

/** Answers Ping, Probe and AppAttach: RFC 6940 §6.5.3, §6.4.2.5 and §6.5.2. */
export class DiagnosticsService {
  private readonly env: PeerEnvironment;
  private readonly store: ResourceStore;
  private readonly chord: ChordReload;
  private readonly receiver: MessageReceiver;

  constructor(
    env: PeerEnvironment,
    store: ResourceStore,
    chord: ChordReload,
    receiver: MessageReceiver,
  ) {
    this.env = env;
    this.store = store;
    this.chord = chord;
    this.receiver = receiver;
  }

  handlePing(request: VerifiedRequest): void {
    const ping = decode(PingReq, request.body);
    if (ping instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, ping.describe());
      return;
    }
    const time = BigInt(Math.floor(this.env.now.unixMs));
    const body = encode(PingAns, { responseId: this.env.randomUint64(), time });
    this.receiver.respond(request, body);
  }

  /** What was asked for and is known, in that order, and nothing else (RFC 6940 §6.4.2.5.2). */
  handleProbe(request: VerifiedRequest): void {
    const probe = decode(ProbeReq, request.body);
    if (probe instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, probe.describe());
      return;
    }
    const probeInfo = [...new Set(probe.requestedInfo)]
      .map((type) => this.information(type))
      .filter((info) => info !== undefined);
    this.receiver.respond(request, encode(ProbeAns, { probeInfo }));
  }

  handleAppAttach(request: VerifiedRequest): void {
    const offer = decode(AppAttachReqAns, request.body, this.env.configuration.nodeIdLength);
    if (offer instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, offer.describe());
      return;
    }
    const { application } = offer;
    const { options, limits } = this.env;
    if (options.applications?.has(application) !== true) {
      const detail = `application ${application} is not served here`;
      this.receiver.respondError(request, ErrorCode.Error_Not_Found, detail);
      return;
    }
    const own = applicationAddresses(options, application);
    const answer = {
      ufrag: new Uint8Array(0),
      password: new Uint8Array(0),
      application,
      role: 'active',
      candidates: ownCandidates(own),
    };
    this.receiver.respond(request, encode(AppAttachReqAns, answer));
    const { nodeId } = request.signer;
    const addresses = reachableAddresses(offer.candidates, own, limits.candidatesMax);
    this.env.event({ type: 'appAttachRequested', nodeId, application, addresses });
  }

  private information(type: number): ProbeInformation | undefined {
    switch (type) {
      case ProbeInformationType.responsibleSet:
        return { type, value: this.responsiblePpb() };
      case ProbeInformationType.numResources:
        return { type, value: this.store.counters().resources };
      case ProbeInformationType.uptime:
        return { type, value: this.env.uptimeSeconds };
      default:
        return undefined;
    }
  }

  private responsiblePpb(): number {
    if (!this.chord.isInRing) return 0;
    const predecessor = this.chord.predecessor();
    if (predecessor === undefined) return RESPONSIBLE_PPB_MAX;
    const share = distance(predecessor, this.env.nodeId);
    return Number((share * BigInt(RESPONSIBLE_PPB_MAX)) >> BigInt(RING_BITS));
  }
}
