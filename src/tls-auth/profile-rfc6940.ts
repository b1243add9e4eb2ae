import type { Certificate } from './certificate.ts';
import { generalNameText } from './general-name.ts';
import { isReloadUri, NodeIdentityFault, nodeIdFromReloadUri } from './node-identity.ts';
import {
  ALL_ROLES,
  broken,
  type CertificateIdentity,
  LEAF_ROLES,
  OBEYED,
  type ProfileRule,
  type ProfileRules,
  pkixFinding,
  type RuleFinding,
  type RuleSubject,
  reloadUrisOf,
} from './profile-rule.ts';

/** The names of a leaf — RFC 6940 §11.3: reload URIs and one rfc822Name. */
export function rfc6940Identity(
  certificate: Certificate,
  rules: ProfileRules,
): CertificateIdentity | undefined {
  const subject: RuleSubject = { certificate, role: 'leaf', rules, issuer: undefined };
  const names = certificate.extensions.subjectAltName;
  const userName = names?.rfc822Names[0];
  const isBroken = nameRules.some((rule) => rule.find(subject).outcome === 'broken');
  if (userName === undefined || isBroken) return undefined;
  const nodeIds = (names?.uris ?? []).flatMap((uri) => {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    return nodeId instanceof NodeIdentityFault ? [] : [nodeId];
  });
  return { nodeIds, userName, xmppAddr: undefined };
}

function otherNamesFinding({ certificate }: RuleSubject): RuleFinding {
  const other = certificate.extensions.subjectAltName?.all.find(
    (name) => name.form !== 'rfc822Name' && !(name.form === 'uri' && isReloadUri(name.text)),
  );
  if (other === undefined) return OBEYED;
  return broken(`subjectAltName has another name: ${generalNameText(other)}`);
}

function uriCountFinding({ certificate }: RuleSubject): RuleFinding {
  const { length } = reloadUrisOf(certificate);
  if (length > 0 && length <= nodeIdsMax) return OBEYED;
  return broken(`expected 1 to ${nodeIdsMax} reload URIs, got ${length}`);
}

function urisFinding({ certificate, rules }: RuleSubject): RuleFinding {
  const nodeIds = new Set<string>();
  for (const uri of reloadUrisOf(certificate).slice(0, nodeIdsMax)) {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    if (nodeId instanceof NodeIdentityFault) return broken(nodeId.detail);
    if (nodeIds.has(nodeId)) return broken(`Node-ID ${nodeId} stands twice`);
    nodeIds.add(nodeId);
  }
  return OBEYED;
}

/** RFC 6940 §11.3 warns of illegal characters such as NUL. */
function userNameFinding({ certificate }: RuleSubject): RuleFinding {
  const [userName, second] = certificate.extensions.subjectAltName?.rfc822Names ?? [];
  if (userName === undefined || second !== undefined) return OBEYED;
  if (/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(userName)) return OBEYED;
  return broken(`${JSON.stringify(userName)} is no mailbox name`);
}

const ENROLLMENT = {
  section: 'RFC 6940 §11.3',
  level: 'MUST',
  code: 'certificate-profile',
} as const;

/** The rules about the names of a leaf. */
const nameRules: readonly ProfileRule[] = [
  {
    ...ENROLLMENT,
    name: 'leaf-no-other-names',
    demand: 'subjectAltName holds reload URIs and the user name alone',
    roles: LEAF_ROLES,
    find: otherNamesFinding,
  },
  {
    ...ENROLLMENT,
    name: 'leaf-reload-uris',
    code: 'node-id',
    demand: 'one Node-ID or more, as reload URIs',
    roles: LEAF_ROLES,
    find: uriCountFinding,
  },
  {
    ...ENROLLMENT,
    name: 'leaf-reload-uri',
    code: 'node-id',
    demand: 'each reload URI names a Node-ID of this overlay, each another one',
    roles: LEAF_ROLES,
    find: urisFinding,
  },
  {
    ...ENROLLMENT,
    name: 'leaf-single-user-name',
    demand: 'a single name of the user, as rfc822Name',
    roles: LEAF_ROLES,
    find: ({ certificate }) => {
      const count = certificate.extensions.subjectAltName?.rfc822Names.length ?? 0;
      return count === 1 ? OBEYED : broken(`expected one rfc822Name, got ${count}`);
    },
  },
  {
    ...ENROLLMENT,
    name: 'leaf-user-name',
    demand: 'the name of the user is user@domain, without illegal characters',
    roles: LEAF_ROLES,
    find: userNameFinding,
  },
];

/** The rules of RFC 6940 §11.3, each a check of its own. */
export const rfc6940Rules: readonly ProfileRule[] = [
  {
    ...ENROLLMENT,
    name: 'rfc5280',
    demand: 'the certificate conforms to RFC 5280',
    roles: ALL_ROLES,
    find: pkixFinding,
  },
  {
    ...ENROLLMENT,
    name: 'leaf-empty-subject',
    demand: 'the subject is empty',
    // RFC 6940 §11.3.1 lets the holder of a self-signed one choose; RFC 5280 wants an issuer.
    roles: ['leaf'],
    find: ({ certificate: { subject } }) =>
      subject.isEmpty ? OBEYED : broken(`expected an empty subject, got "${subject.text}"`),
  },
  {
    ...ENROLLMENT,
    name: 'leaf-key-usage',
    // RFC 5280 §4.2.1.3: the key signs messages, so a keyUsage must allow it.
    demand: 'keyUsage, where there is one, has digitalSignature',
    roles: LEAF_ROLES,
    find: ({ certificate }) =>
      certificate.extensions.keyUsage?.has('digitalSignature') === false
        ? broken('keyUsage lacks digitalSignature')
        : OBEYED,
  },
  ...nameRules,
];

/** Node-IDs of one certificate. */
const nodeIdsMax = 16;
