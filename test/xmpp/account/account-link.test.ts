import { describe, expect, it } from 'vitest';
import type { AccountOutput } from '../../../src/xmpp/account/account-events.ts';
import { AccountLink } from '../../../src/xmpp/account/account-link.ts';
import type { ServerFailureCode } from '../../../src/xmpp/account/server-failure.ts';
import { readServerFeatures } from '../../../src/xmpp/account/server-features.ts';
import { type LoginMechanism, ServerLogin } from '../../../src/xmpp/account/server-login.ts';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppEvent } from '../../../src/xmpp/xmpp-event.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import { xml } from '../routing/verona.ts';
import {
  BIND_FEATURES,
  HEADER,
  jidOf,
  mechanismFeatures,
  TIMEOUTS,
  TLS_13,
} from './server-desk.ts';

const SM_FEATURES = BIND_FEATURES.replace('</stream', "<sm xmlns='urn:xmpp:sm:3'/></stream");
const SM = "xmlns='urn:xmpp:sm:3'";

/** A link whose server the test plays, byte by byte, on virtual time. */
class LinkDesk {
  readonly heard: string[] = [];
  readonly events: XmppEvent[] = [];
  connection = 0;
  nowMs = 0;
  private readonly env = new XmppEnvironment(seededRandom(5));
  readonly link: AccountLink;

  constructor() {
    const account = jidOf('juliet@capulet.example');
    const credentials = { certificate: 'names-account' } as const;
    this.link = new AccountLink(
      this.env,
      { account, credentials, timeouts: TIMEOUTS },
      {
        serverOnline: (isNew) => this.heard.push(isNew ? 'online' : 'resumed'),
        serverOffline: () => this.heard.push('offline'),
        acknowledgedByServer: (tags) => this.heard.push(`acknowledged ${tags.join()}`),
        lostByServer: (tags) => this.heard.push(`lost ${tags.join()}`),
        stanzaFromServer: (session, { attributes }) =>
          this.heard.push(`stanza ${session} ${attributes.get('id')}`),
      },
    );
    this.turn(() => this.link.start());
  }

  /** What the link sends for it. */
  turn(what: () => void): string {
    this.env.now = { monotonicMs: this.nowMs, unixMs: this.nowMs };
    what();
    this.env.runDueDeadlines();
    let sent = '';
    for (const output of this.env.takeOutputs()) {
      if (output.type === 'event') this.events.push(output.event);
      else if (output.type === 'account') sent += this.take(output.output);
    }
    return sent;
  }

  says(text: string): string {
    const bytes = new TextEncoder().encode(text);
    const { connection } = this;
    return this.turn(() => this.link.handle({ connection, event: 'data', bytes }));
  }

  sends(id: string, tag: number): string {
    const stanza = element('message', 'jabber:client', { id, to: 'romeo@montague.example' });
    return this.turn(() => this.link.send(stanza, tag));
  }

