/** XEP-0257 as a client, at Prosody with mod_client_certs, and with slixmpp logging in by EXTERNAL. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeKey, makeRoot } from '../../../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../../../sim/certificates/extension-maker.ts';
import { toPem } from '../../../../src/host/links/link-credentials.ts';
import {
  openServerConnection,
  type ServerConnection,
} from '../../../../src/host/xmpp/account/server-connection.ts';
import { SaslcertClient } from '../../../../src/host/xmpp/saslcert/saslcert-client.ts';
import { areInstalled } from '../../../installed-programs.ts';
import { isProsodyInstalled, Prosody } from '../prosody.ts';
import { SlixmppConsole } from '../slixmpp-console.ts';
import { isSlixmppInstalled, runSlixmpp } from '../slixmpp-process.ts';

describe('xor clientcert at Prosody', { timeout: 120_000 }, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled, slixmpp: isSlixmppInstalled })) return;

  test('XEP-0257 §2.1: an uploaded self-signed certificate is listed, and logs in by EXTERNAL', async () => {
    const { prosody, client } = await opened();
    const phone = selfSigned();
    await client.append('Phone', phone.der, false);
    expect(await client.list()).toMatchObject([
      { name: 'Phone', certificate: { der: phone.der }, users: undefined },
    ]);
    expect(await login(prosody, phone)).toMatchObject([{ event: 'started' }, { event: 'message' }]);
  });

  test('XEP-0257 §2.1: the client itself logs in with it', async () => {
    const { prosody, client } = await opened();
    const phone = selfSigned();
    await client.append('Phone', phone.der, false);
    const { certificate, privateKey } = phone;
    const connection = await connected(prosody, { certificate: { certificate, privateKey } });
    expect(connection.mechanism).toBe('EXTERNAL');
    expect(await new SaslcertClient(connection).list()).toHaveLength(1);
  });

  test('XEP-0257 §2.1: a name that is taken is refused, though the server would overwrite it', async () => {
    const { client } = await opened();
    await client.append('Phone', selfSigned().der, false);
    await expect(client.append('Phone', selfSigned().der, false)).rejects.toThrow(/another name/);
    expect(await client.list()).toHaveLength(1);
  });

  test('XEP-0257 §3: a certificate that has ended is not uploaded, though the server would take it', async () => {
    const { client } = await opened();
    const ended = selfSigned({ notAfterUnixMs: Date.now() - 86_400_000 });
    await expect(client.append('Phone', ended.der, false)).rejects.toThrow(/has ended/);
    expect(await client.list()).toEqual([]);
  });

  test('XEP-0257 §2.3: a disabled certificate logs in no more, and its session stays', async () => {
    const { prosody, client } = await opened();
    const phone = selfSigned();
    await client.append('Phone', phone.der, false);
    const session = await consoleOf(prosody, phone);
    await client.remove('disable', 'Phone');
    expect(await client.list()).toEqual([]);
    expect(await login(prosody, phone)).toMatchObject([{ event: 'failed' }]);
    session.send('<message to="romeo@montague.lit" type="chat"><body>Still here</body></message>');
    await session.hears({ event: 'message', body: 'Still here' });
    await session.close();
  });

  test('XEP-0257 §2.4: a revoked certificate logs in no more, and its session ends', async () => {
    const { prosody, client } = await opened();
    const phone = selfSigned();
    await client.append('Phone', phone.der, false);
    const session = await consoleOf(prosody, phone);
    await client.remove('revoke', 'Phone');
    await session.hears({ event: 'not-authorized' });
    expect(await login(prosody, phone)).toMatchObject([{ event: 'failed' }]);
    await session.close();
  });

  test('a name that no certificate has is refused, though the server answers with a result', async () => {
    const { client } = await opened();
    await expect(client.remove('revoke', 'Phone')).rejects.toThrow(/no certificate/);
  });

  test("another's certificate is refused by the server, and its sentence is told", async () => {
    const { client } = await opened();
    const tybalts = selfSigned({}, 'tybalt@capulet.lit');
    await expect(client.append('Phone', tybalts.der, false)).rejects.toThrow(/bad-request/);
  });

  test('XEP-0257 §4: a server without the feature says so', async () => {
    const prosody = await Prosody.start({ hosts: [MONTAGUE] });
    const connection = await connected(prosody, { password: PASSWORD });
    expect(await new SaslcertClient(connection).isOffered('montague.lit')).toBe(false);
  });
});

interface ClientFiles {
  readonly der: Uint8Array;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

function selfSigned(
  change: { readonly notAfterUnixMs?: number } = {},
  jid = 'romeo@montague.lit',
): ClientFiles {
  const key = makeKey();
  const { certificate } = makeRoot({
    key,
    change: ({ extensions }) => ({
      ...change,
      extensions: {
        ...extensions,
        subjectAltName: subjectAltName([generalName.xmppAddr(jid)]),
      },
    }),
  });
  const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { der: certificate, certificate: toPem(certificate), privateKey };
}

async function opened() {
  const prosody = await Prosody.start({
    hosts: [MONTAGUE],
    modules: ['client_certs'],
    wantsClientCertificates: true,
  });
  const connection = await connected(prosody, { password: PASSWORD });
  return { prosody, client: new SaslcertClient(connection) };
}

async function connected(
  prosody: Prosody,
  credentials: Parameters<typeof openServerConnection>[0]['credentials'],
): Promise<ServerConnection> {
  const connection = await openServerConnection({
    jid: 'romeo@montague.lit',
    server: '127.0.0.1',
    port: prosody.ports.client,
    caCertificates: [readFileSync(prosody.certificateFile('montague.lit'), 'utf8')],
    credentials,
  });
  onTestFinished(() => connection.close());
  return connection;
}

async function filesOf(prosody: Prosody, phone: ClientFiles) {
  const certificate = join(prosody.directory, 'client.pem');
  const key = join(prosody.directory, 'client-key.pem');
  await writeFile(certificate, phone.certificate);
  await writeFile(key, phone.privateKey);
  return {
    jid: 'romeo@montague.lit',
    host: '127.0.0.1',
    port: prosody.ports.client,
    trust: prosody.certificateFile('montague.lit'),
    mechanism: 'EXTERNAL',
    direct: false,
    certificate,
    key,
  };
}

async function login(prosody: Prosody, phone: ClientFiles): Promise<readonly unknown[]> {
  return runSlixmpp({ ...(await filesOf(prosody, phone)), text: 'Peace!' });
}

async function consoleOf(prosody: Prosody, phone: ClientFiles): Promise<SlixmppConsole> {
  const session = new SlixmppConsole(await filesOf(prosody, phone));
  onTestFinished(() => session.close());
  await session.hears({ event: 'started' });
  return session;
}

const PASSWORD = 'wherefore art thou';
const MONTAGUE = { domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } };
