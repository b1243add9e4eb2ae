import { AccessPolicy, type KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import { nodeMultipleResourceId, resourceIdOf } from '../../src/storage/resource-name.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import { toHex } from '../../src/wire/hex.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';
import type { StoredDataValue } from '../../src/wire/stored-data.ts';

/**
 * Whether the owner of a certificate may write at a place under the Kind's policy — RFC 6940 §7.3,
 * written a second time, apart from the store's own check. `nodeId`: the one that signed.
 */
export function mayWrite(
  kind: KindDefinition,
  resource: string,
  place: StoredDataValue | { readonly model: StoredDataValue['model']; readonly key?: Uint8Array },
  node: AuthenticatedNode,
  nodeId: NodeId,
): boolean {
  if (kind.dataModel !== place.model) return false;
  const isOwnName = resource === resourceIdOf(node.userName);
  switch (kind.accessPolicy) {
    case AccessPolicy.userMatch:
      return isOwnName;
    case AccessPolicy.nodeMatch:
      return resource === resourceIdOf(nodeIdBytes(nodeId));
    case AccessPolicy.userNodeMatch: {
      const key = 'key' in place ? place.key : undefined;
      return isOwnName && key !== undefined && toHex(key) === nodeId;
    }
    case AccessPolicy.nodeMultiple: {
      const numbers = Array.from({ length: kind.maxNodeMultiple ?? 0 }, (_, at) => at + 1);
      return numbers.some((i) => resource === nodeMultipleResourceId(nodeId, i));
    }
  }
}
