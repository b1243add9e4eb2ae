import { SignatureAlgorithm } from '../wire/security-block.ts';
import type { Certificate } from './certificate.ts';
import type { KeyUsageBit } from './certificate-extension.ts';
import { isReloadUri, NodeIdentityFault, nodeIdFromReloadUri } from './node-identity.ts';
import type { ValidPath } from './path-validation.ts';
import { pkixFaults } from './pkix-profile.ts';
import {
  type CertificateIdentity,
  isLeaf,
  type ProfileFault,
  type ProfileRole,
  type ProfileRules,
  pathRoleOf,
} from './profile-rule.ts';
import { keySignatureAlgorithm } from './signature-verifier.ts';
import { bareJidFault, domainKey, isAscii, jidDomain } from './xmpp-address.ts';

/** Every rule of XEP-0416 §3.2 that a certificate of this role breaks. */
export function xep0416Faults(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
): ProfileFault[] {
  return [
    ...commonFaults(certificate, role),
    ...(isLeaf(role) ? leafFaults(certificate, rules) : authorityFaults(certificate, role)),
  ];
}

/** The names of a leaf — XEP-0416 §3.2: one XmppAddr, one reload URI, the rfc822Name. */
export function xep0416Identity(
  certificate: Certificate,
  rules: ProfileRules,
): CertificateIdentity | undefined {
  const xmppAddr = certificate.extensions.subjectAltName?.xmppAddrs[0];
  const [uri] = reloadUris(certificate);
  if (xmppAddr === undefined || uri === undefined) return undefined;
  const nodeId = nodeIdFromReloadUri(uri, rules);
  if (nodeId instanceof NodeIdentityFault || nameFaults(certificate).length > 0) return undefined;
  return { nodeIds: [nodeId], userName: xmppAddr, xmppAddr };
}

/**
 * XEP-0416 §4: what a domain-associated certificate signed must be a leaf of its domain. Undefined
 * when the path obeys; the fault is the leaf's.
 */
export function domainAssociationFault(path: ValidPath): ProfileFault | undefined {
  const [leaf, ...intermediates] = path.certificates;
  const xmppAddr = leaf?.extensions.subjectAltName?.xmppAddrs[0];
  for (const [index, { extensions }] of intermediates.entries()) {
    const domain = extensions.subjectAltName?.dnsNames[0];
    if (domain === undefined) continue;
    if (index > 0) {
      const detail = `the authority of ${domain} may sign nothing but leaf certificates`;
      return fault('domain-associated-signs-leaf', detail, { section: VALIDATION, code: 'domain' });
    }
    if (xmppAddr === undefined || domainKey(jidDomain(xmppAddr)) !== domainKey(domain)) {
      const detail = `the authority of ${domain} signed a certificate of ${xmppAddr ?? 'nobody'}`;
      return fault('domain-associated-domain', detail, { section: VALIDATION, code: 'domain' });
    }
  }
  return undefined;
}

/** "The following rules apply to any certificate". */
function commonFaults(certificate: Certificate, role: ProfileRole): ProfileFault[] {
  const faults = pkixFaults(certificate, pathRoleOf(role)).map(({ rule, detail }) =>
    fault('rfc5280', `${rule}: ${detail}`),
  );
  if (certificate.subject.isEmpty) faults.push(fault('subject', 'the subject is empty'));
  if (!hasKeyUsage(certificate, 'digitalSignature')) {
    faults.push(fault('key-usage-digital-signature', 'keyUsage with digitalSignature is missing'));
  }
  if (keySignatureAlgorithm(certificate) !== SignatureAlgorithm.ecdsa) {
    faults.push(fault('elliptic-curve', 'the key is no elliptic-curve key', { level: 'SHOULD' }));
  }
  return faults;
}

/** "The following rules apply to leaf certificates". */
function leafFaults(certificate: Certificate, rules: ProfileRules): ProfileFault[] {
  const faults: ProfileFault[] = [];
  if (certificate.extensions.basicConstraints?.isCa === true) {
    faults.push(fault('leaf-basic-constraints', 'cA is TRUE'));
  }
  if (!hasDistributionUri(certificate)) {
    const detail = 'CRLDistributionPoints with a URI is missing';
    faults.push(fault('leaf-crl-distribution-point', detail));
  }
  faults.push(...nameFaults(certificate));
  const uris = reloadUris(certificate);
  const [uri] = uris;
  if (uri === undefined || uris.length > 1) {
    const detail = `expected one reload URI, got ${uris.length}`;
    faults.push(fault('leaf-single-reload-uri', detail, { code: 'node-id' }));
  } else {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    if (nodeId instanceof NodeIdentityFault) {
      faults.push(fault('leaf-reload-uri', nodeId.detail, { code: 'node-id' }));
    }
  }
  return faults;
}

