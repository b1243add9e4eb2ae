import { expect, it } from 'vitest';
import { AttachReqAns, OverlayLinkType } from '../../src/wire/attach.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { forge, framed } from '../rfc6940/forged-message.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const NOBODY: IpAddressPort = { type: 'ipv4', address: Uint8Array.of(10, 9, 9, 9), port: 1 };

/** Delivers an Attach to `to` that `by` signed some time ago; it comes through `through`. */
function replay(
  overlay: VirtualOverlay,
  [by, through, to]: readonly [VirtualPeer, VirtualPeer, VirtualPeer],
  address: IpAddressPort,
): void {
  const candidate = {
    address,
    overlayLink: OverlayLinkType.tlsTcpFhNoIce,
    foundation: Uint8Array.of(49),
    priority: 1,
    type: 1,
    extensions: [],
  };
  const none = new Uint8Array(0);
  const body = { ufrag: none, password: none, role: 'passive', candidates: [candidate] };
  const message = forge(through, {
    to: [nodeDestination(to.nodeId)],
    code: MessageCode.attachReq,
    body: encode(AttachReqAns, { ...body, role: 'passive', sendUpdate: true }),
    signer: by.signer,
    header: { viaList: [nodeDestination(by.nodeId)] },
  });
  overlay.inject(to, through, framed(message));
}

// The signature holds, but the node has a link to us: only a handshake may be lost by it.
it.each(['where it listens', 'where it listened once'])(
  'a replayed Attach of a neighbour, with the address %s, costs no neighbour',
  (which) => {
    const overlay = new VirtualOverlay();
    const [a, b, c] = ['2', '6', 'a'].map((id) => overlay.join(id)) as [
      VirtualPeer,
      VirtualPeer,
      VirtualPeer,
    ];
    overlay.runFor(60_000);
    const before = [a, b, c].map(({ peer }) => peer.neighbors());
    for (const peer of [a, b, c]) peer.events.length = 0;
    for (const [by, to] of [
      [a, b],
      [b, a],
    ] as const) {
      replay(overlay, [by, c, to], which === 'where it listens' ? by.address : NOBODY);
      overlay.runFor(20_000);
    }
    expect([a, b, c].map(({ peer }) => peer.neighbors())).toEqual(before);
    const changed = [a, b, c].flatMap(({ events }) => events.map(({ type }) => type));
    expect(changed).not.toContain('neighborsChanged');
    for (const peer of [a, b]) expect(peer.peer.status().links).toHaveLength(2);
  },
);
