import { describe, expect, test } from 'vitest';
import { bindRequest, ClientDesk, overTls, SM, streamErrorOf } from './client-desk.ts';

describe('resource binding (RFC 6120 §7)', () => {
  test('§7.1: a stanza before it', () => {
    const client = overTls(new ClientDesk()).logsIn();
    expect(streamErrorOf(client.says("<message to='a@b'/>"))).toBe('not-authorized');
  });

  test('§7.7.2.1: a resource that is none', () => {
    const client = overTls(new ClientDesk()).logsIn();
    const heard = client.says(bindRequest('&#x202e; x'));
    expect(heard).toMatch(/^<iq type="error" id="b1"><error type="modify"><bad-request/);
    expect(client.says(bindRequest('orchard'))).toContain('romeo@montague.lit/orchard');
  });

  test('§7.6.2.1: too many sessions', () => {
    const desk = new ClientDesk({ limits: { sessionsMax: 1 } });
    overTls(desk).binds('orchard');
    expect(overTls(desk).logsIn().says(bindRequest('tomb'))).toContain('<resource-constraint');
  });

  test('§7.7.2.2: a resource that routing does not give', () => {
    const desk = new ClientDesk();
    desk.bindingAnswer = 'conflict';
    expect(overTls(desk).logsIn().says(bindRequest('tomb'))).toMatch(
      /<error type="cancel"><conflict/,
    );
  });

  test('§7.7.2.2: the client that comes later has the resource, the other ends with conflict', () => {
    const desk = new ClientDesk();
    const first = overTls(desk).binds('orchard');
    const second = overTls(desk).binds('orchard');
    expect(streamErrorOf(first.heard)).toBe('conflict');
    expect(desk.ended).toEqual([{ session: 1, undelivered: [] }]);
    second.says('<presence/>');
    expect(desk.stanzas).toMatchObject([{ session: 2 }]);
  });

  test('§7.7.3: the fifth failure ends the stream', () => {
    const client = overTls(new ClientDesk()).logsIn();
    const bad = bindRequest(' x');
    expect(streamErrorOf(client.says(bad, bad, bad, bad))).toBeUndefined();
    expect(streamErrorOf(client.says(bad))).toBe('policy-violation');
  });

  test('XEP-0198 §3: stream management cannot be enabled before', () => {
    const client = overTls(new ClientDesk()).logsIn();
    expect(client.says(`<enable xmlns='${SM}'/>`)).toMatch(/^<failed [^>]*><unexpected-request/);
    expect(client.says(bindRequest('orchard'))).toContain('romeo@montague.lit/orchard');
  });
});
