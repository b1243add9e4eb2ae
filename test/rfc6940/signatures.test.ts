import { describe, expect, it } from 'vitest';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import { overlayHash } from '../../src/storage/resource-name.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { verifyMessage } from '../../src/tls-auth/message-signature.ts';
import { SignatureRefusal } from '../../src/tls-auth/verified-signer.ts';
import { decode, uint32, vector } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage } from '../../src/wire/message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { StoreReq } from '../../src/wire/store.ts';
import { storedData } from '../../src/wire/stored-data.ts';
import { OVERLAY, VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { bodyOf, drops, exchange, forge, framed } from './forged-message.ts';
import { nodeIdHashedInto } from './hash-search.ts';
import { messagesIn, Wiretap } from './wiretap.ts';

function ring(digits: string): { overlay: VirtualOverlay; peers: VirtualPeer[] } {
  const overlay = new VirtualOverlay();
  const peers = [...digits].map((digit) => overlay.join(digit));
  overlay.runFor(5_000);
  return { overlay, peers };
}

/** All that is said while three peers join, store, look each other up, err, and one leaves. */
function conversation(): { overlay: VirtualOverlay; tap: Wiretap } {
  const overlay = new VirtualOverlay();
  const tap = new Wiretap();
  const peers: VirtualPeer[] = [];
  for (const digit of ['2', '8', 'c']) {
    const peer = overlay.add(digit);
    tap.listen(peer);
    overlay.start(peer);
    overlay.runFor(10_000);
    peers.push(peer);
  }
  const [first, second, third] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
  overlay.result(first, { type: 'lookupByNodeId', nodeId: third.nodeId }, 'certificates');
  overlay.run(first, { type: 'appAttach', nodeId: second.nodeId, application: 1 });
  overlay.run(third, { type: 'leave' });
  return { overlay, tap };
}

describe('signatures of all messages', () => {
  it('RFC 6940 §6.3, §6.3.4, §13.2 (070, 071, 072, 085): each is signed, its certificate with it', () => {
    const { overlay, tap } = conversation();
    const codes = new Set<number>();
    for (const { message } of tap.sent) {
      // A verifier that has met nobody: all it needs must be in the message.
      const authenticator = new Authenticator(trustSettingsOf(overlay.configuration));
      const { header, contents, contentsBytes, securityBlock } = message;
      const verified = verifyMessage(
        authenticator,
        overlayHash(OVERLAY),
        header.transactionId,
        contentsBytes,
        securityBlock,
        overlay.now.unixMs,
      );
      if (verified instanceof SignatureRefusal) throw new Error(verified.describe());
      codes.add(contents.code);
    }
    for (const code of [
      'joinReq',
      'joinAns',
      'storeReq',
      'fetchAns',
      'leaveReq',
      'error',
    ] as const) {
      expect(codes).toContain(MessageCode[code]);
    }
  });

  it('RFC 6940 §6.3.4, §13.5.1 (073, 168): each value in a Store has a signature of its own', () => {
    const { overlay, tap } = conversation();
    const stores = tap.ofCode(MessageCode.storeReq);
    expect(stores.length).toBeGreaterThan(5);
    for (const { message } of stores) {
      const { kindData } = bodyOf(message, StoreReq);
      for (const { kind, values } of kindData) {
        const model = overlay.configuration.kinds.get(kind)?.dataModel ?? 'single';
        const framedValues = new Uint8Array(4 + values.length);
        new DataView(framedValues.buffer).setUint32(0, values.length);
        framedValues.set(values, 4);
        const stored = decode(vector(uint32, storedData(model)), framedValues);
        if (stored instanceof MalformedMessage) throw new Error(stored.describe());
        expect(stored.length).toBeGreaterThan(0);
        for (const { signature } of stored) {
          expect(signature.identity.type).not.toBe('none');
          expect(signature.value.length).toBeGreaterThan(60);
        }
      }
    }
  });

  it('RFC 6940 §6.3.4 (078, 079): what is not truly signed is not processed', () => {
    const { overlay, peers } = ring('28');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    const to = [nodeDestination(b.nodeId)];
    const spoil = (contents: Uint8Array) => {
      contents[1] = MessageCode.probeReq;
    };
    const before = drops(b, 'bad-signature');
    expect(exchange(overlay, a, b, { to, spoil })).toEqual([]);
    expect(drops(b, 'bad-signature')).toBe(before + 1);
    expect(exchange(overlay, a, b, { to })).toHaveLength(1);
  });

  it('RFC 6940 §6.3.4 (078): a message in fragments is verified once it is whole', () => {
    const overlay = new VirtualOverlay();
    const a = overlay.join('2', { fragmentAboveBytes: 700 });
    const b = overlay.join('8', { fragmentAboveBytes: 700 });
    const cut: number[] = [];
    a.intercept = (bytes) => {
      for (const message of messagesIn(bytes)) cut.push(message.length);
      return bytes;
    };
    overlay.result(a, { type: 'ping', nodeId: b.nodeId }, 'pong');
    expect(cut.length).toBeGreaterThan(1);
    expect(Math.max(...cut)).toBeLessThanOrEqual(700);
    // One byte of the last fragment wrong, and the whole is not processed.
    a.intercept = (bytes) => {
      const spoiled = bytes.slice();
      spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 1;
      return spoiled;
    };
    const before = drops(b, 'bad-signature') + drops(b, 'malformed');
    overlay.command(a, { type: 'ping', nodeId: b.nodeId });
    overlay.runFor(1_000);
    expect(drops(b, 'bad-signature') + drops(b, 'malformed')).toBeGreaterThan(before);
  });
});

describe('signatures of responses', () => {
  /** `a` asks; what `b` answers is signed by `c` instead. */
  function answeredByAnother(
    peers: readonly VirtualPeer[],
    overlay: VirtualOverlay,
    code: number,
  ): void {
    const [a, b, c] = peers as [VirtualPeer, VirtualPeer, VirtualPeer];
    b.intercept = (bytes, to) => {
      const [message] = messagesIn(bytes);
      const decoded = message === undefined ? undefined : decodeMessage(message);
      if (decoded === undefined || decoded instanceof MalformedMessage) return bytes;
      if (decoded.contents.code !== code || to !== a) return bytes;
      const { contents, header } = decoded;
      return framed(
        forge(c, { to: header.destinationList, code: contents.code, body: contents.body, header }),
      );
    };
    overlay.runFor(1);
  }

  it('RFC 6940 §6.3.4 (080, 081): to a Node-ID only that node may answer', () => {
    const { overlay, peers } = ring('28c');
    const [a, b] = peers as [VirtualPeer, VirtualPeer];
    expect(overlay.run(a, { type: 'ping', nodeId: b.nodeId }).ok).toBe(true);
    answeredByAnother(peers, overlay, MessageCode.pingAns);
    const before = drops(a, 'unexpected-response');
    const outcome = overlay.run(a, { type: 'ping', nodeId: b.nodeId });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'timeout' } });
    expect(drops(a, 'unexpected-response')).toBeGreaterThan(before + 3);
  });

  it('RFC 6940 §6.3.4 (082): to a Resource-ID nobody farther than our neighbours may answer', () => {
    const { overlay, peers } = ring('28c');
    const [a] = peers as [VirtualPeer];
    const nodeId = nodeIdHashedInto('2', '8');
    const found = overlay.run(a, { type: 'lookupByNodeId', nodeId });
    expect(found).not.toMatchObject({ failure: { code: 'timeout' } });
    answeredByAnother(peers, overlay, MessageCode.fetchAns);
    const before = drops(a, 'unexpected-response');
    const outcome = overlay.run(a, { type: 'lookupByNodeId', nodeId });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'timeout' } });
    // Its frames are not acknowledged either, so that some transmissions go another way.
    expect(drops(a, 'unexpected-response')).toBeGreaterThan(before);
  });
});
