import { SignatureAlgorithm } from '../wire/security-block.ts';
import type { Certificate } from './certificate.ts';
import type { KeyUsageBit } from './certificate-extension.ts';
import { NodeIdentityFault, nodeIdFromReloadUri } from './node-identity.ts';
import {
  ALL_ROLES,
  broken,
  type CertificateIdentity,
  isLeaf,
  LEAF_ROLES,
  OBEYED,
  type ProfileRole,
  type ProfileRule,
  type ProfileRules,
  pkixFinding,
  type RuleFinding,
  type RuleSubject,
  reloadUrisOf,
  undetermined,
} from './profile-rule.ts';
import { keySignatureAlgorithm } from './signature-verifier.ts';
import { bareJidFault, domainKey, isAscii, jidDomain } from './xmpp-address.ts';

/** The names of a leaf — XEP-0416 §3.2: one XmppAddr, one reload URI, the rfc822Name. */
export function xep0416Identity(
  certificate: Certificate,
  rules: ProfileRules,
): CertificateIdentity | undefined {
  const names = certificate.extensions.subjectAltName;
  const [xmppAddr, secondAddr] = names?.xmppAddrs ?? [];
  const [uri, secondUri] = reloadUrisOf(certificate);
  if (xmppAddr === undefined || secondAddr !== undefined) return undefined;
  if (uri === undefined || secondUri !== undefined) return undefined;
  if (bareJidFault(xmppAddr) !== undefined) return undefined;
  if (mailboxNameFault(xmppAddr, names?.rfc822Names ?? []) !== undefined) return undefined;
  const nodeId = nodeIdFromReloadUri(uri, rules);
  if (nodeId instanceof NodeIdentityFault) return undefined;
  return { nodeIds: [nodeId], userName: xmppAddr, xmppAddr };
}

/** A domain-associated certificate is an intermediate one with a DNS-ID — XEP-0416 §2. */
export function intermediateRole({ extensions }: Certificate): ProfileRole {
  const hasDomain = (extensions.subjectAltName?.dnsNames.length ?? 0) > 0;
  return hasDomain ? 'domain-associated' : 'intermediate';
}

function keyUsageFinding(bit: KeyUsageBit): (subject: RuleSubject) => RuleFinding {
  return ({ certificate }) =>
    certificate.extensions.keyUsage?.has(bit) === true
      ? OBEYED
      : broken(`keyUsage with ${bit} is missing`);
}

function authorityFinding({ certificate }: RuleSubject): RuleFinding {
  return certificate.extensions.basicConstraints?.isCa === true ? OBEYED : broken('cA is not TRUE');
}

function distributionPointFinding({ certificate }: RuleSubject): RuleFinding {
  const points = certificate.extensions.crlDistributionPoints ?? [];
  const hasUri = points.some(({ fullName }) => (fullName?.uris.length ?? 0) > 0);
  return hasUri ? OBEYED : broken('CRLDistributionPoints with a URI is missing');
}

/** The one XmppAddr that the rules about it speak of. */
function singleXmppAddr({ extensions }: Certificate): string | undefined {
  const xmppAddrs = extensions.subjectAltName?.xmppAddrs ?? [];
  return xmppAddrs.length === 1 ? xmppAddrs[0] : undefined;
}

function xmppAddrFinding({ certificate }: RuleSubject): RuleFinding {
  const xmppAddr = singleXmppAddr(certificate);
  if (xmppAddr === undefined) return NO_SINGLE_XMPP_ADDR;
  const fault = bareJidFault(xmppAddr);
  return fault === undefined ? OBEYED : broken(`${JSON.stringify(xmppAddr)}: ${fault}`);
}

function mailboxNameFinding({ certificate }: RuleSubject): RuleFinding {
  const xmppAddr = singleXmppAddr(certificate);
  if (xmppAddr === undefined) return NO_SINGLE_XMPP_ADDR;
  if (bareJidFault(xmppAddr) !== undefined) return undetermined('the XmppAddr is no bare JID');
  const rfc822Names = certificate.extensions.subjectAltName?.rfc822Names ?? [];
  const fault = mailboxNameFault(xmppAddr, rfc822Names);
  return fault === undefined ? OBEYED : broken(fault);
}

/** What is wrong with the rfc822Names beside this XmppAddr. */
function mailboxNameFault(xmppAddr: string, rfc822Names: readonly string[]): string | undefined {
  const expected = isAscii(xmppAddr) ? [xmppAddr] : [];
  const isAsExpected =
    rfc822Names.length === expected.length && rfc822Names.every((name) => name === xmppAddr);
  if (isAsExpected) return undefined;
  const wanted = expected.length === 0 ? 'none, since the XmppAddr is not ASCII' : xmppAddr;
  return `expected rfc822Name ${wanted}, got ${rfc822Names.join(', ') || 'none'}`;
}

