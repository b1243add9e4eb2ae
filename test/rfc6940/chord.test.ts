import { describe, expect, it } from 'vitest';
import { ChordTables } from '../../src/reload/chord-tables.ts';
import { advance, successorPoint } from '../../src/reload/ring.ts';
import { AttachReqAns } from '../../src/wire/attach.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { ask, bodyOf, errorOf, exchange, type Forgery, forge, framed } from './forged-message.ts';
import { type TappedMessage, Wiretap } from './wiretap.ts';

const id = (digits: string) => digits.padEnd(32, '0') as NodeId;

function ring(digits: string): { overlay: VirtualOverlay; peers: VirtualPeer[] } {
  const overlay = new VirtualOverlay();
  const peers = [...digits].map((digit) => overlay.join(digit));
  overlay.runFor(10_000);
  return { overlay, peers };
}

const updatesIn = (tap: Wiretap) =>
  tap.ofCode(MessageCode.updateReq).map((sent) => ({
    to: sent.to.name,
    update: bodyOf(sent.message, ChordUpdate),
  }));

const targetOf = ({ message }: TappedMessage) => message.header.destinationList.at(-1);

/** An Update as `ask` wants it, with neighbours that the test invents. */
const updateOf = (predecessors: NodeId[], successors: NodeId[]) => ({
  code: MessageCode.updateReq,
  body: encode(ChordUpdate, { type: 'neighbors', uptime: 1, predecessors, successors }),
});

describe('routing', () => {
  const tables = new ChordTables(id('8'));
  for (const digit of ['2', '4', 'a', 'c', 'e']) tables.add(id(digit));

  it('RFC 6940 §10.3 (214): a peer that has the ID itself is the next hop', () => {
    for (const digit of ['2', '4', 'a', 'c', 'e'])
      expect(tables.nextHop(id(digit))).toBe(id(digit));
  });

  it('RFC 6940 §10.3 (215): else the largest Node-ID between this peer and the ID', () => {
    expect(tables.nextHop(id('b'))).toBe(id('a'));
    expect(tables.nextHop(id('f'))).toBe(id('e'));
    expect(tables.nextHop(id('3'))).toBe(id('2'));
    expect(tables.nextHop(id('7'))).toBe(id('4'));
    expect(tables.nextHop(id('1'))).toBe(id('e'));
  });

  it('RFC 6940 §10.3 (216): else the smallest one greater than the ID', () => {
    expect(tables.nextHop(id('9'))).toBe(id('a'));
    const wrapping = new ChordTables(id('e'));
    wrapping.add(id('3'));
    expect(wrapping.nextHop(id('f'))).toBe(id('3'));
  });

  it('RFC 6940 §10.7.3 (244): a peer is never in its own tables', () => {
    expect(tables.add(id('8'))).toBe(false);
    expect(tables.successors()).not.toContain(id('8'));
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    ask(overlay, a, b, updateOf([b.nodeId], [b.nodeId]));
    overlay.runFor(1_000);
    expect(b.peer.status().successors).toEqual([a.nodeId]);
    expect(b.peer.status().predecessors).toEqual([a.nodeId]);
  });
});

