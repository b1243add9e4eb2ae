/** `xor enroll --xmpp` at an authority that is a component of Prosody (XEP-0417). */
import { access, readFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { findPersonalCertificates } from '../../src/host/enrollment/certificate-publication.ts';
import { loadIdentity } from '../../src/host/identity-file.ts';
import { toPem } from '../../src/host/links/link-credentials.ts';
import { openServerConnection } from '../../src/host/xmpp/account/server-connection.ts';
import { configurationOf } from '../host/authority/authority-fixture.ts';
import { answerPage } from '../host/authority/component/component-fixture.ts';
import { isProsodyInstalled, Prosody } from '../host/xmpp/prosody.ts';
import { areInstalled } from '../installed-programs.ts';
import { LOOPBACK } from './authority-fixture.ts';
import { CA_PASSWORD, JULIET, resultOf, XmppAuthority } from './xmpp-authority.ts';
import { runXor, XorProcess } from './xor-process.ts';

let world: XmppAuthority | undefined;
let processes: XorProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.map((one) => one.end('SIGKILL')));
  processes = [];
  await world?.close();
  world = undefined;
});

async function start(trustsServer: boolean): Promise<XmppAuthority> {
  world = await XmppAuthority.start({ trustsServer });
  return world;
}

function kept(process: XorProcess): XorProcess {
  processes.push(process);
  return process;
}

/** Certificates of Juliet that the authority has issued. */
async function issued({ authority }: XmppAuthority) {
  return (await authority.list()).certificates.filter(({ jid }) => jid === JULIET);
}

