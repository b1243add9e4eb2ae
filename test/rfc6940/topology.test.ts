import { describe, expect, it } from 'vitest';
import { ChordLeaveData, ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { type Destination, nodeDestination } from '../../src/wire/destination.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { StoreReq } from '../../src/wire/store.ts';
import {
  JoinReq,
  LeaveReq,
  ProbeAns,
  ProbeInformationType,
  ProbeReq,
  RouteQueryReq,
} from '../../src/wire/topology.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { ask, bodyOf, drops, errorOf, forge, framed } from './forged-message.ts';
import { messagesIn, Wiretap } from './wiretap.ts';

const overlay = new VirtualOverlay();
const a = overlay.join('2');
const b = overlay.join('8');
const c = overlay.join('c');
overlay.runFor(5_000);
const NO_BYTES = new Uint8Array(0);

const joinOf = (joiningPeerId: NodeId) => ({
  code: MessageCode.joinReq,
  body: encode(JoinReq, { joiningPeerId, overlaySpecificData: NO_BYTES }),
});
const leaveOf = (leavingPeerId: NodeId) => ({
  code: MessageCode.leaveReq,
  body: encode(LeaveReq, { leavingPeerId, overlaySpecificData: NO_BYTES }),
});
/** As if it had come over another node. */
const detour = (by: VirtualPeer): { viaList: Destination[] } => ({
  viaList: [nodeDestination(by.nodeId)],
});

describe('Join', () => {
  it('RFC 6940 §6.4.2.1 (093): joining_peer_id must be the signer', () => {
    expect(errorOf(ask(overlay, a, b, joinOf(c.nodeId)))).toBe('Error_Forbidden');
  });

  it('RFC 6940 §6.4.2.1 (094): it must come over the link of that node', () => {
    const stranger = overlay.add('7');
    const relayed = {
      ...joinOf(stranger.nodeId),
      signer: stranger.signer,
      header: detour(stranger),
    };
    expect(errorOf(ask(overlay, a, b, relayed))).toBe('Error_Forbidden');
    const unrelayed = { ...joinOf(stranger.nodeId), signer: stranger.signer };
    expect(errorOf(ask(overlay, a, b, unrelayed))).toBe('Error_Forbidden');
    expect(b.peer.status().predecessors[0]).toBe(a.nodeId);
  });

  it('RFC 6940 §6.4.2.1 (097, 098): a JoinAns of another node than the one asked is discarded', () => {
    const other = new VirtualOverlay();
    const [first, second] = [other.join('2'), other.join('8')];
    const joining = other.add('7');
    second.intercept = (bytes, to) => {
      const [message] = messagesIn(bytes);
      const decoded = message === undefined ? undefined : decodeMessage(message);
      if (decoded === undefined || decoded instanceof MalformedMessage) return bytes;
      if (decoded.contents.code !== MessageCode.joinAns || to !== joining) return bytes;
      const { contents, header } = decoded;
      const { code, body } = contents;
      return framed(forge(first, { to: header.destinationList, code, body, header }));
    };
    const before = drops(joining, 'unexpected-response');
    other.start(joining);
    other.runUntil(() => drops(joining, 'unexpected-response') > before, 5_000);
    expect(drops(joining, 'unexpected-response')).toBeGreaterThan(before);
  });

  it('RFC 6940 §6.4.2.1, §10.5 (096, 223, 224, 225): JoinAns, then Stores, then the Update', () => {
    const other = new VirtualOverlay();
    const [, second] = [other.join('2'), other.join('c')] as [VirtualPeer, VirtualPeer];
    other.runFor(1_000);
    const joining = other.add('8');
    const tap = new Wiretap(second);
    other.start(joining);
    expect(other.runUntil(() => joining.peer.status().state === 'joined', 10_000)).toBe(true);
    const toJoining = tap.sent.filter(({ to }) => to === joining);
    const at = (matches: (code: number, index: number) => boolean) =>
      toJoining.findIndex(({ message }, index) => matches(message.contents.code, index));
    const answered = at((code) => code === MessageCode.joinAns);
    const stored = at((code) => code === MessageCode.storeReq);
    const admitted = toJoining.findIndex(({ message }, index) => {
      if (index < answered || message.contents.code !== MessageCode.updateReq) return false;
      const update = bodyOf(message, ChordUpdate);
      return update.type !== 'peerReady' && update.predecessors[0] === joining.nodeId;
    });
    expect(answered).toBeGreaterThanOrEqual(0);
    expect(stored).toBeGreaterThan(answered);
    expect(admitted).toBeGreaterThan(stored);
    for (const { message } of tap.ofCode(MessageCode.storeReq)) {
      expect(bodyOf(message, StoreReq).replicaNumber).toBeGreaterThan(0);
    }
  });

  it('RFC 6940 §6.4.2.1 (099): who is the first peer is told to be; nobody else starts a ring', () => {
    const lonely = new VirtualOverlay();
    const first = lonely.add('2');
    const notFirst = lonely.add('8');
    lonely.handle(notFirst, { type: 'start', knownPeers: [] });
    lonely.runFor(60_000);
    expect(notFirst.peer.status().state).toBe('joining');
    lonely.handle(first, { type: 'start', knownPeers: [] });
    expect(first.peer.status().state).toBe('joined');
  });
});

describe('Leave', () => {
  it('RFC 6940 §6.4.2.2 (100): leaving_peer_id must be the signer', () => {
    expect(errorOf(ask(overlay, a, b, leaveOf(c.nodeId)))).toBe('Error_Forbidden');
    expect(b.peer.status().successors).toContain(c.nodeId);
  });

  it('RFC 6940 §6.4.2.2 (101): it must come over the link of that node', () => {
    const relayed = { ...leaveOf(c.nodeId), signer: c.signer };
    expect(errorOf(ask(overlay, a, b, { ...relayed, header: detour(c) }))).toBe('Error_Forbidden');
    expect(errorOf(ask(overlay, a, b, relayed))).toBe('Error_Forbidden');
    expect(b.peer.status().successors).toContain(c.nodeId);
  });

  it('RFC 6940 §6.4.2.2, §10.9 (102, 250, 251): it names the neighbours, and is like a failure', () => {
    const other = new VirtualOverlay();
    const peers = ['2', '8', 'c'].map((digit) => other.join(digit));
    const [first, second, third] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
    other.runFor(2_000);
    const tap = new Wiretap(second);
    other.run(second, { type: 'leave' });
    const leaves = tap.ofCode(MessageCode.leaveReq);
    expect(leaves.map(({ to }) => to.name).sort()).toEqual(['2', 'c']);
    for (const { message } of leaves) {
      const leave = bodyOf(message, LeaveReq);
      const data = bodyOf(
        { ...message, contents: { ...message.contents, body: leave.overlaySpecificData } },
        ChordLeaveData,
      );
      const named = data.type === 'fromSucc' ? data.successors : data.predecessors;
      expect([...named].sort()).toEqual([first.nodeId, third.nodeId]);
    }
    expect(third.peer.status().predecessors).toEqual([first.nodeId]);
    expect(first.peer.status().successors).toEqual([third.nodeId]);
    // What the third peer is responsible for now is copied to the first.
    other.runFor(2_000);
    const { nodes } = other.result(
      first,
      { type: 'lookupByNodeId', nodeId: second.nodeId },
      'certificates',
    );
    expect(nodes).toHaveLength(1);
  });
});

describe('Update, RouteQuery and Probe', () => {
  it('RFC 6940 §6.4.1 (092): clients and peers are told when the responsibility changes', () => {
    const other = new VirtualOverlay();
    const peers = ['2', 'c'].map((digit) => other.join(digit));
    const [, second] = peers as [VirtualPeer, VirtualPeer];
    const client = other.join('4', { role: 'client' });
    other.runFor(2_000);
    const tap = new Wiretap(second);
    other.join('8');
    other.runFor(500);
    const told = new Set(tap.ofCode(MessageCode.updateReq).map(({ to }) => to.name));
    expect(other.isConnected(second, client)).toBe(true);
    expect([...told].sort()).toEqual(['2', '4', '8']);
  });

  it('RFC 6940 §6.4.2.3 (103): send_update in an Attach brings an Update once the link is up', () => {
    const other = new VirtualOverlay();
    const first = other.join('2');
    const second = other.add('8');
    const tap = new Wiretap(first);
    other.start(second);
    other.runUntil(() => tap.ofCode(MessageCode.updateReq).length > 0, 5_000);
    const codes = tap.sent
      .filter(({ to }) => to === second)
      .map((sent) => sent.message.contents.code);
    const answer = codes.indexOf(MessageCode.attachAns);
    expect(answer).toBeGreaterThanOrEqual(0);
    expect(codes.indexOf(MessageCode.updateReq)).toBeGreaterThan(answer);
  });

  it('RFC 6940 §6.4.2.3, §10.7.3 (104, 246): lost responsibility sends the data to its new place', () => {
    const other = new VirtualOverlay();
    const peers = ['2', 'c'].map((digit) => other.join(digit));
    const [before, former] = peers as [VirtualPeer, VirtualPeer];
    other.runFor(2_000);
    const joined = other.join('8');
    other.runFor(5_000);
    const own = (resource: string) => resource > before.nodeId && resource <= joined.nodeId;
    const places = [...former.options.store.resourceIds()].filter(own);
    expect(places.length).toBeGreaterThan(0);
    const held = new Set<string>(joined.options.store.resourceIds());
    for (const place of places) expect(held).toContain(place);
  });

  it('RFC 6940 §6.4.2.4.1 (105): a RouteQuery asks for no Update, and brings none', () => {
    const tap = new Wiretap(a, b);
    overlay.result(a, { type: 'routeQuery', nodeId: b.nodeId, target: c.nodeId }, 'nextPeer');
    const [query] = tap.ofCode(MessageCode.routeQueryReq);
    expect(query === undefined ? undefined : bodyOf(query.message, RouteQueryReq).sendUpdate).toBe(
      false,
    );
    expect(tap.ofCode(MessageCode.updateReq)).toEqual([]);
    tap.stop();
    const body = encode(RouteQueryReq, {
      sendUpdate: true,
      destination: nodeDestination(c.nodeId),
      overlaySpecificData: NO_BYTES,
    });
    const wanted = new Wiretap(b);
    const request = { to: [nodeDestination(b.nodeId)], code: MessageCode.routeQueryReq, body };
    overlay.inject(b, a, framed(forge(a, request)));
    expect(wanted.ofCode(MessageCode.updateReq).map(({ to }) => to.name)).toEqual(['2']);
    wanted.stop();
  });

  it('RFC 6940 §6.4.2.5.2 (106): a Probe answer has what was asked for and nothing else', () => {
    const probed = (requestedInfo: number[]) =>
      bodyOf(
        ask(overlay, a, b, {
          code: MessageCode.probeReq,
          body: encode(ProbeReq, { requestedInfo }),
        }),
        ProbeAns,
      ).probeInfo.map(({ type }) => type);
    const { responsibleSet, numResources, uptime } = ProbeInformationType;
    expect(probed([])).toEqual([]);
    expect(probed([uptime])).toEqual([uptime]);
    expect(probed([uptime, 77, numResources, uptime])).toEqual([uptime, numResources]);
    expect(probed([responsibleSet])).toEqual([responsibleSet]);
  });
});
