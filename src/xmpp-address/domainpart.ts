import { domainToASCII, domainToUnicode } from 'node:url';
import { AddressFault, type AddressRule } from './address-fault.ts';
import { bidiRuleFault, hasRightToLeft } from './bidi-rule.ts';
import { shown, stringClassFault } from './string-class.ts';
import { mapWidth } from './width-mapping.ts';

declare const enforced: unique symbol;

/** A domainpart in the one form that is compared: lower-case, with U-labels, no final dot. */
export type Domainpart = string & { readonly [enforced]: 'domainpart' };

/**
 * The domainpart that `text` is — RFC 7622 §3.2. A host name has its final dot removed, is mapped
 * (lower case, width, NFC, ideographic full stops), and its A-labels become U-labels. Each label is
 * then checked by IDNA2008 (RFC 5891 §5.4), and the whole by the platform's UTS 46. An IPv6
 * address stands in brackets and has no zone, which would mean something on one machine alone.
 */
export function enforceDomainpart(text: string): Domainpart | AddressFault {
  if (text.length > INPUT_LENGTH_MAX) return tooLong();
  if (text.startsWith('[')) return ipLiteral(text);
  const mapped = mapHostName(text.endsWith('.') ? text.slice(0, -1) : text);
  if (mapped === '') return refuse('empty', 'it is empty');
  const labels: string[] = [];
  for (const label of mapped.split('.')) {
    const decoded = decodedLabel(label);
    const fault = decoded === undefined ? invalidALabel(label) : labelFault(decoded);
    if (decoded === undefined || fault !== undefined) return fault ?? invalidALabel(label);
    labels.push(decoded);
  }
  return hostNameFault(labels) ?? (labels.join('.') as Domainpart);
}

function ipLiteral(text: string): Domainpart | AddressFault {
  const canonical = IPV6_LITERAL.test(text) ? domainToASCII(text) : '';
  if (canonical === '') return refuse('ip-literal', 'in brackets stands an IPv6 address, no zone');
  return canonical as Domainpart;
}

/** RFC 5895 §2; what is lower-case in Cherokee is for IDNA2008 the capital letter. */
function mapHostName(text: string): string {
  return mapWidth(text)
    .replace(CAPITALS, (character) => character.toLowerCase())
    .normalize('NFC')
    .replaceAll('\u3002', '.');
}

/** A label as a U-label or in ASCII. Undefined for an A-label that does not decode. */
function decodedLabel(label: string): string | undefined {
  if (!label.startsWith(A_LABEL_PREFIX)) return label;
  if (label.length > LABEL_LENGTH_MAX || !LDH_LABEL.test(label)) return undefined;
  const decoded = domainToUnicode(label);
  const isULabel = !ASCII_ONLY.test(decoded) && domainToASCII(decoded) === label;
  return isULabel ? decoded : undefined;
}

function labelFault(label: string): AddressFault | undefined {
  if (label === '') return refuse('host-name', 'it has an empty label');
  const excluded = [...label].find((one) => ASCII_ONLY.test(one) && !LDH.test(one));
  if (excluded !== undefined) {
    return refuse('host-name', `a host name cannot have ${shown(excluded)}`);
  }
  const fault = stringClassFault(label, 'IdentifierClass');
  if (fault !== undefined) return refuse(fault.rule, fault.reason);
  if (label.startsWith('-') || label.endsWith('-') || label.slice(2, 4) === '--') {
    return refuse('host-name', `in "${label}" a hyphen stands at an end, or two in third place`);
  }
  if (MARK_FIRST.test(label)) return refuse('host-name', 'a label begins with a combining mark');
  return undefined;
}

function hostNameFault(labels: readonly string[]): AddressFault | undefined {
  const name = labels.join('.');
  if (Buffer.byteLength(name) > DOMAINPART_BYTES_MAX) return tooLong();
  if (NUMBER_LAST.test(name) && !IPV4_ADDRESS.test(name)) {
    return refuse('host-name', `"${name}" ends in a number but is no IPv4 address`);
  }
  // A name with one right-to-left label is a Bidi domain name, and the rule is for all labels.
  if (labels.some(hasRightToLeft)) {
    const reason = labels.map(bidiRuleFault).find((one) => one !== undefined);
    if (reason !== undefined) return refuse('bidi-rule', reason);
  }
  // In ASCII the checks of each label are all that there is to check.
  const isAscii = ASCII_ONLY.test(name);
  const ascii = isAscii ? name : domainToASCII(name);
  if (!isAscii && (ascii === '' || domainToUnicode(ascii) !== name)) {
    return refuse('host-name', `"${name}" is no host name in IDNA`);
  }
  if (ascii.length > HOST_NAME_LENGTH_MAX) {
    return refuse('too-long', `a host name has at most ${HOST_NAME_LENGTH_MAX} bytes (RFC 1035)`);
  }
  if (ascii.split('.').some((label) => label.length > LABEL_LENGTH_MAX)) {
    return refuse('too-long', `a label has at most ${LABEL_LENGTH_MAX} bytes (RFC 1035)`);
  }
  return undefined;
}

function invalidALabel(label: string): AddressFault {
  return refuse('host-name', `"${label.slice(0, LABEL_LENGTH_MAX)}" is no A-label (RFC 5890)`);
}

function tooLong(): AddressFault {
  return refuse('too-long', `it has over ${DOMAINPART_BYTES_MAX} bytes`);
}

function refuse(rule: AddressRule, reason: string): AddressFault {
  return new AddressFault('domainpart', rule, reason);
}

/** Bytes of UTF-8 — RFC 7622 §3.2. */
const DOMAINPART_BYTES_MAX = 1_023;
/** UTF-16 code units; no longer text becomes DOMAINPART_BYTES_MAX by normalization. */
const INPUT_LENGTH_MAX = 2 * DOMAINPART_BYTES_MAX;
const HOST_NAME_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;
const A_LABEL_PREFIX = 'xn--';
const CAPITALS = /(?!\p{Script=Cherokee})[\p{Lu}\p{Lt}]/gu;
const ASCII_ONLY = /^\p{ASCII}*$/u;
const LDH = /^[a-z0-9-]$/;
const LDH_LABEL = /^[a-z0-9-]+$/;
const MARK_FIRST = /^\p{M}/u;
const IPV6_LITERAL = /^\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]$/;
/** What WHATWG's host parser takes for an IPv4 address, with or without dots. */
const NUMBER_LAST = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
const IPV4_ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
