import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  openStoreFile,
  type StoreFile,
  type StoreFileDamage,
} from '../../../src/host/state/store-file.ts';
import { mountSmallFileSystem, unmountSmallFileSystem } from './small-file-system.ts';

const WRITER = [
  '--import',
  'tsx',
  fileURLToPath(new URL('./store-file-writer.ts', import.meta.url)),
];
/** Environment of a child process: options for this one are not for that one. */
const CHILD_ENVIRONMENT = { ...process.env, NODE_OPTIONS: '' };

let directory: string;
let damages: StoreFileDamage[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-file-'));
  damages = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function openHere(): Promise<StoreFile> {
  return openStoreFile(directory, (damage) => damages.push(damage));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function contentOf(store: StoreFile): Record<string, string> {
  const entries = Array.from(store.load(), ({ key, value }) => [
    key,
    new TextDecoder().decode(value),
  ]);
  return Object.fromEntries(entries);
}

/** Writes `count` records of various sizes, and closes. */
async function fill(count: number): Promise<void> {
  const store = await openHere();
  for (let batch = 0; batch < count / 50; batch++) {
    await store.write(
      Array.from({ length: 50 }, (_, i) => ({
        key: `value/${batch}/${i}`,
        value: Buffer.alloc(i % 10 === 0 ? 9000 : 600, i),
      })),
    );
  }
  await store.close();
}

describe('writing', () => {
  test('what was written is there after opening again', async () => {
    const store = await openHere();
    await store.write([
      { key: 'value/a', value: bytes('1') },
      { key: 'value/b', value: bytes('') },
      { key: 'value/c', value: bytes('x'.repeat(100_000)) },
    ]);
    await store.write([{ key: 'value/a', value: undefined }]);
    await store.close();
    const again = await openHere();
    expect(contentOf(again)).toEqual({ 'value/b': '', 'value/c': 'x'.repeat(100_000) });
    await again.close();
    expect(damages).toEqual([]);
  });

  test('within a batch the last record for a key counts', async () => {
    const store = await openHere();
    await store.write([
      { key: 'a', value: bytes('1') },
      { key: 'a', value: undefined },
      { key: 'b', value: bytes('1') },
      { key: 'b', value: bytes('2') },
    ]);
    expect(contentOf(store)).toEqual({ b: '2' });
    await store.close();
  });

  test('what load gives is not overwritten by later reads', async () => {
    const store = await openHere();
    await store.write([
      { key: 'a', value: bytes('1111') },
      { key: 'b', value: bytes('2222') },
    ]);
    const loaded = [...store.load()];
    await store.write([{ key: 'a', value: bytes('3333') }]);
    expect([...store.load()]).toHaveLength(2);
    expect(loaded.map(({ value }) => new TextDecoder().decode(value))).toEqual(['1111', '2222']);
    await store.close();
  });

  test('writes that are not awaited come in their order, and close waits for them', async () => {
    const store = await openHere();
    const writes = [1, 2, 3].map((n) => store.write([{ key: 'a', value: bytes(`${n}`) }]));
    const empty = store.write([]);
    await store.close();
    await Promise.all([...writes, empty]);
    const again = await openHere();
    expect(contentOf(again)).toEqual({ a: '3' });
    await again.close();
  });

  test('a key that LMDB cannot hold rejects that batch, whole, and no other', async () => {
    const store = await openHere();
    const bad = store.write([
      { key: 'good', value: bytes('1') },
      { key: 'k'.repeat(5000), value: bytes('1') },
    ]);
    await expect(bad).rejects.toThrow('a key has');
    await store.write([{ key: 'other', value: bytes('1') }]);
    await store.close();
    const again = await openHere();
    expect(contentOf(again)).toEqual({ other: '1' });
    await again.close();
  });
});

describe('crashes', () => {
  test('kill -9 loses nothing that was acknowledged', { timeout: 60_000 }, async () => {
    for (const afterBatches of [3, 40, 150]) {
      const run = mkdtempSync(join(directory, 'run-'));
      const writer = spawn(process.execPath, [...WRITER, run], { env: CHILD_ENVIRONMENT });
      let acknowledged = -1;
      for await (const line of createInterface(writer.stdout)) {
        acknowledged = Number(line.split(' ')[1]);
        if (acknowledged >= afterBatches) writer.kill('SIGKILL');
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
      expect(writer.signalCode).toBe('SIGKILL');
      const store = await openStoreFile(run, (damage) => damages.push(damage));
      const keys = Array.from(store.load(), ({ key }) => key);
      await store.close();
      const batches = keys.filter((key) => key.startsWith('generation/')).length;
      expect(batches).toBeGreaterThan(acknowledged);
      expect(batches).toBeLessThanOrEqual(acknowledged + 2);
      // Each batch is whole: its value is there with its generation, the one removed is not.
      const values = Array.from(
        { length: Math.min(10, batches) },
        (_, i) => `value/${batches - 1 - i}`,
      );
      expect(keys.filter((key) => key.startsWith('value/')).sort()).toEqual(values.sort());
    }
    expect(damages).toEqual([]);
  });
});

describe('a full disk', () => {
  const prepare = 'ulimit -f 150; exec "$@"';

  test('rejects with the reason, keeps what was acknowledged', { timeout: 30_000 }, async () => {
    const { stdout, status } = spawnSync(
      'bash',
      ['-c', prepare, 'bash', process.execPath, ...WRITER, directory],
      { env: CHILD_ENVIRONMENT, encoding: 'utf8' },
    );
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    const acknowledged = lines.filter((line) => line.startsWith('acknowledged')).length;
    expect(acknowledged).toBeGreaterThan(2);
    const failure = lines.find((line) => line.startsWith('failed'));
    expect(failure).toMatch(
      /^failed: cannot write .*store\.mdb: (File too large|Input\/output error)$/,
    );
    const store = await openHere();
    const batches = Array.from(store.load()).filter(({ key }) => key.startsWith('generation/'));
    expect(batches.length).toBeGreaterThanOrEqual(acknowledged - 1);
    await store.close();
    expect(damages).toEqual([]);
  });

  const tmpfs = mountSmallFileSystem();
  test.skipIf(tmpfs === undefined)(
    'on a real file system of 1 MB (needs the right to mount one): works again when there is room',
    async () => {
      const small = tmpfs ?? '';
      try {
        const store = await openStoreFile(small, (damage) => damages.push(damage));
        const filler = join(small, 'filler');
        writeFileSync(filler, Buffer.alloc(800 * 1024));
        const record = (n: number) => [{ key: `value/${n}`, value: Buffer.alloc(60_000, n) }];
        let written = 0;
        let failure: unknown;
        while (failure === undefined && written < 100) {
          await store.write(record(written)).then(
            () => written++,
            (error: unknown) => {
              failure = error;
            },
          );
        }
        expect(String(failure)).toMatch(
          /cannot write .*store\.mdb: .*; the disk is full, \d+ bytes are free/,
        );
        expect(Object.keys(contentOf(store))).toHaveLength(written);
        rmSync(filler);
        await store.write(record(written));
        expect(Object.keys(contentOf(store))).toHaveLength(written + 1);
        await store.close();
      } finally {
        unmountSmallFileSystem(small);
      }
    },
  );
});

describe('damage', () => {
  const file = () => join(directory, 'store.mdb');

  async function expectSetAside(): Promise<void> {
    const damaged = readFileSync(file());
    const store = await openHere();
    expect(damages).toHaveLength(1);
    const [damage] = damages;
    expect(damage?.path).toBe(file());
    expect(damage?.reason).not.toBe('');
    expect(damage?.setAsideAs).toMatch(/store\.mdb\.damaged-\d{4}-\d\d-\d\dT/);
    expect(readFileSync(damage?.setAsideAs ?? '').equals(damaged)).toBe(true);
    expect(contentOf(store)).toEqual({});
    await store.write([{ key: 'a', value: bytes('1') }]);
    expect(contentOf(store)).toEqual({ a: '1' });
    await store.close();
  }

  test('a file that is no store file is set aside and reported', async () => {
    writeFileSync(file(), 'this is a text\n'.repeat(1000));
    await expectSetAside();
  });

  test('a file that was cut short is set aside and reported', async () => {
    await fill(500);
    truncateSync(file(), 300_000);
    await expectSetAside();
  });

  test('a file whose pages were zeroed is set aside and reported', async () => {
    await fill(500);
    const content = readFileSync(file());
    for (let page = 2; page < content.length / 4096; page++) {
      if (page % 3 === 0) content.fill(0, page * 4096, (page + 1) * 4096);
    }
    writeFileSync(file(), content);
    await expectSetAside();
  });

  test('a sound file stays where it is', async () => {
    await fill(500);
    const store = await openHere();
    expect(Object.keys(contentOf(store))).toHaveLength(500);
    await store.close();
    expect(damages).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.includes('damaged'))).toEqual([]);
  });
});

test.skipIf(process.getuid?.() === 0)(
  'a directory that cannot be written is an error',
  async () => {
    chmodSync(directory, 0o500);
    await expect(openHere()).rejects.toThrow();
    chmodSync(directory, 0o700);
  },
);
