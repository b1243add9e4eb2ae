/**
 * Access control policies — RFC 6940 §7.3: who may write a value of a Kind at a Resource-ID. They
 * apply to the signer of each value and, in an original Store, to the signer of the StoreReq too.
 */
import { AccessPolicy, type KindDefinition } from '../overlay-config/kind-definition.ts';
import type { VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { toHex } from '../wire/hex.ts';
import { nodeIdBytes } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { nodeMultipleResourceId, resourceIdOf } from './resource-name.ts';

/**
 * Why `signer` may not write a value of `kind` at `resource`, as one sentence; undefined when it
 * may. `dictionaryKey` is the key of a dictionary entry, undefined in the other data models.
 *
 * `signer.nodeId` is the Node-ID that the SignerIdentity designates, which is what the RFC's "the
 * one indicated in the SignerIdentity value cert_hash" comes to for both identity types.
 */
export function authorizationFault(
  kind: KindDefinition,
  resource: ResourceId,
  signer: VerifiedSigner,
  dictionaryKey: Uint8Array | undefined,
): string | undefined {
  switch (kind.accessPolicy) {
    case AccessPolicy.userMatch:
      return userMatchFault(resource, signer);
    case AccessPolicy.nodeMatch:
      return nodeMatchFault(resource, signer);
    case AccessPolicy.userNodeMatch:
      return userNodeMatchFault(kind, resource, signer, dictionaryKey);
    case AccessPolicy.nodeMultiple:
      return nodeMultipleFault(kind, resource, signer);
  }
}

/** RFC 6940 §7.3.1. */
function userMatchFault(resource: ResourceId, signer: VerifiedSigner): string | undefined {
  const own = resourceIdOf(signer.node.userName);
  if (own === resource) return undefined;
  return `USER-MATCH: ${signer.node.userName} hashes to ${own}, not to ${resource}`;
}

/** RFC 6940 §7.3.2. */
function nodeMatchFault(resource: ResourceId, signer: VerifiedSigner): string | undefined {
  const own = resourceIdOf(nodeIdBytes(signer.nodeId));
  if (own === resource) return undefined;
  return `NODE-MATCH: Node-ID ${signer.nodeId} hashes to ${own}, not to ${resource}`;
}

/** RFC 6940 §7.3.3. */
function userNodeMatchFault(
  kind: KindDefinition,
  resource: ResourceId,
  signer: VerifiedSigner,
  dictionaryKey: Uint8Array | undefined,
): string | undefined {
  if (kind.dataModel !== 'dictionary' || dictionaryKey === undefined) {
    return 'USER-NODE-MATCH may be used only with dictionaries';
  }
  const own = resourceIdOf(signer.node.userName);
  if (own !== resource) {
    return `USER-NODE-MATCH: ${signer.node.userName} hashes to ${own}, not to ${resource}`;
  }
  const key = toHex(dictionaryKey);
  if (key === signer.nodeId) return undefined;
  return `USER-NODE-MATCH: expected the dictionary key ${signer.nodeId}, got ${key.slice(0, 80)}`;
}

/** RFC 6940 §7.3.4: i is not on the wire, so every one up to the Kind's maximum is tried. */
function nodeMultipleFault(
  kind: KindDefinition,
  resource: ResourceId,
  signer: VerifiedSigner,
): string | undefined {
  const max = kind.maxNodeMultiple;
  if (max === undefined) return 'NODE-MULTIPLE: the Kind does not say the maximum of i';
  for (let i = 1; i <= Math.min(max, ONE_BYTE_MAX); i++) {
    if (nodeMultipleResourceId(signer.nodeId, i) === resource) return undefined;
  }
  return `NODE-MULTIPLE: no i from 1 to ${max} hashes Node-ID ${signer.nodeId} to ${resource}`;
}

const ONE_BYTE_MAX = 255;
