import { describe, expect, test } from 'vitest';
import { limitedLog } from '../../src/host/limited-log.ts';
import { createLog, type Log } from '../../src/host/log.ts';

/** A log and the lines that it has written. */
function written(): { log: Log; lines: string[]; fields: () => Record<string, unknown>[] } {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => lines.push(line) });
  const fields = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, fields };
}

describe('a log of what comes from outside', () => {
  test('nothing in it steers a terminal, hides or turns round what follows, or ends a line', () => {
    const { log, lines, fields } = written();
    log.warn({ reason: 'a\u001b[2J\u009b2J\u202egnirts\u200b\u2028\ud800\nb' }, 'refused');
    const shown = 'a<U+001B>[2J<U+009B>2J<U+202E>gnirts<U+200B><U+2028><U+D800>\nb';
    expect(fields()[0]?.reason).toBe(shown);
    expect(lines.join('').trimEnd()).toMatch(/^[\x20-\x7e]+$/);
  });

  test('a field is cut where it is very long; what is no text stays as it is', () => {
    const { log, fields } = written();
    log.child({ part: 'xmpp' }).info({ reason: 'x'.repeat(10_000), count: 7 }, 'refused');
    expect(fields()[0]).toMatchObject({
      reason: `${'x'.repeat(2_000)}…`,
      count: 7,
      part: 'xmpp',
      msg: 'refused',
    });
  });

  test('of one sentence so many lines in a time, then how many were left out', () => {
    const { log, fields } = written();
    let monotonicMs = 0;
    const limited = limitedLog(log, { now: () => ({ monotonicMs, unixMs: 0 }) });
    for (let i = 0; i < 300; i += 1) limited.warn({ i }, 'a stanza was refused');
    limited.child({ part: 'gateway' }).error({}, 'something else');
    limited.info({}, 'and another thing');
    expect(fields()).toHaveLength(202);
    monotonicMs = 10_000;
    limited.warn({}, 'a stanza was refused');
    expect(fields().slice(202)).toMatchObject([
      { msg: 'lines of one kind were left out', sentence: 'a stanza was refused', leftOut: 100 },
      { msg: 'a stanza was refused' },
    ]);
  });
});
