import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/wire/codec.ts';
import { destination, nodeDestination, resourceDestination } from '../../src/wire/destination.ts';
import { ForwardingOptionFlag } from '../../src/wire/forwarding-header.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { ask, drops, errorOf, exchange } from './forged-message.ts';
import { Wiretap } from './wiretap.ts';

const overlay = new VirtualOverlay();
const a = overlay.join('2');
const b = overlay.join('8');
const c = overlay.join('c');
overlay.runFor(5_000);
const IN_B = '7'.padEnd(32, '0');

function everythingSaid(): Wiretap {
  const other = new VirtualOverlay();
  const tap = new Wiretap();
  const peers = ['2', '8', 'c'].map((digit) => {
    const peer = other.add(digit);
    tap.listen(peer);
    other.start(peer);
    other.runFor(10_000);
    return peer;
  });
  const [first, second] = peers as [VirtualPeer, VirtualPeer];
  other.result(first, { type: 'ping', nodeId: second.nodeId }, 'pong');
  expect(tap.sent.length).toBeGreaterThan(20);
  return tap;
}

describe('the ForwardingHeader of what a peer sends', () => {
  const said = everythingSaid().sent;

  it('RFC 6940 §6.3.2 (001): it begins with the token d2454c4f', () => {
    for (const { bytes } of said) {
      expect(Buffer.from(bytes.subarray(0, 4)).toString('hex')).toBe('d2454c4f');
    }
  });

  it('RFC 6940 §6.3.2 (002): overlay is the low 32 bits of SHA-1 of the overlay name', () => {
    const hash = createHash('sha1').update('xmpp.org').digest().subarray(-4).readUInt32BE();
    for (const { message } of said) expect(message.header.overlay).toBe(hash);
  });

  it('RFC 6940 §6.3.2 (007): the initial TTL is 100, or the one of the configuration', () => {
    for (const { message } of said) expect(message.header.ttl).toBeLessThanOrEqual(100);
    expect(said.some(({ message }) => message.header.ttl === 100)).toBe(true);
    const low = new VirtualOverlay({ configuration: { initialTtl: 7 } });
    const first = low.join('2');
    const second = low.add('8');
    const tap = new Wiretap(first, second);
    low.start(second);
    low.runFor(5_000);
    expect(tap.sent.length).toBeGreaterThan(5);
    for (const { message } of tap.sent) expect(message.header.ttl).toBeLessThanOrEqual(7);
  });

  it('RFC 6940 §6.3.2, §6.7 (009, 152): the high bit of fragment is always set', () => {
    for (const { message } of said) expect(message.header.fragment).toBe(0xc0000000);
  });

  it('RFC 6940 §6.3.2 (010): each transaction ID is eight fresh random bytes', () => {
    const drawn = new Set<string>();
    let state = 1;
    const random = {
      bytes(length: number) {
        const bytes = new Uint8Array(length);
        for (let i = 0; i < length; i++) {
          state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
          bytes[i] = state >>> 16;
        }
        drawn.add(Buffer.from(bytes).toString('hex'));
        return bytes;
      },
    };
    const other = new VirtualOverlay();
    const first = other.join('2');
    const second = other.add('8', { random });
    const tap = new Wiretap(second);
    other.start(second);
    other.runFor(5_000);
    expect(other.isConnected(first, second)).toBe(true);
    const own = tap.sent.filter(
      ({ message: { contents, header } }) => contents.code % 2 === 1 && header.viaList.length === 0,
    );
    const ids = own
      .filter(({ message }) => message.contents.code !== MessageCode.error)
      .map(({ message }) => message.header.transactionId.toString(16).padStart(16, '0'));
    expect(ids.length).toBeGreaterThan(5);
    for (const id of ids) expect(drawn).toContain(id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the ForwardingHeader of what a peer receives', () => {
  it('RFC 6940 §6.3.2 (004, 012): another version is discarded without an answer', () => {
    const before = drops(b, 'bad-header');
    for (const version of [0x01, 0x09, 0x0b]) {
      const to = [nodeDestination(b.nodeId)];
      expect(exchange(overlay, a, b, { to, header: { version } })).toEqual([]);
    }
    expect(drops(b, 'bad-header')).toBe(before + 3);
  });

  it('RFC 6940 §6.1 (012): another overlay is discarded without an answer', () => {
    const before = drops(b, 'bad-header');
    const to = [nodeDestination(b.nodeId)];
    expect(exchange(overlay, a, b, { to, header: { overlay: 1 } })).toEqual([]);
    expect(drops(b, 'bad-header')).toBe(before + 1);
  });

  it('RFC 6940 §6.3.2 (005): every hop takes one off the TTL', () => {
    const [forwarded] = exchange(overlay, a, b, {
      to: [nodeDestination(c.nodeId)],
      header: { ttl: 50 },
    });
    expect(forwarded?.contents.code).toBe(MessageCode.pingReq);
    expect(forwarded?.header.ttl).toBe(49);
  });

  it('RFC 6940 §6.3.2 (006): TTL 0 goes no further, but is answered where it was sent', () => {
    const onward = exchange(overlay, a, b, {
      to: [nodeDestination(c.nodeId)],
      header: { ttl: 0 },
    });
    expect(onward.map(errorOf)).toEqual(['Error_TTL_Exceeded']);
    expect(ask(overlay, a, b, { header: { ttl: 0 } }).contents.code).toBe(MessageCode.pingAns);
  });

  it('RFC 6940 §6.3.2 (008): a TTL above the initial one is discarded with an error', () => {
    expect(errorOf(ask(overlay, a, b, { header: { ttl: 101 } }))).toBe('Error_TTL_Exceeded');
    const onward = { to: [nodeDestination(c.nodeId)], header: { ttl: 255 } };
    expect(exchange(overlay, a, b, onward).map(errorOf)).toEqual(['Error_TTL_Exceeded']);
  });

  it('RFC 6940 §6.3.2 (011): an answer above max_response_length becomes an error', () => {
    const limit = ask(overlay, a, b, { header: { maxResponseLength: 200 } });
    expect(errorOf(limit)).toBe('Error_Response_Too_Large');
    const enough = ask(overlay, a, b, { header: { maxResponseLength: 60_000 } });
    expect(enough.contents.code).toBe(MessageCode.pingAns);
  });
});

describe('destinations', () => {
  it('RFC 6940 §6.3.2.2 (013): two bytes with the first bit set are an opaque ID', () => {
    const id = { type: 'compressed', id: 0x8123 } as const;
    expect(decode(destination, Uint8Array.of(0x81, 0x23))).toEqual(id);
    expect(encode(destination, id)).toEqual(Uint8Array.of(0x81, 0x23));
    // It comes back as it was in the way of the answer.
    const answer = ask(overlay, a, b, { header: { viaList: [id] } });
    expect(answer.header.destinationList).toEqual([nodeDestination(a.nodeId), id]);
  });

  it('RFC 6940 §6.3.2.2 (014): every other form begins with a type below 128', () => {
    const others = [
      nodeDestination(a.nodeId),
      resourceDestination(IN_B as ResourceId),
      { type: 'opaque', id: Uint8Array.of(1, 2, 3) },
    ] as const;
    for (const other of others) expect(encode(destination, other)[0]).toBeLessThan(128);
    for (let first = 128; first < 256; first++) {
      expect(decode(destination, Uint8Array.of(first, 0))).toMatchObject({ type: 'compressed' });
    }
  });

  it('RFC 6940 §6.3.2.2, §6.1.1 (015, 044, 045): nothing may follow a Resource-ID', () => {
    const resource = resourceDestination(IN_B as ResourceId);
    const fine = exchange(overlay, a, b, { to: [resource] });
    expect(fine.map(({ contents }) => contents.code)).toEqual([MessageCode.pingAns]);
    const before = drops(b, 'not-for-us');
    expect(exchange(overlay, a, b, { to: [resource, nodeDestination(b.nodeId)] })).toEqual([]);
    expect(drops(b, 'not-for-us')).toBe(before + 1);
  });

  it('RFC 6940 §6.3.2.2 (016): a Resource-ID in a Via List is refused', () => {
    const before = drops(b, 'malformed');
    const viaList = [resourceDestination(IN_B as ResourceId)];
    const to = [nodeDestination(b.nodeId)];
    expect(exchange(overlay, a, b, { to, header: { viaList } })).toEqual([]);
    expect(drops(b, 'malformed')).toBe(before + 1);
  });

  it('RFC 6940 §6.3.2.2 (017): an opaque ID that this node did not make is silently dropped', () => {
    const before = drops(b, 'stale-opaque-id');
    for (const id of [
      { type: 'compressed', id: 0x8001 },
      { type: 'opaque', id: Uint8Array.of(1) },
    ] as const) {
      expect(exchange(overlay, a, b, { to: [id, nodeDestination(c.nodeId)] })).toEqual([]);
    }
    expect(drops(b, 'stale-opaque-id')).toBe(before + 2);
  });
});

describe('forwarding options and message extensions', () => {
  const value = Uint8Array.of(1, 2);
  const { forwardCritical, destinationCritical, responseCopy } = ForwardingOptionFlag;
  const options = (flags: number) => ({ options: [{ type: 200, flags, value }] });

  it('RFC 6940 §6.3.2.3 (019): a FORWARD_CRITICAL option that we do not know is not forwarded', () => {
    const to = [nodeDestination(c.nodeId)];
    const refused = exchange(overlay, a, b, { to, header: options(forwardCritical) });
    expect(refused.map(errorOf)).toEqual(['Error_Unsupported_Forwarding_Option']);
    const passed = exchange(overlay, a, b, { to, header: options(destinationCritical) });
    expect(passed.map(({ contents }) => contents.code)).toEqual([MessageCode.pingReq]);
  });

  it('RFC 6940 §6.3.2.3 (020): a DESTINATION_CRITICAL option is refused at the destination', () => {
    const refused = ask(overlay, a, b, { header: options(destinationCritical) });
    expect(errorOf(refused)).toBe('Error_Unsupported_Forwarding_Option');
    const taken = ask(overlay, a, b, { header: options(forwardCritical) });
    expect(taken.contents.code).toBe(MessageCode.pingAns);
  });

  it('RFC 6940 §6.3.2.3 (018, 021, 022): RESPONSE_COPY is copied, with no flag left', () => {
    const copied = ask(overlay, a, b, { header: options(responseCopy | forwardCritical) });
    expect(copied.header.options).toEqual([{ type: 200, flags: 0, value }]);
    expect(ask(overlay, a, b, { header: options(0) }).header.options).toEqual([]);
  });

  it('RFC 6940 §6.3.3 (023): an unknown extension is refused when it is critical', () => {
    const extension = { type: 0x7777, contents: value };
    const refused = ask(overlay, a, b, { extensions: [{ ...extension, critical: true }] });
    expect(errorOf(refused)).toBe('Error_Unknown_Extension');
    const taken = ask(overlay, a, b, { extensions: [{ ...extension, critical: false }] });
    expect(taken.contents.code).toBe(MessageCode.pingAns);
  });
});

describe('message codes', () => {
  it('RFC 6940 §6.3.3.1 (024, 025): a success has the code of the request plus one', () => {
    const codes = [MessageCode.pingReq, MessageCode.probeReq];
    for (const code of codes) {
      const body = code === MessageCode.probeReq ? Uint8Array.of(0) : undefined;
      const answer = ask(overlay, a, b, { code, ...(body === undefined ? {} : { body }) });
      expect(answer.contents.code).toBe(code + 1);
    }
  });

  it('RFC 6940 §6.3.3.1 (026, 027): a failure is the code ffff with an ErrorResponse', () => {
    const codes = Object.entries(MessageCode).filter(([name]) => name.endsWith('Req'));
    expect(codes.length).toBe(13);
    for (const [, code] of codes) {
      // No body of any method begins like this.
      const answer = ask(overlay, a, b, { code, body: Uint8Array.of(255) });
      expect(answer.contents.code).toBe(0xffff);
      expect(errorOf(answer)).toMatch(/^Error_[A-Z]/);
    }
    expect(errorOf(ask(overlay, a, b, { code: 0x7ff1 }))).toBe('Error_Invalid_Message');
  });

  it('RFC 6940 §6.3.3.1, §14 (028, 324): experimental codes stand in tables and nowhere else', () => {
    const uses = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) =>
        /Error_Exp_[AB]|EXP-|exp-|[eE]xp_[ab]/.test(readFileSync(`src/${path}`, 'utf8')),
      );
    expect(uses.filter((path) => path !== 'wire/error-response.ts')).toEqual([]);
  });
});

it('a wildcard Node-ID is whoever receives it', () => {
  const all = nodeDestination('f'.repeat(32) as NodeId);
  expect(ask(overlay, a, b, { to: [all] }).contents.code).toBe(MessageCode.pingAns);
});
