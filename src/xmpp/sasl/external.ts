import type { Jid } from '../../xmpp-address/jid.ts';
import type { AcceptedClientCertificate } from './client-certificate.ts';
import { type SaslMechanism, type SaslStep, saslFailure } from './sasl-step.ts';
import { isSameIdentity } from './scram-server.ts';

export const EXTERNAL = 'EXTERNAL';

/**
 * The server's side of EXTERNAL over a certificate that was judged already (RFC 4422 appendix A,
 * XEP-0178 §2).
 */
export class ExternalServer implements SaslMechanism {
  private readonly user: Jid;
  private readonly certificate: AcceptedClientCertificate;

  constructor(user: Jid, certificate: AcceptedClientCertificate) {
    this.user = user;
    this.certificate = certificate;
  }

  respond(data: Uint8Array): SaslStep {
    const { user, certificate } = this;
    const identity = identityOf(data);
    // XEP-0178 §2, case 2 of step 11: which of several addresses is meant has to be said.
    if (identity === '' && certificate.addresses.length > 1) {
      return saslFailure('invalid-authzid', 'the certificate has several addresses: name one');
    }
    if (certificate.user !== user.bare) {
      return saslFailure('not-authorized', 'the certificate is that of another user');
    }
    if (identity === undefined || !isSameIdentity(identity === '' ? undefined : identity, user)) {
      return saslFailure('invalid-authzid', 'the authorization identity is not the user');
    }
    return { type: 'success', user: user.bare, data: undefined };
  }
}

/** RFC 4422 appendix A.1: UTF-8 without NUL; undefined for anything else. */
function identityOf(data: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
