import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import type { TestExtension } from '../../sim/certificates/extension-maker.ts';
import {
  certificatePolicies,
  inhibitAnyPolicy,
  policyConstraints,
  policyMappings,
} from '../../sim/certificates/policy-maker.ts';
import type { Certificate } from '../../src/tls-auth/certificate.ts';
import type { PolicyInputs } from '../../src/tls-auth/certificate-policies.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { ANY_POLICY_OID } from '../../src/tls-auth/object-identifier.ts';
import { type ValidPath, validatePath } from '../../src/tls-auth/path-validation.ts';
import { read } from './path-fixtures.ts';

export const ANY = ANY_POLICY_OID;
export const [GOLD, SILVER, WHITE, RED] = ['1.2.1', '1.2.2', '1.2.3', '1.2.4'] as const;

/** What one certificate of a path says about policies. */
export interface Link {
  readonly policies?: readonly string[] | undefined;
  readonly mappings?: readonly (readonly [string, string])[] | undefined;
  readonly require?: number | undefined;
  readonly inhibitMapping?: number | undefined;
  readonly inhibitAny?: number | undefined;
  /** Subject and issuer are the same. */
  readonly selfIssued?: boolean | undefined;
  readonly extensions?: Readonly<Record<string, TestExtension>>;
}

function changeOf(link: Link): ContentChange {
  const { policies, mappings = [], require, inhibitMapping, inhibitAny } = link;
  const isConstrained = require !== undefined || inhibitMapping !== undefined;
  const constraints = { requireExplicitPolicy: require, inhibitPolicyMapping: inhibitMapping };
  return ({ extensions }) => ({
    extensions: {
      ...extensions,
      policies: policies === undefined ? undefined : certificatePolicies(policies),
      mappings: mappings.length === 0 ? undefined : policyMappings(...mappings),
      constraints: isConstrained ? policyConstraints(constraints) : undefined,
      any: inhibitAny === undefined ? undefined : inhibitAnyPolicy(inhibitAny),
      ...link.extensions,
    },
  });
}

/** The certificates of `links`, from the one below the anchor to the leaf, and the anchor. */
export function chain(links: readonly Link[], rootLink: Link = {}): [Certificate[], Certificate] {
  const root = makeRoot({ key, change: changeOf(rootLink) });
  let issuer: TestAuthority = root;
  const path = links.map((link, index) => {
    const change = changeOf(link);
    if (index === links.length - 1) {
      const subject = link.selfIssued === true ? { subject: issuer.name } : {};
      const changeLeaf: ContentChange = (content) => ({ ...change(content), ...subject });
      return read(makeLeaf(issuer, { key, change: changeLeaf }));
    }
    const name = link.selfIssued === true ? issuer.name[0]?.[1] : `CA ${index}`;
    issuer = makeIntermediate(issuer, { key, change, ...(name === undefined ? {} : { name }) });
    return read(issuer);
  });
  return [path, read(root)];
}

/** Validates the path of these links. */
export function judge(links: readonly Link[], policies: PolicyInputs = {}, rootLink: Link = {}) {
  const [path, anchor] = chain(links, rootLink);
  return validatePath(path.toReversed(), anchor, { unixMs: TEST_UNIX_MS, policies });
}

/** The policies that the path is valid for, or the code and the rule of the refusal. */
export function answer(result: ValidPath | CertificateRefusal): string {
  return result instanceof CertificateRefusal
    ? `${result.code}: ${result.rule}`
    : result.policies.policies.toSorted().join(' ');
}

const key = makeKey();
