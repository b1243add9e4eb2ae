import {
  authorityListIn,
  localAuthorities,
  mergeAuthorities,
  type XmppAuthority,
} from '../../xmpp/enrollment/authority-list.ts';
import { DISCO_INFO_NAMESPACE } from '../../xmpp/stanza/namespaces.ts';
import { childElement, childElements, element } from '../../xmpp/stanza/xmpp-element.ts';
import { authorityListElement, X509_NAMESPACE } from '../../xmpp/x509/x509-element.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import { type ServerConnection, StanzaErrorAnswer } from '../xmpp/account/server-connection.ts';
import { EnrollmentFailure } from './enrollment-failure.ts';

export interface XmppAuthorityChoice extends XmppAuthority {
  /** The account's server trusts it too: it lets the user in by certificate (XEP-0178). */
  readonly isTrustedByServer: boolean;
}

/** Whom to ask for a certificate. */
export interface AuthorityWish {
  readonly account: Jid;
  /** DER: the roots of the overlay. */
  readonly rootCertificates: readonly Uint8Array[];
  /** The XMPP address of an authority; undefined: any that both ends trust, else any. */
  readonly named: string | undefined;
  readonly unixMs: number;
}

/**
 * All authorities that the user may ask, best first: what the server lists counts as XEP-0417 §5.3
 * says, and what nobody local has signed never does. Throws EnrollmentFailure when there is none.
 */
export async function findAuthorities(
  connection: ServerConnection,
  wish: AuthorityWish,
): Promise<readonly XmppAuthorityChoice[]> {
  const { account, rootCertificates, named, unixMs } = wish;
  const ofServer = await listOf(connection, account.domainpart);
  const merged = mergeAuthorities(rootCertificates, ofServer, account, unixMs);
  const mutual = merged.map((one) => ({ ...one, isTrustedByServer: true }));
  // An authority tells of its own certificate, which a root of ours must have signed.
  const told = named === undefined ? [] : await listOf(connection, named);
  const others = [
    ...localAuthorities(rootCertificates, account, unixMs),
    ...mergeAuthorities(rootCertificates, told, account, unixMs),
  ].map((one) => ({ ...one, isTrustedByServer: false }));
  const found = distinct([...mutual, ...others]).filter(
    ({ address }) => named === undefined || address.text === named,
  );
  if (found.length > 0) return found;
  throw new EnrollmentFailure(
    'refused',
    named === undefined
      ? 'no root of this overlay takes requests over XMPP, and the server of ' +
          `${account.domainpart} names no authority below one; name one with --authority`
      : `${named} does not show a certificate that a root of this overlay has signed and that ` +
          `names it for users of ${account.domainpart}; nothing was sent there`,
  );
}

/** `<x509-ca-list/>` of a server or authority; empty where it has none (XEP-0417 §5.2). */
async function listOf(connection: ServerConnection, to: string): Promise<readonly Uint8Array[]> {
  try {
    const info = await connection.iq(to, 'get', element('query', DISCO_INFO_NAMESPACE));
    const query = childElement(info, 'query', DISCO_INFO_NAMESPACE);
    const features = query === undefined ? [] : childElements(query);
    const isOffered = features.some(
      ({ name, attributes }) => name === 'feature' && attributes.get('var') === X509_NAMESPACE,
    );
    if (!isOffered) return [];
    const answer = await connection.iq(to, 'get', authorityListElement([]));
    return authorityListIn(childElements(answer)[0]) ?? [];
  } catch (error) {
    // XEP-0417 §5.2: go on "as if the server didn't support" it.
    if (error instanceof StanzaErrorAnswer) return [];
    throw error;
  }
}

function distinct(choices: readonly XmppAuthorityChoice[]): readonly XmppAuthorityChoice[] {
  const first = new Map<string, XmppAuthorityChoice>();
  for (const choice of choices) {
    const { sha256 } = choice.certificate;
    if (!first.has(sha256)) first.set(sha256, choice);
  }
  return [...first.values()];
}
