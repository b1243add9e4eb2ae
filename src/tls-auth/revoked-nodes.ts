import type { NodeId } from '../wire/node-id.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { CertificateRefusal } from './certificate-refusal.ts';

/** Whom a certificate names. */
interface NamedNode {
  readonly nodeIds: readonly NodeId[];
  readonly userName: string;
}

/** Why the certificates of nodes and users that were met are revoked; bounded. */
export class RevokedNodes {
  private readonly refusals = new BoundedCache<string, CertificateRefusal>(REVOKED_NAMES_MAX);

  note(named: NamedNode, refusal: CertificateRefusal): void {
    for (const key of keysOf(named)) this.refusals.set(key, refusal);
  }

  /** One of its certificates counts again. */
  forget(named: NamedNode): void {
    for (const key of keysOf(named)) this.refusals.delete(key);
  }

  get(target: { nodeId: NodeId } | { userName: string }): CertificateRefusal | undefined {
    return this.refusals.get(
      'nodeId' in target ? nodeKey(target.nodeId) : userKey(target.userName),
    );
  }
}

function keysOf({ nodeIds, userName }: NamedNode): string[] {
  return [...nodeIds.map(nodeKey), userKey(userName)];
}

function nodeKey(nodeId: NodeId): string {
  return `node ${nodeId}`;
}

function userKey(userName: string): string {
  return `user ${userName}`;
}

const REVOKED_NAMES_MAX = 4096;
