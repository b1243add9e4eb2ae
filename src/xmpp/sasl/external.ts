import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { AcceptedClientCertificate } from './client-certificate.ts';
import { type SaslMechanism, type SaslStep, saslFailure } from './sasl-step.ts';

export const EXTERNAL = 'EXTERNAL';

/**
 * The server's side of EXTERNAL over a certificate that was judged already (RFC 4422 appendix A,
 * XEP-0178 §2). Where the address that logs in is a full one, only its resource may be bound
 * (XEP-0257, "SASL EXTERNAL").
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
    const named = identity === '' ? user : identity === undefined ? undefined : jidOf(identity);
    if (named === undefined || named.bare !== user.bare) {
      return saslFailure('invalid-authzid', 'the authorization identity is not the user');
    }
    return this.logIn(named);
  }

  /** The user, as the authorization identity names him. */
  private logIn(named: Jid): SaslStep {
    const { user } = this;
    const own = this.certificate.addresses.map(jidOf).filter((jid) => jid?.bare === user.bare);
    const isNamed = own.some((address) => address?.text === named.text);
    // RFC 6120 §6.3.8 has bare addresses there; XEP-0257 takes full ones that are certified.
    if (named.resourcepart !== undefined && !isNamed) {
      return saslFailure('invalid-authzid', 'the certificate does not name this full address');
    }
    const hasSeveral = this.certificate.addresses.length > 1;
    if (hasSeveral && !isNamed) {
      return saslFailure('invalid-authzid', 'the certificate has several addresses: name one');
    }
    const resource = hasSeveral ? named.resourcepart : own[0]?.resourcepart;
    return { type: 'success', user: user.bare, resource, data: undefined };
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

function jidOf(text: string): Jid | undefined {
  const jid = parseJid(text);
  return jid instanceof AddressFault ? undefined : jid;
}
