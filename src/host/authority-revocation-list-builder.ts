import { type KeyObject, sign } from 'node:crypto';
import * as asn1 from 'asn1js';
import type { RevocationListContent, RevocationListEntry } from '../ca/revocation-list-content.ts';
import { revocationReasonCodes } from '../ca/revocation-reason.ts';
import { ExtensionOid, SignatureOid } from '../tls-auth/object-identifier.ts';
import { fromHex } from '../wire/hex.ts';
import { distinguishedName, keyIdentifierOf } from './authority-certificate-builder.ts';

/**
 * Makes the certificate revocation list (RFC 5280 §5) that says `content`, signed by the issuer's
 * key. Returns DER. @peculiar/x509's generator is not used: it gives an entry without a reason an
 * empty list of extensions, which RFC 5280 §5.1 forbids, and its time grows with the square of the
 * number of entries.
 */
export function buildRevocationList(
  content: RevocationListContent,
  issuerKey: { readonly privateKey: KeyObject; readonly subjectPublicKeyInfo: Uint8Array },
): Uint8Array {
  const algorithm = signatureAlgorithmOf(issuerKey.privateKey);
  const list = new asn1.Sequence({
    value: [
      new asn1.Integer({ value: VERSION_2 }),
      algorithm.identifier,
      parsed(new Uint8Array(distinguishedName(content.issuerCommonName).toArrayBuffer())),
      time(content.thisUpdateUnixMs),
      time(content.nextUpdateUnixMs),
      // "When there are no revoked certificates, the revoked certificates list MUST be absent."
      ...(content.entries.length === 0 ? [] : [sequence(content.entries.map(entry))]),
      new asn1.Constructed({
        idBlock: { tagClass: 3, tagNumber: 0 },
        value: [sequence(listExtensions(content.number, issuerKey.subjectPublicKeyInfo))],
      }),
    ],
  });
  const signed = Buffer.from(list.toBER());
  const signature = sign(algorithm.hash, signed, issuerKey.privateKey);
  const whole = sequence([
    parsed(signed),
    algorithm.identifier,
    new asn1.BitString({ valueHex: Uint8Array.from(signature).buffer }),
  ]);
  return new Uint8Array(whole.toBER());
}

function entry(revoked: RevocationListEntry): asn1.BaseBlock {
  const reason = revocationReasonCodes[revoked.reason];
  const extensions =
    // "the reason code CRL entry extension SHOULD be absent instead of using the unspecified" one.
    reason === 0
      ? []
      : [sequence([extension(REASON_CODE_OID, new asn1.Enumerated({ value: reason }))])];
  return sequence([
    integer(fromHex(revoked.serialNumber)),
    time(revoked.revokedUnixMs),
    ...extensions,
  ]);
}

function listExtensions(number: number, issuerKey: Uint8Array): asn1.BaseBlock[] {
  const keyIdentifier = new asn1.Primitive({
    idBlock: { tagClass: 3, tagNumber: 0 },
    valueHex: Uint8Array.from(keyIdentifierOf(issuerKey)).buffer,
  });
  return [
    extension(ExtensionOid.authorityKeyIdentifier, sequence([keyIdentifier])),
    extension(CRL_NUMBER_OID, new asn1.Integer({ value: number })),
  ];
}

function extension(oid: string, value: asn1.BaseBlock): asn1.BaseBlock {
  return sequence([
    new asn1.ObjectIdentifier({ value: oid }),
    new asn1.OctetString({ valueHex: value.toBER() }),
  ]);
}

/** Time — RFC 5280 §5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(unixMs: number): asn1.BaseBlock {
  const valueDate = new Date(unixMs - (unixMs % 1000));
  return valueDate.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? new asn1.UTCTime({ valueDate })
    : new asn1.GeneralizedTime({ valueDate });
}

function integer(bytes: Uint8Array): asn1.BaseBlock {
  return new asn1.Integer({ valueHex: Uint8Array.from(bytes).buffer });
}

function sequence(value: asn1.BaseBlock[]): asn1.Sequence {
  return new asn1.Sequence({ value });
}

function parsed(der: Uint8Array): asn1.BaseBlock {
  return asn1.fromBER(Uint8Array.from(der).buffer).result;
}

function signatureAlgorithmOf(key: KeyObject): { identifier: asn1.Sequence; hash: string } {
  if (key.asymmetricKeyType === 'rsa') {
    const oid = new asn1.ObjectIdentifier({ value: SignatureOid.rsaWithSha256 });
    return { identifier: sequence([oid, new asn1.Null()]), hash: 'sha256' };
  }
  const isP384 = key.asymmetricKeyDetails?.namedCurve === 'secp384r1';
  const value = isP384 ? SignatureOid.ecdsaWithSha384 : SignatureOid.ecdsaWithSha256;
  const identifier = sequence([new asn1.ObjectIdentifier({ value })]);
  return { identifier, hash: isP384 ? 'sha384' : 'sha256' };
}

const VERSION_2 = 1;
const FIRST_GENERALIZED_YEAR = 2050;
const CRL_NUMBER_OID = '2.5.29.20';
const REASON_CODE_OID = '2.5.29.21';
