/** Clients that others wrote log in at a peer of its own process with each kind of certificate. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeSigningRequest } from '../../src/host/enrollment/enrollment-request.ts';
import { toPem } from '../../src/host/links/link-credentials.ts';
import { setLocalPassword } from '../../src/host/xmpp/gateway/password-file.ts';
import { SlixmppConsole } from '../host/xmpp/slixmpp-console.ts';
import { isSlixmppInstalled } from '../host/xmpp/slixmpp-process.ts';
import { areInstalled } from '../installed-programs.ts';
import { selfSigned } from '../xmpp/client-certificates/certificate-desk.ts';
import { AuthorityFixture, LOOPBACK } from './authority-fixture.ts';
import { runXor, XorProcess } from './xor-process.ts';

const PASSWORD = 'wherefore art thou';
const JID = 'romeo@example.org';

describe('xor clientcert at the own peer', { timeout: 120_000 }, () => {
  if (!areInstalled({ slixmpp: isSlixmppInstalled })) return;

  let overlay: AuthorityFixture;
  let state: string;
  let peer: XorProcess;
  let gatewayPort: number;
  let consoles: SlixmppConsole[] = [];
  let isEnrolled = false;

  beforeAll(async () => {
    overlay = await AuthorityFixture.start();
    state = overlay.state('romeo');
    await overlay.authority.addUser(JID, PASSWORD);
  });
  afterAll(() => overlay.close());

  beforeEach(async () => {
    const enroll = isEnrolled ? [] : ['--user', JID, '--password-stdin'];
    await startPeer(enroll);
    isEnrolled = true;
  });
  afterEach(async () => {
    await Promise.all(consoles.map((one) => one.close()));
    consoles = [];
    await peer.end('SIGKILL');
  });

  async function startPeer(more: readonly string[] = []): Promise<void> {
    const own = ['--first', '--gateway', `${LOOPBACK}:0`, ...more];
    const args = [...overlay.peerArguments('romeo', overlay.bootstrap.port), ...own];
    peer = new XorProcess(args, { input: `${PASSWORD}\n` });
    const { gateway } = await peer.firstJson(30_000);
    gatewayPort = Number(String(gateway).split(':').at(-1));
    await setLocalPassword(state, PASSWORD);
  }

  /** A certificate that nobody signed, as the files that a client needs. */
  async function newDevice(name: string, addresses: readonly string[] = []) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const notAfterUnixMs = Date.now() + 86_400_000;
    const change = { notAfterUnixMs };
    const der = selfSigned({ addresses, key: { privateKey, publicKey }, change });
    const certificate = overlay.state(`${name}.pem`);
    await writeFile(certificate, toPem(der));
    return { certificate, key: await keyFile(name, privateKey) };
  }

  async function keyFile(name: string, privateKey: KeyObject): Promise<string> {
    const file = overlay.state(`${name}-key.pem`);
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return file;
  }

  function logIn(
    how: { readonly certificate: string; readonly key: string } | { readonly password: string },
    jid = JID,
  ): SlixmppConsole {
    const mechanism = 'password' in how ? 'SCRAM-SHA-256-PLUS' : 'EXTERNAL';
    const trust = `${state}/gateway.pem`;
    const place = { host: LOOPBACK, port: gatewayPort, trust, direct: true };
    const client = new SlixmppConsole({ jid, mechanism, ...place, ...how });
    consoles.push(client);
    return client;
  }

  async function clientcert(...args: readonly string[]) {
    const result = await runXor(['clientcert', ...args, '--state', state, '--json']);
    return { ...result, json: result.status === 0 ? JSON.parse(result.stdout) : undefined };
  }

  test('an uploaded certificate logs in; after it was disabled no more, and its session stays', async () => {
    const phone = await newDevice('phone');
    await logIn(phone).hears({ event: 'failed' });
    const added = await clientcert('add', '--name', 'Phone', phone.certificate);
    expect(added.json).toMatchObject({ name: 'Phone', source: 'upload', state: 'active' });
    const client = logIn(phone, `${JID}/street`);
    await client.hears({ event: 'started' });
    expect((await clientcert('list')).json).toContainEqual(
      expect.objectContaining({ name: 'Phone', users: ['street'] }),
    );
    expect((await clientcert('disable', 'Phone')).json).toMatchObject({ state: 'disabled' });
    await logIn(phone).hears({ event: 'failed' });
    client.send(`<message to='${JID}/street'><body>still here</body></message>`);
    await client.hears({ event: 'message', body: 'still here' });
  });

  test('a certificate that the peer issued from a request logs in until it is revoked', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const file = overlay.state('tablet.csr');
    const body = Buffer.from(encodeSigningRequest(privateKey, JID)).toString('base64');
    const label = 'CERTIFICATE REQUEST';
    await writeFile(file, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`);
    const certificate = overlay.state('tablet.pem');
    const added = await clientcert('add', '--name', 'Tablet', file, '--out', certificate);
    expect(added.json).toMatchObject({ source: 'issued', addresses: [JID] });
    expect((await stat(`${state}/client-issuer-key.pem`)).mode & 0o777).toBe(0o600);
    const tablet = { certificate, key: await keyFile('tablet', privateKey) };
    const client = logIn(tablet);
    await client.hears({ event: 'started' });
    const again = await clientcert('add', '--name', 'Tablet', file);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('another name') });
    expect((await clientcert('revoke', 'Tablet')).json).toMatchObject({ state: 'revoked' });
    await client.hears({ event: 'reset' });
    await logIn(tablet).hears({ event: 'failed' });
  });

  test('a certificate of the overlay logs in without being uploaded, until it is revoked', async () => {
    const identity = `${state}/identity.pem`;
    const own = { certificate: identity, key: identity };
    const client = logIn(own, `${JID}/orchard`);
    await client.hears({ event: 'started' });
    const { json } = await clientcert('list');
    const listed = json.find(({ source }: { source: string }) => source === 'overlay');
    expect(listed).toMatchObject({ users: ['orchard'], addresses: [JID] });
    expect((await clientcert('revoke', listed.name)).status).toBe(0);
    await client.hears({ event: 'reset' });
    await logIn(own).hears({ event: 'failed' });
  });

  test('kill -9 between the result of a revocation and the next login: it is revoked', async () => {
    const phone = await newDevice('stolen');
    await clientcert('add', '--name', 'Stolen', phone.certificate);
    const owner = logIn({ password: PASSWORD });
    await owner.hears({ event: 'started' });
    const thief = logIn(phone);
    await thief.hears({ event: 'started' });
    owner.send(
      "<iq type='set' id='q1'><revoke xmlns='urn:xmpp:saslcert:1'><name>Stolen</name></revoke></iq>",
    );
    await owner.hears({ event: 'iq', id: 'q1', type: 'result' });
    await peer.end('SIGKILL');
    await thief.hears({ event: 'reset' });
    await startPeer();
    await logIn(phone).hears({ event: 'failed' });
    const names = (await clientcert('list')).json.map(({ name }: { name: string }) => name);
    expect(names).not.toContain('Stolen');
  });

  test('the command, the IQs and the HTTP API list the same; others hear of a change', async () => {
    const owner = logIn({ password: PASSWORD });
    await owner.hears({ event: 'started' });
    const bot = await newDevice('bot', [`${JID}/bot`]);
    await clientcert('add', '--name', 'Bot', '--no-cert-management', bot.certificate);
    await owner.hears({ event: 'message', body: /"Bot" can log in/ });
    const client = logIn(bot, `${JID}/bot`);
    expect(await client.hears({ event: 'started' })).toMatchObject({ jid: `${JID}/bot` });
    const refused =
      "<iq type='set' id='q1'><disable xmlns='urn:xmpp:saslcert:1'><name>Bot</name></disable></iq>";
    client.send(refused);
    expect((await client.hears({ event: 'iq', id: 'q1' })).xml).toContain('not-allowed');
    owner.send("<iq type='get' id='q2'><items xmlns='urn:xmpp:saslcert:1'/></iq>");
    const { xml = '' } = await owner.hears({ event: 'iq', id: 'q2', type: 'result' });
    const byIq = [...xml.matchAll(/<name>([^<]*)<\/name>/g)].map((match) => match[1]);
    const { json } = await clientcert('list');
    expect(json.map(({ name }: { name: string }) => name)).toEqual(byIq);
    expect(byIq).toContain('Bot');
    expect(json).toEqual(await askApi('/v1/client-certificates'));
    const table = await runXor(['clientcert', 'list', '--state', state]);
    expect(table.stdout).toMatch(/Bot +active +upload/);
  });

  test('what is wrong is said, with exit status 1 or 2', async () => {
    const expired = overlay.state('expired.pem');
    await writeFile(
      expired,
      toPem(selfSigned({ change: { notAfterUnixMs: Date.now() - 60_000 } })),
    );
    const refused = await clientcert('add', '--name', 'Old', expired);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('has expired') });
    const unknown = await clientcert('revoke', 'Nothing');
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('no such') });
    const key = await newDevice('other').then((device) => device.key);
    expect(await clientcert('add', '--name', 'Key', key)).toMatchObject({ status: 2 });
    expect(await clientcert('add', key)).toMatchObject({ status: 2 });
    const absent = await clientcert('add', '--name', 'Absent', `${key}.not-there`);
    expect(absent).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('there is no file'),
    });
  });

  async function askApi(path: string): Promise<unknown> {
    const url = (await readFile(`${state}/api-url`, 'utf8')).trim();
    const token = (await readFile(`${state}/api-token`, 'utf8')).trim();
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const outgoing = request(`${url}${path}`, { headers }, async (response) => {
        let text = '';
        for await (const chunk of response) text += String(chunk);
        resolve(JSON.parse(text));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }
});
