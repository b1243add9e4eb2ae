import type { TLSSocket } from 'node:tls';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { LinkLimits } from './link-limits.ts';
import { presentedChain } from './presented-chain.ts';

/** Who is at the other end of a link, or which rule the handshake broke. */
export type LinkAuthentication =
  | { readonly ok: true; readonly node: AuthenticatedNode; readonly verdict: OpensslVerdict }
  | { readonly ok: false; readonly refusal: LinkRefusal; readonly verdict: OpensslVerdict };

/** Why a link did not come up: `rule` for programs and counters, `detail` for people. */
export interface LinkRefusal {
  readonly rule: string;
  readonly detail: string;
}

/**
 * What OpenSSL thinks of the chain. It does not decide: it refuses self-signed leaves (RFC 6940
 * §11.3.1) and does not know XmppAddr. `differs` where it would have decided otherwise.
 */
export interface OpensslVerdict {
  readonly authorized: boolean;
  readonly reason: string;
  readonly differs: boolean;
}

export interface LinkAuthenticationRequest {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly limits: LinkLimits;
  readonly unixMs: number;
  /** The node that was meant to be reached: RFC 6940 §6.5.1.13. */
  readonly expectedNodeId?: NodeId;
}

/**
 * Authenticates the other end of a finished handshake: RFC 6940 §13.6.3 and XEP-0416 §3.2. Until
 * it says ok, no byte of the link may reach the Peer.
 */
export function authenticateLink(
  socket: TLSSocket,
  request: LinkAuthenticationRequest,
): LinkAuthentication {
  const judged = judge(socket, request);
  const ok = !('rule' in judged);
  const authorized = socket.authorized;
  const reason = String(socket.authorizationError ?? 'ok');
  const verdict = { authorized, reason, differs: authorized !== ok && !judgedByNodeId(judged) };
  return 'rule' in judged
    ? { ok: false, refusal: judged, verdict }
    : { ok: true, node: judged, verdict };
}

function judge(
  socket: TLSSocket,
  request: LinkAuthenticationRequest,
): AuthenticatedNode | LinkRefusal {
  if (socket.isSessionReused()) {
    return { rule: 'session-resumed', detail: 'every link is authenticated anew' };
  }
  const chain = presentedChain(socket, request.limits);
  if (chain === undefined) {
    return { rule: 'no-certificate', detail: 'the other end showed no certificate' };
  }
  if (typeof chain === 'string') return { rule: 'presented-chain-too-long', detail: chain };
  const answer = request.authenticator.authenticate(chain.leaf, chain.pool, request.unixMs);
  if (answer instanceof CertificateRefusal) {
    return { rule: answer.code, detail: answer.describe() };
  }
  const { expectedNodeId } = request;
  if (expectedNodeId !== undefined && !answer.nodeIds.includes(expectedNodeId)) {
    return {
      rule: UNEXPECTED_NODE_ID,
      detail: `expected node ${expectedNodeId}, the certificate names ${answer.nodeIds.join(', ')}`,
    };
  }
  return answer;
}

/** OpenSSL has no opinion on Node-IDs, so there is nothing in which to differ. */
function judgedByNodeId(judged: AuthenticatedNode | LinkRefusal): boolean {
  return 'rule' in judged && judged.rule === UNEXPECTED_NODE_ID;
}

const UNEXPECTED_NODE_ID = 'unexpected-node-id';
