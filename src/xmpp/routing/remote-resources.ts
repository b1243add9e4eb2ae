import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import { writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { REMOTE_RESOURCES_MAX, RESOURCES_PER_ADDRESS_MAX } from './routing-limits.ts';

export interface RemoteResource {
  readonly jid: Jid;
  /** The device whose presence named it. */
  readonly device: NodeId;
  /** Its last available presence. */
  readonly presence: XmppElement;
}

/**
 * Which clients of others are available, and at which of their devices (RFC 6121 §4). Devices that
 * were apart may each have a client with the same resource: all are remembered, and the one whose
 * presence came last counts.
 */
export class RemoteResources {
  /** By full JID and device, the latest last. */
  private readonly byAddress = new Map<BareJid, Map<string, KeptResource>>();
  private count = 0;

  /** False when there is no room for it; what was known of it stays. */
  set(resource: RemoteResource): boolean {
    const { jid, presence } = resource;
    const bytes = Buffer.byteLength(writeElement(presence));
    const known = this.byAddress.get(jid.bare) ?? new Map<string, KeptResource>();
    const key = keyOf(resource);
    const isNew = !known.has(key);
    const others = [...known.values()].filter((other) => keyOf(other) !== key);
    const bytesOfOthers = others.reduce((sum, other) => sum + other.bytes, 0);
    const isFull = others.length >= RESOURCES_PER_ADDRESS_MAX || this.count >= REMOTE_RESOURCES_MAX;
    if ((isNew && isFull) || bytesOfOthers + bytes > PRESENCE_BYTES_PER_ADDRESS_MAX) return false;
    if (isNew) this.count += 1;
    known.delete(key);
    known.set(key, { ...resource, bytes });
    this.byAddress.set(jid.bare, known);
    return true;
  }

  /** False when it was not known. */
  remove(resource: Pick<RemoteResource, 'jid' | 'device'>): boolean {
    const { jid } = resource;
    const known = this.byAddress.get(jid.bare);
    if (known?.delete(keyOf(resource)) !== true) return false;
    this.count -= 1;
    if (known.size === 0) this.byAddress.delete(jid.bare);
    return true;
  }

  get(jid: Jid): RemoteResource | undefined {
    let latest: RemoteResource | undefined;
    for (const resource of this.byAddress.get(jid.bare)?.values() ?? []) {
      if (resource.jid.text === jid.text) latest = resource;
    }
    return latest;
  }

  /** All clients of one user, each once. */
  of(address: BareJid): RemoteResource[] {
    const latest = new Map<string, RemoteResource>();
    for (const resource of this.byAddress.get(address)?.values() ?? []) {
      latest.set(resource.jid.text, resource);
    }
    return [...latest.values()];
  }

  /** All at one device, whomever it belongs to. */
  at(device: NodeId): RemoteResource[] {
    const found: RemoteResource[] = [];
    for (const known of this.byAddress.values()) {
      for (const resource of known.values()) if (resource.device === device) found.push(resource);
    }
    return found;
  }
}

function keyOf({ jid, device }: Pick<RemoteResource, 'jid' | 'device'>): string {
  return `${device} ${jid.text}`;
}

interface KeptResource extends RemoteResource {
  /** Of its presence. */
  readonly bytes: number;
}

/** Of the presence of all clients of one user. A client that logs in gets it all at once. */
const PRESENCE_BYTES_PER_ADDRESS_MAX = 65_536;
