import { type Certificate, parseCertificate } from '../tls-auth/certificate.ts';
import { certificatesInFile, fileLengthMax } from '../tls-auth/certificate-file.ts';
import { leafIdentity, profileChecks } from '../tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { formatUnixMs } from '../tls-auth/der-time.ts';
import { generalNameText } from '../tls-auth/general-name.ts';
import { keyFault } from '../tls-auth/key-strength.ts';
import { isReloadUri, NodeIdentityFault, nodeIdFromReloadUri } from '../tls-auth/node-identity.ts';
import { signatureRefusal } from '../tls-auth/path-building.ts';
import type { ProfileCheck, ProfileRole, ProfileRules } from '../tls-auth/profile-rule.ts';
import { intermediateRole } from '../tls-auth/profile-xep0416.ts';
import { verifyWithKey } from '../tls-auth/signature-verifier.ts';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';

/** What `xor cert inspect` says about one certificate. */
export interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  /** Hex. */
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly isValidNow: boolean;
  readonly fingerprintSha256: string;
  readonly role: ProfileRole;
  /** As found, whatever other rule is broken; null where there is none. */
  readonly nodeId: string | null;
  readonly nodeIds: readonly string[];
  readonly jid: string | null;
  /** RELOAD's user name; null unless the rules about names are obeyed. */
  readonly userName: string | null;
  readonly overlay: string | null;
  readonly names: readonly string[];
  readonly key: string;
  readonly profile: CertificateProfile;
  /** No MUST of the profile is broken; the signature and the path are not looked at. */
  readonly obeysProfile: boolean;
  readonly brokenRules: readonly BrokenRule[];
  /** Every rule of the profile for this role. */
  readonly rules: readonly RuleReport[];
}

export interface BrokenRule {
  readonly rule: string;
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly detail: string;
}

export interface RuleReport {
  readonly rule: string;
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly demand: string;
  /** `undetermined`: what the rule speaks of is not there; `detail` says what. */
  readonly outcome: 'obeyed' | 'broken' | 'undetermined';
  /** null where the rule is obeyed. */
  readonly detail: string | null;
}

export interface ReportOptions {
  readonly profile: CertificateProfile;
  /** instance-name to compare with; undefined takes the certificate's own. */
  readonly overlayName: string | undefined;
  /** What the certificate shall be; undefined takes what it says of itself. */
  readonly role?: ProfileRole | undefined;
  readonly unixMs: number;
}

/**
 * `xor cert inspect FILE`: one report for each certificate of a PEM or DER file, in its order.
 * A string says why the file cannot be read. Never throws.
 */
export function certificateReports(
  file: Uint8Array,
  options: ReportOptions,
): CertificateReport[] | string {
  if (file.length > fileLengthMax) {
    return `too-large: expected at most ${fileLengthMax} bytes, got ${file.length}`;
  }
  const found = certificatesInFile(file);
  if (found === undefined) return 'expected a certificate in PEM or DER';
  const certificates: Certificate[] = [];
  for (const [index, der] of found.entries()) {
    const certificate = parseCertificate(der);
    if (certificate instanceof CertificateRefusal) {
      return `certificate ${index + 1} of ${found.length}: ${certificate.describe()}`;
    }
    certificates.push(certificate);
  }
  const first = certificates.slice(0, issuersMax);
  return certificates.map((certificate, index) =>
    certificateReport(
      certificate,
      index < issuersMax ? issuerAmong(first, certificate) : undefined,
      options,
    ),
  );
}

/** The first other certificate of the file, not a root, whose name and key signed this one. */
function issuerAmong(
  certificates: readonly Certificate[],
  certificate: Certificate,
): Certificate | undefined {
  return certificates.find(
    (other) =>
      other !== certificate &&
      !other.isSelfIssued &&
      other.subject.equals(certificate.issuer) &&
      signatureRefusal(certificate, other, verifyWithKey) === undefined,
  );
}

