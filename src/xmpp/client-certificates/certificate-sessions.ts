import type { SessionLogin } from '../client-session/client-session.ts';
import type { CertifiedSession } from '../client-session/client-sessions.ts';
import type { SessionId } from '../client-session/local-sessions.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { CertificateRegister } from './certificate-register.ts';
import type { RegisteredCertificate } from './registered-certificate.ts';

/** What is asked of the sessions of the user's clients. */
export interface SessionsByCertificate {
  loginOf(session: SessionId): SessionLogin | undefined;
  certifiedSessions(): Iterable<CertifiedSession>;
  endUnbound(isMeant: (leaf: Uint8Array) => boolean, text: string): void;
  end(session: SessionId, condition: StreamErrorCondition, text: string): void;
}

/** Resources of the sessions that came with a registered certificate, by its fingerprint. */
export function usersByFingerprint(
  sessions: SessionsByCertificate,
  register: CertificateRegister,
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { leaf, resource } of sessions.certifiedSessions()) {
    const { fingerprint } = register.ofLeaf(leaf) ?? {};
    if (fingerprint === undefined) continue;
    const resources = users.get(fingerprint);
    if (resources === undefined) users.set(fingerprint, [resource]);
    else resources.push(resource);
  }
  return users;
}

/** Ends whatever came with a certificate, also what waits for resumption; the sessions that did. */
export function endSessionsOn(
  sessions: SessionsByCertificate,
  register: CertificateRegister,
  { fingerprint }: RegisteredCertificate,
  spared: SessionId | undefined,
): void {
  const isMeant = (leaf: Uint8Array) => register.ofLeaf(leaf)?.fingerprint === fingerprint;
  const ended = [...sessions.certifiedSessions()].filter(({ leaf }) => isMeant(leaf));
  for (const { session } of ended) {
    if (session !== spared) sessions.end(session, 'reset', REVOKED);
  }
  sessions.endUnbound(isMeant, REVOKED);
}

export const REVOKED = 'The certificate was revoked.';
