import { parseIpAddress } from '../overlay-config/ip-address-text.ts';
import { type Certificate, parseCertificate } from '../tls-auth/certificate.ts';
import { certificatesInText } from '../tls-auth/certificate-file.ts';
import type { PolicyInputs } from '../tls-auth/certificate-policies.ts';
import { pathProfileRefusal } from '../tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { isReloadUri } from '../tls-auth/node-identity.ts';
import { KeyPurposeOid } from '../tls-auth/object-identifier.ts';
import { findPath } from '../tls-auth/path-building.ts';
import type { PathRequirements, ValidPath } from '../tls-auth/path-validation.ts';
import { type PeerName, peerNameRefusal } from '../tls-auth/peer-name.ts';
import type { ProfileRules } from '../tls-auth/profile-rule.ts';
import { verifyWithKey } from '../tls-auth/signature-verifier.ts';
import { BatchFieldFault, CaseFields } from './batch-fields.ts';
import { batchRevocation } from './batch-revocation.ts';

/** The answer to one case, and a line of output. */
export interface BatchVerdict {
  readonly id: string;
  readonly valid: boolean;
  /** `valid`, a code of CertificateRefusal, or why the case was not decided. */
  readonly reason: string;
  readonly detail: string;
}

/**
 * `xor cert verify --batch`: the answers to `{"cases":[…]}`, in order. A string says why there are
 * none. A case whose fields cannot be read is invalid for `bad-case`. Never throws.
 */
