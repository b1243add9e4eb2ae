import { beforeAll, describe, expect, it } from 'vitest';
import { sealKeys, unsealKeys } from '../../../src/host/authority/sealed-keys.ts';

const KEYS = { root: '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n' };
const PATH = '/state/keys.sealed';

let sealed = '';

/** Once: scrypt takes its time. */
beforeAll(async () => {
  sealed = await sealKeys(KEYS, 'open sesame');
});

describe('keys at rest', () => {
  it('come back with their passphrase, and stand nowhere in the file', async () => {
    expect(sealed).not.toContain('abc');
    expect(sealed).not.toContain(Buffer.from(KEYS.root).toString('base64').slice(8, 40));
    expect(await unsealKeys(sealed, 'open sesame', PATH)).toEqual(KEYS);
    expect(await sealKeys(KEYS, 'open sesame')).not.toBe(sealed);
  });

  it('a wrong passphrase is one sentence that names the file', async () => {
    await expect(unsealKeys(sealed, 'open barley', PATH)).rejects.toThrow(
      `the passphrase is not the one of ${PATH}`,
    );
  });

  it.each(['N', 'p', 'salt', 'nonce', 'ciphertext', 'tag'])(
    'a changed %s is noticed',
    async (field) => {
      const parsed = JSON.parse(sealed);
      const changed = { N: 2 ** 14, p: 2 }[field] ?? `AAAA${parsed[field].slice(4)}`;
      const text = JSON.stringify({ ...parsed, [field]: changed });
      await expect(unsealKeys(text, 'open sesame', PATH)).rejects.toThrow('was changed');
    },
  );

  it.each([
    ['no JSON', () => 'x'],
    ['another format', (parsed: object) => JSON.stringify({ ...parsed, format: 'other' })],
    ['a cost that takes hours', (parsed: object) => JSON.stringify({ ...parsed, N: 2 ** 30 })],
    ['a cost that is no power of 2', (parsed: object) => JSON.stringify({ ...parsed, N: 99_999 })],
    ['a field that is missing', (parsed: object) => JSON.stringify({ ...parsed, tag: undefined })],
    ['null', () => 'null'],
  ])('is refused with %s', async (_what, change) => {
    const parsed = JSON.parse(sealed);
    await expect(unsealKeys(change(parsed), 'open sesame', PATH)).rejects.toThrow(
      'holds no encrypted keys',
    );
  });
});
