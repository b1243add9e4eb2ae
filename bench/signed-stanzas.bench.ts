/**
 * Signed stanzas (XEP-0285): a message of 2 kB, signed by its sender, read and verified by its
 * receiver with all checks, against the bare signature: the same bytes signed and verified.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { makeLeaf, makeRoot, testNodeId } from '../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../src/tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../src/tls-auth/signer.ts';
import { guardedKeyOf, ReplayGuard } from '../src/xmpp/signed-stanzas/replay-guard.ts';
import { signStanza } from '../src/xmpp/signed-stanzas/sign-stanza.ts';
import { readSignedContent } from '../src/xmpp/signed-stanzas/signed-content.ts';
import { StanzaRefusal } from '../src/xmpp/signed-stanzas/stanza-refusal.ts';
import { type StanzaReceiver, verifyStanza } from '../src/xmpp/signed-stanzas/verify-stanza.ts';
import { element, writeElement, type XmppElement } from '../src/xmpp/stanza/xmpp-element.ts';
import { AddressFault } from '../src/xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../src/xmpp-address/jid.ts';
import type { BenchResult } from './bench-result.ts';

export async function run(): Promise<BenchResult[]> {
  const root = makeRoot();
  const leaf = makeLeaf(root, { jid: JULIET, nodeId: testNodeId(1) });
  const authenticator = new Authenticator({
    overlayName: 'xmpp.org',
    nodeIdLength: 16,
    profile: 'xep-0416',
    rootCertificates: [root.certificate],
    badNodes: new Set(),
    selfSignedDigest: undefined,
  });
  const node = authenticator.authenticate(leaf.certificate, [], NOW);
  if (node instanceof CertificateRefusal) throw new Error(node.describe());
  const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
  const { reference, value, ratio } = pairedRates(
    () => bareSignatures(leaf.key),
    () => signedStanzas(signer, authenticator),
  );
  return [
    {
      name: 'signed stanzas: a message of 2 kB, signed, read and verified',
      value,
      unit: 'stanzas/s',
      referenceName: 'node:crypto: the same bytes signed and verified with the same key',
      reference,
      ratio,
      bound: `ratio >= ${RATIO_MIN}`,
      isMet: ratio >= RATIO_MIN,
    },
  ];
}

/**
 * Both by turns, because a shared machine is not equally fast at any two times: the medians of the
 * rates a second, and of the ratio of each turn.
 */
function pairedRates(bare: () => number, whole: () => number) {
  for (let i = 0; i < WARM_UP_ROUNDS; i += 1) {
    rateOf(bare);
    rateOf(whole);
  }
  const turns = Array.from({ length: ROUNDS }, () => {
    const reference = rateOf(bare);
    const value = rateOf(whole);
    return { reference, value, ratio: value / reference };
  });
  return {
    reference: medianOf(turns.map(({ reference }) => reference)),
    value: medianOf(turns.map(({ value }) => value)),
    ratio: medianOf(turns.map(({ ratio }) => ratio)),
  };
}

function rateOf(work: () => number): number {
  const start = performance.now();
  if (Number.isNaN(work())) throw new Error('a signature was not true');
  return STANZAS / ((performance.now() - start) / 1000);
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function bareSignatures({
  privateKey,
  publicKey,
}: {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}): number {
  let length = 0;
  for (const bytes of texts) {
    const signature = sign('sha256', bytes, privateKey);
    if (!verify('sha256', bytes, publicKey, signature)) return Number.NaN;
    length += signature.length;
  }
  return length;
}

function signedStanzas(signer: Signer, authenticator: Authenticator): number {
  const receiver: StanzaReceiver = {
    own: bare(ROMEO),
    authenticator,
    past: { guardedSinceUnixMs: 0, wasAwayAt: () => false },
    guard: new ReplayGuard([]),
    unixMs: NOW,
  };
  const chains = [{ leaf: signer.node.certificate.der, pool: [] }];
  let length = 0;
  for (const [at, message] of messages.entries()) {
    const outer = signStanza(signer, message, NOW + at, { id: 'outer' });
    if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
    const content = readSignedContent(outer);
    if (content instanceof StanzaRefusal) throw new Error(content.describe());
    const verdict = verifyStanza(outer, content, chains, receiver);
    if (verdict instanceof StanzaRefusal) throw new Error(verdict.describe());
    const key = guardedKeyOf(verdict.signer.certificate);
    length += receiver.guard.accept(key, verdict.timestampUnixMs, NOW).length;
  }
  return length;
}

/** 2 kB as it is written. */
function messageOf(number: number): XmppElement {
  const text = `${number} `.padEnd(BODY_LENGTH, 'Wherefore art thou Romeo? ');
  return element(
    'message',
    'jabber:client',
    { type: 'chat', id: `m${number}`, from: `${JULIET}/balcony`, to: ROMEO },
    [
      element('body', 'jabber:client', {}, [text]),
      element('request', 'urn:xmpp:receipts'),
      element('origin-id', 'urn:xmpp:sid:0', { id: `m${number}` }),
    ],
  );
}

function bare(text: string): BareJid {
  const address = parseJid(text);
  if (address instanceof AddressFault) throw new Error(address.describe());
  return address.bare;
}

const JULIET = 'juliet@capulet.lit';
const ROMEO = 'romeo@montague.lit';
const NOW = Date.UTC(2026, 0, 1);
const STANZAS = 500;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 21;
const BODY_LENGTH = 1_760;
const RATIO_MIN = 0.5;
const messages = Array.from({ length: STANZAS }, (_, at) => messageOf(at));
const texts = messages.map((message) => Buffer.from(writeElement(message), 'utf8'));
