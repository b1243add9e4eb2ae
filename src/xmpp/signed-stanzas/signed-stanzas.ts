import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { Signer } from '../../tls-auth/signer.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { DurableWrites } from '../routing/durable-writes.ts';
import { messageKeeping, messageType } from '../routing/message-rules.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { certificatesFromPersonalEvents } from '../x509/personal-certificates.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { withoutMarks, withSignedMark } from './authenticity-mark.ts';
import { besideSignature } from './beside-signature.ts';
import { type CertificateChain, chainOf } from './certificate-chain.ts';
import { HeldStanzas } from './held-stanzas.ts';
import { guardedKeyOf } from './replay-guard.ts';
import type { RestoredSigned } from './restored-signed.ts';
import { type AskForNode, SenderCertificates } from './sender-certificates.ts';
import { signStanza } from './sign-stanza.ts';
import { isSigned, readSignedContent, type SignedContent } from './signed-content.ts';
import { TimestampSource } from './signed-timestamp.ts';
import { StanzaRefusal } from './stanza-refusal.ts';
import { stanzaRejection } from './stanza-rejection.ts';
import { certifiedNodes } from './stanza-signer.ts';
import { type AuthenticStanza, senderRefusal, verifyStanza } from './verify-stanza.ts';

/**
 * What is asked of stanzas over servers. `require`: those of users who have a certificate must be
 * signed; `prefer`: what is signed must be right; `off`: nothing is signed, and what comes signed
 * must be right all the same.
 */
export type SignedStanzaPolicy = 'require' | 'prefer' | 'off';

export interface SignedStanzasParts {
  readonly environment: XmppEnvironment;
  readonly writes: Pick<DurableWrites, 'write'>;
  readonly own: Jid;
  readonly authenticator: Authenticator;
  /** Asked each time, since a certificate is renewed while the peer runs. */
  readonly signer: () => Signer;
  readonly policy: SignedStanzaPolicy;
  readonly askForNode?: AskForNode | undefined;
}

/** A stanza that came over servers, as it may be handed on. */
export type ArrivedStanza =
  /** What its sender signed, with the mark of this peer. */
  | { readonly type: 'signed'; readonly stanza: XmppElement; readonly authentic: AuthenticStanza }
  | { readonly type: 'unsigned'; readonly stanza: XmppElement }
  /** Not handed on; `answer` goes back the way it came, where there is one. */
  | {
      readonly type: 'refused';
      readonly refusal: StanzaRefusal;
      readonly answer: XmppElement | undefined;
    };

/** Signs what leaves over servers, and checks what arrives over them (XEP-0285). */
export class SignedStanzas {
  private readonly parts: SignedStanzasParts;
  private readonly restored: RestoredSigned;
  private readonly certificates: SenderCertificates;
  private readonly timestamps = new TimestampSource();
  private readonly leaving = new HeldStanzas();
  private readonly arriving = new HeldStanzas();

  constructor(parts: SignedStanzasParts, restored: RestoredSigned) {
    this.parts = parts;
    this.restored = restored;
    const { askForNode, environment, writes } = parts;
    const { remembered } = restored;
    const isUsable = (user: BareJid, chain: CertificateChain) => this.isUsable(user, chain);
    this.certificates = new SenderCertificates({
      environment,
      writes,
      remembered,
      isUsable,
      published: (user, answer) => this.published(user, answer),
      askForNode,
    });
  }

  /** Once, when the peer starts, before anything arrives. */
  start(): void {
    const { absences, remembered } = this.restored;
    const { environment, writes } = this.parts;
    writes.write([...absences.begin(environment.unixMs), ...remembered.begin()]);
  }

  serverConnected(): void {
    const { environment, writes } = this.parts;
    writes.write(this.restored.absences.connected(environment.unixMs));
  }

  serverHeard(): void {
    const { environment, writes } = this.parts;
    writes.write(this.restored.absences.heard(environment.unixMs));
  }

  serverLost(): void {
    this.parts.writes.write(this.restored.absences.lost());
  }

