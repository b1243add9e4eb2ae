import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChallengeTable } from '../../src/ca/challenge-table.ts';
import '../fast-check-seed.ts';

const LIMITS = {
  challengesMax: 6,
  challengesPerDomainMax: 4,
  challengesPerAccountMax: 2,
  challengeMsMax: 1_000,
  challengeAnswersMax: 3,
};

const request = (userName: string, requestSha256 = 'aa') => ({ userName, requestSha256 });

describe('the table of challenges', () => {
  it('an answer is claimed once, in time, and no second one meanwhile', () => {
    const table = new ChallengeTable(LIMITS);
    table.begin(request('a@x'), 't', 0);
    expect(table.claim('t', 999)?.state).toBe('answering');
    expect(table.claim('t', 999)).toBeUndefined();
    expect(table.end('t', 'passed')?.state).toBe('passed');
    expect(table.claim('t', 999)).toBeUndefined();
    expect(table.end('t', 'failed')).toBeUndefined();
    expect(table.find('t')?.state).toBe('passed');
    table.begin(request('b@x'), 'u', 0);
    expect(table.claim('u', 1_000)).toBeUndefined();
  });

  it('wrong answers are counted, those that could not be looked at are not', () => {
    const table = new ChallengeTable(LIMITS);
    table.begin(request('a@x'), 't', 0);
    for (const state of ['waiting', 'waiting', 'failed']) {
      table.claim('t', 1);
      table.release('t');
      table.claim('t', 1);
      expect(table.refuse('t')?.state).toBe(state);
    }
    expect(table.liveCount).toBe(0);
    expect(table.refuse('t')?.state).toBe('failed');
  });

  it('they expire in their order, but not while an answer is looked at', () => {
    const table = new ChallengeTable(LIMITS);
    table.begin(request('a@x', '1'), 't', 0);
    table.begin(request('a@x', '2'), 'u', 100);
    expect(table.nextDeadline()).toBe(1_000);
    table.claim('t', 999);
    expect(table.nextDeadline()).toBe(1_100);
    expect(table.expire(1_050)).toEqual([]);
    expect(table.expire(1_100).map(({ token }) => token)).toEqual(['u']);
    expect(table.find('u')?.state).toBe('expired');
    table.release('t');
    expect(table.expire(1_100).map(({ token }) => token)).toEqual(['t']);
    expect(table.nextDeadline()).toBeUndefined();
  });

  it('XEP-0417 §6.1: the same request of the same account ends the one before', () => {
    const table = new ChallengeTable(LIMITS);
    table.begin(request('a@x'), 't', 0);
    expect(table.endSame(request('b@x'), 'replaced')).toBeUndefined();
    expect(table.endSame(request('a@x', 'bb'), 'replaced')).toBeUndefined();
    expect(table.endSame(request('a@x'), 'replaced')?.token).toBe('t');
    expect(table.endSame(request('a@x'), 'replaced')).toBeUndefined();
  });

  it('there are limits for an account, a domain and all, and room again after each end', () => {
    const table = new ChallengeTable(LIMITS);
    const begun = (userName: string, token: string) =>
      table.begin(request(userName, token), token, 0) !== undefined;
    expect([begun('a@x', '1'), begun('a@x', '2'), begun('a@x', '3')]).toEqual([true, true, false]);
    expect([begun('b@x', '4'), begun('c@x', '5'), begun('d@x', '6')]).toEqual([true, true, false]);
    expect([begun('a@y', '7'), begun('b@y', '8'), begun('a@z', '9')]).toEqual([true, true, false]);
    table.end('1', 'passed');
    expect(begun('a@x', '3')).toBe(true);
  });

  it('whatever comes in whatever order: counts agree, and memory is bounded', () => {
    const users = ['a@x', 'b@x', 'c@x', 'a@y', 'b@y', 'a@z'];
    const step = fc.record({
      what: fc.constantFrom('begin', 'claim', 'refuse', 'release', 'end', 'endSame', 'expire'),
      user: fc.constantFrom(...users),
      which: fc.nat(40),
      ms: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new ChallengeTable(LIMITS);
        const begun: string[] = [];
        let nowMs = 0;
        for (const { what, user, which, ms } of steps) {
          nowMs += ms;
          const token = begun[which % Math.max(1, begun.length)] ?? 'none';
          const subject = request(user, `${which % 3}`);
          if (what === 'begin') {
            table.endSame(subject, 'replaced');
            const fresh = `t${begun.length}`;
            if (table.begin(subject, fresh, nowMs) !== undefined) begun.push(fresh);
          } else if (what === 'claim') table.claim(token, nowMs);
          else if (what === 'refuse') table.refuse(token);
          else if (what === 'release') table.release(token);
          else if (what === 'end') table.end(token, 'passed');
          else if (what === 'endSame') table.endSame(subject, 'replaced');
          else table.expire(nowMs);
          const known = begun.flatMap((one) => table.find(one) ?? []);
          const live = known.filter(({ state }) => state === 'waiting' || state === 'answering');
          expect(table.liveCount).toBe(live.length);
          expect(live.length).toBeLessThanOrEqual(LIMITS.challengesMax);
          expect(known.length).toBeLessThanOrEqual(2 * LIMITS.challengesMax + 1);
          for (const name of users) {
            const own = live.filter((one) => one.request.userName === name);
            expect(own.length).toBeLessThanOrEqual(LIMITS.challengesPerAccountMax);
            const requests = new Set(own.map((one) => one.request.requestSha256));
            expect(requests.size).toBe(own.length);
          }
        }
      }),
    );
  });
});
