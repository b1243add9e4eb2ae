import { DerTag } from '../tls-auth/der-reader.ts';
import {
  der,
  explicit,
  integer,
  objectIdentifier,
  sequence,
  time,
} from '../tls-auth/der-writer.ts';
import { ListExtensionOid } from '../tls-auth/object-identifier.ts';
import { fromHex } from '../wire/hex.ts';
import {
  encodeAuthorityKeyIdentifier,
  encodeCommonName,
  encodeDistributionPointName,
  encodeExtension,
} from './certificate-encoding.ts';
import type { RevocationListContent, RevocationListEntry } from './revocation-list-content.ts';
import { revocationReasonCodes } from './revocation-reason.ts';
import { signatureSchemeOf } from './signature-scheme.ts';

/** TBSCertList (RFC 5280 §5.1.2) in DER; `issuerKey` is a SubjectPublicKeyInfo in DER. */
export function encodeTbsCertList(
  content: RevocationListContent,
  issuerKey: Uint8Array,
): Uint8Array {
  const { entries, distributionPointUrl: url } = content;
  const extensions = [
    encodeAuthorityKeyIdentifier(issuerKey),
    encodeExtension(CRL_NUMBER, false, integer(content.number)),
    ...(url === undefined
      ? []
      : // "Although the extension is critical, conforming implementations are not required to
        // support" it — RFC 5280 §5.2.5.
        [encodeExtension(ISSUING_POINT, true, sequence(encodeDistributionPointName(url)))]),
  ];
  return sequence(
    VERSION_2,
    signatureSchemeOf(issuerKey).identifier,
    encodeCommonName(content.issuerCommonName),
    time(content.thisUpdateUnixMs),
    time(content.nextUpdateUnixMs),
    // "When there are no revoked certificates, the revoked certificates list MUST be absent."
    ...(entries.length === 0 ? [] : [sequence(...entries.map(encodeEntry))]),
    explicit(0, sequence(...extensions)),
  );
}

function encodeEntry({ serialNumber, revokedUnixMs, reason }: RevocationListEntry): Uint8Array {
  const code = revocationReasonCodes[reason];
  const serial = der(DerTag.integer, fromHex(serialNumber));
  // RFC 5280 §5.3.1: the reason "SHOULD be absent instead of using the unspecified (0)" one.
  if (code === 0) return sequence(serial, time(revokedUnixMs));
  const value = der(DerTag.enumerated, Uint8Array.of(code));
  const extensions = sequence(encodeExtension(REASON_CODE, false, value));
  return sequence(serial, time(revokedUnixMs), extensions);
}

const VERSION_2 = integer(1);
const CRL_NUMBER = objectIdentifier(ListExtensionOid.crlNumber);
const REASON_CODE = objectIdentifier(ListExtensionOid.reasonCode);
const ISSUING_POINT = objectIdentifier(ListExtensionOid.issuingDistributionPoint);
