import { describe, expect, it } from 'vitest';
import { AppAttachReqAns, AttachReqAns, OverlayLinkType } from '../../src/wire/attach.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { ask, bodyOf, errorOf, forge, framed } from './forged-message.ts';
import { Wiretap } from './wiretap.ts';

const candidate = {
  address: { type: 'ipv4', address: Uint8Array.of(10, 0, 9, 9), port: 6084 },
  overlayLink: OverlayLinkType.tlsTcpFhNoIce,
  foundation: Uint8Array.of(49),
  priority: 1,
  type: 1,
  extensions: [],
} as const;

const offer = (change: Partial<AttachReqAns> = {}): AttachReqAns => ({
  ufrag: new Uint8Array(0),
  password: new Uint8Array(0),
  role: 'passive',
  candidates: [{ ...candidate, extensions: [] }],
  sendUpdate: false,
  ...change,
});

function ring(digits: string): { overlay: VirtualOverlay; peers: VirtualPeer[] } {
  const overlay = new VirtualOverlay();
  const peers = [...digits].map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  return { overlay, peers };
}

/** An AttachReq of a node that is not connected, as `from` would pass it on to `to`. */
function attachOf(node: VirtualPeer, from: VirtualPeer, to: VirtualPeer, body = offer()) {
  return {
    bytes: framed(
      forge(from, {
        to: [nodeDestination(to.nodeId)],
        code: MessageCode.attachReq,
        body: encode(AttachReqAns, body),
        signer: node.signer,
        header: { viaList: [nodeDestination(node.nodeId)] },
      }),
    ),
  };
}

/** An Update of `from` that names one more predecessor. */
function forgeUpdate(from: VirtualPeer, to: VirtualPeer, named: NodeId): Uint8Array {
  const body = encode(ChordUpdate, {
    type: 'neighbors',
    uptime: 1,
    predecessors: [named],
    successors: [to.nodeId],
  });
  const code = MessageCode.updateReq;
  return framed(forge(from, { to: [nodeDestination(to.nodeId)], code, body }));
}

describe('Attach', () => {
  it('RFC 6940 §6.5.1 (107): nothing is routed through a node that sent no Update', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    // A client attaches and never sends an Update; b would be next for what lies beyond it.
    const client = overlay.join('5', { role: 'client' });
    expect(overlay.isConnected(b, client)).toBe(true);
    for (const peer of [a, b]) {
      const link = peer.peer.status().links.find(({ nodeId }) => nodeId === client.nodeId);
      expect(link?.routable ?? false).toBe(false);
      expect(peer.peer.status().predecessors).not.toContain(client.nodeId);
    }
    const tap = new Wiretap(a, b);
    overlay.run(a, { type: 'ping', nodeId: '48'.padEnd(32, '0') as NodeId });
    expect(tap.ofCode(MessageCode.pingReq).length).toBeGreaterThan(0);
    expect(tap.ofCode(MessageCode.pingReq).filter(({ to }) => to === client)).toEqual([]);
  });

  it('RFC 6940 §6.5.1.1 (108): "passive" in requests, "active" in answers', () => {
    const overlay = new VirtualOverlay();
    const first = overlay.join('2');
    const second = overlay.add('8');
    const tap = new Wiretap(first, second);
    overlay.start(second);
    overlay.runFor(3_000);
    const roles = (code: number) =>
      tap.ofCode(code).map(({ message }) => bodyOf(message, AttachReqAns).role);
    expect(new Set(roles(MessageCode.attachReq))).toEqual(new Set(['passive']));
    expect(new Set(roles(MessageCode.attachAns))).toEqual(new Set(['active']));
    const wrong = encode(AttachReqAns, offer({ role: 'active' }));
    const refused = ask(overlay, second, first, { code: MessageCode.attachReq, body: wrong });
    expect(errorOf(refused)).toBe('Error_Invalid_Message');
  });

  it('RFC 6940 §6.5.1.1, §6.5.1.5, §6.6.5 (109, 110, 118, 146): all candidates are No-ICE', () => {
    const overlay = new VirtualOverlay();
    const first = overlay.join('2');
    const second = overlay.add('8');
    const tap = new Wiretap(first, second);
    overlay.start(second);
    overlay.runFor(3_000);
    const bodies = [MessageCode.attachReq, MessageCode.attachAns].flatMap((code) =>
      tap.ofCode(code).map(({ message }) => bodyOf(message, AttachReqAns)),
    );
    expect(bodies.length).toBeGreaterThan(1);
    for (const { candidates, ufrag, password } of bodies) {
      expect(candidates.length).toBeGreaterThan(0);
      for (const { overlayLink, type } of candidates) {
        expect([overlayLink, type]).toEqual([OverlayLinkType.tlsTcpFhNoIce, 1]);
      }
      expect([ufrag.length, password.length]).toEqual([0, 0]);
    }
  });

  it('RFC 6940 §6.5.1.5 (118): a candidate that needs ICE is not connected to', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    const stranger = overlay.add('5');
    const overlayLink = OverlayLinkType.dtlsUdpSr;
    const body = offer({ candidates: [{ ...candidate, overlayLink, extensions: [] }] });
    const { bytes } = attachOf(stranger, a, b, body);
    const tap = new Wiretap(b);
    overlay.inject(b, a, bytes);
    expect(tap.sent.map(({ message }) => errorOf(message))).toEqual(['Error_Invalid_Message']);
  });

  it('RFC 6940 §6.5.1.2, §6.5.1.13 (111, 126, 127): the one that answers is the TLS client', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    const stranger = overlay.add('5');
    const [id] = [...b.peer.status().links].filter(({ nodeId }) => nodeId === a.nodeId);
    if (id === undefined) throw new Error('expected a link');
    const { bytes } = attachOf(stranger, a, b);
    const outputs = b.peer.handle({ type: 'linkData', link: id.link, bytes }, overlay.now);
    const connects = outputs.filter((output) => output.type === 'connect');
    expect(connects).toMatchObject([
      { expectedNodeId: stranger.nodeId, address: candidate.address },
    ]);
  });
});

