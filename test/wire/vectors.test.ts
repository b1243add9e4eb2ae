import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dissectLine, isFault, reencodeLine } from '../../src/cli/message-dissection.ts';
import { agrees, factsOfDissection, factsOfJson } from './wireshark-facts.ts';

/** Beside the repository; it is another maker's and no part of it. */
const file = new URL('../../../shared/vectors/wire/messages.json', import.meta.url);

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly dissection: string;
}

const vectors: readonly Vector[] = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8')).messages
  : [];

/** Header, message code, certificates and signature: every message states these. */
const FACTS_MIN = 16;

describe('RFC 6940: messages of an independent encoder', () => {
  if (vectors.length === 0) {
    test.skip('skipped: ../shared/vectors/wire/messages.json is not there', () => undefined);
  }

  for (const { name, hex, dissection } of vectors) {
    test(`${name}: decoded and encoded again it has the same bytes`, () => {
      expect(reencodeLine(hex)).toBe(hex);
    });

    test(`${name}: every value that the dissection states is ours`, () => {
      const json = dissectLine(hex);
      if (isFault(json)) throw new Error(JSON.stringify(json));
      const stated = factsOfDissection(dissection);
      const ours = factsOfJson(json);
      expect(stated.size).toBeGreaterThanOrEqual(FACTS_MIN);
      for (const [fact, values] of stated) {
        const found = ours.get(fact) ?? [];
        const equal = values.map((value, i) => (agrees(value, found[i] ?? '') ? found[i] : value));
        expect({ [fact]: found }).toEqual({ [fact]: equal });
      }
    });

    test(`${name}: a message cut anywhere is an error that says where`, () => {
      for (let digits = 0; digits < hex.length; digits += 2) {
        const result = dissectLine(hex.slice(0, digits));
        if (!isFault(result)) throw new Error(`expected a fault for ${digits / 2} bytes`);
        expect(result.error.struct).not.toBe('');
      }
    });
  }
});
