import { randomBytes } from 'node:crypto';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { XmppAuthority } from '../../xmpp/enrollment/authority-list.ts';
import {
  CertificateTransaction,
  type TransactionInput,
  type TransactionOutput,
} from '../../xmpp/enrollment/certificate-transaction.ts';
import type { ExchangeFailure, ExchangeRefusal } from '../../xmpp/enrollment/exchange-refusal.ts';
import { hostClock } from '../host-clock.ts';
import { saveIdentity } from '../identity-file.ts';
import { PeerDriver } from '../peer-driver.ts';
import type { ServerConnection } from '../xmpp/account/server-connection.ts';
import type { EnrolledIdentity } from './enrollment-client.ts';
import { forgetPendingRequest, type PendingRequest } from './pending-request.ts';

/** There is no certificate; the message is a sentence. */
export class XmppEnrollmentFailure extends Error {
  readonly failure: ExchangeFailure;

  constructor(failure: ExchangeFailure) {
    super(failure.reason);
    this.name = 'XmppEnrollmentFailure';
    this.failure = failure;
  }
}

export interface XmppEnrollmentOptions {
  /** Logged in as the user. */
  readonly connection: Pick<ServerConnection, 'send' | 'onStanza' | 'ended'>;
  readonly stateDirectory: string;
  readonly request: PendingRequest;
  /** The bare address, prepared. */
  readonly userName: string;
  readonly authority: XmppAuthority;
  /** Has the roots of the overlay. */
  readonly authenticator: Authenticator;
  /** The user is to open this HTTPS page; nobody else opens it. */
  readonly onChallenge: (uri: string) => void;
  /** Something came that does not count. */
  readonly onRefused: (refusal: ExchangeRefusal) => void;
  readonly responseMsMax?: number | undefined;
  readonly challengeMsMax?: number | undefined;
}

/**
 * One transaction of XEP-0417 §6. The identity is on disk when this resolves, and the request is
 * forgotten. Throws XmppEnrollmentFailure; the request is kept then.
 */
export async function enrollOverXmpp(options: XmppEnrollmentOptions): Promise<EnrolledIdentity> {
  const { stateDirectory, request } = options;
  const { privateKey } = request;
  const node = await runTransaction(options);
  const { chain } = node;
  await saveIdentity(stateDirectory, { privateKey, chain });
  await forgetPendingRequest(stateDirectory);
  return { privateKey, certificateDer: node.certificate.der, chain, node };
}

type IssuedNode = Extract<TransactionOutput, { type: 'issued' }>['node'];

function runTransaction(options: XmppEnrollmentOptions): Promise<IssuedNode> {
  const { connection, request, authority } = options;
  const transaction = new CertificateTransaction({
    userName: options.userName,
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
    signingRequest: request.signingRequest,
    name: request.name,
    authority: authority.certificate,
    authorityAddress: authority.address,
    authenticator: options.authenticator,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    responseMsMax: options.responseMsMax,
    challengeMsMax: options.challengeMsMax,
  });
  return new Promise((resolve, reject) => {
    const perform = (output: TransactionOutput): void => {
      switch (output.type) {
        case 'send':
          return connection.send(output.stanza);
        case 'challenge':
          return options.onChallenge(output.uri);
        case 'refused':
          return options.onRefused(output.refusal);
        case 'issued':
          end();
          return resolve(output.node);
        case 'failed':
          end();
          return reject(new XmppEnrollmentFailure(output.failure));
      }
    };
    const driver = new PeerDriver<TransactionInput, TransactionOutput>(
      transaction,
      hostClock,
      perform,
    );
    const stopHearing = connection.onStanza((stanza) => driver.deliver({ type: 'stanza', stanza }));
    const end = () => {
      stopHearing();
      driver.stop();
    };
    void connection.ended.then(({ reason }) => driver.deliver({ type: 'lost', reason }));
    driver.deliver({ type: 'start' });
  });
}
