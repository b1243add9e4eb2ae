import { describe, expect, test } from 'vitest';
import type { PersistRecord } from '../../../src/storage/persist-record.ts';
import { OUTBOX_AGE_MAX_MS } from '../../../src/xmpp/routing/routing-limits.ts';
import { ABSENCES_KEY, Absences } from '../../../src/xmpp/signed-stanzas/absences.ts';
import { GUARD_PREFIX, ReplayGuard } from '../../../src/xmpp/signed-stanzas/replay-guard.ts';
import {
  ABSENCES_MAX,
  GUARDED_CERTIFICATES_MAX,
  LONGEST_WAIT_MS,
  RECENT_TIMESTAMPS_MAX,
} from '../../../src/xmpp/signed-stanzas/signed-limits.ts';
import { StanzaRefusal } from '../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import { ageOf, delayStamps } from '../../../src/xmpp/signed-stanzas/stanza-time.ts';
import { xml } from '../routing/verona.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './signed-world.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const AWAY = { guardedSinceUnixMs: 0, wasAwayAt: () => true };
const PRESENT = { guardedSinceUnixMs: 0, wasAwayAt: () => false };

function age(signedAgoMs: number, stampsAgoMs: number[] = [], past = AWAY): string {
  const stamps = stampsAgoMs.map((ago) => NOW - ago);
  const given = ageOf(NOW - signedAgoMs, stamps, past, NOW);
  return given instanceof StanzaRefusal ? given.code : given;
}

function stored(records: readonly PersistRecord[]) {
  return records.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }]));
}

describe('XEP-0285 §5: checking of timestamps', () => {
  test('within five minutes of the current time it is fresh, whatever servers say', () => {
    for (const ago of [-5 * MINUTE_MS, 0, 5 * MINUTE_MS]) {
      expect(age(ago)).toBe('fresh');
      expect(age(ago, [DAY_MS], PRESENT)).toBe('fresh');
    }
    expect(age(-5 * MINUTE_MS - 1)).toBe('future-timestamp');
    expect(age(5 * MINUTE_MS + 1)).toBe('old-timestamp');
  });

  test('a message that waited is taken when stamp and own absence agree with its timestamp', () => {
    expect(age(DAY_MS, [DAY_MS])).toBe('stored');
    expect(age(DAY_MS, [DAY_MS + 5 * MINUTE_MS])).toBe('stored');
    expect(age(DAY_MS, [MINUTE_MS, DAY_MS])).toBe('stored');
  });

  test("no server's delay stamp alone makes an old stanza fresh", () => {
    expect(age(DAY_MS, [0])).toBe('delay-disagrees');
    expect(age(DAY_MS, [DAY_MS + 6 * MINUTE_MS])).toBe('delay-disagrees');
    expect(age(DAY_MS, [DAY_MS], PRESENT)).toBe('withheld');
    expect(age(LONGEST_WAIT_MS + 1, [LONGEST_WAIT_MS + 1])).toBe('too-old');
  });

  test('the longest wait is not shorter than that of the outbox', () => {
    expect(LONGEST_WAIT_MS).toBeGreaterThanOrEqual(OUTBOX_AGE_MAX_MS);
  });

  test('what was signed before anything is remembered is refused', () => {
    const past = { guardedSinceUnixMs: NOW - MINUTE_MS, wasAwayAt: () => true };
    expect(age(2 * MINUTE_MS, [], past)).toBe('before-replay-guard');
    expect(age(MINUTE_MS, [], past)).toBe('fresh');
  });

  test('delay stamps that are no times are passed over', () => {
    const delay = (stamp: string) => `<delay xmlns="urn:xmpp:delay" stamp="${stamp}"/>`;
    const outer = xml(
      `<message>${delay('yesterday')}${delay('2026-11-21T09:00:00Z')}<delay/></message>`,
    );
    expect(delayStamps(outer)).toEqual([NOW]);
    expect(
      delayStamps(xml(`<message>${delay('2026-11-21T09:00:00Z').repeat(50)}</message>`)),
    ).toHaveLength(8);
  });
});

