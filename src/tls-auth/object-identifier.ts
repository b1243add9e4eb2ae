/** Object identifiers as dotted decimals, grouped by what they name. */

/** Extensions of certificates — RFC 5280 §4.2. */
export const ExtensionOid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  subjectInfoAccess: '1.3.6.1.5.5.7.1.11',
} as const;

/** Extensions of revocation lists and of their entries — RFC 5280 §5.2, §5.3. */
export const ListExtensionOid = {
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
} as const;

/** anyPolicy — RFC 5280 §4.2.1.4. */
export const ANY_POLICY_OID = '2.5.29.32.0';

/** Qualifiers of policies — RFC 5280 §4.2.1.4. */
export const PolicyQualifierOid = {
  cps: '1.3.6.1.5.5.7.2.1',
  userNotice: '1.3.6.1.5.5.7.2.2',
} as const;

/** id-on-xmppAddr — RFC 6120 §13.7.1.4. */
export const XMPP_ADDR_OID = '1.3.6.1.5.5.7.8.5';

/** Purposes of a key — RFC 5280 §4.2.1.12. */
export const KeyPurposeOid = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** emailAddress in a distinguished name — RFC 5280 §4.1.2.6. */
export const EMAIL_ADDRESS_OID = '1.2.840.113549.1.9.1';

/** Short names of attribute types: RFC 4514 §3, and emailAddress for the reader's sake. */
export const ATTRIBUTE_SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.6', 'C'],
  ['2.5.4.9', 'STREET'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  [EMAIL_ADDRESS_OID, 'emailAddress'],
]);

/** Algorithms of keys and their curves — RFC 3279 §2.3, RFC 5480 §2.1.1. */
export const KeyOid = {
  rsa: '1.2.840.113549.1.1.1',
  ec: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  secp256k1: '1.3.132.0.10',
} as const;

/** Signature algorithms of certificates that we verify — RFC 4055 §5, RFC 5758 §3.2. */
export const SignatureOid = {
  rsaWithSha256: '1.2.840.113549.1.1.11',
  rsaWithSha384: '1.2.840.113549.1.1.12',
  rsaWithSha512: '1.2.840.113549.1.1.13',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
} as const;
