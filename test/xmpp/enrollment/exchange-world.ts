import { sign } from 'node:crypto';
import {
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestKey,
} from '../../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../../sim/certificates/extension-maker.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { type Certificate, parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import {
  CertificateTransaction,
  type TransactionInput,
  type TransactionOutput,
} from '../../../src/xmpp/enrollment/certificate-transaction.ts';
import type { ExchangeRefusalCode } from '../../../src/xmpp/enrollment/exchange-refusal.ts';
import {
  type AttributeValues,
  childElement,
  element,
  type XmppElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import {
  certificateChainElement,
  challengeElement,
  X509_NAMESPACE,
} from '../../../src/xmpp/x509/x509-element.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

export const USER = 'romeo@montague.lit';
export const AUTHORITY = 'ca.shakespeare.lit';
export const PAGE = 'https://ca.shakespeare.lit/csr/cOemft/8EQTH8';
export const CLIENT = 'jabber:client';
const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

/** A root that takes requests over XMPP at this address. */
export function xmppRoot(
  address: string = AUTHORITY,
  options: { readonly name?: string; readonly key?: TestKey } = {},
): TestAuthority {
  return makeRoot({
    ...options,
    change: ({ extensions }) => ({
      extensions: {
        ...extensions,
        subjectAltName: subjectAltName([generalName.xmppAddr(address)]),
      },
    }),
  });
}

export function certificateOf(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  return certificate;
}

export function jidOf(text: string): Jid {
  const jid = parseJid(text);
  if (jid instanceof AddressFault) throw new Error(jid.describe());
  return jid;
}

/** One transaction of Romeo with an authority, whose side the test plays. */
export class ExchangeWorld {
  nowMs = 1_000;
  readonly root: TestAuthority;
  readonly key: TestKey = makeKey();
  readonly outputs: TransactionOutput[] = [];
  readonly request: XmppElement;
  private readonly exchange: CertificateTransaction;

  constructor(
    options: { readonly root?: TestAuthority; readonly name?: string; readonly seed?: number } = {},
  ) {
    this.root = options.root ?? xmppRoot();
    this.exchange = new CertificateTransaction({
      userName: USER,
      subjectPublicKeyInfo: new Uint8Array(
        this.key.publicKey.export({ type: 'spki', format: 'der' }),
      ),
      authority: certificateOf(this.root.certificate),
      authorityAddress: jidOf(AUTHORITY),
      authenticator: new Authenticator({
        overlayName: 'xmpp.org',
        nodeIdLength: 16,
        profile: 'xep-0416',
        rootCertificates: [this.root.certificate, OTHER_ROOT.certificate],
        badNodes: new Set(),
        selfSignedDigest: undefined,
      }),
      signingRequest: SIGNING_REQUEST,
      name: options.name,
      random: seededRandom(options.seed ?? 1),
    });
    const [sent] = this.do({ type: 'start' });
    if (sent?.type !== 'send') throw new Error('nothing was sent');
    this.request = sent.stanza;
  }

  get id(): string {
    return this.request.attributes.get('id') ?? '';
  }

  get transaction(): string {
    return this.content.attributes.get('transaction') ?? '';
  }

  /** `<x509-csr/>` as it was sent. */
  get content(): XmppElement {
    const content = childElement(this.request, 'x509-csr', X509_NAMESPACE);
    if (content === undefined) throw new Error('no request was sent');
    return content;
  }

  do(input: TransactionInput): readonly TransactionOutput[] {
    const outputs = this.exchange.handle(input, {
      monotonicMs: this.nowMs,
      unixMs: TEST_UNIX_MS + this.nowMs,
    });
    this.outputs.push(...outputs);
    return outputs;
  }

  comes(stanza: XmppElement): readonly TransactionOutput[] {
    return this.do({ type: 'stanza', stanza });
  }

  /** Lets the time pass up to the next deadline. */
  waits(): readonly TransactionOutput[] {
    this.nowMs = this.exchange.nextDeadline() ?? this.nowMs;
    return this.do({ type: 'tick' });
  }

  /** A chain that the root signed for Romeo's key, unless `options` say otherwise. */
  issued(options: Parameters<typeof makeLeaf>[1] = {}, root = this.root): Uint8Array[] {
    return [makeLeaf(root, { jid: USER, key: this.key, ...options }).certificate];
  }

  response(chain: readonly Uint8Array[], attributes: AttributeValues = {}): XmppElement {
    return this.answer('result', [certificateChainElement(chain, undefined)], attributes);
  }

  answer(type: string, content: readonly XmppElement[], attributes: AttributeValues = {}) {
    const values = { type, from: AUTHORITY, to: `${USER}/orchard`, id: this.id, ...attributes };
    return element('iq', CLIENT, values, content);
  }

  error(type: string, condition: string, more: readonly XmppElement[] = []): XmppElement {
    const error = element('error', CLIENT, { type, by: AUTHORITY }, [
      element(condition, STANZAS),
      ...more,
    ]);
    return this.answer('error', [error]);
  }

  challenge(
    options: {
      readonly transaction?: string;
      readonly uri?: string;
      readonly signer?: TestAuthority;
      readonly signed?: string;
      readonly from?: string;
    } = {},
  ): XmppElement {
    const { transaction = this.transaction, uri = PAGE, signer = this.root } = options;
    const input = Buffer.from(options.signed ?? transaction + uri);
    const signature = new Uint8Array(sign('sha256', input, signer.key.privateKey));
    const from = options.from ?? AUTHORITY;
    return element('message', CLIENT, { type: 'normal', from, to: `${USER}/orchard` }, [
      challengeElement({ transaction, uri, signature }),
    ]);
  }

  /** What was refused, by name. */
  get refusals(): readonly ExchangeRefusalCode[] {
    return this.outputs.flatMap((output) =>
      output.type === 'refused' ? [output.refusal.code] : [],
    );
  }

  get pages(): readonly string[] {
    return this.outputs.flatMap((output) => (output.type === 'challenge' ? [output.uri] : []));
  }

  /** How it ended: `issued`, the code of the failure, or undefined. */
  get end(): string | undefined {
    const last = this.outputs.find(({ type }) => type === 'issued' || type === 'failed');
    return last?.type === 'failed' ? last.failure.code : last?.type;
  }
}

/** Trusted by the overlay as well, and not asked. */
export const OTHER_ROOT = xmppRoot('ca.capulet.lit', { name: 'Other Root' });
export const SIGNING_REQUEST = new Uint8Array(200).fill(48);