describe('joining', () => {
  /** A ninth peer joins a ring of eight, all it sends being read. */
  function joined() {
    const overlay = new VirtualOverlay();
    const peers = [...'2468ace1'].map((digit) => overlay.join(digit));
    overlay.runFor(10_000);
    const joining = overlay.add('7');
    const tap = new Wiretap(joining);
    const others = new Wiretap(...peers);
    overlay.start(joining);
    overlay.runUntil(() => joining.peer.status().ownRecordsComplete, 30_000);
    overlay.runFor(2_000);
    return { overlay, peers, joining, tap, others };
  }
  const { peers, joining, tap, others } = joined();
  const bootstrap = peers[0] as VirtualPeer;
  const admitting = peers.find(({ name }) => name === '8') as VirtualPeer;
  const first = (code: number) => tap.ofCode(code)[0];

  it('RFC 6940 §10.5, §11.4 (220, 320, 321): first an Attach to n+1 through the bootstrap node', () => {
    const attach = first(MessageCode.attachReq);
    expect(tap.sent[0]).toBe(attach);
    expect(attach?.to).toBe(bootstrap);
    expect(attach?.message.header.destinationList).toEqual([
      nodeDestination(bootstrap.nodeId),
      { type: 'resource', resourceId: successorPoint(joining.nodeId) },
    ]);
  });

  it('RFC 6940 §10.5, §11.4 (222, 322): the Join goes to the peer that answered', () => {
    const join = first(MessageCode.joinReq);
    expect(join?.to).toBe(admitting);
    const attachAnswers = others
      .ofCode(MessageCode.attachAns)
      .filter(({ from }) => from === admitting);
    expect(attachAnswers.length).toBeGreaterThan(0);
  });

  it('RFC 6940 §10.5 (221, 231): neighbours-to-be are attached and in the tables', () => {
    const status = joining.peer.status();
    expect(status.successors.slice(0, 3)).toEqual([id('8'), id('a'), id('c')]);
    expect(status.predecessors.slice(0, 3)).toEqual([id('6'), id('4'), id('2')]);
    const connected = status.links.map(({ nodeId }) => nodeId);
    for (const neighbor of [...status.successors, ...status.predecessors]) {
      expect(connected).toContain(neighbor);
    }
  });

  it('RFC 6940 §10.5 (226): the admitting peer tells all its neighbours', () => {
    const told = others
      .ofCode(MessageCode.updateReq)
      .filter(({ from, message }) => {
        const update = bodyOf(message, ChordUpdate);
        return (
          from === admitting &&
          update.type !== 'peerReady' &&
          update.predecessors[0] === joining.nodeId
        );
      })
      .map(({ to }) => to.nodeId);
    for (const neighbor of admitting.peer.status().successors) expect(told).toContain(neighbor);
    expect(told).toContain(joining.nodeId);
  });

  it('RFC 6940 §10.5 (227, 229): the new peer tells its neighbours, and only once it is admitted', () => {
    const sent = tap.sent.map(({ message }) => message.contents.code);
    const join = sent.indexOf(MessageCode.joinReq);
    expect(join).toBeGreaterThan(0);
    expect(sent.slice(0, join)).not.toContain(MessageCode.updateReq);
    const attached = tap.sent
      .slice(0, join)
      .filter(({ message }) => message.contents.code === MessageCode.attachReq)
      .map(targetOf);
    for (const digit of ['4', '6', 'a']) {
      const linked = joining.peer.status().links.some(({ nodeId }) => nodeId === id(digit));
      expect(linked).toBe(true);
    }
    expect(attached.length).toBeGreaterThan(2);
    const told = tap.ofCode(MessageCode.updateReq).map(({ to }) => to.nodeId);
    for (const neighbor of joining.peer.status().successors) expect(told).toContain(neighbor);
    for (const neighbor of joining.peer.status().predecessors) expect(told).toContain(neighbor);
  });

  it('RFC 6940 §10.6 (230): Attaches to neighbours go by way of who told of them', () => {
    const join = tap.sent.findIndex(({ message }) => message.contents.code === MessageCode.joinReq);
    const toNodes = (sent: readonly TappedMessage[]) =>
      sent
        .filter(({ message }) => message.contents.code === MessageCode.attachReq)
        .map(({ message }) => message.header.destinationList)
        .filter((list) => list.at(-1)?.type === 'node');
    const beforeJoin = toNodes(tap.sent.slice(0, join));
    expect(beforeJoin.length).toBeGreaterThan(2);
    for (const list of beforeJoin) expect(list[0]).toEqual(nodeDestination(admitting.nodeId));
    for (const list of toNodes(tap.sent)) expect(list).toHaveLength(2);
  });

  it('RFC 6940 §10.5 (228): the i-th finger is looked for at n + 2^(128-i)', () => {
    const overlay = new VirtualOverlay();
    // So many that the neighbours of one peer are no fingers for a quarter of the ring.
    for (let place = 8; place < 256; place += 11) overlay.join(place.toString(16).padStart(2, '0'));
    const late = overlay.add('04');
    const listening = new Wiretap(late);
    overlay.start(late);
    overlay.runFor(20_000);
    expect(late.peer.state).toBe('joined');
    const starts = listening
      .ofCode(MessageCode.attachReq)
      .map(targetOf)
      .flatMap((target) => (target?.type === 'resource' ? [target.resourceId] : []))
      .slice(1);
    expect(starts.length).toBeGreaterThan(0);
    const fingers = Array.from({ length: 128 }, (_, i) =>
      advance(late.nodeId, 1n << BigInt(127 - i)),
    );
    for (const start of starts) expect(fingers).toContain(start);
  });

  it('RFC 6940 §6.5.1.1 (103): every Attach of a joining peer asks for an Update', () => {
    for (const { message } of tap.ofCode(MessageCode.attachReq)) {
      expect(bodyOf(message, AttachReqAns).sendUpdate).toBe(true);
    }
  });
});

