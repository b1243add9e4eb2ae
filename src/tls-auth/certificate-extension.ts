import type { DistinguishedName, RelativeName } from './distinguished-name.ts';
import type { GeneralName, GeneralNames } from './general-name.ts';
import type { PolicyInformation, PolicyMapping } from './policy-extension.ts';

/** An extension as it stands in the certificate — RFC 5280 §4.1. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER of the extension's own type. */
  readonly value: Uint8Array;
}

/** basicConstraints — RFC 5280 §4.2.1.9. */
export interface BasicConstraints {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
}

/** keyUsage — RFC 5280 §4.2.1.3; bit n of the BIT STRING is the n-th name. */
export const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsageBit = (typeof KEY_USAGE_BITS)[number];

/** DistributionPointName — RFC 5280 §4.2.1.13; both are undefined where it is absent. */
export interface DistributionPointName {
  readonly fullName: GeneralNames | undefined;
  /** nameRelativeToCRLIssuer. */
  readonly relativeName: RelativeName | undefined;
}

/** A distribution point of CRLs — RFC 5280 §4.2.1.13. */
export interface DistributionPoint extends DistributionPointName {
  /** The reasons that it covers: bit n as in ReasonFlags; undefined means all. */
  readonly reasons: ReadonlySet<number> | undefined;
  /** Undefined where cRLIssuer is absent: the issuer of the certificate issues the list. */
  readonly crlIssuers: readonly DistinguishedName[] | undefined;
}

/** One subtree of a name constraint — RFC 5280 §4.2.1.10. */
export interface GeneralSubtree {
  readonly base: GeneralName;
  /** Minimum 0 and no maximum, as RFC 5280 demands. */
  readonly isPlain: boolean;
}

/** nameConstraints — RFC 5280 §4.2.1.10. */
export interface NameConstraints {
  readonly permitted: readonly GeneralSubtree[];
  readonly excluded: readonly GeneralSubtree[];
}

/** policyConstraints — RFC 5280 §4.2.1.11. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/** authorityKeyIdentifier — RFC 5280 §4.2.1.1. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly issuer: GeneralNames | undefined;
  /** Content octets of the INTEGER, lower-case hex. */
  readonly serialNumber: string | undefined;
}

/** Those extensions that this program reads; absent ones are undefined. */
export interface ReadExtensions {
  readonly subjectAltName?: GeneralNames;
  readonly issuerAltName?: GeneralNames;
  readonly basicConstraints?: BasicConstraints;
  readonly keyUsage?: ReadonlySet<KeyUsageBit>;
  /** Object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  readonly crlDistributionPoints?: readonly DistributionPoint[];
  readonly nameConstraints?: NameConstraints;
  readonly certificatePolicies?: readonly PolicyInformation[];
  readonly policyMappings?: readonly PolicyMapping[];
  readonly policyConstraints?: PolicyConstraints;
  readonly inhibitAnyPolicy?: number;
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifier;
  readonly subjectKeyIdentifier?: Uint8Array;
}

/** The extensions of a certificate. */
export interface CertificateExtensions extends ReadExtensions {
  /** All of them in their order, read or not. */
  readonly all: readonly CertificateExtension[];
}
