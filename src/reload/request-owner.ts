import type { VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { ErrorCode, errorName } from '../wire/error-response.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import type { CommandId, LinkId } from './input.ts';

/** On whose behalf a request was sent: who gets its outcome. Plain data, so it can be printed. */
export type RequestOwner =
  | { readonly type: 'attach'; readonly attach: number }
  | { readonly type: 'join' }
  | { readonly type: 'update'; readonly nodeId: NodeId }
  | { readonly type: 'leave'; readonly nodeId: NodeId }
  | { readonly type: 'probeLink'; readonly link: LinkId }
  | { readonly type: 'fingerPing'; readonly finger: number }
  | { readonly type: 'partitionPing'; readonly through: NodeId }
  | { readonly type: 'replicate'; readonly resource: ResourceId; readonly nodeId: NodeId }
  | { readonly type: 'offer'; readonly resource: ResourceId }
  | { readonly type: 'adoptNewer'; readonly resource: ResourceId; readonly nodeId: NodeId }
  | { readonly type: 'retireCopy'; readonly resource: ResourceId }
  | { readonly type: 'ownRecord'; readonly record: string; readonly step: 'fetch' | 'store' }
  | { readonly type: 'renewValue'; readonly step: 'fetch' | 'store' }
  | { readonly type: 'configUpdate'; readonly nodeId: NodeId }
  | { readonly type: 'command'; readonly id: CommandId };

/** How a request ended. */
export type RequestOutcome =
  | {
      readonly type: 'answer';
      readonly code: number;
      readonly body: Uint8Array;
      readonly signer: VerifiedSigner;
      /** Certificates of the answer's SecurityBlock, for the values inside. */
      readonly certificates: readonly GenericCertificate[];
      /** From the TTL of the answer; not signed, an estimate. */
      readonly hops: number;
      readonly roundTripMs: number;
    }
  | {
      readonly type: 'error';
      readonly errorCode: number;
      readonly errorInfo: Uint8Array;
      readonly signer: VerifiedSigner;
    }
  /** Five transmissions without an acceptable answer; `hint` is what others said meanwhile. */
  | { readonly type: 'timeout'; readonly hint: string | undefined }
  | { readonly type: 'no-route' }
  /** A named limit of this peer was reached before anything was sent. */
  | { readonly type: 'too-busy' };

/** One sentence on how a request failed. */
export function describeOutcome(outcome: Exclude<RequestOutcome, { type: 'answer' }>): string {
  switch (outcome.type) {
    case 'timeout':
      return outcome.hint ?? 'no answer came';
    case 'no-route':
      return 'there is no neighbour to send it through';
    case 'too-busy':
      return 'too many requests are under way';
    case 'error': {
      const said = `${outcome.signer.nodeId} says ${errorName(outcome.errorCode)}`;
      if (STRUCTURED_ERROR_INFO.has(outcome.errorCode)) return said;
      const info = new TextDecoder().decode(outcome.errorInfo.subarray(0, ERROR_INFO_SHOWN_MAX));
      return `${said}: ${info}`;
    }
  }
}

const ERROR_INFO_SHOWN_MAX = 200;
/** RFC 6940 §6.3.3.1: the error_info of these is a structure, not text. */
const STRUCTURED_ERROR_INFO = new Set<number>([
  ErrorCode.Error_Generation_Counter_Too_Low,
  ErrorCode.Error_Unknown_Kind,
]);