  /**
   * `then` once, in the order of the calls for each addressee: with the stanza as it is to leave,
   * or why it cannot. It is signed when the addressee is known to have a certificate; others could
   * not read it (XEP-0285 is no optimistic signing).
   */
  outgoing(given: XmppElement, then: (leaving: XmppElement | StanzaRefusal) => void): void {
    const stanza = withoutMarks(given);
    const user = this.parts.policy === 'off' ? undefined : signedFor(stanza);
    if (user === undefined) return then(stanza);
    const isTaken = this.leaving.take(user, (done) =>
      this.certificates.find(user, (found) => {
        then(this.isCertified(user, found.chains) ? this.signed(stanza) : stanza);
        done();
      }),
    );
    if (!isTaken) then(tooBusy());
  }

  /** `then` once, in the order of arrival for each sender. */
  incoming(given: XmppElement, then: (arrived: ArrivedStanza) => void): void {
    this.serverHeard();
    const stanza = withoutMarks(given);
    const sender = addressOf(stanza.attributes.get('from'));
    if (sender === undefined) return this.take(stanza, undefined, then);
    const isTaken = this.arriving.take(sender.bare, (done) =>
      this.take(stanza, sender, (arrived) => {
        then(arrived);
        done();
      }),
    );
    if (!isTaken) then(refused(stanza, tooBusy()));
  }

  private take(
    stanza: XmppElement,
    sender: Jid | undefined,
    finish: (arrived: ArrivedStanza) => void,
  ): void {
    if (isSigned(stanza)) return this.takeSigned(stanza, finish);
    const user = this.parts.policy === 'require' ? mustBeSignedBy(stanza, sender) : undefined;
    if (user === undefined) return finish({ type: 'unsigned', stanza });
    this.certificates.find(user, ({ chains, isAnswered }) => {
      const refusal = this.unsignedRefusal(user, chains, isAnswered);
      if (refusal !== undefined) finish(refused(stanza, refusal));
      else finish({ type: 'unsigned', stanza });
    });
  }

  private takeSigned(outer: XmppElement, finish: (arrived: ArrivedStanza) => void): void {
    const content = readSignedContent(outer);
    if (content instanceof StanzaRefusal) return finish(refused(outer, content));
    const wrong = senderRefusal(outer, content);
    if (wrong !== undefined) return finish(refused(outer, wrong));
    const user = content.from.bare;
    this.certificates.find(user, ({ chains }) => {
      const verdict = this.verified(outer, content, chains);
      if (!(verdict instanceof StanzaRefusal) || !MAY_BE_NEW_CERTIFICATE.has(verdict.code)) {
        return this.settle(outer, verdict, finish);
      }
      // The sender may have a certificate that is not remembered.
      this.certificates.ask(user, (found) =>
        this.settle(outer, this.verified(outer, content, found.chains), finish),
      );
    });
  }

  private verified(
    outer: XmppElement,
    content: SignedContent,
    chains: readonly CertificateChain[],
  ): AuthenticStanza | StanzaRefusal {
    const { authenticator, environment, own } = this.parts;
    const { absences, guard } = this.restored;
    const { unixMs } = environment;
    // A copy of what another client of the user sent is for whom that one wrote to.
    const isCopy = content.from.bare === own.bare;
    const to = isCopy ? addressOf(outer.attributes.get('to'))?.bare : undefined;
    const receiver = { own: to ?? own.bare, authenticator, past: absences, guard, unixMs };
    return verifyStanza(outer, content, chains, receiver);
  }

  /**
   * That a message was here is written in one batch with the message itself: neither can be on disk
   * without the other. What is not kept waits until it is written.
   */
  private settle(
    outer: XmppElement,
    verdict: AuthenticStanza | StanzaRefusal,
    finish: (arrived: ArrivedStanza) => void,
  ): void {
    if (verdict instanceof StanzaRefusal) return finish(refused(outer, verdict));
    const { environment, writes } = this.parts;
    const { signer, stanza, timestampUnixMs } = verdict;
    const key = guardedKeyOf(signer.certificate);
    const records = this.restored.guard.accept(key, timestampUnixMs, environment.unixMs);
    const arrived = {
      type: 'signed',
      stanza: withSignedMark(verdict),
      authentic: verdict,
    } as const;
    if (stanza.name !== 'message' || messageKeeping(stanza) === 'transient') {
      return writes.write(records, () => finish(arrived));
    }
    writes.write(records);
    finish(arrived);
  }