export function verifyBatch(text: string, nowUnixMs: number): BatchVerdict[] | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return `expected JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const cases =
    typeof document === 'object' && document !== null && 'cases' in document
      ? document.cases
      : undefined;
  if (!Array.isArray(cases)) return 'expected {"cases":[…]}';
  return cases.map((one: unknown, index) => verifyCase(one, index, nowUnixMs));
}

function verifyCase(one: unknown, index: number, nowUnixMs: number): BatchVerdict {
  const fields = new CaseFields(one);
  const id = fields.id ?? String(index);
  try {
    return { id, ...decide(fields, nowUnixMs) };
  } catch (error) {
    if (error instanceof BatchFieldFault) return { id, ...invalid('bad-case', error.message) };
    // Our own bug; the other cases are none the worse for it.
    const detail = error instanceof Error ? error.message : String(error);
    return { id, ...invalid('internal-error', `please report this: ${detail}`) };
  }
}

function decide(fields: CaseFields, nowUnixMs: number): Omit<BatchVerdict, 'id'> {
  const [leafDer, ...poolDer] = fields.texts('chain').flatMap((text) => {
    const found = certificatesInText(text);
    return found ?? [NO_BYTES];
  });
  if (leafDer === undefined) return invalid('bad-case', 'chain is empty');
  const leaf = parseCertificate(leafDer);
  if (leaf instanceof CertificateRefusal) return invalid(leaf.code, leaf.describe());
  const anchorDer = fields
    .texts('anchors')
    .flatMap((text) => certificatesInText(text) ?? [NO_BYTES]);
  const anchors = readable(anchorDer, 'anchor');
  const pool = readable(poolDer, 'intermediate');
  const requirements = requirementsOf(fields, leaf, nowUnixMs);
  const revocationRule = batchRevocation(fields, pool.read, requirements.unixMs);
  const result = findPath(
    leaf,
    { pool: pool.read, anchors: anchors.read, verifySignature: verifyWithKey },
    {
      ...requirements,
      furtherRule: (path) => requirements.furtherRule?.(path) ?? revocationRule(path),
    },
  );
  if (result instanceof CertificateRefusal) {
    // What cannot be read is no part of a path; but it may be the part that is missing.
    const [unread] = result.code === 'no-path' ? [...anchors.unread, ...pool.unread] : [];
    const notRead = unread === undefined ? '' : `; not read: ${unread}`;
    return invalid(result.code, `${result.describe()}${notRead}`);
  }
  const peerName = peerNameOf(fields);
  const refusal = peerName === undefined ? undefined : peerNameRefusal(leaf, peerName);
  if (refusal !== undefined) return invalid(refusal.code, refusal.describe());
  const { certificates, anchor } = result;
  const path = [...certificates, anchor].map(({ subject }) => subject.text || '(no subject)');
  const { policies } = result.policies;
  const validFor = policies.length === 0 ? '' : `; policies ${policies.join(', ')}`;
  return { valid: true, reason: 'valid', detail: `${path.join(' <- ')}${validFor}` };
}

function requirementsOf(
  fields: CaseFields,
  leaf: Certificate,
  nowUnixMs: number,
): PathRequirements {
  const depthMax = fields.count('depthMax');
  const purpose = fields.oneOf('purpose', ['serverAuth', 'clientAuth', 'any']) ?? 'any';
  const profile = fields.oneOf('profile', ['pkix', 'xep-0416', 'rfc6940']) ?? 'pkix';
  const overlayName =
    fields.text('overlay') ?? (profile === 'rfc6940' ? overlayOf(leaf) : undefined);
  const rules: ProfileRules | undefined =
    profile === 'pkix'
      ? undefined
      : { profile, overlayName: overlayName ?? 'xmpp.org', nodeIdLength: 16 };
  return {
    unixMs: fields.time('time') ?? nowUnixMs,
    policies: policyInputsOf(fields),
    ...(depthMax === undefined ? {} : { intermediatesMax: depthMax }),
    ...(purpose === 'any' ? {} : { purpose: KeyPurposeOid[purpose] }),
    ...(rules === undefined
      ? {}
      : { furtherRule: (path: ValidPath) => pathProfileRefusal(path, rules) }),
  };
}

/** An empty list accepts every policy, as an absent one does. */
function policyInputsOf(fields: CaseFields): PolicyInputs {
  const policies = fields.objectIdentifiers('initialPolicies');
  return {
    initialPolicies: policies.length === 0 ? undefined : new Set(policies),
    explicitPolicy: fields.flag('explicitPolicy'),
    inhibitPolicyMapping: fields.flag('inhibitPolicyMapping'),
    inhibitAnyPolicy: fields.flag('inhibitAnyPolicy'),
  };
}

/** In an isolated overlay of unknown name the certificate's own is as good as any. */
function overlayOf(leaf: Certificate): string | undefined {
  const uri = leaf.extensions.subjectAltName?.uris.find(isReloadUri);
  return uri === undefined ? undefined : /@([^/@?#]+)/.exec(uri)?.[1];
}

function peerNameOf(fields: CaseFields): PeerName | undefined {
  const peerName = fields.object('peerName');
  if (peerName === undefined) return undefined;
  const kind = peerName.oneOf('kind', ['dns', 'ip', 'email']);
  const value = peerName.text('value');
  if (kind === undefined || value === undefined)
    throw new BatchFieldFault('peerName is incomplete');
  if (kind !== 'ip') return { kind, value };
  const octets = parseIpAddress(value);
  if (octets === undefined) throw new BatchFieldFault(`peerName: no IP address: ${value}`);
  return { kind, value: octets };
}

/** Those that can be read, and of each of the others which it is and why. */
function readable(ders: readonly Uint8Array[], role: string) {
  const read: Certificate[] = [];
  const unread: string[] = [];
  for (const [index, der] of ders.entries()) {
    const certificate = parseCertificate(der);
    if (!(certificate instanceof CertificateRefusal)) read.push(certificate);
    else unread.push(`${role} ${index + 1} of ${ders.length}: ${certificate.describe()}`);
  }
  return { read, unread };
}

function invalid(reason: string, detail: string): Omit<BatchVerdict, 'id'> {
  return { valid: false, reason, detail };
}

const NO_BYTES = new Uint8Array(0);
