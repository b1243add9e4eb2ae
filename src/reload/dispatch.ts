import { ErrorCode } from '../wire/error-response.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { VerifiedRequest } from './message-receiver.ts';
import type { PeerParts } from './peer-parts.ts';
import type { RequestOutcome, RequestOwner } from './request-owner.ts';

/** Hands a verified request to the component that its code belongs to. */
export function dispatchRequest(parts: PeerParts, request: VerifiedRequest): void {
  const { storage, chord, attaches, diagnostics } = parts;
  switch (request.code) {
    case MessageCode.fetchReq:
      return storage.handleFetch(request);
    case MessageCode.storeReq:
      return storage.handleStore(request);
    case MessageCode.statReq:
      return storage.handleStat(request);
    case MessageCode.findReq:
      return storage.handleFind(request);
    case MessageCode.updateReq:
      return chord.handleUpdate(request);
    case MessageCode.routeQueryReq:
      return chord.handleRouteQuery(request);
    case MessageCode.attachReq:
      return attaches.handleRequest(request);
    case MessageCode.joinReq:
      return parts.admission.handleJoin(request);
    case MessageCode.leaveReq:
      return parts.leave.handleLeave(request);
    case MessageCode.pingReq:
      return diagnostics.handlePing(request);
    case MessageCode.probeReq:
      return diagnostics.handleProbe(request);
    case MessageCode.appAttachReq:
      return diagnostics.handleAppAttach(request);
    case MessageCode.configUpdateReq:
      return parts.configuration.handleConfigUpdate(request);
    default: {
      const detail = `no method has the code ${request.code}`;
      parts.receiver.respondError(request, ErrorCode.Error_Invalid_Message, detail);
    }
  }
}

/** Hands the outcome of an own request to the component on whose behalf it was sent. */
export function dispatchOutcome(
  parts: PeerParts,
  owner: RequestOwner,
  outcome: RequestOutcome,
): void {
  if (outcome.type === 'error') {
    const { errorCode, errorInfo, signer } = outcome;
    parts.configuration.handleErrorAnswer(errorCode, errorInfo, signer.nodeId);
    if (owner.type === 'attach') parts.join.noteRefusal(signer.nodeId, errorCode);
  }
  switch (owner.type) {
    case 'attach':
      return parts.attaches.handleOutcome(owner.attach, outcome);
    case 'join':
      return parts.join.handleOutcome(outcome);
    case 'leave':
      return parts.leave.handleOutcome(owner.nodeId);
    case 'fingerPing':
      return parts.fingers.handlePingOutcome(owner.finger, outcome);
    case 'partitionPing':
      return parts.partition.handlePingOutcome(owner.through, outcome);
    case 'replicate':
      return parts.replication.handleOutcome(owner.resource, owner.nodeId, outcome);
    case 'offer':
      return parts.replication.handleOfferOutcome(owner.resource, outcome);
    case 'adoptNewer':
      return parts.newerData.handleOutcome(owner.resource, owner.nodeId, outcome);
    case 'retireCopy':
      return parts.retirement.handleOutcome(owner.resource, outcome);
    case 'ownRecord':
      parts.ownRecords.handleOutcome(owner.record, owner.step, outcome);
      return parts.leave.continue();
    case 'renewValue':
      return parts.valueRenewal.handleOutcome(owner.step, outcome);
    case 'command':
      return parts.commands.handleOutcome(owner.id, outcome);
    case 'configUpdate':
      return parts.transport.handleConfigurationGiven(owner.nodeId);
    case 'update':
    case 'probeLink':
      // The link's own acknowledgements show whether the other end lives.
      return;
  }
}
