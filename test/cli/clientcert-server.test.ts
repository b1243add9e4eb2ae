/** `xor clientcert --account`: as a client of Prosody, and of a peer's own gateway. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeKey } from '../../sim/certificates/certificate-maker.ts';
import { toPem } from '../../src/host/links/link-credentials.ts';
import { setLocalPassword } from '../../src/host/xmpp/gateway/password-file.ts';
import { isProsodyInstalled, Prosody } from '../host/xmpp/prosody.ts';
import { areInstalled } from '../installed-programs.ts';
import { selfSigned } from '../xmpp/client-certificates/certificate-desk.ts';
import { AuthorityFixture, LOOPBACK } from './authority-fixture.ts';
import { runXor, XorProcess } from './xor-process.ts';

const PASSWORD = 'wherefore art thou';
let releases: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const release of releases.reverse()) await release();
  releases = [];
});

interface Place {
  readonly account: string;
  readonly port: number;
  readonly trust: string;
  readonly more: readonly string[];
}

async function clientcert({ account, port, trust, more }: Place, ...args: readonly string[]) {
  const server = ['--account', account, '--server', `${LOOPBACK}:${port}`, '--server-trust', trust];
  const all = ['clientcert', ...args, ...server, ...more, '--json'];
  const result = await runXor(all, { input: `${PASSWORD}\n` });
  return { ...result, json: result.status === 0 ? JSON.parse(result.stdout) : undefined };
}

/** A certificate that nobody signed, and its key, as files in `directory`. */
async function newDevice(directory: string, jid: string) {
  const key = makeKey();
  const change = { notAfterUnixMs: Date.now() + 86_400_000 };
  const certificate = join(directory, 'device.pem');
  const keyFile = join(directory, 'device-key.pem');
  await writeFile(certificate, toPem(selfSigned({ addresses: [jid], key, change })));
  await writeFile(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { certificate, keyFile };
}

async function addsAndRevokes(place: Omit<Place, 'more'>, directory: string): Promise<void> {
  const byPassword = { ...place, more: ['--password-stdin'] };
  const device = await newDevice(directory, place.account);
  const added = await clientcert(byPassword, 'add', '--name', 'Phone', device.certificate);
  expect(added).toMatchObject({ stderr: '', json: { name: 'Phone', state: 'active' } });
  const again = await clientcert(byPassword, 'add', '--name', 'Phone', device.certificate);
  expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('another name') });
  // By the certificate itself from now on (SASL EXTERNAL).
  const more = ['--certificate', device.certificate, '--key', device.keyFile];
  const listed = await clientcert({ ...place, more }, 'list');
  expect(listed.json).toContainEqual(
    expect.objectContaining({ fingerprintSha256: added.json.fingerprintSha256 }),
  );
  const revoked = await clientcert(byPassword, 'revoke', added.json.fingerprintSha256);
  expect(revoked.json).toMatchObject({ name: 'Phone' });
  const refused = await clientcert({ ...place, more }, 'list');
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/^xor: .+\n$/) });
  const unknown = await clientcert(byPassword, 'disable', 'Phone');
  expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('no certificate') });
}

describe('xor clientcert at a server', { timeout: 120_000 }, () => {
  if (areInstalled({ Prosody: isProsodyInstalled })) {
    test('XEP-0257: adds, lists, logs in with it and revokes at Prosody', async () => {
      const hosts = [{ domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } }];
      const modules = ['client_certs'];
      const prosody = await Prosody.start({ hosts, modules, wantsClientCertificates: true });
      const trust = prosody.certificateFile('montague.lit');
      const place = { account: 'romeo@montague.lit', port: prosody.ports.client, trust };
      await addsAndRevokes(place, prosody.directory);
    });

    test('a server without XEP-0257 is named', async () => {
      const hosts = [{ domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } }];
      const prosody = await Prosody.start({ hosts });
      const trust = prosody.certificateFile('montague.lit');
      const place = { account: 'romeo@montague.lit', port: prosody.ports.client, trust };
      const listed = await clientcert({ ...place, more: ['--password-stdin'] }, 'list');
      expect(listed).toMatchObject({ status: 1, stderr: expect.stringContaining('XEP-0257') });
    });
  }

  test("XEP-0257: adds, lists, logs in with it and revokes at a peer's own gateway", async () => {
    const overlay = await AuthorityFixture.start();
    releases.push(() => overlay.close());
    const account = 'romeo@example.org';
    await overlay.authority.addUser(account, PASSWORD);
    const own = ['--first', '--gateway', `${LOOPBACK}:0`, '--user', account, '--password-stdin'];
    const args = [...overlay.peerArguments('romeo', overlay.bootstrap.port), ...own];
    const peer = new XorProcess(args, { input: `${PASSWORD}\n` });
    releases.push(() => peer.end('SIGKILL'));
    const { gateway } = await peer.firstJson(30_000);
    const state = overlay.state('romeo');
    await setLocalPassword(state, PASSWORD);
    const port = Number(String(gateway).split(':').at(-1));
    await addsAndRevokes({ account, port, trust: `${state}/gateway.pem` }, overlay.directory);
  });

  test('wrong arguments are exit status 2', async () => {
    const list = ['clientcert', 'list', '--account', 'romeo@montague.lit'];
    expect((await runXor(list)).status).toBe(2);
    expect((await runXor([...list, '--certificate', 'x.pem'])).status).toBe(2);
    expect((await runXor([...list, '--server', 'a:b:c', '--password-stdin'])).status).toBe(2);
  });
});
