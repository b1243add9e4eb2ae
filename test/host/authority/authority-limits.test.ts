import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  defaultAuthorityLimits,
  parseLimits,
} from '../../../src/host/authority/authority-limits.ts';
import { AuthorityState } from '../../../src/host/authority/authority-state.ts';
import { newAuthorityState } from './authority-fixture.ts';

describe('limits.json', () => {
  it('changes the limits that it names, and no other', () => {
    const given = { bodyBytesMax: 9, requestsPerDomainRate: { burst: 5, refillMs: 7 } };
    expect(parseLimits(JSON.stringify(given))).toEqual({ ...defaultAuthorityLimits, ...given });
    expect(parseLimits('{}')).toEqual(defaultAuthorityLimits);
  });

  it.each([
    ['no JSON', 'burst', 'it is not JSON'],
    ['no object', '7', 'it is not a JSON object'],
    ['an unknown limit', '{"bodyBytes":9}', 'there is no limit "bodyBytes"'],
    ['what belongs to every object', '{"toString":9}', 'there is no limit "toString"'],
    ['a limit of nothing', '{"accountsMax":0}', '"accountsMax" must look like 100000'],
    ['half a rate', '{"requestsPerDomainRate":{"burst":5}}', '"requestsPerDomainRate" must look'],
    ['a number for a rate', '{"requestsPerDomainRate":5}', '"requestsPerDomainRate" must look'],
  ])('refuses %s', (_what, text, reason) => {
    expect(parseLimits(text)).toEqual(expect.stringContaining(reason));
  });

  it('is read from the state directory', async () => {
    const state = await newAuthorityState();
    await writeFile(join(state, 'limits.json'), '{"accountsMax":1}');
    const opened = await AuthorityState.open(state);
    expect(opened.limits.accountsMax).toBe(1);
    await opened.close();
    await writeFile(join(state, 'limits.json'), '{"accountsMax":"many"}');
    await expect(AuthorityState.open(state)).rejects.toThrow('limits.json cannot be used');
  });
});
