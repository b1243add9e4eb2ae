/**
 * Two peers with accounts at a real Prosody, and no way to each other but over it. Romeo's own
 * server is hostile: whatever it does to what Juliet has signed, it is refused by name.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Log } from '../../../../src/host/log.ts';
import { signerOf } from '../../../../src/host/peer-identity.ts';
import type { SocketAddress } from '../../../../src/host/socket-address.ts';
import { openAccount } from '../../../../src/host/xmpp/account/open-account.ts';
import { MARK_NAMESPACE as MARK } from '../../../../src/xmpp/signed-stanzas/authenticity-mark.ts';
import { signStanza } from '../../../../src/xmpp/signed-stanzas/sign-stanza.ts';
import type { SignedStanzaPolicy } from '../../../../src/xmpp/signed-stanzas/signed-stanzas.ts';
import { StanzaRefusal } from '../../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import { withAttributes, writeElement } from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { areInstalled } from '../../../installed-programs.ts';
import { xml } from '../../../xmpp/routing/verona.ts';
import { jid } from '../../../xmpp/signed-stanzas/signed-world.ts';
import { nodeIdOf, TestAuthority } from '../../links/link-identities.ts';
import { isProsodyInstalled, Prosody } from '../prosody.ts';
import { type MemoryClient, startXmppPeer, type XmppPeer } from '../xmpp-peers.ts';
import { HostileRelay } from './hostile-relay.ts';

const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';
const PASSWORD = 'wherefore';
const POLL = { timeout: 40_000, interval: 20 };

describe('signed stanzas over a real Prosody', { timeout: 120_000 }, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled })) return;
  let verona: Verona;
  let kept: readonly string[] = [];

  beforeAll(async () => {
    verona = await Verona.start();
  }, 120_000);
  afterAll(() => verona?.stop());

  test('what Juliet writes arrives over the server, and is shown as signed by her', async () => {
    let passed = '';
    verona.relay.toUser = (message) => {
      passed = message;
      return [message];
    };
    verona.writes('m1', 'Wherefore art thou?');
    const shown = await verona.arrives('Wherefore art thou?');
    expect(shown).toContain(`<signed xmlns="${MARK}" by="${JULIET}"`);
    expect(shown).toContain('age="fresh"');
    expect(shown).toContain('id="m1"');
    expect(passed).toContain('urn:xmpp:signed:0');
    expect(passed).not.toContain(MARK);
  });

  test('a message that is altered is refused: signature-invalid', async () => {
    const [other = ''] = /<data>[^<]*/.exec(verona.signedByJuliet('No.', ROMEO)) ?? [];
    verona.relay.toUser = (message) => [message.replace(/<data>[^<]*/, other)];
    verona.writes('m2', 'Yes.');
    await verona.refuses('signature-invalid');
    const told = () => verona.relay.errors.join('');
    await expect.poll(told, POLL).toContain('<bad-signature xmlns="urn:xmpp:signed:0"/>');
  });

  test('a message whose text beside the signature is altered shows what was signed', async () => {
    verona.relay.toUser = (message) => [message.replace('<body>Stay', '<body>Flee')];
    verona.writes('m3', 'Stay till tomorrow.');
    await verona.arrives('Stay till tomorrow.');
    expect(verona.orchard.heard()).not.toContain('Flee');
  });

  test('a message that is replayed is refused: replayed', async () => {
    verona.relay.toUser = (message) => {
      kept = [message];
      return [message, message];
    };
    verona.writes('m4', 'Good night.');
    await verona.arrives('Good night.');
    await verona.refuses('replayed');
    expect(verona.count('Good night.')).toBe(1);
  });

  test('and is refused again after the connection was lost and made anew', async () => {
    verona.relay.cut();
    // Without acknowledgements, what a server sends before it notices is lost.
    await verona.prosody.logs(/Client disconnected/);
    verona.relay.toUser = (message) => [message];
    verona.writes('m5', 'Parting is sweet sorrow.');
    await verona.arrives('Parting is sweet sorrow.');
    for (const message of kept) verona.relay.inject(message);
    await verona.refuses('replayed');
    expect(verona.count('Good night.')).toBe(1);
  });

  test('a message to somebody else is refused: wrong-addressee', async () => {
    verona.relay.inject(verona.signedByJuliet('For the nurse alone.', 'nurse@capulet.lit'));
    await verona.refuses('wrong-addressee');
    expect(verona.count('For the nurse alone.')).toBe(0);
  });

  test('a message in the name of another is refused: wrong-sender', async () => {
    verona.relay.toUser = (message) => [
      message.replace(/ from='[^']*'/, " from='nurse@capulet.lit'"),
    ];
    verona.writes('m6', 'As if by the nurse.');
    await verona.refuses('wrong-sender');
    expect(verona.count('As if by the nurse.')).toBe(0);
  });

  test('messages in another order are refused: out-of-order', async () => {
    const held: string[] = [];
    verona.relay.toUser = (message) => {
      held.push(message);
      return held.length < 2 ? [] : held.splice(0).reverse();
    };
    verona.writes('m7', 'Do not');
    verona.writes('m8', 'come tonight');
    await verona.arrives('come tonight');
    await verona.refuses('out-of-order');
    expect(verona.count('Do not')).toBe(0);
  });

  test('a message that was withheld is refused, with a forged delay stamp or without', async () => {
    const unixMs = Date.now() - 3_600_000;
    const old = verona.signedByJuliet('An hour ago.', ROMEO, unixMs);
    verona.relay.inject(old);
    await verona.refuses('before-replay-guard');
    const stamp = new Date(unixMs).toISOString();
    const delay = `<delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='${stamp}'/>`;
    verona.relay.inject(old.replace('</message>', `${delay}</message>`));
    await verona.refuses('before-replay-guard');
    expect(verona.count('An hour ago.')).toBe(0);
  });

  test('a message without a signature has no mark of one, even if it brings it along', async () => {
    verona.relay.toUser = (message) => [message];
    const forged = `<signed xmlns='${MARK}' by='${JULIET}'/>`;
    verona.relay.inject(
      `<message from='${JULIET}/x' to='${ROMEO}' type='chat' id='f1'>` +
        `<body>Believe me.</body>${forged}</message>`,
    );
    const shown = await verona.arrives('Believe me.');
    expect(shown).not.toContain(MARK);
    expect(shown).toContain('<came-by-server');
  });

  test('by --signed-stanzas require nothing unsigned comes from who has a certificate', async () => {
    const strict = await Verona.start('require');
    try {
      const unsigned = (from: string, text: string) =>
        `<message from='${from}' to='${ROMEO}' type='chat'><body>${text}</body></message>`;
      strict.relay.inject(unsigned(`${JULIET}/x`, 'As if by Juliet.'));
      await strict.refuses('unsigned');
      strict.relay.inject(unsigned('rosaline@verona.lit/x', 'I have no certificate.'));
      await strict.arrives('I have no certificate.');
      strict.writes('r1', 'Signed.');
      expect(await strict.arrives('Signed.')).toContain(MARK);
      expect(strict.count('As if by Juliet.')).toBe(0);
      expect(strict.relay.errors.join('')).toContain('policy-violation');
    } finally {
      await strict.stop();
    }
  });
});