describe('xor enroll --xmpp', { timeout: 120_000 }, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled })) return;

  test('XEP-0417 §6: a certificate comes, and a peer joins with it', async () => {
    const at = await start(true);
    const enrolled = await at.enroll('balcony', '--name', 'Balcony');
    expect(resultOf(enrolled)).toMatchObject({ jid: JULIET, authority: 'ca.capulet.lit' });
    expect(enrolled.stderr).toBe('');
    const { nodeId } = resultOf(enrolled);
    const again = await at.enroll('balcony');
    expect(resultOf(again)).toMatchObject({ nodeId });
    expect(await issued(at)).toHaveLength(1);
    const listen = ['--listen', `${LOOPBACK}:0`, '--first'];
    const peer = kept(new XorProcess(['peer', ...at.overlayArguments('balcony'), ...listen]));
    expect(await peer.firstJson(30_000)).toMatchObject({ event: 'joined', jid: JULIET, nodeId });
  });

  test('XEP-0417 §6.2: the page of the challenge is shown, and when it is solved it goes on', async () => {
    const at = await start(false);
    const running = kept(at.enrolling('balcony'));
    const { event, uri } = await running.firstJson(30_000);
    expect(event).toBe('challenge');
    await solve(at, String(uri));
    await ended(running);
    const [, result = '{}'] = running.stdoutLines;
    expect(JSON.parse(result)).toMatchObject({ jid: JULIET });
  });

  test('XEP-0417 §6: killed before the challenge is solved, it gets that certificate later', async () => {
    const at = await start(false);
    const running = kept(at.enrolling('balcony', '--name', 'Phone'));
    const { uri } = await running.firstJson(30_000);
    const request = await readFile(`${at.state('balcony')}/pending-request.pem`, 'utf8');
    await running.end('SIGKILL');
    expect(await readFile(`${at.state('balcony')}/pending-request.pem`, 'utf8')).toBe(request);
    await solve(at, String(uri));
    const [certificate] = await issued(at);
    const enrolled = await at.enroll('balcony', '--name', 'Another name');
    expect(resultOf(enrolled)).toMatchObject({ nodeId: certificate?.nodeIds[0] });
    expect(await issued(at)).toHaveLength(1);
    await expect(access(`${at.state('balcony')}/pending-request.pem`)).rejects.toThrow();
  });

  test('XEP-0417 §6: killed at any moment, it asks for the same certificate', async () => {
    const at = await start(true);
    for (let times = 0; times < 8; times += 1) {
      const running = kept(at.enrolling('balcony'));
      await Promise.race([
        ended(running),
        new Promise((resolve) => setTimeout(resolve, 250 + 60 * times)),
      ]);
      await running.end('SIGKILL');
    }
    const { nodeId } = resultOf(await at.enroll('balcony'));
    const certificates = await issued(at);
    expect(certificates).toHaveLength(1);
    expect(certificates[0]?.nodeIds).toEqual([nodeId]);
  });

  test('XEP-0417 §7, §9: published, found by others, revoked, taken back', async () => {
    const at = await start(true);
    const { published, nodeId } = resultOf(await at.enroll('balcony', '--publish'));
    expect(published).toMatch(/^[0-9a-f]{32}$/);
    const { authenticator } = await configurationOf(at.authority);
    const connection = await openServerConnection({
      jid: JULIET,
      server: LOOPBACK,
      port: at.prosody.ports.client,
      caCertificates: [await readFile(at.prosody.certificateFile('capulet.lit'), 'utf8')],
      credentials: { password: 'wherefore art thou' },
    });
    const find = () => findPersonalCertificates(connection, JULIET, authenticator);
    expect(await find()).toMatchObject({ nodes: [{ nodeId, userName: JULIET }], refused: [] });
    const revoked = await at.enroll('balcony', '--revoke');
    expect(resultOf(revoked)).toMatchObject({ revoked: true, retracted: true });
    expect(await find()).toEqual({ nodes: [], refused: [] });
    await connection.close();
    expect((await issued(at)).map(({ status }) => status)).toEqual(['revoked']);
    const next = resultOf(await at.enroll('balcony'));
    expect(next.nodeId).not.toBe(nodeId);
  });

  test('XEP-0178: the certificate logs in at a server that trusts the authority', async () => {
    const at = await start(true);
    await at.enroll('balcony');
    const { configuration } = await configurationOf(at.authority);
    const identity = await loadIdentity(at.state('balcony'));
    if (identity === undefined) throw new Error('nothing is stored');
    const trusting = await Prosody.start({
      hosts: [{ domain: 'capulet.lit', accounts: {}, settings: { authentication: 'ccert' } }],
      wantsClientCertificates: true,
      trustedCertificates: configuration.rootCertificates,
    });
    const connection = await openServerConnection({
      jid: JULIET,
      server: LOOPBACK,
      port: trusting.ports.client,
      caCertificates: [await readFile(trusting.certificateFile('capulet.lit'), 'utf8')],
      credentials: {
        certificate: {
          certificate: identity.chain.map(toPem).join(''),
          privateKey: identity.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        },
      },
    });
    expect(connection.mechanism).toBe('EXTERNAL');
    expect(connection.address).toMatch(/^juliet@capulet\.lit\/./);
    await connection.close();
  });

  test('XEP-0417 §5.3: --list-authorities shows whom to ask', async () => {
    const at = await start(true);
    const listed = await at.enroll('balcony', '--list-authorities');
    expect(resultOf(listed)).toMatchObject([
      { address: 'ca.capulet.lit', isTrustedByServer: false },
    ]);
    expect(await issued(at)).toEqual([]);
  });

  test('what is wrong is said, with exit status 1 or 2', async () => {
    const at = await start(true);
    const stranger = await at.enroll('balcony', '--authority', 'ca.evil.lit');
    expect(stranger.status).toBe(1);
    expect(stranger.stderr).toContain('nothing was sent there');
    expect(await at.enroll('balcony', '--revoke')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('holds no certificate to revoke'),
    });
    expect((await runXor(['enroll', '--account', JULIET])).status).toBe(2);
    expect((await runXor(['enroll', '--xmpp'])).status).toBe(2);
    expect((await at.enroll('balcony', '--name', 'x'.repeat(257))).status).toBe(2);
  });
});

/** Solves a challenge as the user's browser does. */
async function solve({ authority }: XmppAuthority, uri: string): Promise<void> {
  const answer = await answerPage(authority, new URL(uri).pathname, { password: CA_PASSWORD });
  expect(answer.status).toBe(200);
}

async function ended(process: XorProcess): Promise<void> {
  while (!process.hasEnded) await new Promise((resolve) => setTimeout(resolve, 10));
}
