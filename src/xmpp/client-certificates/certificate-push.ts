import type { SessionId } from '../client-session/local-sessions.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element } from '../stanza/xmpp-element.ts';
import type { RegisteredCertificate } from './registered-certificate.ts';

export type CertificateChange = 'added' | 'disabled' | 'revoked';

/**
 * Tells the user's sessions, but the one that did it, that a certificate was added or put out of
 * use: a sentence for people, since nobody else may notice that somebody opened a second way in,
 * and an element for programs. No specification has such a push.
 */
export function pushChange(
  context: RoutingContext,
  certificate: RegisteredCertificate,
  change: CertificateChange,
  by: SessionId | undefined,
): void {
  const { name, fingerprint } = certificate;
  const described = element('changed', MANAGEMENT_NAMESPACE, { change }, [
    element('name', MANAGEMENT_NAMESPACE, {}, [name]),
    element('fingerprint', MANAGEMENT_NAMESPACE, { hash: 'sha-256' }, [fingerprint]),
  ]);
  const text = `The certificate "${name}" ${SENTENCES[change]}`;
  for (const { session, jid } of context.clients.all()) {
    if (session === by) continue;
    const attributes = { type: 'headline', from: context.own.bare, to: jid.text };
    const body = element('body', CLIENT_NAMESPACE, {}, [text]);
    context.sessions.send(
      session,
      element('message', CLIENT_NAMESPACE, attributes, [body, described]),
    );
  }
}

const SENTENCES: Readonly<Record<CertificateChange, string>> = {
  added: 'can log in to your account from now on.',
  disabled: 'cannot log in to your account any more.',
  revoked: 'was revoked; sessions that used it have ended.',
};

/** What no specification says of certificates, this program says in this namespace. */
export const MANAGEMENT_NAMESPACE = 'urn:xmpp-over-reload:client-certificates:0';