/** One part of the reload URI; the parts are judged in the order in which they stand here. */
function uriFinding(part: NodeIdentityFault['part']): (subject: RuleSubject) => RuleFinding {
  return ({ certificate, rules }) => {
    const [uri, second] = reloadUrisOf(certificate);
    if (uri === undefined || second !== undefined) return undetermined('there is no single one');
    const nodeId = nodeIdFromReloadUri(uri, rules);
    if (!(nodeId instanceof NodeIdentityFault)) return OBEYED;
    if (nodeId.part === part) return broken(nodeId.detail);
    return undetermined('another part of the URI is wrong');
  };
}

/** "The associated domain name encoded as DNS-ID": one, since rules speak of *the* domain. */
function domainNameFinding({ certificate }: RuleSubject): RuleFinding {
  const count = certificate.extensions.subjectAltName?.dnsNames.length ?? 0;
  return count === 1 ? OBEYED : broken(`expected one dNSName, got ${count}`);
}

function wildcardFinding({ certificate }: RuleSubject): RuleFinding {
  const domains = certificate.extensions.subjectAltName?.dnsNames ?? [];
  const wildcard = domains.find((domain) => domain.includes('*'));
  return wildcard === undefined ? OBEYED : broken(`${wildcard} has a wildcard`);
}

/** The domain of the authority that signed; undefined where it is none of a domain. */
function issuerDomain(issuer: Certificate): string | undefined {
  return issuer.extensions.subjectAltName?.dnsNames[0];
}

function signsLeafFinding({ role, issuer }: RuleSubject): RuleFinding {
  if (issuer === undefined) return ISSUER_UNKNOWN;
  const domain = issuerDomain(issuer);
  if (domain === undefined || isLeaf(role)) return OBEYED;
  return broken(`the authority of ${domain} may sign nothing but leaf certificates`);
}

function sameDomainFinding({ certificate, issuer }: RuleSubject): RuleFinding {
  if (issuer === undefined) return ISSUER_UNKNOWN;
  const domain = issuerDomain(issuer);
  if (domain === undefined) return OBEYED;
  const xmppAddr = certificate.extensions.subjectAltName?.xmppAddrs[0];
  if (xmppAddr !== undefined && domainKey(jidDomain(xmppAddr)) === domainKey(domain)) return OBEYED;
  return broken(`the authority of ${domain} signed a certificate of ${xmppAddr ?? 'nobody'}`);
}

const NO_SINGLE_XMPP_ADDR = undetermined('there is no single XmppAddr');
const ISSUER_UNKNOWN = undetermined('its issuer is a root, or is not known here');

const REQUIREMENTS = {
  section: 'XEP-0416 §3.2',
  level: 'MUST',
  code: 'certificate-profile',
} as const;
const VALIDATION = { section: 'XEP-0416 §4', level: 'MUST', code: 'domain' } as const;

/** "The following rules apply to any certificate". */
const commonRules: readonly ProfileRule[] = [
  {
    ...REQUIREMENTS,
    name: 'rfc5280',
    demand: 'any certificate, 1: it conforms to RFC 5280',
    roles: ALL_ROLES,
    find: pkixFinding,
  },
  {
    ...REQUIREMENTS,
    name: 'subject',
    demand: 'any certificate, 2: the subject is not null',
    roles: ALL_ROLES,
    find: ({ certificate }) =>
      certificate.subject.isEmpty ? broken('the subject is empty') : OBEYED,
  },
  {
    ...REQUIREMENTS,
    name: 'key-usage-digital-signature',
    demand: 'any certificate, 3: keyUsage with digitalSignature',
    roles: ALL_ROLES,
    find: keyUsageFinding('digitalSignature'),
  },
  {
    ...REQUIREMENTS,
    name: 'elliptic-curve',
    level: 'SHOULD',
    demand: 'any certificate, 4: elliptic-curve cryptography',
    roles: ALL_ROLES,
    find: ({ certificate }) =>
      keySignatureAlgorithm(certificate) === SignatureAlgorithm.ecdsa
        ? OBEYED
        : broken('the key is no elliptic-curve key'),
  },
];

