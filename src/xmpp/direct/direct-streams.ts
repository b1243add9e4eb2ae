import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';

/** A device of the overlay with an open stream: who it is, as its certificate says. */
export interface Device {
  readonly nodeId: NodeId;
  /** The XmppAddr of its certificate, the only `from` that its stanzas may have. */
  readonly user: BareJid;
}

/**
 * The direct XMPP streams to other devices (XEP-0415 §6), as those who route stanzas see them.
 * Finding devices, AppAttach, connecting, both roles of a stream and its stream management are
 * below.
 */
export interface DirectStreams {
  /**
   * Strive for streams to all devices of the address, now and for as long as it is wanted. Asked
   * again, it tries at once again, unless a try is under way. Ends with `addressTried`.
   */
  reach(address: BareJid): void;
  /** The streams need not be kept for this address any more; idle ones may be closed. */
  release(address: BareJid): void;
  /** The devices with an open stream that an address leads to, forwarding locations followed. */
  devicesOf(address: BareJid): readonly Device[];
  /** Hands a stanza to a device; `delivered` or `undelivered` follows once, by the same tag. */
  send(device: NodeId, stanza: XmppElement, tag: number): void;
  /** As of LocalSessions: the oldest stanza from this device is dealt with and on disk. */
  handled(device: NodeId): void;
}

export interface DirectStreamsListener {
  deviceConnected(device: Device): void;
  /** Its stream is gone and was not resumed; `undelivered` came for all it had not acknowledged. */
  deviceLost(device: Device): void;
  /** The device has acknowledged these: they are on its disk. In order. */
  delivered(device: Device, tags: readonly number[]): void;
  /** The stream ended before the device acknowledged these: it may have them or not. In order. */
  undelivered(device: Device, tags: readonly number[]): void;
  /** A stanza whose `from` is of the device's user, else it was refused below. */
  stanzaFromDevice(device: Device, stanza: XmppElement): void;
  /**
   * A round of finding and connecting is over: how many devices the overlay names, how many of them
   * have a stream now, and a sentence when there is none.
   */
  addressTried(
    address: BareJid,
    found: number,
    connected: number,
    reason: string | undefined,
  ): void;
}
