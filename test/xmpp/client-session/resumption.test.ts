import { describe, expect, test } from 'vitest';
import { CLIENT_LIMITS_DEFAULT } from '../../../src/xmpp/client-session/client-limits.ts';
import {
  ClientDesk,
  managed,
  message,
  overTls,
  type ScriptedClient,
  SM,
  streamErrorOf,
  written,
} from './client-desk.ts';

const REQUEST = '<r xmlns="urn:xmpp:sm:3"/>';
const acknowledgement = (h: number) => `<a xmlns="urn:xmpp:sm:3" h="${h}"/>`;

function heardBy(desk: ClientDesk, client: ScriptedClient, send: () => void): string {
  const before = client.heard.length;
  send();
  desk.deliver();
  return client.heard.slice(before);
}

describe('stream management (XEP-0198)', () => {
  test('§3: enabling gives an id and a time, once', () => {
    const desk = new ClientDesk();
    const client = overTls(desk).binds('orchard');
    expect(client.says(`<enable xmlns='${SM}' resume='1'/>`)).toMatch(
      /^<enabled xmlns="urn:xmpp:sm:3" id="[0-9a-f]{32}" resume="true" max="600"\/>$/,
    );
    expect(client.says(`<enable xmlns='${SM}'/>`)).toMatch(/<failed [^>]*><unexpected-request/);
    const other = overTls(desk).binds('tomb');
    expect(other.says(`<enable xmlns='${SM}'/>`)).toBe('<enabled xmlns="urn:xmpp:sm:3"/>');
  });

  test('§4: only what came since then and is dealt with is acknowledged', () => {
    const desk = new ClientDesk();
    desk.handlesAtOnce = false;
    const client = overTls(desk).binds('orchard');
    client.says('<presence/>', `<enable xmlns='${SM}'/>`, '<message/><message/>');
    expect(client.says(`<r xmlns='${SM}'/>`)).toBe(acknowledgement(0));
    const handle = () => heardBy(desk, client, () => desk.sessions.handled(1));
    expect(handle()).toBe('');
    expect(handle()).toBe('');
    expect(handle()).toBe(acknowledgement(2));
  });

  test('§4: stanzas that are answered here count in their turn', () => {
    const desk = new ClientDesk();
    desk.handlesAtOnce = false;
    const { client } = managed(desk);
    client.says('<message/>');
    client.says(
      "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    );
    expect(client.says(`<r xmlns='${SM}'/>`)).toBe(acknowledgement(0));
    expect(heardBy(desk, client, () => desk.sessions.handled(1))).toBe(acknowledgement(2));
  });

  test('§4: many stanzas are acknowledged without being asked', () => {
    const { client } = managed(new ClientDesk());
    expect(client.says('<message/>'.repeat(100))).toBe(
      `${acknowledgement(32)}${acknowledgement(64)}${acknowledgement(96)}`,
    );
  });

  test('§4: one request at a time asks the client', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    const heard = heardBy(desk, client, () => {
      for (const text of ['1', '2', '3']) desk.sessions.send(1, message(text));
    });
    expect(heard).toBe(`${written('1')}${REQUEST}${written('2')}${written('3')}`);
    expect(client.says(`<a xmlns='${SM}' h='1'/>`)).toBe(REQUEST);
    expect(client.says(`<a xmlns='${SM}' h='3'/>`)).toBe('');
    client.says('</stream:stream>');
    expect(desk.ended).toEqual([{ session: 1, undelivered: [] }]);
  });

  test('§6: an h that is too high ends the stream', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    desk.sessions.send(1, message('1'));
    const heard = client.says(`<a xmlns='${SM}' h='2'/>`);
    expect(streamErrorOf(heard)).toBe('undefined-condition');
    expect(heard).toContain(`<handled-count-too-high xmlns="${SM}" h="2" send-count="1"/>`);
    expect(desk.ended).toEqual([{ session: 1, undelivered: [message('1')] }]);
  });

  test('§4: an h that is no number ends the stream', () => {
    const { client } = managed(new ClientDesk());
    expect(streamErrorOf(client.says(`<a xmlns='${SM}' h='x'/>`))).toBe('bad-format');
  });

  test('without it nothing of it is answered', () => {
    const client = overTls(new ClientDesk()).binds('orchard');
    expect(client.says(`<r xmlns='${SM}'/>`)).toMatch(/<failed [^>]*><unexpected-request/);
  });
});