/** "The following rules apply to leaf certificates". */
const leafRules: readonly ProfileRule[] = [
  {
    ...REQUIREMENTS,
    name: 'leaf-basic-constraints',
    demand: 'leaf, 1: no basicConstraints with cA TRUE',
    roles: LEAF_ROLES,
    find: ({ certificate }) =>
      certificate.extensions.basicConstraints?.isCa === true ? broken('cA is TRUE') : OBEYED,
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-crl-distribution-point',
    demand: 'leaf, 2: CRLDistributionPoints with a URI',
    roles: LEAF_ROLES,
    find: distributionPointFinding,
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-single-xmpp-addr',
    demand: 'leaf, 3: a single XMPP address as XmppAddr',
    roles: LEAF_ROLES,
    find: ({ certificate }) => {
      const count = certificate.extensions.subjectAltName?.xmppAddrs.length ?? 0;
      return count === 1 ? OBEYED : broken(`expected one XmppAddr, got ${count}`);
    },
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-xmpp-addr',
    demand: 'leaf, 3: the XmppAddr is the bare JID of a user (RFC 6120 §13.7.1.4)',
    roles: LEAF_ROLES,
    find: xmppAddrFinding,
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-rfc822-name',
    demand: 'leaf, 5: an ASCII address stands as the one rfc822Name too, another does not',
    roles: LEAF_ROLES,
    find: mailboxNameFinding,
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-single-reload-uri',
    code: 'node-id',
    demand: 'leaf, 4: a single reload URI',
    roles: LEAF_ROLES,
    find: ({ certificate }) => {
      const count = reloadUrisOf(certificate).length;
      return count === 1 ? OBEYED : broken(`expected one reload URI, got ${count}`);
    },
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-reload-uri',
    code: 'node-id',
    demand: 'leaf, 4: its "destination" is a Node-ID',
    roles: LEAF_ROLES,
    find: uriFinding('destination'),
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-reload-overlay',
    code: 'node-id',
    demand: 'leaf, 4: its "overlay" is the one in force (xmpp.org)',
    roles: LEAF_ROLES,
    find: uriFinding('overlay'),
  },
  {
    ...REQUIREMENTS,
    name: 'leaf-reload-specifier',
    code: 'node-id',
    demand: 'leaf, 4: its "specifier" is empty',
    roles: LEAF_ROLES,
    find: uriFinding('specifier'),
  },
];

/** keyCertSign and cA TRUE: the same two rules for each kind of authority, under its name. */
function signingRules(role: ProfileRole): ProfileRule[] {
  return [
    {
      ...REQUIREMENTS,
      name: `${role}-key-cert-sign`,
      demand: `${role}, 1: keyUsage with keyCertSign`,
      roles: [role],
      find: keyUsageFinding('keyCertSign'),
    },
    {
      ...REQUIREMENTS,
      name: `${role}-basic-constraints`,
      demand: `${role}, 2: basicConstraints with cA TRUE`,
      roles: [role],
      find: authorityFinding,
    },
  ];
}

function distributionPointRule(role: ProfileRole): ProfileRule {
  return {
    ...REQUIREMENTS,
    name: `${role}-crl-distribution-point`,
    demand: `${role}, 3: CRLDistributionPoints with a URI`,
    roles: [role],
    find: distributionPointFinding,
  };
}

/** The rules for domain-associated, other intermediate and root certificates. */
const authorityRules: readonly ProfileRule[] = [
  ...signingRules('domain-associated'),
  {
    ...REQUIREMENTS,
    name: 'domain-associated-path-length',
    demand: 'domain-associated, 2: pathLenConstraint 0',
    roles: ['domain-associated'],
    find: ({ certificate }) => {
      const found = certificate.extensions.basicConstraints?.pathLength ?? 'none';
      return found === 0 ? OBEYED : broken(`expected pathLenConstraint 0, got ${found}`);
    },
  },
  distributionPointRule('domain-associated'),
  {
    ...REQUIREMENTS,
    name: 'domain-associated-domain-name',
    demand: 'domain-associated, 4: the domain name as DNS-ID',
    roles: ['domain-associated'],
    find: domainNameFinding,
  },
  {
    ...REQUIREMENTS,
    name: 'domain-associated-wildcard',
    demand: 'domain-associated, 4: no wildcard in the domain name',
    roles: ['domain-associated'],
    find: wildcardFinding,
  },
  ...signingRules('intermediate'),
  distributionPointRule('intermediate'),
  ...signingRules('root'),
];

/** "In the case when it is signed by a domain-associated certificate". */
const validationRules: readonly ProfileRule[] = [
  {
    ...VALIDATION,
    name: 'domain-associated-signs-leaf',
    demand: 'what a domain-associated certificate signed is a leaf',
    roles: [...LEAF_ROLES, 'domain-associated', 'intermediate'],
    find: signsLeafFinding,
  },
  {
    ...VALIDATION,
    name: 'domain-associated-domain',
    demand: 'the domain of the domain-associated issuer is that of the XmppAddr',
    roles: LEAF_ROLES,
    find: sameDomainFinding,
  },
];

/** The rules of XEP-0416 §3.2 and §4, each a check of its own. */
export const xep0416Rules: readonly ProfileRule[] = [
  ...commonRules,
  ...leafRules,
  ...authorityRules,
  ...validationRules,
];
