import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { Signer } from '../../tls-auth/signer.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { AccountServer } from '../account/account-server.ts';
import { CAME_BY_SERVER, SERVER_PATH_NAMESPACE } from '../account/came-by-server.ts';
import type {
  IncomingOutcome,
  OutgoingOutcome,
  ServerPathHooks,
} from '../account/server-path-hooks.ts';
import type { DurableWrites } from '../routing/durable-writes.ts';
import type { StoredRecord } from '../routing/routing-records.ts';
import { childElement, withChildren, type XmppElement } from '../stanza/xmpp-element.ts';
import { personalCertificatesRequest } from '../x509/personal-certificates.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { restoreSigned } from './restored-signed.ts';
import type { AskForNode } from './sender-certificates.ts';
import { CERTIFICATES_WAIT_MS } from './signed-limits.ts';
import { type SignedStanzaPolicy, SignedStanzas } from './signed-stanzas.ts';
import { StanzaRefusal } from './stanza-refusal.ts';

export interface SignedServerPathParts {
  readonly environment: XmppEnvironment;
  readonly own: Jid;
  readonly authenticator: Authenticator;
  readonly signer: () => Signer;
  readonly policy: SignedStanzaPolicy;
  /** What a former run left; records of others are passed over. */
  readonly records: Iterable<StoredRecord>;
  readonly server: () => AccountServer | undefined;
  /** Those of routing, so that a message and that it was here are written in one batch. */
  readonly writes: () => Pick<DurableWrites, 'write'>;
}

/** Signatures on the way over the account's server: what leaves is signed, what comes checked. */
export class SignedServerPath implements ServerPathHooks {
  private readonly stanzas: SignedStanzas;

  constructor(parts: SignedServerPathParts) {
    const { authenticator, environment, own, policy, server, signer, writes } = parts;
    this.stanzas = new SignedStanzas(
      {
        environment,
        writes: { write: (records, then) => writes().write(records, then) },
        own,
        authenticator,
        signer,
        policy,
        askForNode: askServer(server),
      },
      restoreSigned(parts.records),
    );
  }

  /** Once, when the peer starts, before the server is connected to. */
  start(): void {
    this.stanzas.start();
  }

  /** Bytes came from the server, whatever they say. */
  serverHeard(): void {
    this.stanzas.serverHeard();
  }

  serverOnline(): void {
    this.stanzas.serverConnected();
  }

  serverOffline(): void {
    this.stanzas.serverLost();
  }

  outgoing(message: XmppElement, then: (outcome: OutgoingOutcome) => void): void {
    this.stanzas.outgoing(message, (leaving) => {
      if (!(leaving instanceof StanzaRefusal)) then({ type: 'leaves', message: leaving });
      else then({ type: 'refused', reason: leaving.describe() });
    });
  }

  incoming(message: XmppElement, _from: Jid, then: (outcome: IncomingOutcome) => void): void {
    this.stanzas.incoming(message, (arrived) => {
      if (arrived.type !== 'refused') {
        const way = childElement(message, CAME_BY_SERVER, SERVER_PATH_NAMESPACE);
        const isSigned = arrived.type === 'signed' && way !== undefined;
        const taken = isSigned ? withChildren(arrived.stanza, [way]) : arrived.stanza;
        return then({ type: 'taken', message: taken });
      }
      const { answer, refusal } = arrived;
      const { code: condition, detail: reason } = refusal;
      then({ type: 'refused', condition, reason, answer });
    });
  }
}

/** XEP-0417 §9: what users publish at their servers, asked for by way of the own one. */
function askServer(server: () => AccountServer | undefined): AskForNode {
  return (user, then) => {
    const account = server();
    if (account?.isOnline !== true) return then(undefined);
    const payload = personalCertificatesRequest();
    const request = { to: user, type: 'get', payload, timeoutMs: CERTIFICATES_WAIT_MS } as const;
    account.request(request, (outcome) =>
      then(outcome.type === 'result' ? outcome.stanza : undefined),
    );
  };
}
