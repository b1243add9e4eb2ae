import { type KeyObject, sign } from 'node:crypto';
import * as asn1 from 'asn1js';
import type {
  RevocationListContent,
  RevocationListEntry,
} from '../../ca/revocation-list-content.ts';
import { revocationReasonCodes } from '../../ca/revocation-reason.ts';
import { ExtensionOid } from '../../tls-auth/object-identifier.ts';
import { fromHex } from '../../wire/hex.ts';
import {
  bitStringOf,
  contextConstructed,
  contextPrimitive,
  encoded,
  extension,
  integerOf,
  sequence,
  signatureAlgorithmOf,
} from '../enrollment/request-asn1.ts';
import { distinguishedName, keyIdentifierOf } from './certificate-builder.ts';

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
  const list = sequence([
    new asn1.Integer({ value: VERSION_2 }),
    algorithm.identifier,
    encoded(new Uint8Array(distinguishedName(content.issuerCommonName).toArrayBuffer())),
    time(content.thisUpdateUnixMs),
    time(content.nextUpdateUnixMs),
    // "When there are no revoked certificates, the revoked certificates list MUST be absent."
    ...(content.entries.length === 0 ? [] : [sequence(content.entries.map(entry))]),
    contextConstructed(0, [
      sequence(listExtensions(content.number, issuerKey.subjectPublicKeyInfo)),
    ]),
  ]);
  const signature = sign(algorithm.hash, Buffer.from(list.toBER()), issuerKey.privateKey);
  return new Uint8Array(sequence([list, algorithm.identifier, bitStringOf(signature)]).toBER());
}

function entry(revoked: RevocationListEntry): asn1.BaseBlock {
  const value = revocationReasonCodes[revoked.reason];
  const fields = [integerOf(fromHex(revoked.serialNumber)), time(revoked.revokedUnixMs)];
  // RFC 5280 §5.3.1: the reason "SHOULD be absent instead of using the unspecified (0)" one.
  if (value === 0) return sequence(fields);
  const reason = extension(REASON_CODE_OID, new asn1.Enumerated({ value }).toBER());
  return sequence([...fields, sequence([reason])]);
}

function listExtensions(number: number, issuerKey: Uint8Array): asn1.BaseBlock[] {
  const keyIdentifier = sequence([contextPrimitive(0, keyIdentifierOf(issuerKey))]);
  return [
    extension(ExtensionOid.authorityKeyIdentifier, keyIdentifier.toBER()),
    extension(CRL_NUMBER_OID, new asn1.Integer({ value: number }).toBER()),
  ];
}

/** Time — RFC 5280 §5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(unixMs: number): asn1.BaseBlock {
  const valueDate = new Date(unixMs - (unixMs % 1000));
  return valueDate.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? new asn1.UTCTime({ valueDate })
    : new asn1.GeneralizedTime({ valueDate });
}

const VERSION_2 = 1;
const FIRST_GENERALIZED_YEAR = 2050;
const CRL_NUMBER_OID = '2.5.29.20';
const REASON_CODE_OID = '2.5.29.21';
