import { describe, expect, it } from 'vitest';
import { makeRfc6940Leaf, TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import { nodeDestination, resourceDestination } from '../../src/wire/destination.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { authenticatedNode, testTrustSettings } from '../tls-auth/test-node.ts';
import { ask, drops, errorOf, exchange, forge, framed } from './forged-message.ts';
import { nodeIdHashedInto } from './hash-search.ts';
import { messagesIn, Wiretap } from './wiretap.ts';

const overlay = new VirtualOverlay();
const a = overlay.join('2');
const b = overlay.join('8');
const c = overlay.join('c');
overlay.runFor(5_000);

const id = (digit: string) => digit.padEnd(32, '0');
const resource = (digit: string) => resourceDestination(id(digit) as ResourceId);
const node = (digit: string) => nodeDestination(id(digit) as NodeId);

describe('RFC 6940 §6.1: receipt', () => {
  it('RFC 6940 §6.1.1 (046, 047): a message to our Resource-ID is verified and acted on', () => {
    const good = exchange(overlay, a, b, { to: [resource('7')] });
    expect(good.map(({ contents }) => contents.code)).toEqual([MessageCode.pingAns]);
    const before = drops(b, 'bad-signature');
    expect(exchange(overlay, a, b, { to: [resource('7')], signer: c.signer })).toHaveLength(1);
    expect(exchange(overlay, a, b, { to: [resource('7')], spoil: swapCode })).toEqual([]);
    expect(drops(b, 'bad-signature')).toBe(before + 1);
  });

  it('RFC 6940 §6.1.1 (048): a Node-ID of our range that is not connected is dropped silently', () => {
    const before = drops(b, 'not-for-us');
    expect(exchange(overlay, a, b, { to: [node('7')] })).toEqual([]);
    expect(drops(b, 'not-for-us')).toBe(before + 1);
  });

  it('RFC 6940 §6.1.1, §6.1.2 (049, 052): a connected Node-ID is forwarded to directly', () => {
    const tap = new Wiretap(b);
    overlay.inject(b, a, framed(forge(a, { to: [nodeDestination(c.nodeId)] })));
    expect(tap.ofCode(MessageCode.pingReq).map(({ to }) => to.name)).toEqual(['c']);
    // A client of our own range is connected too.
    const client = overlay.join('7', { role: 'client' });
    tap.clear();
    overlay.inject(b, a, framed(forge(a, { to: [nodeDestination(client.nodeId)] })));
    expect(tap.ofCode(MessageCode.pingReq).map(({ to }) => to.name)).toEqual(['7']);
    tap.stop();
    overlay.run(client, { type: 'leave' });
  });

  it('RFC 6940 §6.1.2 (050, 051): the ID of another peer goes to the one responsible', () => {
    const tap = new Wiretap(b);
    overlay.inject(b, a, framed(forge(a, { to: [resource('b')] })));
    expect(tap.ofCode(MessageCode.pingReq).map(({ to }) => to.name)).toEqual(['c']);
    tap.clear();
    overlay.inject(b, a, framed(forge(a, { to: [resource('d')] })));
    expect(tap.ofCode(MessageCode.pingReq).map(({ to }) => to.name)).toEqual(['c']);
    tap.stop();
  });

  it('RFC 6940 §6.1.2 (053, 054): a forwarder notes the node it came from at the Via List’s end', () => {
    const viaList = [node('4'), { type: 'compressed', id: 0x8765 } as const];
    const to = [nodeDestination(c.nodeId)];
    const [forwarded] = exchange(overlay, a, b, { to, header: { viaList } });
    expect(forwarded?.header.viaList).toEqual([...viaList, nodeDestination(a.nodeId)]);
    expect(forwarded?.header.destinationList).toEqual(to);
  });

  it('RFC 6940 §6.1.2, §6.2.2 (056, 069): an answer goes to the previous hop, then back along Via', () => {
    const viaList = [node('4'), node('5'), { type: 'compressed', id: 0x8001 } as const];
    const answer = ask(overlay, a, b, { header: { viaList } });
    expect(answer.header.destinationList).toEqual([
      nodeDestination(a.nodeId),
      { type: 'compressed', id: 0x8001 },
      node('5'),
      node('4'),
    ]);
    expect(answer.header.viaList).toEqual([]);
  });

  it('RFC 6940 §6.2 (060): request and answer take the same way, in both directions', () => {
    const tap = new Wiretap(a, b, c);
    const path = [nodeDestination(b.nodeId), nodeDestination(c.nodeId)];
    const transactionId = 0x60n;
    overlay.inject(b, a, framed(forge(a, { to: path, header: { transactionId } })));
    overlay.runFor(100);
    const hops = tap.sent
      .filter(({ message }) => message.header.transactionId === transactionId)
      .map(({ from, to, message }) => [from.name, to.name, message.contents.code]);
    expect(hops).toEqual([
      ['8', 'c', MessageCode.pingReq],
      ['c', '8', MessageCode.pingAns],
      ['8', '2', MessageCode.pingAns],
    ]);
    tap.stop();
  });

  it('RFC 6940 §6.1.2 (057): a node of several Node-IDs may only Ping and Attach at first', () => {
    const twoIds = [id('4'), id('5')] as NodeId[];
    const [first] = twoIds as [NodeId];
    const leaf = makeRfc6940Leaf(overlay.root, { nodeIds: twoIds });
    const overlayName = 'overlay.example.org';
    const settings = testTrustSettings([overlay.root], { overlayName, profile: 'rfc6940' });
    const known = authenticatedNode(new Authenticator(settings), leaf.certificate);
    const other: VirtualPeer = Object.assign(Object.create(b) as VirtualPeer, {
      signer: createSigner(known, first, leaf.key.privateKey),
    });
    const remoteAddress = { type: 'ipv4', address: Uint8Array.of(10, 9, 9, 9), port: 1 } as const;
    const link = 99_999;
    const now = { monotonicMs: overlay.nowMs, unixMs: TEST_UNIX_MS + overlay.nowMs };
    b.peer.handle({ type: 'linkUp', link, node: known, remoteAddress }, now);
    const answersTo = (code: number) => {
      const bytes = framed(forge(other, { to: [resource('b')], code }));
      const outputs = b.peer.handle({ type: 'linkData', link, bytes }, now);
      return outputs.flatMap((output) => {
        if (output.type !== 'send' || output.link !== link) return [];
        return messagesIn(output.bytes).map((message) => {
          const decoded = decodeMessage(message);
          return decoded instanceof MalformedMessage ? decoded.describe() : errorOf(decoded);
        });
      });
    };
    expect(answersTo(MessageCode.storeReq)).toEqual(['Error_Forbidden']);
    expect(answersTo(MessageCode.fetchReq)).toEqual(['Error_Forbidden']);
    expect(answersTo(MessageCode.pingReq)).toEqual([]);
    expect(answersTo(MessageCode.attachReq)).toEqual([]);
    b.peer.handle({ type: 'linkDown', link, reason: 'test' }, now);
  });

  it('RFC 6940 §6.1.2 (058): answers reach a Joining Node that is not in the ring', () => {
    const other = new VirtualOverlay();
    const bootstrap = other.join('2');
    other.join('8');
    const joining = other.add('c');
    const tap = new Wiretap(bootstrap);
    other.start(joining);
    const passed = () =>
      tap.ofCode(MessageCode.attachAns).some(({ to }) => to === joining) &&
      joining.peer.status().state === 'joining';
    expect(other.runUntil(passed, 10_000)).toBe(true);
  });
});

describe('RFC 6940 §6.2: end-to-end reliability', () => {
  it('RFC 6940 §6.2.1 (061, 062): a request names its target and goes by normal routing', () => {
    const tap = new Wiretap(a);
    overlay.run(a, { type: 'lookupByNodeId', nodeId: nodeIdHashedInto('2', '8') });
    const [fetch] = tap.ofCode(MessageCode.fetchReq);
    const list = fetch?.message.header.destinationList;
    expect(list).toHaveLength(1);
    expect(list?.[0]?.type).toBe('resource');
    tap.stop();
  });

  it('RFC 6940 §6.2.1 (063, 064): over the direct connection, or as the plug-in says', () => {
    const tap = new Wiretap(a);
    overlay.result(a, { type: 'ping', nodeId: c.nodeId }, 'pong');
    const pings = tap.ofCode(MessageCode.pingReq);
    expect(pings.map(({ to }) => to.name)).toEqual(['c']);
    tap.clear();
    // Nobody is there: the nearest peer that we know is asked.
    overlay.command(a, { type: 'ping', nodeId: id('b') as NodeId });
    expect(tap.ofCode(MessageCode.pingReq).map(({ to }) => to.name)).toEqual(['8']);
    tap.stop();
  });

  it('RFC 6940 §6.2.1 (065, 066, 067): five transmissions, one ID, a timer apart, then failure', () => {
    const other = new VirtualOverlay({ configuration: { overlayReliabilityTimerMs: 1_500 } });
    const [first, second] = [other.join('2'), other.join('8')];
    other.runFor(2_000);
    second.intercept = () => undefined;
    const sentMs: number[] = [];
    const ids = new Set<bigint>();
    first.intercept = (bytes, to) => {
      for (const message of messagesIn(bytes)) {
        const decoded = decodeMessage(message);
        if (decoded instanceof MalformedMessage) throw new Error(decoded.describe());
        // A peer that has lost everybody also looks for the others: with Pings.
        if (decoded.contents.code !== MessageCode.probeReq || to !== second) continue;
        sentMs.push(other.nowMs);
        ids.add(decoded.header.transactionId);
      }
      return bytes;
    };
    const startMs = other.nowMs;
    const requestedInfo = [1];
    const outcome = other.run(first, { type: 'probe', nodeId: second.nodeId, requestedInfo });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'timeout' } });
    expect(sentMs.map((ms) => ms - startMs)).toEqual([0, 1_500, 3_000, 4_500, 6_000]);
    expect(ids.size).toBe(1);
    expect(other.nowMs - startMs).toBe(7_500);
  });

  it('RFC 6940 §6.2.1 (068): a repeated request gets the answer of the first', () => {
    const header = { transactionId: 0xabcdn };
    const body = Uint8Array.of(255);
    const first = ask(overlay, a, b, { header, code: MessageCode.storeReq, body });
    const viaList = [node('4')];
    const again = ask(overlay, a, b, {
      header: { ...header, viaList },
      code: MessageCode.storeReq,
      body,
    });
    expect(again.contentsBytes).toEqual(first.contentsBytes);
    expect(again.securityBlock).toEqual(first.securityBlock);
    expect(again.header.destinationList).toEqual([nodeDestination(a.nodeId), node('4')]);
  });
});

/** A pingReq becomes a probeReq under the same signature. */
function swapCode(contents: Uint8Array): void {
  contents[1] = MessageCode.probeReq;
}
