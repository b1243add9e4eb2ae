import { createHash } from 'node:crypto';
import type { RandomSource } from '../../reload/peer-options.ts';
import type { Now } from '../../storage/now.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { toHex } from '../../wire/hex.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { X509_NAMESPACE } from '../x509/x509-element.ts';
import { readChallenge } from './challenge.ts';
import {
  CHALLENGE_MS_MAX,
  CHALLENGES_MAX,
  RESPONSE_MS_MAX,
  TRANSACTION_BYTES,
} from './enrollment-limits.ts';
import { failureOfError, failureOfResponse } from './exchange-failure.ts';
import type { ExchangeFailure, ExchangeRefusal } from './exchange-refusal.ts';
import { type ExpectedCertificate, readIssuedCertificate } from './issued-certificate.ts';
import { signingRequestElement } from './x509-request.ts';

/** What happened to a transaction. */
export type TransactionInput =
  /** First of all: the connection carries stanzas. */
  | { readonly type: 'start' }
  /** Any stanza of the connection. */
  | { readonly type: 'stanza'; readonly stanza: XmppElement }
  /** The connection is over; `reason` is half a sentence. */
  | { readonly type: 'lost'; readonly reason: string }
  /** A deadline is due. */
  | { readonly type: 'tick' };

/** `issued` and `failed` are the last. */
export type TransactionOutput =
  | { readonly type: 'send'; readonly stanza: XmppElement }
  /** Show this URL to the user, who opens it or does not. */
  | { readonly type: 'challenge'; readonly uri: string }
  /** Something came that does not count. */
  | { readonly type: 'refused'; readonly refusal: ExchangeRefusal }
  | { readonly type: 'issued'; readonly node: AuthenticatedNode }
  | { readonly type: 'failed'; readonly failure: ExchangeFailure };

export interface TransactionOptions extends ExpectedCertificate {
  /** The authority's address, out of the XmppAddr of its certificate: a domain. */
  readonly authorityAddress: Jid;
  /** PKCS #10 in DER: the same in every transaction until there is a certificate. */
  readonly signingRequest: Uint8Array;
  /** Of the device, for people; it belongs to the request. */
  readonly name: string | undefined;
  readonly random: RandomSource;
  /** For the authority's first word; default: a minute. */
  readonly responseMsMax?: number | undefined;
  /** For the user and the challenge's page; default: half an hour. */
  readonly challengeMsMax?: number | undefined;
}

/**
 * The client's side of one CSR transaction of XEP-0417 §6: `handle(input, now) → outputs`, and
 * `nextDeadline()`, monotonic in ms. Each has an id and a transaction of its own. What comes from
 * anybody but the authority, or for another transaction, is passed over and told.
 */
export class CertificateTransaction {
  private readonly options: TransactionOptions;
  private readonly id: string;
  private readonly transaction: string;
  private readonly shownPages = new Set<string>();
  private outputs: TransactionOutput[] = [];
  private deadlineMs: number | undefined;
  private isOver = false;

  constructor(options: TransactionOptions) {
    this.options = options;
    this.id = toHex(options.random.bytes(TRANSACTION_BYTES));
    this.transaction = toHex(options.random.bytes(TRANSACTION_BYTES));
  }

  handle(input: TransactionInput, now: Now): readonly TransactionOutput[] {
    this.outputs = [];
    switch (input.type) {
      case 'start':
        this.start(now);
        break;
      case 'stanza':
        if (input.stanza.name === 'iq') this.takeAnswer(input.stanza, now);
        else if (input.stanza.name === 'message') this.takeMessage(input.stanza, now);
        break;
      case 'lost':
        this.lost(input.reason);
        break;
      case 'tick':
        if (now.monotonicMs >= (this.deadlineMs ?? Number.POSITIVE_INFINITY)) this.timeOut();
    }
    return this.outputs;
  }

  nextDeadline(): number | undefined {
    return this.deadlineMs;
  }

  private start(now: Now): void {
    const { authorityAddress, signingRequest, name, responseMsMax } = this.options;
    const content = signingRequestElement(signingRequest, this.transaction, name);
    const attributes = { type: 'get', to: authorityAddress.text, id: this.id };
    this.deadlineMs = now.monotonicMs + (responseMsMax ?? RESPONSE_MS_MAX);
    this.outputs.push({
      type: 'send',
      stanza: element('iq', CLIENT_NAMESPACE, attributes, [content]),
    });
  }

