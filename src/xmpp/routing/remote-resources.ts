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

/** Which clients of others are available, and at which of their devices (RFC 6121 §4). */
export class RemoteResources {
  private readonly byAddress = new Map<BareJid, Map<string, KeptResource>>();
  private count = 0;

  /** False when there is no room for it; what was known of it stays. */
  set(resource: RemoteResource): boolean {
    const { jid, presence } = resource;
    const bytes = Buffer.byteLength(writeElement(presence));
    const known = this.byAddress.get(jid.bare) ?? new Map<string, KeptResource>();
    const isNew = !known.has(jid.text);
    const others = [...known.values()].filter((other) => other.jid.text !== jid.text);
    const bytesOfOthers = others.reduce((sum, other) => sum + other.bytes, 0);
    const isFull = others.length >= RESOURCES_PER_ADDRESS_MAX || this.count >= REMOTE_RESOURCES_MAX;
    if ((isNew && isFull) || bytesOfOthers + bytes > PRESENCE_BYTES_PER_ADDRESS_MAX) return false;
    if (isNew) this.count += 1;
    known.set(jid.text, { ...resource, bytes });
    this.byAddress.set(jid.bare, known);
    return true;
  }

  remove(jid: Jid): RemoteResource | undefined {
    const known = this.byAddress.get(jid.bare);
    const resource = known?.get(jid.text);
    if (known === undefined || resource === undefined) return undefined;
    known.delete(jid.text);
    this.count -= 1;
    if (known.size === 0) this.byAddress.delete(jid.bare);
    return resource;
  }

  get(jid: Jid): RemoteResource | undefined {
    return this.byAddress.get(jid.bare)?.get(jid.text);
  }

  /** All of one user. */
  of(address: BareJid): RemoteResource[] {
    return [...(this.byAddress.get(address)?.values() ?? [])];
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

interface KeptResource extends RemoteResource {
  /** Of its presence. */
  readonly bytes: number;
}

/** Of the presence of all clients of one user. A client that logs in gets it all at once. */
const PRESENCE_BYTES_PER_ADDRESS_MAX = 65_536;
