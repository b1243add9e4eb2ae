import { describe, expect, test } from 'vitest';
import {
  discoverConfigurationServers,
  type ServiceRecord,
} from '../../src/host/service-discovery.ts';

const asked: string[] = [];
const resolverOf = (records: readonly ServiceRecord[]) => ({
  resolveSrv: async (name: string) => {
    asked.push(name);
    return records;
  },
});
const record = (name: string, priority = 0, weight = 0) => ({ name, port: 1, priority, weight });

describe('RFC 6940 §11.2, the configuration server of an overlay', () => {
  test('is found by the SRV service reload-config over TCP', async () => {
    const targets = await discoverConfigurationServers('a.example', resolverOf([record('b.')]));
    expect(asked).toEqual(['_reload-config._tcp.a.example']);
    expect(targets).toEqual([{ host: 'b', port: 1 }]);
  });

  test('is the overlay’s own name where DNS has no record or does not answer', async () => {
    const fallback = [{ host: 'a.example', port: 443 }];
    expect(await discoverConfigurationServers('a.example', resolverOf([]))).toEqual(fallback);
    const broken = { resolveSrv: () => Promise.reject(new Error('ESERVFAIL')) };
    expect(await discoverConfigurationServers('a.example', broken)).toEqual(fallback);
  });

  test('is nowhere when the only target is "."', async () => {
    expect(await discoverConfigurationServers('a.example', resolverOf([record('.')]))).toEqual([]);
  });
});

describe('RFC 2782, the order of targets', () => {
  const order = async (records: ServiceRecord[], random: () => number) =>
    (await discoverConfigurationServers('a.example', resolverOf(records), random))
      .map(({ host }) => host)
      .join('');

  test('lower priority first', async () => {
    const records = [record('c', 9, 99), record('a', 1), record('b', 5, 50)];
    expect(await order(records, () => 0.5)).toBe('abc');
  });

  test('within a priority by weight and chance', async () => {
    const records = [record('a', 0, 10), record('b', 0, 90), record('c', 0, 0)];
    expect(await order(records, () => 0)).toBe('abc');
    expect(await order(records, () => 0.5)).toBe('bac');
    let first = 0;
    for (let run = 0; run < 1_000; run += 1) {
      if ((await order(records, () => (run % 100) / 100)).startsWith('a')) first += 1;
    }
    expect(first).toBe(100);
  });

  test('no more than four are tried', async () => {
    const records = Array.from({ length: 99 }, (_, i) => record(`${i % 10}`, i));
    expect(await order(records, () => 0)).toBe('0123');
  });
});
