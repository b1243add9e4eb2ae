import { type DerElement, type DerReader, DerTag } from './der-reader.ts';
import { derSequenceOf } from './der-sequence.ts';
import { derAscii, derIntegerHex, derObjectIdentifier, derText } from './der-value.ts';
import { PolicyQualifierOid } from './object-identifier.ts';

/** A notice for people, or where to find it — RFC 5280 §4.2.1.4 UserNotice. */
interface UserNotice {
  readonly kind: 'userNotice';
  readonly noticeReference:
    | {
        readonly organization: string;
        /** Content octets of each INTEGER, lower-case hex. */
        readonly noticeNumbers: readonly string[];
      }
    | undefined;
  readonly explicitText: string | undefined;
}

/** What is said about a policy — RFC 5280 §4.2.1.4; a type that is not known is kept as DER. */
export type PolicyQualifier =
  | { readonly kind: 'cps'; readonly uri: string }
  | UserNotice
  | { readonly kind: 'unknown'; readonly oid: string; readonly der: Uint8Array };

/** One policy of certificatePolicies — RFC 5280 §4.2.1.4. */
export interface PolicyInformation {
  /** Object identifier; `ANY_POLICY_OID` stands for all. */
  readonly policy: string;
  readonly qualifiers: readonly PolicyQualifier[];
}

/** One pair of policyMappings — RFC 5280 §4.2.1.5. */
export interface PolicyMapping {
  readonly issuerDomainPolicy: string;
  readonly subjectDomainPolicy: string;
}

/** RFC 5280 §4.2.1.4: no policy twice. */
export function derCertificatePolicies(reader: DerReader): PolicyInformation[] {
  const policies = derSequenceOf(reader, policyInformation);
  if (new Set(policies.map(({ policy }) => policy)).size !== policies.length) {
    throw reader.fault('a policy stands twice');
  }
  return policies;
}

export function derPolicyMapping(reader: DerReader): PolicyMapping {
  const inner = reader.enter(DerTag.sequence);
  const issuerDomainPolicy = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  const subjectDomainPolicy = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  inner.expectEnd();
  return { issuerDomainPolicy, subjectDomainPolicy };
}

function policyInformation(reader: DerReader): PolicyInformation {
  const inner = reader.enter(DerTag.sequence);
  const policy = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  const qualifiers = inner.atEnd ? [] : derSequenceOf(inner, policyQualifier);
  inner.expectEnd();
  return { policy, qualifiers };
}

function policyQualifier(reader: DerReader): PolicyQualifier {
  const inner = reader.enter(DerTag.sequence);
  const oid = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  const qualifier = qualifierOf(oid, inner);
  inner.expectEnd();
  return qualifier;
}

function qualifierOf(oid: string, reader: DerReader): PolicyQualifier {
  switch (oid) {
    case PolicyQualifierOid.cps:
      return { kind: 'cps', uri: derAscii(reader.element(DerTag.ia5String)) };
    case PolicyQualifierOid.userNotice:
      return userNotice(reader);
    default:
      return { kind: 'unknown', oid, der: reader.any().der };
  }
}

function userNotice(reader: DerReader): UserNotice {
  const inner = reader.enter(DerTag.sequence);
  const reference = inner.enterOptional(DerTag.sequence);
  let noticeReference: UserNotice['noticeReference'];
  if (reference !== undefined) {
    const organization = displayText(reference.any(), reference);
    const numbers = reference.enter(DerTag.sequence);
    const noticeNumbers: string[] = [];
    while (!numbers.atEnd) {
      if (noticeNumbers.length >= noticeNumbersMax) {
        throw numbers.beyond('noticeNumbersMax', noticeNumbersMax, 'notice numbers');
      }
      noticeNumbers.push(derIntegerHex(numbers.element(DerTag.integer)));
    }
    reference.expectEnd();
    noticeReference = { organization, noticeNumbers };
  }
  const explicitText = inner.atEnd ? undefined : displayText(inner.any(), inner);
  inner.expectEnd();
  return { kind: 'userNotice', noticeReference, explicitText };
}

/**
 * DisplayText. More than 200 characters are read: "certificate users SHOULD gracefully handle
 * explicitText with more than 200 characters" — RFC 5280 §4.2.1.4.
 */
function displayText(element: DerElement, reader: DerReader): string {
  const text = displayTextTags.has(element.tag)
    ? derText(element)
    : element.tag === DerTag.visibleString
      ? derAscii(element)
      : undefined;
  if (text === undefined || text === '') {
    throw reader.fault('expected a DisplayText of one character at least', element.contentsOffset);
  }
  return text;
}

const displayTextTags: ReadonlySet<number> = new Set([
  DerTag.ia5String,
  DerTag.bmpString,
  DerTag.utf8String,
]);

const noticeNumbersMax = 256;
