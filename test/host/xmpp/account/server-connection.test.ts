import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  openServerConnection,
  type ServerConnection,
  ServerConnectionError,
  type ServerConnectionOptions,
  StanzaErrorAnswer,
} from '../../../../src/host/xmpp/account/server-connection.ts';
import type { ServerFailureCode } from '../../../../src/xmpp/account/server-failure.ts';
import { CLIENT_NAMESPACE } from '../../../../src/xmpp/stanza/stanza.ts';
import {
  childElement,
  element,
  type XmppElement,
} from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { areInstalled } from '../../../installed-programs.ts';
import { isProsodyInstalled, Prosody } from '../prosody.ts';

const DOMAIN = 'verona.example';
const HOSTS = [
  { domain: DOMAIN, accounts: { romeo: { password: 'r0meo' }, juliet: { password: 'j=li,et' } } },
  {
    domain: 'sha256.example',
    accounts: { romeo: { password: 'r0meo' } },
    settings: { password_hash: 'SHA-256' },
  },
];

describe('a connection to a real Prosody', () => {
  if (!areInstalled({ Prosody: isProsodyInstalled })) return;
  let prosody: Prosody;
  let ca: string;

  beforeAll(async () => {
    prosody = await Prosody.start({ hosts: HOSTS });
    ca = await readFile(prosody.certificateFile(DOMAIN), 'utf8');
  });

  function to(user: string, password: string): ServerConnectionOptions {
    return {
      jid: user,
      server: '127.0.0.1',
      port: prosody.ports.client,
      credentials: { password },
      caCertificates: [ca],
    };
  }

  it('RFC 6120: logs in over STARTTLS and exchanges messages between two accounts', async () => {
    const romeo = await openServerConnection(to(`romeo@${DOMAIN}`, 'r0meo'));
    const juliet = await openServerConnection(to(`juliet@${DOMAIN}/balcony`, 'j=li,et'));
    expect(juliet.address).toBe(`juliet@${DOMAIN}/balcony`);
    expect(romeo.mechanism).toMatch(/^SCRAM-/);
    const arrived = messageAt(juliet);
    const body = element('body', CLIENT_NAMESPACE, {}, ['soft!']);
    romeo.send(element('message', CLIENT_NAMESPACE, { to: juliet.address }, [body]));
    const message = await arrived;
    expect(message.attributes.get('from')).toBe(romeo.address);
    expect(childElement(message, 'body')?.children).toEqual(['soft!']);
    await Promise.all([romeo.close(), juliet.close()]);
    await expect(romeo.ended).resolves.toMatchObject({ code: 'stopped' });
  });

  it('XEP-0368: logs in over direct TLS', async () => {
    const port = prosody.ports.clientDirectTls;
    const romeo = await openServerConnection({
      ...to(`romeo@${DOMAIN}`, 'r0meo'),
      port,
      tls: 'direct',
    });
    await romeo.close();
  });

  it('RFC 6120 §8.2.3: a request gets its result, and an error stanza is a typed error', async () => {
    const romeo = await openServerConnection(to(`romeo@${DOMAIN}`, 'r0meo'));
    const disco = element('query', 'http://jabber.org/protocol/disco#info');
    const info = await romeo.iq(DOMAIN, 'get', disco);
    expect(childElement(info, 'query', disco.namespace)).toBeDefined();
    const roster = await romeo.iq(undefined, 'get', element('query', 'jabber:iq:roster'));
    expect(roster.attributes.get('type')).toBe('result');
    const refusal = romeo.iq(DOMAIN, 'set', element('nothing', 'urn:example:nothing'));
    await expect(refusal).rejects.toBeInstanceOf(StanzaErrorAnswer);
    await expect(refusal).rejects.toMatchObject({ condition: 'service-unavailable' });
    const silent = romeo.iq(`juliet@${DOMAIN}/nowhere`, 'get', disco, { timeoutMs: 20_000 });
    await expect(silent).rejects.toMatchObject({ condition: 'service-unavailable' });
    await romeo.close();
    await expect(romeo.iq(DOMAIN, 'get', disco)).rejects.toBeInstanceOf(ServerConnectionError);
  });

  it('a client answers pings of others, and refuses what it does not know', async () => {
    const romeo = await openServerConnection(to(`romeo@${DOMAIN}`, 'r0meo'));
    const again = await openServerConnection(to(`romeo@${DOMAIN}`, 'r0meo'));
    const pong = await again.iq(romeo.address, 'get', element('ping', 'urn:xmpp:ping'));
    expect(pong.attributes.get('from')).toBe(romeo.address);
    const unknown = again.iq(romeo.address, 'get', element('query', 'jabber:iq:version'));
    await expect(unknown).rejects.toMatchObject({ condition: 'service-unavailable' });
    await Promise.all([romeo.close(), again.close()]);
  });

  it('RFC 5802: a wrong password is refused with a sentence', async () => {
    const failure = await failureOf(to(`romeo@${DOMAIN}`, 'rosaline'));
    expect(failure.code).toBe('credentials');
    expect(failure.message).toContain(`refuses the password for romeo@${DOMAIN}: not-authorized`);
    expect(failure.message).not.toContain('rosaline');
  });

  it('RFC 6125: a certificate that leads to nobody who is trusted', async () => {
    const untrusted = await failureOf({
      ...to(`romeo@${DOMAIN}`, 'r0meo'),
      caCertificates: undefined,
    });
    expect(untrusted.code).toBe('certificate');
  });

  it('RFC 7677: SCRAM-SHA-256 where the server has it, and RFC 5802 with SHA-1 else', async () => {
    const sha256 = await readFile(prosody.certificateFile('sha256.example'), 'utf8');
    const options = { ...to('romeo@sha256.example', 'r0meo'), caCertificates: [sha256] };
    const better = await openServerConnection(options);
    expect(better.mechanism).toMatch(/^SCRAM-SHA-256/);
    await better.close();
    const romeo = await openServerConnection(to(`romeo@${DOMAIN}`, 'r0meo'));
    expect(romeo.mechanism).toMatch(/^SCRAM-SHA-1/);
    await romeo.close();
  });
});

function messageAt(connection: ServerConnection): Promise<XmppElement> {
  return new Promise((resolve) => {
    connection.onStanza((stanza) => {
      if (stanza.name === 'message') resolve(stanza);
    });
  });
}

async function failureOf(
  options: ServerConnectionOptions,
): Promise<{ code: ServerFailureCode; message: string }> {
  try {
    const connection = await openServerConnection(options);
    await connection.close();
  } catch (error) {
    if (!(error instanceof ServerConnectionError)) throw error;
    return { code: error.failure.code, message: error.message };
  }
  throw new Error('the login should have failed');
}