describe('times of absence', () => {
  function began(unixMs = NOW): Absences {
    const absences = new Absences(undefined);
    absences.begin(unixMs);
    return absences;
  }

  test('before the first start nothing can have been taken, and nothing is', () => {
    expect(new Absences(undefined).guardedSinceUnixMs).toBe(Number.POSITIVE_INFINITY);
    expect(began().guardedSinceUnixMs).toBe(NOW);
  });

  test('last from what was last heard of the server to the next connection', () => {
    const absences = began();
    absences.connected(NOW);
    absences.heard(NOW + HOUR_MS);
    absences.lost();
    absences.connected(NOW + 3 * HOUR_MS);
    expect(absences.wasAwayAt(NOW + 30 * MINUTE_MS)).toBe(false);
    expect(absences.wasAwayAt(NOW + 2 * HOUR_MS)).toBe(true);
    expect(absences.wasAwayAt(NOW + 4 * HOUR_MS)).toBe(false);
  });

  test('are known after a crash, from what was written last', () => {
    const absences = began();
    let disk = absences.connected(NOW);
    for (let at = 0; at <= HOUR_MS; at += 10_000) {
      const written = absences.heard(NOW + at);
      if (written.length > 0) disk = written;
    }
    const next = new Absences(stored(disk)[0]);
    expect(next.begin(NOW + 2 * HOUR_MS)).toEqual([]);
    next.connected(NOW + 2 * HOUR_MS);
    expect(next.guardedSinceUnixMs).toBe(NOW);
    expect(next.wasAwayAt(NOW + 90 * MINUTE_MS)).toBe(true);
    expect(next.wasAwayAt(NOW + 50 * MINUTE_MS)).toBe(false);
  });

  test('are bounded, and one that is forgotten is an absence no more', () => {
    const absences = began();
    const every = 2 * 60 * MINUTE_MS;
    for (let at = 0; at < ABSENCES_MAX + 10; at += 1) {
      absences.connected(NOW + at * every);
      absences.heard(NOW + at * every + 90 * MINUTE_MS);
      absences.lost();
    }
    const written = stored(absences.connected(NOW + (ABSENCES_MAX + 10) * every));
    expect(written[0]?.value.length).toBeLessThan(ABSENCES_MAX * 40);
    expect(absences.wasAwayAt(NOW + 100 * MINUTE_MS)).toBe(false);
  });

  test('of a damaged record are none, and the past begins anew', () => {
    for (const text of ['', '[]', '[1,2,[[2,1]]]', '[1,"2",[]]', '{"a":1}']) {
      const absences = new Absences({ key: ABSENCES_KEY, value: Buffer.from(text) });
      absences.begin(NOW);
      expect(absences.guardedSinceUnixMs).toBe(NOW);
      expect(absences.wasAwayAt(NOW - DAY_MS)).toBe(false);
    }
  });
});

describe('the replay guard', () => {
  function code(guard: ReplayGuard, fingerprint: string, at: number, unixMs = NOW): string {
    return guard.refusal(fingerprint, at, unixMs)?.code ?? 'taken';
  }

  test('takes each timestamp of a certificate once, and only greater ones', () => {
    const guard = new ReplayGuard([]);
    expect(code(guard, 'a', 100)).toBe('taken');
    guard.accept('a', 100, NOW);
    expect(code(guard, 'a', 100)).toBe('replayed');
    expect(code(guard, 'a', 99)).toBe('out-of-order');
    expect(code(guard, 'a', 101)).toBe('taken');
    expect(code(guard, 'b', 100)).toBe('taken');
  });

  test('remembers over restarts, as long as the longest wait and longer', () => {
    const guard = new ReplayGuard([]);
    guard.accept('a', NOW - 1, NOW);
    const next = new ReplayGuard(stored(guard.accept('a', NOW, NOW)));
    expect(code(next, 'a', NOW, NOW + LONGEST_WAIT_MS)).toBe('replayed');
    expect(code(next, 'a', NOW - 1, NOW + LONGEST_WAIT_MS)).toBe('replayed');
    expect(code(next, 'a', NOW - 2, NOW + LONGEST_WAIT_MS)).toBe('out-of-order');
  });

  test('what is too long ago to be told from a late one is refused all the same', () => {
    const guard = new ReplayGuard([]);
    for (let at = 1; at <= RECENT_TIMESTAMPS_MAX + 1; at += 1) guard.accept('a', at, NOW);
    expect(code(guard, 'a', 2)).toBe('replayed');
    expect(code(guard, 'a', 1)).toBe('out-of-order');
  });

  test('when it is full it refuses unknown certificates and forgets none too early', () => {
    const guard = new ReplayGuard([]);
    for (let at = 0; at < GUARDED_CERTIFICATES_MAX; at += 1) guard.accept(`${at}`, NOW, NOW);
    expect(code(guard, 'new', NOW)).toBe('replay-guard-full');
    expect(code(guard, '5', NOW)).toBe('replayed');
    expect(code(guard, '5', NOW + 1)).toBe('taken');
    const later = NOW + LONGEST_WAIT_MS + 6 * MINUTE_MS;
    expect(code(guard, 'new', later, later)).toBe('taken');
    const records = guard.accept('new', later, later);
    expect(records.map(({ value }) => value === undefined)).toEqual([true, false]);
    expect(guard.size).toBe(GUARDED_CERTIFICATES_MAX);
  });

  test('a damaged record lets nothing through that was signed before now', () => {
    for (const text of ['', '{}', '[]', '["1"]', '[2,1]', '[1,1]']) {
      const record = { key: `${GUARD_PREFIX}a`, value: Buffer.from(text) };
      const guard = new ReplayGuard([record]);
      expect(code(guard, 'a', NOW), text).toBe('out-of-order');
      expect(code(guard, 'a', NOW + HOUR_MS), text).toBe('taken');
      expect(code(guard, 'b', NOW), text).toBe('taken');
    }
  });
});
