import { describe, expect, it } from 'vitest';
import { fragmentMessage, Reassembler } from '../../src/reload/fragmentation.ts';
import { PeerEnvironment } from '../../src/reload/peer-environment.ts';
import { ReceivedWindow } from '../../src/reload/received-window.ts';
import { RoundTripEstimator } from '../../src/reload/round-trip-estimator.ts';
import { decode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { ForwardingView } from '../../src/wire/forwarding-view.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeHeader } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { VirtualOverlay } from '../reload/virtual-overlay.ts';
import { ask, drops, exchange, forge, framed } from './forged-message.ts';

const overlay = new VirtualOverlay();
const a = overlay.join('2');
const b = overlay.join('8');
overlay.runFor(5_000);

const viaList = [nodeDestination(a.nodeId)];
const options = [{ type: 200, flags: 0, value: Uint8Array.of(1) }];
const message = forge(a, { to: [nodeDestination(b.nodeId)], header: { viaList, options } });

function view(bytes: Uint8Array): ForwardingView {
  const found = ForwardingView.over(bytes, 16);
  if (found instanceof MalformedMessage) throw new Error(found.describe());
  return found;
}

function header(bytes: Uint8Array) {
  const found = decodeHeader(bytes);
  if (found instanceof MalformedMessage) throw new Error(found.describe());
  return found;
}

describe('links', () => {
  it('RFC 6940 §6.6 (132): a link that stops acknowledging leaves the Routing Table', () => {
    const other = new VirtualOverlay();
    const [first, second] = [other.join('2'), other.join('8')];
    other.runFor(5_000);
    second.isSilent = true;
    other.command(first, { type: 'ping', nodeId: second.nodeId });
    other.runFor(4_000);
    const [link] = first.peer.status().links;
    expect(link).toMatchObject({ suspect: true, routable: false });
    // And a connection that is refused is told at once.
    const third = other.add('c');
    other.handle(third, { type: 'start', knownPeers: [{ address: second.address }] });
    other.runFor(100);
    expect(third.events.map(({ type }) => type)).toContain('joinFailed');
  });

  it('RFC 6940 §6.6.2 (138): an acknowledgement tells of the 32 most recent sequences', () => {
    const window = new ReceivedWindow();
    expect(window.receive(100)).toBe(0);
    expect(window.receive(101)).toBe(0b10);
    expect(window.receive(103)).toBe(0b1100);
    expect(window.receive(102)).toBe(0b110);
    for (let sequence = 104; sequence < 140; sequence++) window.receive(sequence);
    expect(window.receive(140)).toBe(0xfffffffe);
    // 32 places back is forgotten.
    const short = new ReceivedWindow();
    short.receive(1);
    expect(short.receive(32)).toBe(0x80000000);
    expect(short.receive(33)).toBe(0b10);
  });

  it('RFC 6940 §6.6.2 (138): each data frame is acknowledged with that bitmap', () => {
    const acks: FramedMessage[] = [];
    b.intercept = (bytes) => {
      const ack = decode(FramedMessage, bytes.subarray(0, 9));
      if (!(ack instanceof MalformedMessage)) acks.push(ack);
      return bytes;
    };
    const bytes = framed(forge(a, { to: [nodeDestination(b.nodeId)] }));
    overlay.inject(b, a, bytes);
    b.intercept = undefined;
    const sequence = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    expect(acks[0]).toMatchObject({ type: 'ack', ackSequence: sequence });
  });

  it('RFC 6940 §6.6.5 (145): RTT and RTO are those of RFC 6298', () => {
    const estimator = new RoundTripEstimator();
    expect(estimator.timeoutMs(3_000)).toBe(3_000);
    estimator.addSample(4_000);
    expect(estimator.timeoutMs(0)).toBe(4_000 + 4 * 2_000);
    estimator.addSample(8_000);
    expect(estimator.roundTripMs).toBe(0.875 * 4_000 + 0.125 * 8_000);
    expect(estimator.timeoutMs(0)).toBe(4_500 + 4 * (0.75 * 2_000 + 0.25 * 4_000));
  });

  it('RFC 6940 §6.6.5 (145): the framing header measures the round trip', () => {
    overlay.result(a, { type: 'ping', nodeId: b.nodeId }, 'pong');
    const [link] = a.peer.status().links;
    expect(link?.roundTripMs).toBeCloseTo(2 * overlay.latencyMs, 0);
  });
});

describe('fragments', () => {
  it('RFC 6940 §6.7 (147, 148, 149): whole lists, at least 256 bytes, their own length', () => {
    const fragments = fragmentMessage(message, 500);
    expect(fragments.length).toBeGreaterThan(1);
    const whole = header(message).header;
    for (const fragment of fragments) {
      const { header: own, headerLength } = header(fragment);
      expect(own.viaList).toEqual(whole.viaList);
      expect(own.destinationList).toEqual(whole.destinationList);
      expect(own.options).toEqual(whole.options);
      expect(own.length).toBe(fragment.length);
      expect(fragment.length).toBeLessThanOrEqual(500);
      expect(fragment.length - headerLength).toBeGreaterThanOrEqual(256);
    }
    const { headerLength } = header(message);
    let cut = 0;
    for (let bytesMax = headerLength + 256; bytesMax < message.length; bytesMax += 7) {
      const parts = fragmentMessage(message, bytesMax);
      const shortest = Math.min(...parts.map((part) => part.length - headerLength));
      expect(shortest).toBeGreaterThanOrEqual(256);
      if (parts.length > 1) cut++;
    }
    expect(cut).toBeGreaterThan(10);
  });

  it('RFC 6940 §6.7 (151, 152): the last one says so, all have the high bit', () => {
    const fragments = fragmentMessage(message, 500);
    const words = fragments.map((fragment) => header(fragment).header.fragment);
    let offset = 0;
    for (const [index, word] of words.entries()) {
      expect(word >>> 31).toBe(1);
      expect((word >>> 30) & 1).toBe(index === words.length - 1 ? 1 : 0);
      expect(word & 0xffffff).toBe(offset);
      const fragment = fragments[index] as Uint8Array;
      offset += fragment.length - header(fragment).headerLength;
    }
    expect(offset).toBe(message.length - header(message).headerLength);
  });

  it('RFC 6940 §6.7 (150): what finds no room for reassembly is dropped', () => {
    const env = new PeerEnvironment({ ...b.options, limits: { reassembliesMax: 1 } });
    const reassembler = new Reassembler(env);
    const first = fragmentMessage(message, 500);
    const second = fragmentMessage(forge(a, { to: [nodeDestination(b.nodeId)] }), 500);
    const add = (bytes: Uint8Array | undefined) =>
      bytes === undefined ? undefined : reassembler.add(view(bytes), a.nodeId);
    expect(add(first[0])).toBeUndefined();
    for (const fragment of second) expect(add(fragment)).toBeUndefined();
    expect(env.dropped.get('reassembly-limit')).toBe(second.length);
    // The first one is not lost by that.
    expect(first.slice(1).map(add).at(-1)).toEqual(message);
  });

  it('RFC 6940 §6.7 (150): held bytes are bounded too', () => {
    const env = new PeerEnvironment({ ...b.options, limits: { reassemblyBytesMax: 300 } });
    const reassembler = new Reassembler(env);
    for (const fragment of fragmentMessage(message, 500)) reassembler.add(view(fragment), a.nodeId);
    expect(env.dropped.get('reassembly-limit')).toBeGreaterThan(0);
  });

  it('RFC 6940 §6.7 (153, 154): with the high bit 0 nothing is a fragment, whatever is in it', () => {
    for (const fragment of [0, 0x40000000, 0x3fffffff, 1]) {
      const answer = ask(overlay, a, b, { header: { fragment } });
      expect(answer.contents.code).toBe(MessageCode.pingAns);
    }
    const before = drops(b, 'reassembly-limit');
    const to = [nodeDestination(b.nodeId)];
    expect(exchange(overlay, a, b, { to, header: { fragment: 0x80000100 } })).toEqual([]);
    expect(drops(b, 'reassembly-limit')).toBe(before);
  });
});