  /** TLS and login, up to the features after it; what the link answers to these. */
  logsIn(features = SM_FEATURES): string {
    const { connection } = this;
    this.turn(() => this.link.handle({ connection, event: 'connected', tls: TLS_13 }));
    this.says(`${HEADER}${mechanismFeatures('EXTERNAL')}`);
    this.says("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    return this.says(`${HEADER}${features}`);
  }

  binds(features = SM_FEATURES): string {
    const [, id = ''] = /id="([0-9a-f]+)"/.exec(this.logsIn(features)) ?? [];
    return this.says(
      `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        '<jid>juliet@capulet.example/x</jid></bind></iq>',
    );
  }

  breaks(code: ServerFailureCode = 'closed'): void {
    const { connection } = this;
    const failure = { code, reason: 'the cable was pulled' };
    this.turn(() => this.link.handle({ connection, event: 'closed', failure }));
  }

  /** Time passes until it connects again; how much. */
  waits(): number {
    const { connection } = this;
    const beganMs = this.nowMs;
    while (this.connection === connection) {
      const at = this.env.nextDeadline();
      if (at === undefined) throw new Error('nothing is tried any more');
      this.nowMs = at;
      this.turn(() => undefined);
    }
    return this.nowMs - beganMs;
  }

  get hasDeadline(): boolean {
    return this.env.nextDeadline() !== undefined;
  }

  private take(output: AccountOutput): string {
    if (output.action === 'connect') this.connection = output.connection;
    return output.action === 'send' ? new TextDecoder().decode(output.bytes) : '';
  }
}

describe('the link to the server of an account', () => {
  it('tries again after pauses that double, with jitter, up to some minutes', () => {
    const desk = new LinkDesk();
    const pauses = Array.from({ length: 14 }, () => {
      desk.breaks('unreachable');
      return desk.waits();
    });
    pauses.forEach((pause, index) => {
      const middle = Math.min(1_000 * 2 ** index, 300_000);
      expect(pause).toBeGreaterThanOrEqual(middle * 0.5);
      expect(pause).toBeLessThanOrEqual(middle * 1.5 + 1);
    });
    expect(new Set(pauses).size).toBe(pauses.length);
  });

  it('does not hammer a server that refuses the password: a minute, then doubled, to an hour', () => {
    const desk = new LinkDesk();
    for (let index = 0; index < 10; index += 1) {
      const { connection } = desk;
      desk.turn(() => desk.link.handle({ connection, event: 'connected', tls: TLS_13 }));
      desk.says(`${HEADER}${mechanismFeatures('EXTERNAL')}`);
      desk.says("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
      expect(desk.waits()).toBeGreaterThanOrEqual(Math.min(30_000 * 2 ** index, 1_800_000));
    }
    const [first] = desk.events;
    expect(first).toMatchObject({
      type: 'accountOffline',
      code: 'credentials',
      reason: 'capulet.example refuses the certificate for juliet@capulet.example: not-authorized',
    });
  });

  it('a login that lasted makes the next pause short again', () => {
    const desk = new LinkDesk();
    for (let index = 0; index < 5; index += 1) {
      desk.breaks('unreachable');
      desk.waits();
    }
    desk.binds();
    desk.nowMs += 61_000;
    desk.says('<message id="m"/>');
    desk.breaks();
    expect(desk.waits()).toBeLessThanOrEqual(1_501);
  });

  it('what came to a former connection counts no more', () => {
    const desk = new LinkDesk();
    desk.breaks('unreachable');
    desk.waits();
    const failure = { code: 'closed', reason: 'late' } as const;
    desk.turn(() => desk.link.handle({ connection: 1, event: 'closed', failure }));
    desk.binds();
    expect(desk.heard).toEqual(['online']);
  });

  it('leaving ends the stream, and nothing is tried again', () => {
    const desk = new LinkDesk();
    desk.binds();
    expect(desk.turn(() => desk.link.stop())).toContain('</stream:stream>');
    expect(desk.hasDeadline).toBe(false);
  });
});

describe('XEP-0198 with the server', () => {
  it('what is sent is acknowledged by tag when the server says so', () => {
    const desk = new LinkDesk();
    expect(desk.binds()).toContain('<enable xmlns="urn:xmpp:sm:3" resume="true"/>');
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    expect(desk.sends('a', 7)).toContain('<r xmlns="urn:xmpp:sm:3"/>');
    expect(desk.sends('b', 8)).not.toContain('<r ');
    expect(desk.says(`<a ${SM} h='1'/>`)).toContain('<r ');
    desk.says(`<a ${SM} h='2'/>`);
    expect(desk.heard).toEqual(['online', 'acknowledged 7', 'acknowledged 8']);
  });

  it('only what is dealt with is acknowledged to the server', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.says("<message id='a'/><message id='b'/>");
    expect(desk.says(`<r ${SM}/>`)).toContain('h="0"');
    desk.turn(() => desk.link.handled(1));
    expect(desk.says(`<r ${SM}/>`)).toContain('h="1"');
  });

  it('§5: a session is resumed: the rest is sent again, and nothing is delivered twice', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.sends('a', 7);
    desk.sends('b', 8);
    desk.says("<message id='in1'/><message id='in2'/>");
    desk.turn(() => desk.link.handled(1));
    desk.breaks();
    desk.waits();
    expect(desk.logsIn()).toContain('<resume xmlns="urn:xmpp:sm:3" h="1" previd="s1"/>');
    const again = desk.says(`<resumed ${SM} h='1' previd='s1'/>`);
    expect(again).not.toContain('id="a"');
    expect(again).toContain('id="b"');
    desk.says("<message id='in2'/><message id='in3'/>");
    expect(desk.heard).toEqual([
      'online',
      'stanza 1 in1',
      'stanza 1 in2',
      'offline',
      'acknowledged 7',
      'resumed',
      'stanza 1 in3',
    ]);
  });

  it('a session that the server knows no more is lost, and a new one begins', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.sends('a', 7);
    desk.breaks();
    desk.waits();
    desk.logsIn();
    const asked = desk.says(
      `<failed ${SM}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`,
    );
    const [, id = ''] = /id="([0-9a-f]+)"/.exec(asked) ?? [];
    desk.says(
      `<iq type='result' id='${id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>` +
        '<jid>juliet@capulet.example/y</jid></bind></iq>',
    );
    expect(desk.heard).toEqual(['online', 'offline', 'lost 7', 'online']);
  });

