import { beforeEach, describe, expect, test } from 'vitest';
import { nodeDestination } from '../../../src/wire/destination.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type { BareJid } from '../../../src/xmpp-address/jid.ts';
import { DirectWorld, JULIET, lastTry, ROMEO, sendMany } from './direct-world.ts';

let network: DirectWorld;

beforeEach(() => {
  network = new DirectWorld();
});

describe('who is at the other end', () => {
  test('RFC 6940 §6.5.2: a connection that nobody asked for is closed', () => {
    const juliet = network.started('8', JULIET);
    const stranger = network.added('2', ROMEO);
    const { node } = stranger.device;
    const outputs = juliet.device.core.handle(
      { type: 'directLinkUp', link: 77, node },
      network.now,
    );
    expect(outputs).toMatchObject([
      { type: 'directClose', link: 77, reason: 'nobody asked for this connection' },
    ]);
  });

  test('XEP-0415 §6.1: a location that names a device of somebody else leads nowhere', () => {
    const romeo = network.started('2', ROMEO);
    const tybalt = network.started('8', 'tybalt@capulet.lit');
    const juliet = network.added('c', JULIET);
    const destinationList = [nodeDestination(tybalt.device.nodeId)];
    juliet.device.location = { type: 'route', priority: 0, destinationList };
    network.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    expect(romeo.tester.streams.devicesOf(JULIET)).toEqual([]);
    expect(lastTry(romeo)).toContain('expected a device of juliet@capulet.lit');
    romeo.act((streams) => streams.reach('tybalt@capulet.lit' as BareJid));
    network.runFor(1_000);
    expect(romeo.tester.streams.devicesOf('tybalt@capulet.lit' as BareJid)).toHaveLength(1);
  });

  test('a stanza whose from is not the certificate’s is never handed up, and the stream ends', () => {
    for (const from of ['nurse@capulet.lit/x', undefined]) {
      network = new DirectWorld();
      const { romeo, juliet } = network.pair();
      juliet.act((streams, tester) => {
        const message = tester.message('I am the nurse', from ?? '');
        const { attributes, ...rest } = message;
        const changed = new Map(attributes);
        if (from === undefined) changed.delete('from');
        streams.send(romeo.device.nodeId, { ...rest, attributes: changed }, 1);
      });
      network.runFor(200);
      expect(romeo.tester.received).toEqual([]);
      expect(romeo.device.events).toContainEqual(
        expect.objectContaining({
          type: 'stanzaRefused',
          from: juliet.device.nodeId,
          condition: from === undefined ? 'improper-addressing' : 'invalid-from',
        }),
      );
      expect(romeo.tester.told).toContain(`lost ${JULIET}`);
      expect(juliet.tester.undeliveredTags).toEqual([1]);
    }
  });

  test('RFC 7622 §3: however its user is spelled, who reads it sees the one of the certificate', () => {
    const { romeo, juliet } = network.pair();
    const spellings = [
      'juliet@capulet.lit/Balcony',
      'JULIET@Capulet.lit/Balcony',
      'ｊuliet@capulet.lit',
    ];
    juliet.act((streams, tester) => {
      for (const [tag, from] of spellings.entries()) {
        streams.send(romeo.device.nodeId, tester.message('hark', from), tag);
      }
    });
    network.runFor(200);
    const prepared = 'juliet@capulet.lit/Balcony';
    expect(romeo.tester.senders).toEqual([prepared, prepared, 'juliet@capulet.lit']);
  });

  test('a certificate that does not count any more closes its stream at once', () => {
    const { romeo, juliet } = network.pair();
    sendMany(romeo, juliet, 1, 1);
    network.runFor(500);
    const settings = romeo.device.authenticator.trustSettings;
    const badNodes = new Set<NodeId>([juliet.device.nodeId]);
    romeo.device.authenticator.replaceSettings({ ...settings, badNodes });
    romeo.act((streams, tester) => streams.send(juliet.device.nodeId, tester.message('2'), 2));
    network.handle(romeo.device, { type: 'trustChanged' });
    expect(romeo.tester.told.at(-1)).toBe(`lost ${JULIET}`);
    expect(romeo.tester.undeliveredTags).toEqual([2]);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(0);
  });

  test('a session that waits to be resumed ends, too, when its certificate is refused', () => {
    const { romeo, juliet } = network.pair();
    network.cut(romeo.device, juliet.device);
    network.runFor(1_000);
    expect(romeo.tester.told).not.toContain(`lost ${JULIET}`);
    const settings = romeo.device.authenticator.trustSettings;
    const badNodes = new Set<NodeId>([juliet.device.nodeId]);
    romeo.device.authenticator.replaceSettings({ ...settings, badNodes });
    network.handle(romeo.device, { type: 'trustChanged' });
    expect(romeo.tester.told).toContain(`lost ${JULIET}`);
  });

  test('a certificate that ends closes the connection; a renewed one resumes the session', () => {
    const romeo = network.started('2', ROMEO);
    const notAfterUnixMs = network.now.unixMs + 60_000;
    const juliet = network.added('8', JULIET);
    const { nodeId, authenticator } = juliet.device;
    juliet.device.node = network.certify(authenticator, nodeId, JULIET, { notAfterUnixMs });
    network.start(juliet.device);
    network.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    network.runFor(1_000);
    juliet.device.node = network.certify(authenticator, nodeId, JULIET);
    network.runFor(70_000);
    sendMany(romeo, juliet, 1, 1);
    network.runFor(5_000);
    expect(juliet.tester.received).toEqual(['1']);
    expect(romeo.tester.told).not.toContain(`lost ${JULIET}`);
    expect(network.linksBetween(romeo.device, juliet.device)).toBe(1);
  });
});
