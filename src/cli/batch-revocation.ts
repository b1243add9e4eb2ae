import type { Certificate } from '../tls-auth/certificate.ts';
import { revocationListsInText } from '../tls-auth/certificate-file.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import type { ValidPath } from '../tls-auth/path-validation.ts';
import { RevocationCheck } from '../tls-auth/revocation-check.ts';
import { parseRevocationList, type RevocationList } from '../tls-auth/revocation-list.ts';
import { verifyWithKey } from '../tls-auth/signature-verifier.ts';
import type { CaseFields } from './batch-fields.ts';

/** The fields `revocation` (`prefer` where it is absent) and `crls` of a batch case. */
export function batchRevocation(
  fields: CaseFields,
  pool: readonly Certificate[],
  unixMs: number,
): (path: ValidPath) => CertificateRefusal | undefined {
  const policy = fields.oneOf('revocation', ['require', 'prefer', 'off']) ?? 'prefer';
  const texts = fields.texts('crls');
  if (policy === 'off') return () => undefined;
  const lists: RevocationList[] = [];
  const unread: string[] = [];
  for (const der of texts.flatMap((text) => revocationListsInText(text) ?? [new Uint8Array(0)])) {
    const list = parseRevocationList(der);
    if (list instanceof CertificateRefusal) unread.push(list.describe());
    else lists.push(list);
  }
  const verifySignature = verifyWithKey;
  const check = new RevocationCheck({ lists, pool, verifySignature, unixMs, policy });
  const [first] = unread;
  if (first === undefined) return (path) => check.refusal(path);
  return (path) => refusalBesideUnread(check, path, first);
}

/**
 * A list that cannot be read is no list; but it may be the one that is missing. Whoever hands it
 * over holds it, so `prefer` does not pass what it may speak of.
 */
function refusalBesideUnread(
  check: RevocationCheck,
  path: ValidPath,
  unread: string,
): CertificateRefusal | undefined {
  const refusal = check.refusal(path) ?? openQuestion(check, path);
  if (refusal?.code !== 'revocation-undetermined') return refusal;
  const { code, certificate, rule, detail } = refusal;
  return new CertificateRefusal(code, certificate, rule, `${detail}; not read: ${unread}`);
}

/** The first certificate of which the lists do not say what its status is. */
function openQuestion(check: RevocationCheck, path: ValidPath): CertificateRefusal | undefined {
  for (const certificate of path.certificates.toReversed()) {
    const status = check.status(certificate, path);
    if (status.status !== 'undetermined') continue;
    const name = certificate.describe();
    return new CertificateRefusal('revocation-undetermined', name, status.rule, status.why);
  }
  return undefined;
}