  it('a count that is too high ends the stream', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.sends('a', 7);
    expect(desk.says(`<a ${SM} h='9'/>`)).toContain('<stream:error>');
    expect(desk.heard).toEqual(['online', 'offline']);
  });

  it('a silent server is asked by it, which counts as no stanza; then the link ends', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.nowMs += 60_000;
    expect(desk.turn(() => undefined)).toBe('<r xmlns="urn:xmpp:sm:3"/>');
    desk.says(`<a ${SM} h='0'/>`);
    desk.nowMs += 60_000;
    desk.turn(() => undefined);
    desk.nowMs += 20_000;
    desk.turn(() => undefined);
    expect(desk.heard).toEqual(['online', 'offline']);
  });

  it('§4: a stanza over the limits is acknowledged behind the others: it never comes again', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    expect(desk.says(`<message id='a'/><message id='b'>${'<x>'.repeat(300)}`)).toBe('');
    const end = desk.turn(() => desk.link.handled(1));
    expect(end).toMatch(/^<a xmlns="urn:xmpp:sm:3" h="2"\/><stream:error><policy-violation/);
    expect(desk.heard).toEqual(['online', 'stanza 1 a', 'offline']);
    const again = new LinkDesk();
    again.binds();
    again.says(`<enabled ${SM} id='s1' resume='true'/>`);
    expect(again.says(`<message>${'<x>'.repeat(300)}`)).toContain('h="1"/><stream:error>');
  });

  it('without it a ping says how far the server has read', () => {
    const desk = new LinkDesk();
    desk.binds(BIND_FEATURES);
    const sent = desk.sends('a', 7);
    const [, ping = ''] = /<iq type="get" id="([0-9a-f]+)" to="capulet.example">/.exec(sent) ?? [];
    desk.sends('b', 8);
    const next = desk.says(`<iq type='result' id='${ping}' from='capulet.example'/>`);
    expect(desk.heard).toEqual(['online', 'acknowledged 7']);
    expect(next).toContain('urn:xmpp:ping');
    desk.breaks();
    expect(desk.heard).toEqual(['online', 'acknowledged 7', 'lost 8', 'offline']);
  });

  it('a server that is asked for a resumption and answers with rubbish', () => {
    const desk = new LinkDesk();
    desk.binds();
    desk.says(`<enabled ${SM} id='s1' resume='true'/>`);
    desk.breaks();
    desk.waits();
    desk.logsIn();
    expect(desk.says(`<resumed ${SM} h='x' previd='s1'/>`)).toContain('<bad-format');
    expect(desk.heard).toEqual(['online', 'offline']);
  });
});

describe('RFC 5802 §6: a server that was better once', () => {
  const login = (offered: string, formerMechanism: LoginMechanism) =>
    new ServerLogin({
      account: jidOf('juliet@capulet.example'),
      credentials: { password: 'r0meo' },
      tls: TLS_13,
      features: readServerFeatures(xml(`<features>${mechanismsOf(offered)}</features>`)),
      formerMechanism,
      nonce: () => 'n0nce',
    }).begin();

  it('less than what the password was once used with is refused', () => {
    const step = login('SCRAM-SHA-1', 'SCRAM-SHA-256');
    expect(step).toMatchObject({ type: 'failure', failure: { code: 'mechanism' } });
    expect(JSON.stringify(step)).toContain('somebody may be in between');
    expect(login('SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS')).toMatchObject({ type: 'failure' });
  });

  it('the same, more, and a password after a certificate are not', () => {
    expect(login('SCRAM-SHA-256', 'SCRAM-SHA-256').type).toBe('send');
    expect(login('SCRAM-SHA-256', 'SCRAM-SHA-1').type).toBe('send');
    expect(login('SCRAM-SHA-1', 'EXTERNAL').type).toBe('send');
  });
});

function mechanismsOf(name: string): string {
  const { 1: list = '' } =
    /<stream:features>(.*)<.stream:features>/.exec(mechanismFeatures(name)) ?? [];
  return list;
}
