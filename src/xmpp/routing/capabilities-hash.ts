import { createHash } from 'node:crypto';
import { childElements, textOf, type XmppElement } from '../stanza/xmpp-element.ts';

/**
 * The verification string of what a client says of itself (XEP-0115 §5.1), `info` being its
 * `<query/>` of disco#info; undefined: this hash is not known here.
 */
export function capabilitiesHash(info: XmppElement, hash: string): string | undefined {
  const algorithm = ALGORITHMS.get(hash);
  if (algorithm === undefined) return undefined;
  const children = childElements(info);
  const parts = [
    ...sorted(children.filter(({ name }) => name === 'identity').map(identityText)),
    ...sorted(children.filter(({ name }) => name === 'feature').map(featureOf)),
    ...formParts(children.filter(({ name }) => name === 'x')),
  ];
  const text = parts.map((part) => `${part}<`).join('');
  return createHash(algorithm).update(text).digest('base64');
}

function identityText({ attributes }: XmppElement): string {
  const text = (name: string) => attributes.get(name) ?? '';
  return [text('category'), text('type'), text('xml:lang'), text('name')].join('/');
}

function featureOf({ attributes }: XmppElement): string {
  return attributes.get('var') ?? '';
}

/** XEP-0128: the extended information, by its FORM_TYPE. */
function formParts(forms: readonly XmppElement[]): string[] {
  const described = forms.map((form) => {
    const fields = childElements(form).filter(({ name }) => name === 'field');
    const type = fields.find((field) => featureOf(field) === 'FORM_TYPE');
    const others = fields.filter((field) => field !== type);
    const texts = others.map((field) => [featureOf(field), ...sorted(valuesOf(field))]);
    texts.sort(([a = ''], [b = '']) => compare(a, b));
    return [type === undefined ? '' : (valuesOf(type)[0] ?? ''), ...texts.flat()];
  });
  described.sort(([a = ''], [b = '']) => compare(a, b));
  return described.flat();
}

function valuesOf(field: XmppElement): string[] {
  return childElements(field)
    .filter(({ name }) => name === 'value')
    .map(textOf);
}

function sorted(texts: readonly string[]): string[] {
  return [...texts].sort(compare);
}

/** By octets, as i;octet of RFC 4790. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** XEP-0115 §5.1 names them as XEP-0300 does. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['sha-1', 'sha1'],
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);