/** The two lovers, Prosody, and what is wrong with Romeo's server. */
class Verona {
  readonly prosody: Prosody;
  readonly relay: HostileRelay;
  readonly orchard: MemoryClient;
  private readonly romeo: XmppPeer;
  private readonly juliet: XmppPeer;
  private readonly balcony: MemoryClient;
  private readonly refusals: Refusals;

  static async start(signedStanzas?: SignedStanzaPolicy): Promise<Verona> {
    const authority = await TestAuthority.create();
    const prosody = await Prosody.start({
      hosts: [
        { domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } },
        { domain: 'capulet.lit', accounts: { juliet: { password: PASSWORD } } },
      ],
      modules: ['offline'],
    });
    const relay = await HostileRelay.start('montague.lit', prosody.ports.clientDirectTls);
    const refusals = new Refusals();
    const romeo = await startXmppPeer({
      authority,
      nodeId: nodeIdOf('22'),
      jid: ROMEO,
      account: { ...account(ROMEO, relay.port, relay.certificate), signedStanzas },
      advertised: nowhere,
      log: refusals,
    });
    const ofCapulet = await readFile(prosody.certificateFile('capulet.lit'), 'utf8');
    const juliet = await startXmppPeer({
      authority,
      nodeId: nodeIdOf('88'),
      jid: JULIET,
      through: romeo.host,
      account: account(JULIET, prosody.ports.client, ofCapulet, 'starttls'),
      advertised: nowhere,
    });
    const verona = new Verona(prosody, relay, romeo, juliet, refusals);
    // Presence comes back from the server, so messages to the bare address reach the peers.
    await prosody.logs(/Sending\[c2s\]: <presence[^>]*romeo@montague.lit/);
    await prosody.logs(/Sending\[c2s\]: <presence[^>]*juliet@capulet.lit/);
    return verona;
  }

  private constructor(
    prosody: Prosody,
    relay: HostileRelay,
    romeo: XmppPeer,
    juliet: XmppPeer,
    refusals: Refusals,
  ) {
    this.prosody = prosody;
    this.relay = relay;
    this.romeo = romeo;
    this.juliet = juliet;
    this.refusals = refusals;
    this.orchard = romeo.clients.logIn('montague.lit', 'orchard');
    this.balcony = juliet.clients.logIn('capulet.lit', 'balcony');
  }

  /** Juliet writes to Romeo. */
  writes(id: string, text: string): void {
    this.balcony.says(chat(ROMEO, id, text));
  }

  /** As her peer would sign it, from one of her other clients. */
  signedByJuliet(text: string, to: string, unixMs = Date.now()): string {
    const { authenticator, credentials } = this.juliet;
    const signer = signerOf(credentials, authenticator, Date.now());
    const given = xml(chat(to, 'kept', text).replace('<message', `<message from='${JULIET}'`));
    const outer = signStanza(signer, given, unixMs, { id: 'outer' });
    if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
    return writeElement(withAttributes(outer, { to: ROMEO }), 'jabber:client');
  }

  /** What Romeo's client is shown with this text. */
  async arrives(text: string): Promise<string> {
    await expect.poll(() => this.orchard.heard(), POLL).toContain(`<body>${text}</body>`);
    const messages = this.orchard.heard().split(/(?=<message)/);
    return messages.find((message) => message.includes(text)) ?? '';
  }

  /** Waits until Romeo's peer says that it has refused something for this reason. */
  async refuses(name: string): Promise<void> {
    await expect.poll(() => this.refusals.take(name), POLL).toBe(true);
  }

  count(text: string): number {
    return this.orchard.heard().split(`<body>${text}</body>`).length - 1;
  }

  async stop(): Promise<void> {
    await this.juliet.stop();
    await this.romeo.stop();
    await this.relay.stop();
    await this.prosody.stop();
  }
}

/** The log of a peer, as far as it tells of refused stanzas. */
class Refusals implements Log {
  readonly debug = discard;
  readonly info = discard;
  readonly error = discard;
  private readonly names: string[] = [];

  warn(fields: object): void {
    if ('condition' in fields) this.names.push(String(fields.condition));
  }

  /** Whether there is one of this name; it is there no more. */
  take(name: string): boolean {
    const at = this.names.indexOf(name);
    if (at === -1) return false;
    this.names.splice(at, 1);
    return true;
  }

  child(): Log {
    return this;
  }
}

function account(
  address: string,
  port: number,
  caCertificates: string,
  tls: 'direct' | 'starttls' = 'direct',
) {
  const place = { server: '127.0.0.1', port, tls };
  const options = { ...place, jid: address, password: PASSWORD, primary: 'server' } as const;
  return openAccount({ ...options, caCertificates }, jid(address));
}

function discard(): void {
  // Nothing else is looked at.
}

/** Where nobody listens: there are no direct streams. */
function nowhere({ host }: SocketAddress): SocketAddress {
  return { host, port: 1 };
}

function chat(to: string, id: string, text: string): string {
  return `<message to='${to}' id='${id}' type='chat'><body>${text}</body></message>`;
}
