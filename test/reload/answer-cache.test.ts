import { describe, expect, test } from 'vitest';
import { AnswerCache } from '../../src/reload/answer-cache.ts';
import { PeerEnvironment } from '../../src/reload/peer-environment.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

const ANSWER = { contents: new Uint8Array(10), block: new Uint8Array(20) };
/** Five transmissions, 3 s apart. */
const REQUEST_LIFE_MS = 15_000;

function newCache(limits = {}) {
  const { options, signer } = new VirtualOverlay().add('1a');
  const env = new PeerEnvironment({ ...options, limits });
  const cache = new AnswerCache(env);
  const request = (transactionId: bigint) => ({ transactionId, signer });
  const at = (monotonicMs: number) => {
    env.now = { monotonicMs, unixMs: monotonicMs };
    while (env.deadlines.takeDue(monotonicMs) !== undefined) cache.expire();
  };
  return { env, cache, request, at };
}

describe('RFC 6940 §6.2.1: the transaction table', () => {
  test('has the answer of a request for as long as the request may live, and no longer', () => {
    const { cache, request, at } = newCache();
    cache.begin(request(1n));
    cache.finish(request(1n), ANSWER);
    at(REQUEST_LIFE_MS - 1);
    expect(cache.find(request(1n))?.answer).toBe(ANSWER);
    at(REQUEST_LIFE_MS);
    expect(cache.find(request(1n))).toBeUndefined();
  });

  test('begins anew for a request that came before in another life', () => {
    const { cache, request, at } = newCache();
    cache.begin(request(1n));
    at(10_000);
    cache.begin(request(2n));
    at(REQUEST_LIFE_MS + 1);
    expect(cache.find(request(1n))).toBeUndefined();
    expect(cache.begin(request(1n))).toBe(true);
    expect(cache.find(request(1n))?.answer).toBeUndefined();
    expect(cache.loads.pendingRequests).toBe(2);
  });

  test('is empty again some time after the last request', () => {
    const { env, cache, request, at } = newCache();
    for (let one = 0; one < 100; one++) {
      at(100 * one);
      cache.begin(request(BigInt(one)));
      if (one % 2 === 0) cache.finish(request(BigInt(one)), ANSWER);
    }
    let looks = 0;
    for (let next = env.deadlines.next(); next !== undefined; next = env.deadlines.next()) {
      at(next);
      looks++;
    }
    expect(cache.loads).toEqual({ cachedAnswers: 0, cachedAnswerBytes: 0, pendingRequests: 0 });
    expect(looks).toBeLessThan(5);
  });

  test('has room for a request where the others that wait are too old to be answered', () => {
    const { env, cache, request, at } = newCache({ pendingRequestsMax: 1 });
    cache.begin(request(1n));
    expect(cache.begin(request(2n))).toBe(false);
    env.deadlines.cancel('cachedAnswers');
    at(REQUEST_LIFE_MS);
    expect(cache.begin(request(2n))).toBe(true);
  });
});