/** The rules about XmppAddr and rfc822Name. */
function nameFaults({ extensions }: Certificate): ProfileFault[] {
  const xmppAddrs = extensions.subjectAltName?.xmppAddrs ?? [];
  const rfc822Names = extensions.subjectAltName?.rfc822Names ?? [];
  const [xmppAddr] = xmppAddrs;
  if (xmppAddr === undefined || xmppAddrs.length > 1) {
    return [fault('leaf-single-xmpp-addr', `expected one XmppAddr, got ${xmppAddrs.length}`)];
  }
  const jidFault = bareJidFault(xmppAddr);
  if (jidFault !== undefined) {
    return [fault('leaf-xmpp-addr', `${JSON.stringify(xmppAddr)}: ${jidFault}`)];
  }
  const expected = isAscii(xmppAddr) ? [xmppAddr] : [];
  const isAsExpected =
    rfc822Names.length === expected.length && rfc822Names.every((name) => name === xmppAddr);
  if (isAsExpected) return [];
  const wanted = expected.length === 0 ? 'none, since the XmppAddr is not ASCII' : xmppAddr;
  const detail = `expected rfc822Name ${wanted}, got ${rfc822Names.join(', ') || 'none'}`;
  return [fault('leaf-rfc822-name', detail)];
}

/** The rules for domain-associated, other intermediate and root certificates. */
function authorityFaults(certificate: Certificate, role: ProfileRole): ProfileFault[] {
  const { basicConstraints } = certificate.extensions;
  const faults: ProfileFault[] = [];
  if (!hasKeyUsage(certificate, 'keyCertSign')) {
    faults.push(fault(`${role}-key-cert-sign`, 'keyUsage with keyCertSign is missing'));
  }
  if (basicConstraints?.isCa !== true) {
    faults.push(fault(`${role}-basic-constraints`, 'cA is not TRUE'));
  }
  if (role === 'domain-associated' && basicConstraints?.pathLength !== 0) {
    const found = basicConstraints?.pathLength ?? 'none';
    faults.push(fault(`${role}-path-length`, `expected pathLenConstraint 0, got ${found}`));
  }
  if (role !== 'root' && !hasDistributionUri(certificate)) {
    const detail = 'CRLDistributionPoints with a URI is missing';
    faults.push(fault(`${role}-crl-distribution-point`, detail));
  }
  if (role === 'domain-associated') faults.push(...domainNameFaults(certificate));
  return faults;
}

/** "The associated domain name encoded as DNS-ID": one, since rules speak of *the* domain. */
function domainNameFaults({ extensions }: Certificate): ProfileFault[] {
  const domains = extensions.subjectAltName?.dnsNames ?? [];
  const faults: ProfileFault[] = [];
  if (domains.length !== 1) {
    const detail = `expected one dNSName, got ${domains.length}`;
    faults.push(fault('domain-associated-domain-name', detail));
  }
  const wildcard = domains.find((domain) => domain.includes('*'));
  if (wildcard !== undefined) {
    faults.push(fault('domain-associated-wildcard', `${wildcard} has a wildcard`));
  }
  return faults;
}

function reloadUris({ extensions }: Certificate): string[] {
  return (extensions.subjectAltName?.uris ?? []).filter(isReloadUri);
}

function hasKeyUsage({ extensions }: Certificate, bit: KeyUsageBit): boolean {
  return extensions.keyUsage?.has(bit) === true;
}

function hasDistributionUri({ extensions }: Certificate): boolean {
  return (extensions.crlDistributionPoints ?? []).some(
    ({ fullName }) => (fullName?.uris.length ?? 0) > 0,
  );
}

function fault(name: string, detail: string, others: Partial<ProfileFault> = {}): ProfileFault {
  const code = 'certificate-profile';
  return { name, section: REQUIREMENTS, level: 'MUST', code, detail, ...others };
}

const REQUIREMENTS = 'XEP-0416 §3.2';
const VALIDATION = 'XEP-0416 §4';
