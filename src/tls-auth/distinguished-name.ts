import { toHex } from '../wire/hex.ts';
import { type DerElement, type DerReader, DerTag } from './der-reader.ts';
import { derObjectIdentifier, derText } from './der-value.ts';
import { ATTRIBUTE_SHORT_NAMES } from './object-identifier.ts';

/** One attribute of a relative distinguished name — RFC 5280 §4.1.2.4. */
export interface NameAttribute {
  readonly oid: string;
  /** The text of a string type; undefined for other types. */
  readonly text: string | undefined;
  /** DER of the value. */
  readonly value: Uint8Array;
}

export type RelativeName = readonly NameAttribute[];

/** A distinguished name — RFC 5280 §4.1.2.4. */
export class DistinguishedName {
  readonly der: Uint8Array;
  readonly relativeNames: readonly RelativeName[];
  private cachedKeys: readonly string[] | undefined;
  private cachedKey: string | undefined;

  constructor(der: Uint8Array, relativeNames: readonly RelativeName[]) {
    this.der = der;
    this.relativeNames = relativeNames;
  }

  get isEmpty(): boolean {
    return this.relativeNames.length === 0;
  }

  /** Two names match (RFC 5280 §7.1) when these are equal. */
  get comparisonKey(): string {
    this.cachedKey ??= JSON.stringify(this.comparisonKeys);
    return this.cachedKey;
  }

  /** Readable, in the form and order of RFC 4514: the last relative name first. */
  get text(): string {
    return this.relativeNames.map(relativeNameText).reverse().join(',');
  }

  equals(other: DistinguishedName): boolean {
    return this.comparisonKey === other.comparisonKey;
  }

  /** Whether this name lies in the subtree of `base` — RFC 5280 §7.1. */
  isWithin(base: DistinguishedName): boolean {
    const own = this.comparisonKeys;
    return base.comparisonKeys.every((key, index) => own[index] === key);
  }

  /** The texts of all attributes of this type, the first relative name first. */
  attributeTexts(oid: string): string[] {
    return this.relativeNames
      .flat()
      .filter((attribute) => attribute.oid === oid && attribute.text !== undefined)
      .map((attribute) => attribute.text ?? '');
  }

  private get comparisonKeys(): readonly string[] {
    this.cachedKeys ??= this.relativeNames.map(relativeNameKey);
    return this.cachedKeys;
  }
}

/** Name — RFC 5280 §4.1.2.4. */
export function derName(reader: DerReader): DistinguishedName {
  const element = reader.element(DerTag.sequence);
  return nameInside(reader, element);
}

/** A Name whose SEQUENCE is already read. */
export function nameInside(reader: DerReader, element: DerElement): DistinguishedName {
  const inner = reader.inside(element);
  const relativeNames: RelativeName[] = [];
  while (!inner.atEnd) {
    if (relativeNames.length >= relativeNamesMax) {
      throw inner.beyond('relativeNamesMax', relativeNamesMax, 'relative names');
    }
    relativeNames.push(derRelativeName(inner));
  }
  return new DistinguishedName(element.der, relativeNames);
}

/** RelativeDistinguishedName, or the same behind an IMPLICIT tag. */
export function derRelativeName(reader: DerReader, tag: number = DerTag.set): RelativeName {
  const inner = reader.enter(tag);
  const attributes: NameAttribute[] = [];
  do {
    if (attributes.length >= attributesMax) {
      throw inner.beyond('attributesMax', attributesMax, 'attributes in a relative name');
    }
    const pair = inner.enter(DerTag.sequence);
    const oid = derObjectIdentifier(pair.element(DerTag.objectIdentifier));
    const value = pair.any();
    pair.expectEnd();
    attributes.push({ oid, text: derText(value), value: value.der });
  } while (!inner.atEnd);
  return attributes;
}

function relativeNameText(attributes: RelativeName): string {
  return attributes.map(attributeText).join('+');
}

/** RFC 4514 §2.3 and §2.4. */
function attributeText({ oid, text, value }: NameAttribute): string {
  const shortName = ATTRIBUTE_SHORT_NAMES.get(oid);
  if (shortName === undefined || text === undefined) {
    return `${shortName ?? oid}=#${toHex(value)}`;
  }
  const escaped = text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
    .replace(/\p{Cc}/gu, (control) => [...Buffer.from(control)].map(escapedOctet).join(''));
  return `${shortName}=${escaped}`;
}

function escapedOctet(octet: number): string {
  return `\\${octet.toString(16).padStart(2, '0')}`;
}

/** Equal for relative names that match: RFC 5280 §7.1, any order of their attributes. */
function relativeNameKey(attributes: RelativeName): string {
  return JSON.stringify(attributes.map(attributeKey).sort());
}

function attributeKey({ oid, text, value }: NameAttribute): string {
  return text === undefined ? `${oid}=#${toHex(value)}` : `${oid}=${preparedText(text)}`;
}

/**
 * The string preparation of RFC 4518 §2 with case folding, as RFC 5280 §7.1 asks: characters that
 * map to nothing go, white space is one space, the ends are trimmed.
 */
function preparedText(text: string): string {
  return text
    .replace(/\p{White_Space}/gu, ' ')
    .replace(/\p{Cc}|\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFKC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/ +/g, ' ')
    .trim();
}

const relativeNamesMax = 64;
const attributesMax = 16;