describe('resumption (XEP-0198 §5)', () => {
  const resume = (previd: string, h: number) =>
    `<resume xmlns='${SM}' previd='${previd}' h='${h}'/>`;

  test('what the client did not get comes once more, and what came is counted on', () => {
    const desk = new ClientDesk();
    const { client, previd } = managed(desk);
    client.says('<message/><message/>');
    for (const text of ['1', '2', '3']) desk.sessions.send(1, message(text));
    desk.deliver();
    client.loses();
    desk.sessions.send(1, message('4'));
    desk.deliver();
    expect(desk.ended).toEqual([]);
    const again = overTls(desk).logsIn();
    expect(again.says(resume(previd, 1))).toBe(
      `<resumed xmlns="${SM}" previd="${previd}" h="2"/>` +
        `${written('2')}${written('3')}${written('4')}${REQUEST}`,
    );
    again.says(`<a xmlns='${SM}' h='4'/>`, '<presence/>');
    expect(desk.stanzas.at(-1)).toMatchObject({ session: 1, stanza: { name: 'presence' } });
    again.says('</stream:stream>');
    expect(desk.ended).toEqual([{ session: 1, undelivered: [] }]);
  });

  test('what came and is still being dealt with is not taken twice', () => {
    const desk = new ClientDesk();
    desk.handlesAtOnce = false;
    const { client, previd } = managed(desk);
    client.says("<message id='1'/><message id='2'/>");
    desk.sessions.handled(1);
    client.loses();
    const again = overTls(desk).logsIn();
    expect(again.says(resume(previd, 0))).toContain('h="1"');
    again.says("<message id='2'/><message id='3'/>");
    expect(desk.stanzas.map(({ stanza }) => stanza.attributes.get('id'))).toEqual(['1', '2', '3']);
    desk.sessions.handled(1);
    desk.sessions.handled(1);
    expect(again.says(`<r xmlns='${SM}'/>`)).toBe(acknowledgement(3));
  });

  test('from a connection that still stands: that one ends with conflict', () => {
    const desk = new ClientDesk();
    const { client, previd } = managed(desk);
    const again = overTls(desk).logsIn();
    again.says(resume(previd, 0));
    expect(streamErrorOf(client.heard)).toBe('conflict');
    expect(desk.ended).toEqual([]);
    expect(heardBy(desk, again, () => desk.sessions.send(1, message('1')))).toContain(written('1'));
  });

  test('of a session that there is none of: the client can bind instead', () => {
    const desk = new ClientDesk();
    const { client } = managed(desk);
    client.loses();
    const again = overTls(desk).logsIn();
    for (const previd of ['', 'x', '0'.repeat(32)]) {
      expect(again.says(resume(previd, 0))).toMatch(/^<failed [^>]*><item-not-found/);
    }
    expect(
      again.says("<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"),
    ).toContain('<jid>');
  });

  test('only after the login, and only until the time is over', () => {
    const desk = new ClientDesk();
    const { client, previd } = managed(desk);
    desk.sessions.send(1, message('1'));
    desk.deliver();
    client.loses();
    const stranger = overTls(desk);
    stranger.opens();
    expect(streamErrorOf(stranger.says(resume(previd, 0)))).toBe('not-authorized');
    desk.advance(CLIENT_LIMITS_DEFAULT.resumptionMsMax);
    expect(desk.ended).toEqual([{ session: 1, undelivered: [message('1')] }]);
    const again = overTls(desk).logsIn();
    expect(again.says(resume(previd, 0))).toContain('<item-not-found');
  });

  test('§5: of a session that is over: how many stanzas of it were dealt with', () => {
    const desk = new ClientDesk();
    desk.handlesAtOnce = false;
    const { client, previd } = managed(desk);
    client.says("<message id='1'/><message id='2'/><message id='3'/>");
    desk.sessions.handled(1);
    desk.sessions.handled(1);
    client.loses();
    desk.advance(CLIENT_LIMITS_DEFAULT.resumptionMsMax);
    const again = overTls(desk).logsIn();
    expect(again.says(resume(previd, 0))).toMatch(/^<failed [^>]*h="2"[^>]*><item-not-found/);
    expect(again.says(resume('0'.repeat(32), 0))).not.toContain('h=');
  });

  test('§6: with an h that is too high the session ends', () => {
    const desk = new ClientDesk();
    const { client, previd } = managed(desk);
    client.loses();
    const again = overTls(desk).logsIn();
    expect(streamErrorOf(again.says(resume(previd, 7)))).toBe('undefined-condition');
    expect(desk.ended).toHaveLength(1);
  });

  test('without an h nothing is resumed', () => {
    const desk = new ClientDesk();
    const { previd } = managed(desk);
    const again = overTls(desk).logsIn();
    expect(again.says(`<resume xmlns='${SM}' previd='${previd}'/>`)).toContain('<failed');
    expect(desk.ended).toEqual([]);
  });

  test('many cuts: each stanza is delivered once to each end and in order', () => {
    const desk = new ClientDesk();
    let { client, previd } = managed(desk);
    const got: number[] = [];
    let sent = 0;
    for (let round = 0; round < 30; round += 1) {
      const before = client.heard.length;
      for (let i = 0; i < round % 4; i += 1) desk.sessions.send(1, message(String(sent++)));
      client.says(`<message id='${round}'/>`);
      const heard = [...client.heard.slice(before).matchAll(/<body>(\d+)</g)];
      // The client takes in only some of it before the connection breaks.
      for (const [, text] of heard.slice(0, round % 3)) got.push(Number(text));
      client.loses();
      client = overTls(desk).logsIn();
      const resumed = client.says(resume(previd, got.length));
      for (const [, text] of resumed.matchAll(/<body>(\d+)</g)) got.push(Number(text));
      client.says(`<a xmlns='${SM}' h='${got.length}'/>`);
      previd = / previd="([0-9a-f]+)"/.exec(resumed)?.[1] ?? previd;
    }
    expect(got).toEqual(Array.from({ length: sent }, (_, i) => i));
    expect(desk.stanzas.map(({ stanza }) => stanza.attributes.get('id'))).toEqual(
      Array.from({ length: 30 }, (_, i) => String(i)),
    );
  });
});
