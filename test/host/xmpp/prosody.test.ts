/** The ordinary server of the tests: others' clients log in at it, in each way that tests use. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toPem } from '../../../src/host/links/link-credentials.ts';
import { areInstalled } from '../../installed-programs.ts';
import { nodeIdOf, TestAuthority } from '../links/link-identities.ts';
import { isProsodyInstalled, Prosody } from './prosody.ts';
import { isSlixmppInstalled, runSlixmpp, type SlixmppOptions } from './slixmpp-process.ts';

describe('Prosody', { timeout: 120_000 }, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled, slixmpp: isSlixmppInstalled })) return;

  for (const direct of [false, true]) {
    test(`a slixmpp client logs in over ${direct ? 'direct TLS' : 'STARTTLS'}`, async () => {
      const prosody = await Prosody.start({ hosts: [MONTAGUE] });
      expect(await login(prosody, { direct, text: 'Peace!' })).toMatchObject([
        { event: 'started', jid: expect.stringMatching(/^romeo@montague\.lit\/./) },
        { event: 'message', body: 'Peace!' },
      ]);
    });
  }

  test('its accounts are there again when it was killed', async () => {
    const prosody = await Prosody.start({ hosts: [MONTAGUE] });
    const again = await prosody.restart('SIGKILL');
    expect(await login(again, { text: 'Peace!' })).toMatchObject([
      { event: 'started' },
      { event: 'message' },
    ]);
  });

  test('XEP-0178: a certificate whose chain it was told to trust logs in', async () => {
    const authority = await TestAuthority.create();
    const prosody = await Prosody.start({
      hosts: [{ ...MONTAGUE, settings: { authentication: 'ccert' } }],
      wantsClientCertificates: true,
      trustedCertificates: authority.rootCertificates,
    });
    const { chain, privateKey } = await authority.certify(nodeIdOf('21'), 'romeo@montague.lit');
    const certificate = join(prosody.directory, 'client.pem');
    const key = join(prosody.directory, 'client-key.pem');
    await writeFile(certificate, chain.map(toPem).join(''));
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const files = { certificate, key, mechanism: 'EXTERNAL' };
    expect(await login(prosody, { ...files, text: 'Peace!' })).toMatchObject([
      { event: 'started' },
      { event: 'message' },
    ]);
  });

  test('XEP-0114: a component with the secret is taken', async () => {
    const prosody = await Prosody.start({
      hosts: [MONTAGUE],
      components: [{ domain: 'ca.montague.lit', secret: 'sarsaparilla' }],
    });
    const socket = connect(prosody.ports.component, '127.0.0.1');
    const namespaces =
      "xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'";
    socket.write(`<stream:stream ${namespaces} to='ca.montague.lit'>`);
    const [header] = await once(socket, 'data');
    const id = /id='([^']+)'/.exec(String(header))?.[1];
    const handshake = createHash('sha1').update(`${id}sarsaparilla`).digest('hex');
    socket.write(`<handshake>${handshake}</handshake>`);
    const [answer] = await once(socket, 'data');
    socket.destroy();
    expect(String(answer)).toBe('<handshake/>');
  });
});

const PASSWORD = 'wherefore art thou';
const MONTAGUE = { domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } };

function login(prosody: Prosody, how: Partial<SlixmppOptions>): Promise<readonly unknown[]> {
  const { direct = false } = how;
  return runSlixmpp({
    jid: 'romeo@montague.lit',
    password: PASSWORD,
    host: '127.0.0.1',
    port: direct ? prosody.ports.clientDirectTls : prosody.ports.client,
    trust: prosody.certificateFile('montague.lit'),
    mechanism: 'SCRAM-SHA-1',
    direct,
    ...how,
  });
}
