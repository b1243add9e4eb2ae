/** Two clients that others wrote, at two peers: Converse.js in a browser, and slixmpp. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { areInstalled } from '../../installed-programs.ts';
import { installedBrowser } from '../../sim/report/headless-browser.ts';
import { ConversePage, PageServer } from './converse-page.ts';
import { type OverlayOfTwo, startOverlayOfTwo, type UserPeer } from './overlay-of-two.ts';
import { SlixmppConsole } from './slixmpp-console.ts';
import { isSlixmppInstalled } from './slixmpp-process.ts';

const command = installedBrowser();
const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';

const FULL_JULIET = /^juliet@capulet\.lit\/./;
const LIGHT = 'What light through yonder window breaks?';

/** In the page: how Converse holds the contact, and the texts of its chat with him. */
const contact = `inside.state.roster.get('${ROMEO}')`;
const texts =
  `(async () => (await inside.api.chats.get('${ROMEO}'))?.messages` +
  ".map((message) => message.get('message')) ?? [])()";
const hasText = (text: string) =>
  `(async () => (await ${texts}).includes(${JSON.stringify(text)}))()`;
const say = (text: string) =>
  `inside.api.chats.get('${ROMEO}')` +
  `.then((chat) => chat.sendMessage({ body: ${JSON.stringify(text)} })).then(() => 0)`;
const message = (id: string, text: string) =>
  `<message type='chat' to='${JULIET}' id='${id}'><body>${text}</body></message>`;

describe('Converse.js and slixmpp at two peers', { timeout: 180_000 }, () => {
  const others = { slixmpp: isSlixmppInstalled };
  const areAll = areInstalled({ ...others, chromium: command !== undefined });
  if (!areAll || command === undefined) return;

  let server: PageServer;
  let foreign: PageServer;
  let overlay: OverlayOfTwo;
  const releases: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await PageServer.open();
    foreign = await PageServer.open();
    overlay = await startOverlayOfTwo([server.origin]);
  }, 120_000);

  afterEach(async () => {
    for (const release of releases.splice(0).reverse()) await release();
  });

  afterAll(async () => {
    await overlay.stop();
    await foreign.close();
    await server.close();
  });

  const openPage = async (origin = server.origin) => {
    const page = await ConversePage.open(command, origin, overlay.juliet);
    releases.push(() => page.close());
    return page;
  };
  const slixmpp = (how: { mechanism: string; direct: boolean }) => {
    const client = new SlixmppConsole({ ...credentials(overlay.romeo, how.mechanism), ...how });
    releases.push(() => client.close());
    return client;
  };

  test('RFC 6121: contacts, presence and messages, both ways and after an absence', async () => {
    const page = await openPage();
    await page.logIn();
    const romeo = slixmpp({ mechanism: 'EXTERNAL', direct: false });
    await romeo.hears({ event: 'started' });

    // RFC 6121 §3: each subscribes to the other.
    await page.evaluate(
      `inside.api.contacts.add({ jid: '${ROMEO}', name: 'Romeo' }).then(() => 0)`,
    );
    await romeo.hears({ event: 'presence', type: 'subscribe', from: JULIET });
    romeo.send(`<presence type='subscribed' to='${JULIET}'/>`);
    romeo.send(`<presence type='subscribe' to='${JULIET}'/>`);
    await page.until(`${contact}.get('subscription') === 'both'`);
    await romeo.hears({ event: 'roster', jid: JULIET, subscription: 'both' });

    // §4: what each tells of his presence the other sees.
    await romeo.hears({ event: 'presence', type: 'available', from: FULL_JULIET });
    await page.until(`${contact}.presence.getStatus() === 'online'`);
    romeo.send('<presence><show>away</show><status>asleep</status></presence>');
    await page.until(`${contact}.presence.getStatus() === 'away'`);
    await page.evaluate("inside.api.user.status.set('dnd', 'at the ball').then(() => 0)");
    await romeo.hears({ event: 'presence', type: 'dnd', status: 'at the ball' });

    // §5: messages.
    await page.evaluate(`inside.api.chats.open('${ROMEO}').then(() => 0)`);
    romeo.send(message('m1', LIGHT));
    await page.until(hasText(LIGHT));
    await page.until(`document.body.innerText.includes('${LIGHT}')`);
    await page.evaluate(say('It is my lady & <no other>.'));
    await romeo.hears({ event: 'message', body: 'It is my lady & <no other>.', from: FULL_JULIET });

    // She goes; what he writes then waits for her.
    await page.logOut();
    await romeo.hears({ event: 'presence', type: 'unavailable', from: FULL_JULIET });
    romeo.send(message('m2', 'Parting is such sweet sorrow'));
    await page.logIn();
    await page.until(`(async () => (await ${texts}).at(-1) === 'Parting is such sweet sorrow')()`);
    await romeo.close();
    await page.until(`${contact}.presence.getStatus() === 'offline'`);
  });

  test('XEP-0313, XEP-0280: her second client catches up, and gets copies', async () => {
    const first = await openPage();
    await first.logIn();
    const romeo = slixmpp({ mechanism: 'SCRAM-SHA-256-PLUS', direct: true });
    await romeo.hears({ event: 'started' });
    romeo.send(message('c1', 'A thousand times good night'));
    await first.until(hasText('A thousand times good night'));

    const second = await openPage();
    await second.logIn();
    await second.evaluate(`inside.api.chats.open('${ROMEO}').then(() => 0)`);
    await second.until(hasText('A thousand times good night'));
    await first.evaluate(say('Three words, dear Romeo'));
    await second.until(hasText('Three words, dear Romeo'));
    await romeo.hears({ event: 'message', body: 'Three words, dear Romeo' });
    romeo.send(message('c2', 'So thrive my soul'));
    await first.until(hasText('So thrive my soul'));
    await second.until(hasText('So thrive my soul'));
    for (const page of [first, second]) {
      const shown = await page.evaluate<string[]>(texts);
      expect(shown.filter((text) => text === 'So thrive my soul')).toHaveLength(1);
    }
    expect(romeo.count({ event: 'message', body: 'Three words, dear Romeo' })).toBe(1);
  });

  test('RFC 6455 §10.2: a page of another origin gets no WebSocket', async () => {
    const url = JSON.stringify(overlay.juliet.webSocketUrl);
    const connects =
      `new Promise((done) => { const socket = new WebSocket(${url}, 'xmpp');` +
      "socket.onopen = () => done('open'); socket.onerror = () => done('refused'); })";
    const own = await openPage();
    await own.show();
    expect(await own.evaluate(connects)).toBe('open');
    const other = await openPage(foreign.origin);
    await other.show();
    expect(await other.evaluate(connects)).toBe('refused');
    expect(other.complaints.join()).toContain('Unexpected response code: 403');
  });
});

function credentials(peer: UserPeer, mechanism: string) {
  const { jid, gateway, trust, password, identity } = peer;
  const secret = mechanism === 'EXTERNAL' ? { certificate: identity, key: identity } : { password };
  return { jid, ...gateway, trust, ...secret };
}
