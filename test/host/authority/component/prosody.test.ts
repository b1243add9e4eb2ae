/** The whole way: slixmpp, Prosody, the authority as its component, and Chromium at the challenge. */
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type ComponentInput,
  ComponentStream,
} from '../../../../src/xmpp/component/component-stream.ts';
import { areInstalled } from '../../../installed-programs.ts';
import { installedBrowser } from '../../../sim/report/headless-browser.ts';
import { isProsodyInstalled, Prosody } from '../../xmpp/prosody.ts';
import { isSlixmppInstalled, PYTHON } from '../../xmpp/slixmpp-process.ts';
import { JULIET, newAuthority, PASSWORD } from '../authority-fixture.ts';
import { ChallengeBrowser } from './challenge-browser.ts';
import { CA, type DeviceRequest, newRequest } from './component-fixture.ts';

const command = installedBrowser();
const SECRET = 'secret of the component';
const PROSODY = {
  hosts: [{ domain: 'capulet.lit', accounts: { juliet: { password: 'at prosody' } } }],
  components: [{ domain: CA, secret: SECRET }],
};

type Line = Readonly<Record<string, string>> & { readonly chain?: readonly string[] };

/** A slixmpp client of Juliet that asks for a certificate; gives its lines as they come. */
function enroll(prosody: Prosody, { der }: DeviceRequest, transaction: string) {
  const options = {
    jid: `${JULIET}/${transaction}`,
    password: 'at prosody',
    host: '127.0.0.1',
    port: prosody.ports.client,
    trust: prosody.certificateFile('capulet.lit'),
    authority: CA,
    transaction,
    name: 'Juliet’s phone',
    request: Buffer.from(der).toString('base64'),
  };
  const script = fileURLToPath(new URL('./slixmpp-enroll.py', import.meta.url));
  const child = spawn(PYTHON, [script, JSON.stringify(options)]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += String(data);
  });
  const lines = createInterface({ input: child.stdout });
  const iterator = lines[Symbol.asyncIterator]();
  return {
    next: async (): Promise<Line> => {
      const { value, done } = await iterator.next();
      if (done === true) throw new Error(`slixmpp ended: ${errors}`);
      return JSON.parse(String(value)) as Line;
    },
    cut: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

describe('an authority at Prosody', { timeout: 120_000 }, () => {
  const others = { Prosody: isProsodyInstalled, slixmpp: isSlixmppInstalled };
  const areAll = areInstalled({ ...others, chromium: command !== undefined });
  if (!areAll || command === undefined) return;

  const attach = async (prosody: Prosody, trustsServer = false) => {
    const server = { host: '127.0.0.1', port: prosody.ports.component };
    const component = { jid: CA, server, secret: SECRET, trustsServer };
    const authority = await newAuthority({ component }, { xmppAddress: CA });
    await authority.componentAttached();
    return authority;
  };

  const openBrowser = async ({ url, trustedCertificates }: Awaited<ReturnType<typeof attach>>) => {
    const browser = await ChallengeBrowser.open(command, url, trustedCertificates);
    onTestFinished(() => browser.close());
    return browser;
  };

  test('slixmpp asks, Chromium answers the challenge, the certificate comes', async () => {
    const prosody = await Prosody.start(PROSODY);
    const authority = await attach(prosody);
    const request = newRequest();
    const client = enroll(prosody, request, 'balcony');
    expect((await client.next()).features).toContain('urn:xmpp:x509:0');
    const challenge = await client.next();
    expect(challenge).toMatchObject({ event: 'challenge', sender: CA, transaction: 'balcony' });
    const browser = await openBrowser(authority);
    await browser.show(challenge.uri ?? '');
    await browser.shows('Juliet’s phone');
    await browser.answer('wrong');
    await browser.shows('The password is wrong. Try again.');
    await browser.answer(PASSWORD);
    await browser.shows('The certificate is issued and on its way to your device.');
    const { event, chain = [] } = await client.next();
    expect(event).toBe('certificate');
    const [leaf = ''] = chain;
    const certificate = new X509Certificate(Buffer.from(leaf, 'base64'));
    expect(certificate.checkPrivateKey(request.privateKey)).toBe(true);
    // The one complaint of the console is the status of the wrong password.
    expect(browser.complaints.filter((text) => !text.includes('403'))).toEqual([]);
  });

  test('a client that is cut off asks again and is not challenged again', async () => {
    const prosody = await Prosody.start(PROSODY);
    const authority = await attach(prosody);
    const request = newRequest();
    const client = enroll(prosody, request, 'balcony');
    await client.next();
    const { uri = '' } = await client.next();
    await client.cut();
    const browser = await openBrowser(authority);
    await browser.show(uri);
    await browser.answer(PASSWORD);
    await browser.shows('The certificate is issued');
    const again = enroll(prosody, request, 'chamber');
    await again.next();
    const { event, chain } = await again.next();
    expect(event).toBe('certificate');
    expect(chain).toHaveLength(1);
  });

  test('Chromium refuses for its user: forbidden with x509-challenge-failed', async () => {
    const prosody = await Prosody.start(PROSODY);
    const authority = await attach(prosody);
    const client = enroll(prosody, newRequest(), 'balcony');
    await client.next();
    const { uri = '' } = await client.next();
    const browser = await openBrowser(authority);
    await browser.show(uri);
    await browser.answer('', 'refuse');
    await browser.shows('The request is refused.');
    const error = await client.next();
    expect(error).toMatchObject({ event: 'error', condition: 'forbidden' });
    expect(error.xml).toContain('x509-challenge-failed');
  });

  test('Prosody is started anew in the middle: the component comes back', async () => {
    const prosody = await Prosody.start(PROSODY);
    const authority = await attach(prosody, true);
    const again = await prosody.restart('SIGKILL');
    await again.logs('External component successfully authenticated');
    const client = enroll(again, newRequest(), 'balcony');
    await client.next();
    expect(await client.next()).toMatchObject({ event: 'certificate' });
    expect(authority.componentStatus).toEqual({ isAttached: true });
  });

  test('a ping of the component to itself comes back through Prosody', async () => {
    const prosody = await Prosody.start(PROSODY);
    const stream = new ComponentStream({ jid: CA, secret: SECRET });
    const socket = connect(prosody.ports.component, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    let nowMs = 0;
    const handle = (input: ComponentInput) => {
      for (const output of stream.handle(input, nowMs)) {
        if (output.type === 'write') socket.write(output.text);
      }
    };
    handle({ type: 'start' });
    await once(socket, 'connect');
    handle({ type: 'connected' });
    const read = async () => {
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      handle({ type: 'received', bytes: new Uint8Array(bytes) });
    };
    while (!stream.isAttached) await read();
    const silentUntilMs = stream.nextDeadline() ?? 0;
    nowMs = silentUntilMs;
    handle({ type: 'time' });
    const answerUntilMs = stream.nextDeadline() ?? 0;
    await read();
    expect(stream.isAttached).toBe(true);
    expect(stream.nextDeadline()).toBeGreaterThan(answerUntilMs);
  });
});
