import type { Authenticator } from '../../tls-auth/authenticator.ts';
import {
  certificateItemId,
  certificatesFromPersonalEvents,
  type PersonalCertificates,
  personalCertificatesRequest,
  publishCertificates,
  retractCertificates,
} from '../../xmpp/x509/personal-certificates.ts';
import { type ServerConnection, StanzaErrorAnswer } from '../xmpp/account/server-connection.ts';
import { EnrollmentFailure } from './enrollment-failure.ts';

/**
 * Publishes the own chain as a personal event (XEP-0417 §9), at the server of the account that the
 * connection is logged in to, and returns the id of its item. DER, the leaf first.
 */
export async function publishOwnCertificate(
  connection: Pick<ServerConnection, 'iq'>,
  chain: readonly Uint8Array[],
  name: string | undefined,
): Promise<string> {
  const id = idOf(chain);
  const publish = (withOptions: boolean) =>
    connection.iq(undefined, 'set', publishCertificates(id, chain, name, { withOptions }));
  try {
    await publish(true);
  } catch (error) {
    // The node is there, and otherwise: what the user has set stays.
    if (!(error instanceof StanzaErrorAnswer)) throw error;
    await publish(false);
  }
  return id;
}

/** Takes the own chain back, for instance after it was revoked (XEP-0417 §7). */
export async function retractOwnCertificate(
  connection: Pick<ServerConnection, 'iq'>,
  chain: readonly Uint8Array[],
): Promise<void> {
  await connection.iq(undefined, 'set', retractCertificates(idOf(chain)));
}

/** The certificates that a user has published and that count in the overlay. */
export async function findPersonalCertificates(
  connection: Pick<ServerConnection, 'iq'>,
  owner: string,
  authenticator: Authenticator,
): Promise<PersonalCertificates> {
  const answer = await connection.iq(owner, 'get', personalCertificatesRequest());
  return certificatesFromPersonalEvents(answer, owner, authenticator, Date.now());
}

function idOf([leaf]: readonly Uint8Array[]): string {
  const id = leaf === undefined ? undefined : certificateItemId(leaf);
  if (id !== undefined) return id;
  throw new EnrollmentFailure(
    'bad-certificate',
    'there is no certificate to publish; enroll first',
  );
}
