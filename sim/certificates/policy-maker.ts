import {
  der,
  implicit,
  integer,
  objectIdentifier,
  sequence,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, PolicyQualifierOid } from '../../src/tls-auth/object-identifier.ts';
import { extension, type TestExtension } from './extension-maker.ts';

/** A policy, and DER of its qualifiers. */
export type TestPolicy = string | readonly [policy: string, ...qualifiers: readonly Uint8Array[]];

export function certificatePolicies(
  policies: readonly TestPolicy[],
  critical = false,
): TestExtension {
  const all = policies.map((one) => {
    const [policy, ...qualifiers] = typeof one === 'string' ? [one] : one;
    const list = qualifiers.length === 0 ? [] : [sequence(...qualifiers)];
    return sequence(objectIdentifier(policy), ...list);
  });
  return extension(ExtensionOid.certificatePolicies, sequence(...all), critical);
}

/** PolicyQualifierInfo of any type. */
export function policyQualifier(oid: string, qualifier: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), qualifier);
}

export function cpsQualifier(uri: string): Uint8Array {
  return policyQualifier(PolicyQualifierOid.cps, der(0x16, Buffer.from(uri, 'latin1')));
}

/** `parts` are those of UserNotice. */
export function userNoticeQualifier(...parts: readonly Uint8Array[]): Uint8Array {
  return policyQualifier(PolicyQualifierOid.userNotice, sequence(...parts));
}

export function policyMappings(
  ...pairs: readonly (readonly [issuerPolicy: string, subjectPolicy: string])[]
): TestExtension {
  const all = pairs.map((pair) => sequence(...pair.map(objectIdentifier)));
  return extension(ExtensionOid.policyMappings, sequence(...all), true);
}

export function policyConstraints(
  constraints: {
    readonly requireExplicitPolicy?: number | undefined;
    readonly inhibitPolicyMapping?: number | undefined;
  },
  critical = true,
): TestExtension {
  const { requireExplicitPolicy, inhibitPolicyMapping } = constraints;
  const field = (number: number, value: number | undefined) =>
    value === undefined ? [] : [implicit(number, integer(value).subarray(2))];
  const value = sequence(...field(0, requireExplicitPolicy), ...field(1, inhibitPolicyMapping));
  return extension(ExtensionOid.policyConstraints, value, critical);
}

export function inhibitAnyPolicy(certificates: number): TestExtension {
  return extension(ExtensionOid.inhibitAnyPolicy, integer(certificates), true);
}
