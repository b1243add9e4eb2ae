import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SimRandom } from '../../sim/world/sim-random.ts';
import { derNodes, withReplaced } from './der-tree.ts';
import { generatedCorpus } from './fuzz-corpus.ts';
import { FUZZ_TARGETS, fuzzTarget, WrongVerdict } from './fuzz-target.ts';
import { mutateDer } from './mutation.ts';

const corpus = generatedCorpus();

describe('npm run fuzz', () => {
  test.each(FUZZ_TARGETS)('%s: nothing but a refusal comes of mutated inputs', (name) => {
    const target = fuzzTarget(name, corpus, 20_261_121);
    for (let number = 0; number < 150; number++) {
      expect(() => target.run(target.input(number)), `input ${number}`).not.toThrow();
    }
  });

  test.each(FUZZ_TARGETS)('%s: seed and number name one input', (name) => {
    const inputs = (seed: number) => {
      const target = fuzzTarget(name, corpus, seed);
      return createHash('sha256')
        .update([0, 1, 2, 3].map((number) => target.input(number).map(toHex).join()).join())
        .digest('hex');
    };
    expect(inputs(7)).toBe(inputs(7));
    expect(inputs(7)).not.toBe(inputs(8));
  });

  test('what is not mutated is read: the corpus is good', () => {
    for (const chain of corpus.chains) {
      const target = fuzzTarget('path', { ...corpus, chains: [chain] }, 1);
      expect(() => target.run(chain)).not.toThrow();
    }
  });

  test('a chain that is valid though it was changed is a wrong verdict', () => {
    const [first = []] = corpus.chains;
    const target = fuzzTarget('path', { ...corpus, chains: [] }, 1);
    expect(() => target.run(first)).toThrow(WrongVerdict);
  });
});

describe('mutations of DER', () => {
  const [seed] = (corpus.chains[0] ?? []).map((der) => ({ der, nodes: derNodes(der) }));
  if (seed === undefined) throw new Error('the corpus is empty');

  test('an element put in its own place changes nothing', () => {
    expect(seed.nodes.length).toBeGreaterThan(50);
    for (const node of seed.nodes) expect(withReplaced(node, node.der)).toEqual(seed.der);
  });

  test('lengths around a changed element are right again', () => {
    for (const node of seed.nodes.filter(({ children }) => children.length === 0)) {
      const changed = withReplaced(node, new Uint8Array(300));
      expect(derNodes(changed)[0]?.der.length).toBe(changed.length);
    }
  });

  test('most mutations differ from their seed', () => {
    const random = new SimRandom(1, 'test');
    const mutated = Array.from({ length: 100 }, () => toHex(mutateDer(seed, [seed], random)));
    expect(mutated.filter((hex) => hex !== toHex(seed.der)).length).toBeGreaterThan(80);
  });
});

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
