/** slixmpp as a client that others wrote: it logs in in each way and gets its own message back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toPem } from '../../../src/host/links/link-credentials.ts';
import { areInstalled } from '../../installed-programs.ts';
import { nodeIdOf } from '../links/link-identities.ts';
import { type EchoGateway, openEchoGateway, PASSWORD, USER } from './echo-gateway.ts';
import { isSlixmppInstalled, runSlixmpp, type SlixmppOptions } from './slixmpp-process.ts';

describe('slixmpp at the gateway', { timeout: 120_000 }, () => {
  if (!areInstalled({ slixmpp: isSlixmppInstalled })) return;

  const started = { event: 'started', jid: expect.stringMatching(/^romeo@montague\.lit\/./) };
  const echoed = { event: 'message', body: 'Wherefore art thou é & <?' };

  for (const direct of [false, true]) {
    const transport = direct ? 'direct TLS' : 'STARTTLS';

    test(`RFC 5802: logs in by SCRAM-SHA-256-PLUS over ${transport}`, async () => {
      const echo = await openEchoGateway();
      const lines = await login(echo, {
        mechanism: 'SCRAM-SHA-256-PLUS',
        direct,
        password: PASSWORD,
      });
      expect(lines).toMatchObject([started, echoed]);
      expect(echo.events).toContainEqual(
        expect.objectContaining({ type: 'clientAuthenticated', mechanism: 'SCRAM-SHA-256-PLUS' }),
      );
    });

    test(`XEP-0178: logs in by EXTERNAL over ${transport}`, async () => {
      const echo = await openEchoGateway();
      const files = await certificateOf(echo, USER);
      const lines = await login(echo, { mechanism: 'EXTERNAL', direct, ...files });
      expect(lines).toMatchObject([started, echoed]);
      expect(echo.events).toContainEqual(
        expect.objectContaining({ type: 'clientAuthenticated', mechanism: 'EXTERNAL' }),
      );
    });
  }

  test('a wrong password logs nobody in', async () => {
    const echo = await openEchoGateway();
    const mechanism = 'SCRAM-SHA-256-PLUS';
    const lines = await login(echo, { mechanism, direct: true, password: 'x' });
    expect(lines).toMatchObject([{ event: 'failed' }]);
  });

  test('a certificate of another user is not offered EXTERNAL', async () => {
    const echo = await openEchoGateway();
    const files = await certificateOf(echo, 'tybalt@capulet.lit');
    const lines = await login(echo, { mechanism: 'EXTERNAL', direct: true, ...files });
    expect(lines).toMatchObject([{ event: 'failed' }]);
    expect(echo.events).toContainEqual(
      expect.objectContaining({ type: 'clientRefused', reason: 'it names tybalt@capulet.lit' }),
    );
  });
});

type Login = Pick<SlixmppOptions, 'mechanism' | 'direct' | 'password' | 'certificate' | 'key'>;

async function certificateOf(echo: EchoGateway, userName: string) {
  const { chain, privateKey } = await echo.authority.certify(nodeIdOf('21'), userName);
  const certificate = join(echo.stateDirectory, 'client.pem');
  const key = join(echo.stateDirectory, 'client-key.pem');
  await writeFile(certificate, chain.map(toPem).join(''));
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { certificate, key };
}

function login(echo: EchoGateway, how: Login): Promise<readonly unknown[]> {
  return runSlixmpp({
    ...how,
    jid: USER,
    host: echo.tcp.host,
    port: echo.tcp.port,
    trust: join(echo.stateDirectory, 'gateway.pem'),
    text: 'Wherefore art thou é & <?',
  });
}
