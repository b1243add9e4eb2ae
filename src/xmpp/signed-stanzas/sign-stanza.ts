import type { Signer } from '../../tls-auth/signer.ts';
import { escapeXml } from '../../xml/write-xml.ts';
import { toBase64 } from '../sasl/base64.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, writeElement, type XmppElement, type XmppNode } from '../stanza/xmpp-element.ts';
import { algorithmName } from './signed-algorithm.ts';
import { SIGNED_BYTES_MAX, SIGNED_NAMESPACE } from './signed-limits.ts';
import { formatTimestamp } from './signed-timestamp.ts';
import { StanzaRefusal } from './stanza-refusal.ts';

/** What stands outside of the signature, for the servers on the way. */
export interface OuterStanza {
  /** Not that of the stanza that is signed (XEP-0285 §2, step 9). */
  readonly id: string;
  /** Beside `<signed/>`: what servers act on. Receivers take nothing from it. */
  readonly beside?: readonly XmppNode[];
}

/**
 * The stanza that carries `stanza`, signed — XEP-0285 §2: same kind, type and addresses, with
 * `<signed/>` as its payload. `stanza` names sender and addressee. `unixMs` comes from a
 * `TimestampSource`. Throws RangeError for characters that XML cannot carry.
 */
export function signStanza(
  signer: Signer,
  stanza: XmppElement,
  unixMs: number,
  outer: OuterStanza,
): XmppElement | StanzaRefusal {
  const stanzaString = Buffer.from(writeElement(stanza), 'utf8');
  if (stanzaString.length > SIGNED_BYTES_MAX) {
    const detail = `expected at most ${SIGNED_BYTES_MAX} bytes to sign, got ${stanzaString.length}`;
    return new StanzaRefusal('malformed', detail);
  }
  const envelope = Buffer.from(plainEnvelope(stanzaString, unixMs), 'utf8');
  const { attributes } = stanza;
  return element(
    stanza.name,
    CLIENT_NAMESPACE,
    {
      type: attributes.get('type'),
      id: outer.id,
      to: attributes.get('to'),
      from: attributes.get('from'),
    },
    [signedElement(signer, envelope), ...(outer.beside ?? [])],
  );
}

/** E — XEP-0285 §2, step 4. */
function plainEnvelope(stanzaString: Uint8Array, unixMs: number): string {
  const timestamp = escapeXml(formatTimestamp(unixMs));
  const data = toBase64(stanzaString);
  return `<plain xmlns="${SIGNED_NAMESPACE}" timestamp="${timestamp}">${data}</plain>`;
}

/** XEP-0285 §2, steps 6 to 8. `envelope` is E'. */
function signedElement(signer: Signer, envelope: Uint8Array): XmppElement {
  const { hashAlgorithm, signatureAlgorithm, value } = signer.sign(envelope);
  const algorithm = algorithmName(hashAlgorithm, signatureAlgorithm);
  return element('signed', SIGNED_NAMESPACE, {}, [
    element('signature', SIGNED_NAMESPACE, { algorithm }, [toBase64(value)]),
    element('data', SIGNED_NAMESPACE, {}, [toBase64(envelope)]),
  ]);
}