describe('two Attaches at once', () => {
  /** `own` has an Attach to `other` under way, whose own Attach arrives. */
  function crossing(ownDigit: string, otherDigit: string) {
    const overlay = new VirtualOverlay();
    const own = overlay.join(ownDigit);
    const relay = overlay.join('c');
    overlay.runFor(2_000);
    const other = overlay.add(otherDigit);
    const tap = new Wiretap(own);
    // The relay tells of a peer nearby; nobody answers own's Attach to it.
    relay.intercept = () => undefined;
    const link = own.peer.status().links[0]?.link ?? 0;
    const update = forgeUpdate(relay, own, other.nodeId);
    overlay.handle(own, { type: 'linkData', link, bytes: update });
    const attaches = () =>
      tap.ofCode(MessageCode.attachReq).filter(({ message }) => {
        const last = message.header.destinationList.at(-1);
        return last?.type === 'node' && last.nodeId === other.nodeId;
      });
    expect(attaches()).toHaveLength(1);
    const { bytes } = attachOf(other, relay, own);
    tap.clear();
    const outputs = own.peer.handle({ type: 'linkData', link, bytes }, overlay.now);
    for (const output of outputs) {
      if (output.type === 'send') own.intercept?.(output.bytes, relay);
    }
    const answers = tap.sent.map(({ message }) => errorOf(message) ?? message.contents.code);
    const connects = outputs.filter(({ type }) => type === 'connect').length;
    tap.clear();
    overlay.runFor(20_000);
    return { answers, connects, retransmissions: attaches().length };
  }

  it('RFC 6940 §6.5.1.2 (112, 113): the smaller Node-ID gives way, answers and connects', () => {
    expect(crossing('2', '3')).toEqual({
      answers: [MessageCode.attachAns],
      connects: 1,
      retransmissions: 0,
    });
  });

  it('RFC 6940 §6.5.1.2 (114): the larger Node-ID answers Error_In_Progress and goes on', () => {
    const { answers, connects, retransmissions } = crossing('2', '1');
    expect(answers).toEqual(['Error_In_Progress']);
    expect(connects).toBe(0);
    expect(retransmissions).toBeGreaterThan(1);
  });
});

it('RFC 6940 §6.5.2.2 (131): an application that is not served is Error_Not_Found', () => {
  const { overlay, peers } = ring('28');
  const [a, b] = peers as [VirtualPeer, VirtualPeer];
  const body = encode(AppAttachReqAns, {
    ufrag: new Uint8Array(0),
    password: new Uint8Array(0),
    application: 5222,
    role: 'passive',
    candidates: [],
  });
  const refused = ask(overlay, a, b, { code: MessageCode.appAttachReq, body });
  expect(errorOf(refused)).toBe('Error_Not_Found');
  const served = overlay.join('c', { applications: new Map([[5222, []]]) });
  const taken = ask(overlay, a, served, { code: MessageCode.appAttachReq, body });
  expect(taken.contents.code).toBe(MessageCode.appAttachAns);
});
