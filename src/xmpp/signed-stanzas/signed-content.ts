import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { fromBase64 } from '../sasl/base64.ts';
import { isStanza } from '../stanza/stanza.ts';
import { readWrittenElement } from '../stanza/written-element.ts';
import { childElements, isElement, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import { readFramed } from '../stream/read-framed.ts';
import type { StreamLimits } from '../stream/stream-limits.ts';
import { ALGORITHM_NAMES, algorithmNamed, type SignedAlgorithm } from './signed-algorithm.ts';
import {
  SIGNATURE_CHARACTERS_MAX,
  SIGNED_BYTES_MAX,
  SIGNED_DATA_CHARACTERS_MAX,
  SIGNED_NAMESPACE,
} from './signed-limits.ts';
import { parseTimestamp } from './signed-timestamp.ts';
import { StanzaRefusal, type StanzaRefusalCode } from './stanza-refusal.ts';

/** What a `<signed/>` says. Nothing of it is proved yet. */
export interface SignedContent {
  /** E': the bytes that the signature covers, as they came. */
  readonly envelope: Uint8Array;
  readonly algorithm: SignedAlgorithm;
  readonly signature: Uint8Array;
  readonly timestampUnixMs: number;
  /** S: read from bytes that the signature covers. */
  readonly stanza: XmppElement;
  readonly from: Jid;
  readonly to: Jid;
}

/** Whether a stanza claims to carry a signed one. */
export function isSigned(stanza: XmppElement): boolean {
  return childElements(stanza).some((child) => isElement(child, 'signed', SIGNED_NAMESPACE));
}

/**
 * Reads the one `<signed/>` of a stanza (XEP-0285 §2), strictly and within limits. What stands
 * beside it is not looked at: it belongs to whoever was on the way. Never throws.
 */
export function readSignedContent(given: XmppElement): SignedContent | StanzaRefusal {
  try {
    return contentOf(given);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

function contentOf(given: XmppElement): SignedContent {
  const [signed, another] = childElements(given).filter((child) =>
    isElement(child, 'signed', SIGNED_NAMESPACE),
  );
  if (signed === undefined) throw malformed('expected a <signed/> in the stanza');
  if (another !== undefined) {
    throw new Refused('several-signatures', 'expected one <signed/>, got several');
  }
  const [signatureElement, data, ...more] = partsOf(signed);
  if (signatureElement === undefined || data === undefined || more.length > 0) {
    throw malformed('expected one <signature/> and one <data/> in <signed/>, and nothing else');
  }
  const name = signatureElement.attributes.get('algorithm');
  const algorithm = algorithmNamed(name);
  if (algorithm === undefined) {
    const detail = `expected one of ${ALGORITHM_NAMES}, got ${shown(name)}`;
    throw new Refused('unsupported-algorithm', detail);
  }
  const signature = base64Of(textOf(signatureElement), '<signature/>', SIGNATURE_CHARACTERS_MAX);
  const envelope = envelopeOf(data);
  const { timestamp, data: plain } = plainOf(envelope);
  const timestampUnixMs = parseTimestamp(timestamp ?? '');
  if (timestampUnixMs === undefined) {
    throw malformed(`expected a timestamp as 2010-06-29T02:15:21.012Z, got ${shown(timestamp)}`);
  }
  const stanzaString = base64Of(plain, '<plain/>', SIGNED_DATA_CHARACTERS_MAX);
  const stanza = stanzaOf(stanzaString);
  return { envelope, algorithm, signature, timestampUnixMs, ...checkedStanza(stanza) };
}

/** `<signature/>`, then `<data/>`, whatever their order. */
function partsOf(signed: XmppElement): readonly XmppElement[] {
  const rank = ({ name }: XmppElement) => (name === 'signature' ? 0 : 1);
  const children = childElements(signed);
  const areKnown = children.every(
    ({ name, namespace, children: inner }) =>
      namespace === SIGNED_NAMESPACE &&
      (name === 'signature' || name === 'data') &&
      inner.every((node) => typeof node === 'string'),
  );
  const names = new Set(children.map(({ name }) => name));
  if (!areKnown || names.size !== children.length || textOf(signed).trim() !== '') return [];
  return [...children].sort((a, b) => rank(a) - rank(b));
}

/**
 * E' out of `<data/>`. Step 8 of §2 says that it stands there as it is, the example that it is
 * base64. The second is sent; both are taken, because neither can be mistaken for the other.
 */
function envelopeOf(data: XmppElement): Uint8Array {
  const text = textOf(data);
  if (text.length > SIGNED_DATA_CHARACTERS_MAX) throw tooLong('<data/>', text.length);
  if (text.startsWith('<')) return Buffer.from(text, 'utf8');
  return base64Of(text, '<data/>', SIGNED_DATA_CHARACTERS_MAX);
}

/**
 * `<plain/>`. The form in which this program writes it needs no parser of XML, whose time would
 * exceed that of the signature: a reader of XML finds the same in it.
 */
function plainOf(envelope: Uint8Array): { timestamp: string | undefined; data: string } {
  const written = WRITTEN_ENVELOPE.exec(latin1(envelope));
  if (written !== null) {
    const [, timestamp, data = ''] = written;
    return { timestamp, data };
  }
  const plain = documentOf(envelope, ENVELOPE_LIMITS, 'the envelope');
  if (!isElement(plain, 'plain', SIGNED_NAMESPACE) || childElements(plain).length > 0) {
    throw malformed('expected a <plain/> with character data alone as the signed envelope');
  }
  return { timestamp: plain.attributes.get('timestamp'), data: textOf(plain) };
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

function checkedStanza(stanza: XmppElement): Pick<SignedContent, 'stanza' | 'from' | 'to'> {
  if (!isStanza(stanza)) {
    throw malformed(`expected a stanza of jabber:client, got <${stanza.name}/>`);
  }
  if (isSigned(stanza)) {
    throw new Refused('nested-signature', 'the signed stanza carries a signed stanza itself');
  }
  const from = addressOf(stanza, 'from');
  const to = addressOf(stanza, 'to');
  if (from.localpart === undefined) {
    throw malformed(`expected the address of a user as "from", got ${from.text}`);
  }
  return { stanza, from, to };
}

function addressOf(stanza: XmppElement, name: 'from' | 'to'): Jid {
  const text = stanza.attributes.get(name);
  if (text === undefined) throw malformed(`the signed stanza has no "${name}"`);
  const address = parseJid(text);
  if (!(address instanceof AddressFault)) return address;
  throw malformed(`"${name}" of the signed stanza is no address: ${address.describe()}`);
}

/** RFC 4648 §4 with padding bits of zero; lines may be broken and indented. */
function base64Of(text: string, where: string, charactersMax: number): Uint8Array {
  if (text.length > charactersMax) throw tooLong(where, text.length);
  const bytes = fromBase64(text) ?? fromBase64(text.replace(XML_SPACES, ''));
  if (bytes === undefined || bytes.length === 0) throw malformed(`expected base64 in ${where}`);
  return bytes;
}

/** S out of S'. */
function stanzaOf(bytes: Uint8Array): XmppElement {
  const text = bytes.length > SIGNED_BYTES_MAX ? undefined : utf8Of(bytes);
  const written = text === undefined ? undefined : readWrittenElement(text);
  return written ?? documentOf(bytes, STANZA_LIMITS, 'the signed stanza');
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function documentOf(bytes: Uint8Array, limits: StreamLimits, what: string): XmppElement {
  const read = readFramed(bytes, limits);
  if (read.type === 'element') return read.element;
  throw malformed(`${what} cannot be read: ${read.text} (${read.condition})`);
}

function tooLong(where: string, length: number): Refused {
  return malformed(`there are too many characters in ${where}: ${length}`);
}

function shown(text: string | undefined): string {
  return text === undefined ? 'none' : `"${text.slice(0, SHOWN_MAX)}"`;
}

function malformed(detail: string): Refused {
  return new Refused('malformed', detail);
}

/** Thrown in this file alone. */
class Refused extends Error {
  readonly refusal: StanzaRefusal;

  constructor(code: StanzaRefusalCode, detail: string) {
    super(detail);
    this.refusal = new StanzaRefusal(code, detail);
  }
}

const STANZA_LIMITS: StreamLimits = {
  stanzaBytesMax: SIGNED_BYTES_MAX,
  writtenBytesMax: 245_760,
  depthMax: 56,
  elementsMax: 8_000,
  attributesMax: 64,
  nameLengthMax: 256,
};
/** One element with one attribute and a namespace; a few more do no harm. */
const ENVELOPE_LIMITS: StreamLimits = {
  stanzaBytesMax: SIGNED_DATA_CHARACTERS_MAX,
  writtenBytesMax: 2 * SIGNED_DATA_CHARACTERS_MAX,
  depthMax: 2,
  elementsMax: 2,
  attributesMax: 8,
  nameLengthMax: 64,
};
const WRITTEN_ENVELOPE =
  /^<plain xmlns="urn:xmpp:signed:0" timestamp="([-0-9T:.Z]{24})">([A-Za-z0-9+/=]+)<\/plain>$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const XML_SPACES = /[ \t\r\n]+/g;
const SHOWN_MAX = 64;
