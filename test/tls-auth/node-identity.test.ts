import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NodeIdentityFault,
  nodeIdFromReloadUri,
  parseNodeId,
  type ReloadUriRules,
  reloadUri,
  selfSignedNodeId,
} from '../../src/tls-auth/node-identity.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

const ID = '0123456789abcdef0123456789abcdef' as NodeId;
const xep0416: ReloadUriRules = { overlayName: 'xmpp.org', nodeIdLength: 16, profile: 'xep-0416' };
const rfc6940: ReloadUriRules = { ...xep0416, profile: 'rfc6940' };

function expectFault(uri: string, rules: ReloadUriRules = xep0416): void {
  expect(nodeIdFromReloadUri(uri, rules), uri).toBeInstanceOf(NodeIdentityFault);
}

describe('RFC 6940 §14.15: the form of a Destination', () => {
  test('is read in both profiles, in any case, with or without the final slash', () => {
    for (const rules of [xep0416, rfc6940]) {
      for (const uri of [
        `reload://0110${ID}@xmpp.org/`,
        `reload://0110${ID}@xmpp.org`,
        `RELOAD://0110${ID.toUpperCase()}@XMPP.org/`,
      ]) {
        expect(nodeIdFromReloadUri(uri, rules)).toBe(ID);
      }
    }
  });

  test('is what we write', () => {
    expect(reloadUri(ID, 'xmpp.org')).toBe(`reload://0110${ID}@xmpp.org/`);
  });

  test('Node-IDs of 20 bytes', () => {
    const long = 'a1'.repeat(20) as NodeId;
    const rules = { ...rfc6940, nodeIdLength: 20 };
    expect(reloadUri(long, 'xmpp.org')).toBe(`reload://0114${long}@xmpp.org/`);
    expect(nodeIdFromReloadUri(reloadUri(long, 'xmpp.org'), rules)).toBe(long);
    expectFault(reloadUri(ID, 'xmpp.org'), rules);
  });

  test('another type, another length, several destinations and half bytes are refused', () => {
    for (const digits of [`0210${ID}`, `0111${ID}`, `0110${ID}0110${ID}`, `0110${ID}0`]) {
      expectFault(`reload://${digits}@xmpp.org/`);
    }
  });
});

describe('XEP-0416 §3.2: the bare and the decimal form', () => {
  test('are read in the profile xep-0416 alone', () => {
    const decimal = BigInt(`0x${ID}`).toString();
    for (const digits of [ID, decimal]) {
      expect(nodeIdFromReloadUri(`reload://${digits}@xmpp.org/`, xep0416)).toBe(ID);
      expectFault(`reload://${digits}@xmpp.org/`, rfc6940);
    }
  });

  test('the number printed in XEP-0417', () => {
    const uri = 'reload://220272202018319934868857047121934323225@xmpp.org/';
    expect(nodeIdFromReloadUri(uri, xep0416)).toBe('a5b6e20addfe248535abd879447a8e19');
  });
});

describe('what a URI must not have', () => {
  test.each([
    ['another overlay', `reload://0110${ID}@example.org/`],
    ['an overlay with a port', `reload://0110${ID}@xmpp.org:6084/`],
    ['a specifier', `reload://0110${ID}@xmpp.org/00`],
    ['a query', `reload://0110${ID}@xmpp.org/?x`],
    ['no Node-ID', 'reload://@xmpp.org/'],
    ['no overlay', `reload://0110${ID}@/`],
    ['another scheme', `relaod://0110${ID}@xmpp.org/`],
    ['space', ` reload://0110${ID}@xmpp.org/`],
    ['a line end behind', `reload://0110${ID}@xmpp.org/\n`],
    ['all zeros', `reload://0110${'0'.repeat(32)}@xmpp.org/`],
    ['all ones', `reload://0110${'f'.repeat(32)}@xmpp.org/`],
    ['zero', 'reload://0@xmpp.org/'],
    ['32 decimal digits', `reload://${'1'.repeat(32)}@xmpp.org/`],
    ['a decimal number with a leading zero', 'reload://012345@xmpp.org/'],
    ['2^128', `reload://${2n ** 128n}@xmpp.org/`],
    ['2^128 - 1, which is all ones', `reload://${2n ** 128n - 1n}@xmpp.org/`],
    ['hex of another length', 'reload://abcdef@xmpp.org/'],
  ])('%s', (_, uri) => {
    expectFault(uri);
  });

  test('a fault shows what was found, not all of a long one', () => {
    const fault = nodeIdFromReloadUri(`reload://${'9'.repeat(5000)}@xmpp.org/`, xep0416);
    expect(fault).toMatchObject({ detail: expect.stringMatching(/^expected a Node-ID/) });
    expect(JSON.stringify(fault).length).toBeLessThan(300);
  });
});

describe('parseNodeId: all three forms', () => {
  test('of one Node-ID', () => {
    expect(parseNodeId(`0110${ID}`)).toBe(ID);
    expect(parseNodeId(ID)).toBe(ID);
    expect(parseNodeId(ID.toUpperCase())).toBe(ID);
    expect(parseNodeId(BigInt(`0x${ID}`).toString())).toBe(ID);
    expect(parseNodeId('1')).toBe('00000000000000000000000000000001');
  });

  test.each(['', '0', '-1', '+1', '1.0', ' 1', '0x10', '12a', '0'.repeat(32), 'f'.repeat(32)])(
    '"%s" is none',
    (text) => {
      expect(parseNodeId(text)).toBeUndefined();
    },
  );

  test('every Node-ID is read in the forms that are not ambiguous', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n - 2n }), (number) => {
        const hex = number.toString(16).padStart(32, '0');
        const decimal = number.toString();
        expect(parseNodeId(`0110${hex}`)).toBe(hex);
        expect(parseNodeId(hex)).toBe(/[a-f]/.test(hex) ? hex : undefined);
        expect(parseNodeId(decimal)).toBe(decimal.length === 32 ? undefined : hex);
      }),
    );
  });

  test('arbitrary text never throws', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseNodeId(text);
        nodeIdFromReloadUri(`reload://${text}`, xep0416);
      }),
    );
  });
});

describe('RFC 6940 §11.3.1: Node-IDs of self-signed certificates', () => {
  const key = Buffer.from('the SubjectPublicKeyInfo');

  test('the high-order bytes of the digest; of several the index stands before', () => {
    for (const digest of ['sha1', 'sha256'] as const) {
      const alone = createHash(digest).update(key).digest('hex');
      expect(selfSignedNodeId(key, digest, 16)).toBe(alone.slice(0, 32));
      const second = createHash(digest).update(Buffer.from('00000002', 'hex')).update(key);
      expect(selfSignedNodeId(key, digest, 16, 2)).toBe(second.digest('hex').slice(0, 32));
    }
    expect(selfSignedNodeId(key, 'sha256', 20)).toHaveLength(40);
  });
});