describe('neighbours', () => {
  it('RFC 6940 §10.7 (232): at least three on either side', () => {
    const { peers } = ring('2468ace');
    for (const { peer } of peers) {
      expect(peer.status().successors.length).toBeGreaterThanOrEqual(3);
      expect(peer.status().predecessors.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('RFC 6940 §10.7.1 (233, 234, 235, 236): a lost one is replaced and all are told', () => {
    const { overlay, peers } = ring('2468ace');
    const [, lost, six, eight] = peers as [VirtualPeer, VirtualPeer, VirtualPeer, VirtualPeer];
    const tap = new Wiretap(six);
    overlay.crash(lost);
    overlay.runFor(15);
    const { predecessors } = six.peer.status();
    expect(predecessors[0]).toBe(id('2'));
    expect(predecessors.length).toBeGreaterThanOrEqual(3);
    overlay.runFor(500);
    const told = updatesIn(tap).map(({ to }) => to);
    const connected = six.peer.status().links.map(({ nodeId }) => nodeId[0]);
    // Its range grew: the whole Connection Table hears of it.
    expect([...new Set(told)].sort()).toEqual([...new Set(connected)].sort());
    expect(told).toContain(eight.name);
  });

  it('RFC 6940 §10.7.1 (237): who has lost all of them joins again', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    overlay.crash(a);
    overlay.runFor(1_000);
    expect(b.peer.status().isolated).toBe(true);
    overlay.restart(a);
    const both = () => overlay.isConnected(a, b) && b.peer.status().successors[0] === a.nodeId;
    expect(overlay.runUntil(both, 60_000)).toBe(true);
  });

  it('RFC 6940 §10.7.2 (238): a failed finger gives way to the next peer at or after its start', () => {
    const tables = new ChordTables(id('0'));
    tables.add(id('8'));
    tables.add(id('9'));
    expect(tables.finger(1)).toBe(id('8'));
    tables.remove(id('8'));
    expect(tables.finger(1)).toBe(id('9'));
    expect(tables.nextHop(id('88'))).toBe(id('9'));
    expect(tables.fingers()).toEqual([id('9')]);
  });

  it('RFC 6940 §10.7.3 (240, 241, 242): a nearer peer in an Update is attached to', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    const tap = new Wiretap(b);
    const nearer = overlay.add('7');
    const body = updateOf([nearer.nodeId], [b.nodeId]);
    expect(errorOf(ask(overlay, a, b, body))).toBeUndefined();
    tap.listen(b);
    overlay.runFor(4_000);
    const [attach] = tap.ofCode(MessageCode.attachReq);
    expect(attach?.message.header.destinationList).toEqual([
      nodeDestination(a.nodeId),
      nodeDestination(nearer.nodeId),
    ]);
    expect(b.peer.status().predecessors).toEqual([a.nodeId]);
    // What was said of it takes no range away. Its own answer does, until that is settled.
    const place = { type: 'resource', resourceId: id('5') as string as ResourceId } as const;
    const answers = () => exchange(overlay, a, b, { to: [place] }).length;
    expect(answers()).toBe(1);
    const transactionId = attach?.message.header.transactionId ?? 0n;
    overlay.inject(b, a, framed(forge(a, attachAnswer(nearer, b, transactionId))));
    expect(answers()).toBe(0);
    overlay.runFor(20_000);
    expect(answers()).toBe(1);
  });

  it('RFC 6940 §10.7.3 (243): a changed Neighbor Table is told to every connection', () => {
    const { overlay, peers } = ring('2468');
    const [, four] = peers as [VirtualPeer, VirtualPeer];
    const tap = new Wiretap(four);
    overlay.join('5');
    overlay.runFor(1_000);
    const told = new Set(updatesIn(tap).map(({ to }) => to));
    expect([...told].sort()).toEqual(['2', '5', '6', '8']);
  });

  it('RFC 6940 §10.7.3 (245): a new member of the replica set gets copies of everything', () => {
    const { overlay, peers } = ring('2468');
    const [, four] = peers as [VirtualPeer, VirtualPeer];
    const tap = new Wiretap(four);
    const added = overlay.join('5');
    overlay.runFor(2_000);
    const own = [...four.options.store.resourceIds()].filter(
      (resource: string) => resource > id('2') && resource <= four.nodeId,
    );
    const sent = tap
      .ofCode(MessageCode.storeReq)
      .filter(({ to }) => to === added)
      .map(({ message }) => bodyOf(message, StoreReq).resource);
    expect(own.length).toBeGreaterThan(0);
    for (const resource of own) expect(sent).toContain(resource);
  });
});

describe('stabilization', () => {
  it('RFC 6940 §10.7.4.1 (247): an Update to every neighbour from time to time', () => {
    const overlay = new VirtualOverlay({ configuration: { chordUpdateIntervalSeconds: 100 } });
    const peers = [...'248'].map((digit) => overlay.join(digit));
    overlay.runFor(10_000);
    const [a] = peers as [VirtualPeer];
    const tap = new Wiretap(a);
    overlay.runFor(126_000);
    expect(new Set(updatesIn(tap).map(({ to }) => to))).toEqual(new Set(['4', '8']));
  });

  it('RFC 6940 §10.7.4.2, §10.7.2 (239, 248): Pings search for invalid fingers', () => {
    const overlay = new VirtualOverlay({
      configuration: { chordPingIntervalSeconds: 60, chordUpdateIntervalSeconds: 100 },
    });
    const peers = [...'1357bd9'].map((digit) => overlay.join(digit));
    overlay.runFor(10_000);
    const [a] = peers as [VirtualPeer];
    const tap = new Wiretap(a);
    overlay.runFor(900_000);
    const searches = tap.ofCode(MessageCode.pingReq).map(targetOf);
    expect(searches.some((target) => target?.type === 'resource')).toBe(true);
  });

  it('RFC 6940 §10.7.4.4, §11.4 (249, 323): a ring in two parts grows together again', () => {
    const overlay = new VirtualOverlay();
    const a = overlay.join('2');
    const b = overlay.add('8', { first: true });
    overlay.handle(b, { type: 'start', knownPeers: [] });
    overlay.runFor(5_000);
    expect(overlay.isConnected(a, b)).toBe(false);
    expect(b.peer.status().successors).toEqual([]);
    // A third node knows both: it joins one and remembers the other.
    const c = overlay.add('c');
    overlay.handle(c, {
      type: 'start',
      knownPeers: [{ address: a.address }, { address: b.address }],
    });
    const whole = () => [a, b, c].every(({ peer }) => peer.status().successors.length === 2);
    expect(overlay.runUntil(whole, 1_500_000)).toBe(true);
  });
});

/** The AttachAns of a peer that will connect to `to`. */
function attachAnswer(by: VirtualPeer, to: VirtualPeer, transactionId: bigint): Forgery {
  const none = new Uint8Array(0);
  const offer = { ufrag: none, password: none, role: 'active', candidates: [], sendUpdate: false };
  return {
    to: [nodeDestination(to.nodeId)],
    code: MessageCode.attachAns,
    body: encode(AttachReqAns, offer),
    signer: by.signer,
    header: { transactionId },
  };
}
