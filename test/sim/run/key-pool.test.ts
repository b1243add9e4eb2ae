import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { keyPool, keyPoolFile, unpackKeys } from '../../../sim/run/key-pool.ts';

let folder: string;
let file: string;
let notices: string[];
const onNotice = (sentence: string) => notices.push(sentence);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xor-keys-'));
  file = join(folder, 'xor', 'keys');
  notices = [];
});

describe('the pool of key pairs', () => {
  test('is made on first use, kept, and used again', () => {
    const made = keyPool({ count: 10, file, onNotice });
    const again = keyPool({ count: 10, file, onNotice });
    expect(Buffer.from(again).equals(Buffer.from(made))).toBe(true);
    expect(notices).toEqual([]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'xor'))).toEqual(['keys']);
  });

  test('holds pairs that belong together', () => {
    const pairs = unpackKeys(keyPool({ count: 3, file }), 3);
    expect(pairs).toHaveLength(3);
    for (const { privateKey, publicKey } of pairs) {
      const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
      const own = createPublicKey(key).export({ format: 'der', type: 'spki' });
      expect(own.equals(Buffer.from(publicKey))).toBe(true);
    }
  });

  test('grows where more are wanted, and keeps those that it had', () => {
    const few = keyPool({ count: 1, file });
    const asked: number[] = [];
    const many = keyPool({ count: 300, file, onProgress: (_, missing) => asked.push(missing) });
    expect(many.length).toBeGreaterThan(few.length);
    expect(Buffer.from(many.subarray(0, few.length)).equals(Buffer.from(few))).toBe(true);
    expect(new Set(asked)).toEqual(new Set([256]));
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['a changed byte', (bytes) => withByte(bytes, 100, 0xff - (bytes[100] ?? 0))],
    ['a torn end', (bytes) => bytes.subarray(0, -7)],
    ['nothing in it', () => Buffer.alloc(0)],
    ['another version', (bytes) => withByte(bytes, 19, 0x32)],
  ])('%s: it is made anew, and that is said', (_, damage) => {
    keyPool({ count: 1, file });
    writeFileSync(file, damage(readFileSync(file)));
    expect(unpackKeys(keyPool({ count: 1, file, onNotice }), 1)).toHaveLength(1);
    expect(notices).toEqual([
      `the key pool ${file} is damaged or of another version; it is made anew`,
    ]);
    keyPool({ count: 1, file, onNotice });
    expect(notices).toHaveLength(1);
  });

  test('a place that cannot be written: the run has its keys all the same', () => {
    writeFileSync(join(folder, 'xor'), 'a file where the folder should be');
    expect(unpackKeys(keyPool({ count: 1, file, onNotice }), 1)).toHaveLength(1);
    expect(notices.at(-1)).toMatch(/^cannot keep the key pool in [^\n]+$/);
  });

  test('another process that made more meanwhile does not lose them', () => {
    const made = keyPool({
      count: 1,
      file,
      onProgress: () => {
        if (!existsSync(file)) keyPool({ count: 300, file });
      },
    });
    expect(keyPool({ count: 300, file }).length).toBeGreaterThan(made.length);
  });

  test('lies in the cache directory of the user', () => {
    mkdirSync(join(folder, 'cache'));
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(folder, 'cache');
    expect(keyPoolFile()).toBe(join(folder, 'cache', 'xor', 'simulator-keys'));
    process.env.XDG_CACHE_HOME = 'relative';
    expect(keyPoolFile()).toMatch(/\.cache\/xor\/simulator-keys$/);
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
});

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}
