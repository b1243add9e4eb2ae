import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { CertificateChain } from './certificate-chain.ts';
import { guardedKeyOf, type ReplayGuard } from './replay-guard.ts';
import type { SignedContent } from './signed-content.ts';
import { StanzaRefusal } from './stanza-refusal.ts';
import { stanzaSigner } from './stanza-signer.ts';
import { ageOf, delayStamps, type OwnPast, type StanzaAge } from './stanza-time.ts';

declare const authentic: unique symbol;

/**
 * A stanza whose signature is true and by its sender, that is for this receiver, and that has not
 * been here before. Only `verifyStanza` makes one.
 */
export interface AuthenticStanza {
  readonly [authentic]: true;
  /** What was signed, and nothing else of what came. */
  readonly stanza: XmppElement;
  readonly from: Jid;
  readonly to: Jid;
  readonly signer: AuthenticatedNode;
  readonly timestampUnixMs: number;
  readonly age: StanzaAge;
}

/** Against what a stanza is checked. */
export interface StanzaReceiver {
  readonly own: BareJid;
  readonly authenticator: Authenticator;
  readonly past: OwnPast;
  readonly guard: ReplayGuard;
  readonly unixMs: number;
}

/**
 * Whether the stanza `outer`, whose content was read from it, is what its sender signed for this
 * receiver. It changes nothing: the timestamp of one that is taken must be given to the guard.
 */
export function verifyStanza(
  outer: XmppElement,
  content: SignedContent,
  chains: readonly CertificateChain[],
  receiver: StanzaReceiver,
): AuthenticStanza | StanzaRefusal {
  const { authenticator, guard, own, past, unixMs } = receiver;
  const sender = senderRefusal(outer, content);
  if (sender !== undefined) return sender;
  const signer = stanzaSigner(content, chains, authenticator, unixMs);
  if (signer instanceof StanzaRefusal) return signer;
  const addressee = addresseeRefusal(content, own) ?? kindRefusal(outer, content);
  if (addressee !== undefined) return addressee;
  const { from, stanza, timestampUnixMs, to } = content;
  // What came before is named so, even where it would be too old as well.
  const again = guard.refusal(guardedKeyOf(signer.certificate), timestampUnixMs, unixMs);
  if (again?.code === 'replayed') return again;
  const age = ageOf(timestampUnixMs, delayStamps(outer), past, unixMs);
  if (age instanceof StanzaRefusal) return age;
  if (again !== undefined) return again;
  return { stanza, from, to, signer, timestampUnixMs, age } as AuthenticStanza;
}

/** The sender that servers name and the one who signed are the same user. */
export function senderRefusal(
  outer: XmppElement,
  { from }: SignedContent,
): StanzaRefusal | undefined {
  const text = outer.attributes.get('from');
  if (text === from.text) return undefined;
  const outside = text === undefined ? undefined : parseJid(text);
  const bare = outside instanceof AddressFault ? undefined : outside?.bare;
  if (bare === from.bare) return undefined;
  const detail = `signed as ${from.bare}, but it came from ${bare ?? 'nobody'}`;
  return new StanzaRefusal('wrong-sender', detail);
}

/** It was signed for this user, whoever a server sends it to. */
export function addresseeRefusal(
  { to }: SignedContent,
  receiver: BareJid,
): StanzaRefusal | undefined {
  if (to.bare === receiver) return undefined;
  return new StanzaRefusal('wrong-addressee', `signed for ${to.bare}, but it came to ${receiver}`);
}

/** XEP-0285 §2, step 9: same kind and type. A message must not arrive as something else. */
export function kindRefusal(
  outer: XmppElement,
  { stanza }: SignedContent,
): StanzaRefusal | undefined {
  const [inside, outside] = [kindOf(stanza), kindOf(outer)];
  if (inside === outside) return undefined;
  return new StanzaRefusal('wrong-kind', `signed as ${inside}, but it came as ${outside}`);
}

function kindOf({ name, attributes }: XmppElement): string {
  const type = attributes.get('type') ?? (name === 'message' ? 'normal' : 'none');
  return `<${name}/> of type ${type}`;
}