  /** Where it is not known whether the sender has a certificate, nothing unsigned is taken. */
  private unsignedRefusal(
    user: BareJid,
    chains: readonly CertificateChain[],
    isAnswered: boolean,
  ): StanzaRefusal | undefined {
    if (this.isCertified(user, chains)) {
      const detail = `${user} has a certificate, and what is not signed is not taken from there`;
      return new StanzaRefusal('unsigned', detail);
    }
    if (isAnswered) return undefined;
    const detail = `nobody knows now whether ${user} has a certificate; sign, or try later`;
    return new StanzaRefusal('unsigned', detail);
  }

  private signed(stanza: XmppElement): XmppElement | StanzaRefusal {
    const { environment, own, signer } = this.parts;
    const complete =
      stanza.attributes.get('from') === undefined
        ? { ...stanza, attributes: new Map([...stanza.attributes, ['from', own.bare]]) }
        : stanza;
    const id = Buffer.from(environment.random.bytes(ID_BYTES)).toString('base64url');
    const timestamp = this.timestamps.next(environment.unixMs);
    return signStanza(signer(), complete, timestamp, { id, beside: besideSignature(stanza) });
  }

  private isCertified(user: BareJid, chains: readonly CertificateChain[]): boolean {
    const { authenticator, environment } = this.parts;
    return Array.isArray(certifiedNodes(user, chains, authenticator, environment.unixMs));
  }

  private published(user: BareJid, answer: XmppElement): CertificateChain[] {
    const { authenticator, environment } = this.parts;
    const { unixMs } = environment;
    const { nodes } = certificatesFromPersonalEvents(answer, user, authenticator, unixMs);
    return nodes.flatMap(({ chain }) => chainOf(chain) ?? []);
  }

  /** One whose revocation list is not here yet may count later. */
  private isUsable(user: BareJid, chain: CertificateChain): boolean {
    const { authenticator, environment } = this.parts;
    const nodes = certifiedNodes(user, [chain], authenticator, environment.unixMs);
    const isUndecided =
      nodes instanceof StanzaRefusal &&
      nodes.certificateRefusal?.code === 'revocation-undetermined';
    return isUndecided || Array.isArray(nodes);
  }
}

/**
 * Whom a stanza is signed for: the user that it is addressed to; undefined where it is not to be
 * signed. Not broadcast presence and groupchat (XEP-0285 §3), not errors, and no request to a bare
 * address, which the server answers in its user's place (RFC 6120 §10.3.3).
 */
function signedFor(stanza: XmppElement): BareJid | undefined {
  const to = addressOf(stanza.attributes.get('to'));
  const type = stanza.attributes.get('type');
  if (to?.localpart === undefined || type === 'error' || type === 'groupchat') return undefined;
  return stanza.name === 'iq' && to.resourcepart === undefined ? undefined : to.bare;
}

/** Who would have to sign a stanza; errors, results and presence may come from servers. */
function mustBeSignedBy(stanza: XmppElement, sender: Jid | undefined): BareJid | undefined {
  if (sender?.localpart === undefined || stanza.name === 'presence') return undefined;
  const type = stanza.name === 'message' ? messageType(stanza) : stanza.attributes.get('type');
  const mayBeOfServer = stanza.name === 'message' ? ['error', 'groupchat'] : ['error', 'result'];
  return mayBeOfServer.includes(type ?? '') ? undefined : sender.bare;
}

function refused(stanza: XmppElement, refusal: StanzaRefusal): ArrivedStanza {
  return { type: 'refused', refusal, answer: stanzaRejection(stanza, refusal) };
}

function addressOf(text: string | undefined): Jid | undefined {
  const address = text === undefined ? undefined : parseJid(text);
  return address instanceof AddressFault ? undefined : address;
}

function tooBusy(): StanzaRefusal {
  return new StanzaRefusal('too-busy', 'too many stanzas wait for certificates; try later');
}

const MAY_BE_NEW_CERTIFICATE: ReadonlySet<string> = new Set([
  'certificate-missing',
  'certificate-refused',
  'signature-invalid',
]);
const ID_BYTES = 12;
