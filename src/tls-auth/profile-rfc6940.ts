import type { Certificate } from './certificate.ts';
import { generalNameText } from './general-name.ts';
import { isReloadUri, NodeIdentityFault, nodeIdFromReloadUri } from './node-identity.ts';
import { pkixFaults } from './pkix-profile.ts';
import {
  type CertificateIdentity,
  isLeaf,
  type ProfileFault,
  type ProfileRole,
  type ProfileRules,
  pathRoleOf,
} from './profile-rule.ts';

/** Every rule of RFC 6940 §11.3 that a certificate of this role breaks. */
export function rfc6940Faults(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
): ProfileFault[] {
  const faults = pkixFaults(certificate, pathRoleOf(role)).map(({ rule, detail }) =>
    fault('rfc5280', `${rule}: ${detail}`),
  );
  return isLeaf(role) ? [...faults, ...leafFaults(certificate, role, rules)] : faults;
}

/** The names of a leaf — RFC 6940 §11.3: reload URIs and one rfc822Name. */
export function rfc6940Identity(
  certificate: Certificate,
  rules: ProfileRules,
): CertificateIdentity | undefined {
  const names = certificate.extensions.subjectAltName;
  const userName = names?.rfc822Names[0];
  if (userName === undefined || nameFaults(certificate, rules).length > 0) return undefined;
  const nodeIds = (names?.uris ?? []).flatMap((uri) => {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    return nodeId instanceof NodeIdentityFault ? [] : [nodeId];
  });
  return { nodeIds, userName, xmppAddr: undefined };
}

function leafFaults(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
): ProfileFault[] {
  const faults: ProfileFault[] = [];
  // RFC 6940 §11.3.1 lets the holder of a self-signed certificate choose; RFC 5280 wants an issuer.
  if (role === 'leaf' && !certificate.subject.isEmpty) {
    const detail = `expected an empty subject, got "${certificate.subject.text}"`;
    faults.push(fault('leaf-empty-subject', detail));
  }
  if (certificate.extensions.keyUsage?.has('digitalSignature') === false) {
    // RFC 5280 §4.2.1.3: the key signs messages, so a keyUsage must allow it.
    faults.push(fault('leaf-key-usage', 'keyUsage lacks digitalSignature'));
  }
  return [...faults, ...nameFaults(certificate, rules)];
}

function nameFaults({ extensions }: Certificate, rules: ProfileRules): ProfileFault[] {
  const names = extensions.subjectAltName;
  const faults: ProfileFault[] = [];
  const others = (names?.all ?? []).filter(
    (name) => name.form !== 'rfc822Name' && !(name.form === 'uri' && isReloadUri(name.text)),
  );
  const [other] = others;
  if (other !== undefined) {
    const detail = `subjectAltName has another name: ${generalNameText(other)}`;
    faults.push(fault('leaf-no-other-names', detail));
  }
  const uris = (names?.uris ?? []).filter(isReloadUri);
  if (uris.length === 0 || uris.length > nodeIdsMax) {
    const detail = `expected 1 to ${nodeIdsMax} reload URIs, got ${uris.length}`;
    faults.push(fault('leaf-reload-uris', detail, 'node-id'));
    return faults;
  }
  const nodeIds = new Set<string>();
  for (const uri of uris) {
    const nodeId = nodeIdFromReloadUri(uri, rules);
    if (nodeId instanceof NodeIdentityFault) {
      faults.push(fault('leaf-reload-uri', nodeId.detail, 'node-id'));
    } else if (nodeIds.has(nodeId)) {
      faults.push(fault('leaf-reload-uri', `Node-ID ${nodeId} stands twice`, 'node-id'));
    } else {
      nodeIds.add(nodeId);
    }
  }
  return [...faults, ...userNameFaults(names?.rfc822Names ?? [])];
}

/** "A single name"; RFC 6940 §11.3 warns of illegal characters such as NUL. */
function userNameFaults(rfc822Names: readonly string[]): ProfileFault[] {
  const [userName] = rfc822Names;
  if (userName === undefined || rfc822Names.length > 1) {
    const detail = `expected one rfc822Name, got ${rfc822Names.length}`;
    return [fault('leaf-single-user-name', detail)];
  }
  if (/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(userName)) return [];
  return [fault('leaf-user-name', `${JSON.stringify(userName)} is no mailbox name`)];
}

function fault(
  name: string,
  detail: string,
  code: ProfileFault['code'] = 'certificate-profile',
): ProfileFault {
  return { name, section: 'RFC 6940 §11.3', level: 'MUST', detail, code };
}

/** Node-IDs of one certificate. */
const nodeIdsMax = 16;