/** What stands in a certificate, and every rule of the profile with what was found. */
function certificateReport(
  certificate: Certificate,
  issuer: Certificate | undefined,
  options: ReportOptions,
): CertificateReport {
  const { profile, unixMs } = options;
  const names = certificate.extensions.subjectAltName;
  const uris = (names?.uris ?? []).filter(isReloadUri);
  const overlay = uris.map(overlayOf).find((name) => name !== undefined);
  const overlayName = options.overlayName ?? overlay ?? 'xmpp.org';
  const rules: ProfileRules = { profile, overlayName, nodeIdLength: 16 };
  const role = options.role ?? roleOf(certificate);
  const checks = profileChecks(certificate, role, rules, issuer).map(ruleReport);
  const broken = checks.filter(({ outcome }) => outcome === 'broken');
  const nodeIds = uris.flatMap((uri) => {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    return nodeId instanceof NodeIdentityFault ? [] : [nodeId];
  });
  const { notBeforeUnixMs, notAfterUnixMs } = certificate;
  return {
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serialNumber: certificate.serialNumber,
    notBefore: formatUnixMs(notBeforeUnixMs),
    notAfter: formatUnixMs(notAfterUnixMs),
    isValidNow: unixMs >= notBeforeUnixMs && unixMs < notAfterUnixMs + 1000,
    fingerprintSha256: certificate.sha256,
    role,
    nodeId: nodeIds[0] ?? null,
    nodeIds,
    jid: names?.xmppAddrs[0] ?? null,
    userName: leafIdentity(certificate, rules)?.userName ?? null,
    overlay: overlay ?? null,
    names: (names?.all ?? []).map(generalNameText),
    key: keyText(certificate),
    profile,
    obeysProfile: broken.every(({ level }) => level !== 'MUST'),
    brokenRules: broken.map(({ rule, section, level, detail }) => ({
      rule,
      section,
      level,
      detail: detail ?? '',
    })),
    rules: checks,
  };
}

function ruleReport({ name, section, level, demand, finding }: ProfileCheck): RuleReport {
  const { outcome } = finding;
  const detail = finding.outcome === 'obeyed' ? null : finding.detail;
  return { rule: name, section, level, demand, outcome, detail };
}

/** The report for people. */
export function formatCertificateReport(report: CertificateReport): string {
  const lines = [
    `subject      ${report.subject || '(empty)'}`,
    `issuer       ${report.issuer || '(empty)'}`,
    `role         ${report.role}`,
    `Node-ID      ${report.nodeIds.join(', ') || 'none'}`,
    `XMPP address ${report.jid === null ? 'none' : printable(report.jid)}`,
    `overlay      ${report.overlay ?? 'none'}`,
    `names        ${report.names.map(printable).join(', ') || 'none'}`,
    `key          ${report.key}`,
    `serial       ${report.serialNumber}`,
    `valid        ${report.notBefore} to ${report.notAfter}${report.isValidNow ? '' : ', not now'}`,
    `sha256       ${report.fingerprintSha256}`,
    `profile      ${report.profile}: ${report.obeysProfile ? 'obeyed' : 'BROKEN'}`,
  ];
  for (const { rule, section, level, detail } of report.brokenRules) {
    lines.push(`  ${level} ${rule} (${section}): ${printable(detail)}`);
  }
  lines.push(`rules for ${report.role}`, ...report.rules.map(ruleLine));
  return lines.join('\n');
}

function ruleLine({ rule, section, outcome, demand, detail }: RuleReport): string {
  const line = `  ${outcome.padEnd(12)} ${rule} (${section}; ${demand})`;
  return outcome === 'undetermined' ? `${line}: ${printable(detail ?? '')}` : line;
}

/** By what the certificate says of itself: nothing shows that it is trusted as that. */
function roleOf(certificate: Certificate): ProfileRole {
  if (certificate.extensions.basicConstraints?.isCa !== true) {
    return certificate.isSelfIssued ? 'self-signed' : 'leaf';
  }
  return certificate.isSelfIssued ? 'root' : intermediateRole(certificate);
}

function overlayOf(uri: string): string | undefined {
  return /^reload:\/\/[^@/]*@([^/@?#]+)/i.exec(uri)?.[1];
}

function keyText(certificate: Certificate): string {
  const key = certificate.publicKey();
  const bits = key?.asymmetricKeyDetails?.modulusLength;
  const kind = key?.asymmetricKeyDetails?.namedCurve ?? key?.asymmetricKeyType ?? 'unreadable';
  const weakness = keyFault(certificate.subjectPublicKeyInfo);
  const size = bits === undefined ? '' : ` ${bits}`;
  return `${kind}${size}${weakness === undefined ? '' : `: ${weakness}`}`;
}

/** Controls of a hostile certificate must not reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '�');
}

/** Certificates of a file that are looked at for issuers; each pair may cost a signature. */
const issuersMax = 64;