  private takeAnswer(stanza: XmppElement, now: Now): void {
    const { attributes } = stanza;
    const type = attributes.get('type');
    if (attributes.get('id') !== this.id || (type !== 'result' && type !== 'error')) return;
    if (!this.isFromAuthority(stanza)) {
      this.refuse('wrong-sender', `an answer in its name came from ${shownSender(stanza)}`);
    } else if (this.isOver) {
      this.refuse('too-late', 'a second answer came, or one after the time was over');
    } else if (type === 'error') {
      this.fail(failureOfError(stanza, this.options.authorityAddress));
    } else {
      this.takeResponse(stanza, now);
    }
  }

  private takeResponse(stanza: XmppElement, now: Now): void {
    const [payload, ...others] = childElements(stanza);
    const only = others.length === 0 ? payload : undefined;
    const node = readIssuedCertificate(only, this.options, now.unixMs);
    if ('code' in node) {
      this.fail(failureOfResponse(node, this.options.authorityAddress.text));
      return;
    }
    this.end();
    this.outputs.push({ type: 'issued', node });
  }

  private takeMessage(stanza: XmppElement, now: Now): void {
    const challenges = childElements(stanza).filter(
      ({ name, namespace }) => name === 'x509-challenge' && namespace === X509_NAMESPACE,
    );
    const [challenge, ...others] = challenges;
    if (challenge === undefined) return;
    if (!this.isFromAuthority(stanza)) {
      this.refuse('wrong-sender', `a challenge in its name came from ${shownSender(stanza)}`);
    } else if (others.length > 0 || stanza.attributes.get('type') === 'error') {
      this.refuse('malformed', 'a message with a challenge came that is no challenge');
    } else {
      this.takeChallenge(challenge, now);
    }
  }

  private takeChallenge(challenge: XmppElement, now: Now): void {
    const { authority, subjectPublicKeyInfo } = this.options;
    const keySha256 = createHash('sha256').update(subjectPublicKeyInfo).digest('hex');
    const read = readChallenge(challenge, this.transaction, authority, keySha256);
    if ('code' in read) {
      this.outputs.push({ type: 'refused', refusal: read });
    } else if (this.isOver) {
      this.refuse('too-late', 'a challenge came after the end');
    } else if (!this.shownPages.has(read.uri)) {
      this.show(read.uri, now);
    }
  }

  private show(uri: string, now: Now): void {
    if (this.shownPages.size >= CHALLENGES_MAX) {
      this.refuse('too-many-challenges', `it wants more than ${CHALLENGES_MAX} pages opened`);
      return;
    }
    // The first page begins the user's time; further ones give no more of it.
    if (this.shownPages.size === 0) {
      this.deadlineMs = now.monotonicMs + (this.options.challengeMsMax ?? CHALLENGE_MS_MAX);
    }
    this.shownPages.add(uri);
    this.outputs.push({ type: 'challenge', uri });
  }

  private isFromAuthority(stanza: XmppElement): boolean {
    const from = parseJid(stanza.attributes.get('from') ?? '');
    return !(from instanceof AddressFault) && from.text === this.options.authorityAddress.text;
  }

  private timeOut(): void {
    const address = this.options.authorityAddress.text;
    const what = this.shownPages.size === 0 ? 'has not answered' : 'has issued no certificate';
    const next = this.shownPages.size === 0 ? 'try again later' : 'run this again';
    this.fail({
      code: 'timeout',
      isTemporary: true,
      reason: `the authority ${address} ${what} in time; ${next}: the request is kept`,
    });
  }

  private lost(reason: string): void {
    if (this.isOver) return;
    const what = `the connection ended before the certificate came (${reason})`;
    const next = 'run this again: the request is kept';
    this.fail({ code: 'lost', isTemporary: true, reason: `${what}; ${next}` });
  }

  private fail(failure: ExchangeFailure): void {
    if (this.isOver) return;
    this.end();
    this.outputs.push({ type: 'failed', failure });
  }

  private end(): void {
    this.isOver = true;
    this.deadlineMs = undefined;
  }

  private refuse(code: ExchangeRefusal['code'], what: string): void {
    const address = this.options.authorityAddress.text;
    const reason = `in the exchange with ${address}: ${what}; it is passed over`;
    this.outputs.push({ type: 'refused', refusal: { code, reason } });
  }
}

function shownSender(stanza: XmppElement): string {
  const from = stanza.attributes.get('from');
  return from === undefined ? 'nobody' : JSON.stringify(from.slice(0, SHOWN_LENGTH_MAX));
}

const SHOWN_LENGTH_MAX = 80;
