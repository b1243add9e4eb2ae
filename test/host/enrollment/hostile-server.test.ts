/** XEP-0417 at a real server, with somebody else in the authority's place. */
import { sign } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeKey, makeLeaf } from '../../../sim/certificates/certificate-maker.ts';
import { pendingRequest } from '../../../src/host/enrollment/pending-request.ts';
import { enrollOverXmpp } from '../../../src/host/enrollment/xmpp-enrollment.ts';
import {
  openServerConnection,
  type ServerConnection,
} from '../../../src/host/xmpp/account/server-connection.ts';
import { trustSettingsOf } from '../../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import type { ExchangeRefusal } from '../../../src/xmpp/enrollment/exchange-refusal.ts';
import { childElement, element, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import {
  certificateChainElement,
  challengeElement,
  X509_NAMESPACE,
} from '../../../src/xmpp/x509/x509-element.ts';
import { areInstalled } from '../../installed-programs.ts';
import { testConfiguration } from '../../reload/virtual-configuration.ts';
import {
  AUTHORITY,
  CLIENT,
  certificateOf,
  jidOf,
  OTHER_ROOT,
  PAGE,
  USER,
  xmppRoot,
} from '../../xmpp/enrollment/exchange-world.ts';
import { isProsodyInstalled, Prosody } from '../xmpp/prosody.ts';
import { HostileComponent } from './hostile-component.ts';

const SECRET = 'secret of the component';
const PASSWORD = 'wherefore art thou';
const root = xmppRoot();

describe('a server that has taken the place of the authority', { timeout: 60_000 }, () => {
  if (!areInstalled({ Prosody: isProsodyInstalled })) return;

  test('it issues with a key of its own: invalid-chain, nothing is stored, the request stays', async () => {
    const evil = xmppRoot();
    const run = await enrolling((request) => {
      const { certificate } = makeLeaf(evil, { jid: USER, key: run.key });
      return [response(request, [certificate, evil.certificate])];
    });
    await expect(run.enroll()).rejects.toMatchObject({ failure: { code: 'invalid-chain' } });
    expect(await run.files()).toEqual(['pending-request.pem']);
  });

  test("it gives another's certificate: another-key; for another address: another-address", async () => {
    let issue = () => makeLeaf(root, { jid: USER, key: makeKey() }).certificate;
    const run = await enrolling((request) => [response(request, [issue()])]);
    await expect(run.enroll()).rejects.toMatchObject({ failure: { code: 'another-key' } });
    issue = () => makeLeaf(root, { jid: 'tybalt@capulet.lit', key: run.key }).certificate;
    await expect(run.enroll()).rejects.toMatchObject({ failure: { code: 'another-address' } });
    expect(await run.files()).toEqual(['pending-request.pem']);
  });

  test('it asks for a page of its own: challenge-signature, and the page is not shown', async () => {
    const run = await enrolling((request) => {
      const transaction = transactionOf(request);
      const forged = [PAGE.replace('https', 'http'), 'https://evil.lit/'].map((uri) =>
        challenge(request, { transaction, uri, signature: signed(OTHER_ROOT, transaction + uri) }),
      );
      const old = `0${transaction}`;
      const replayed = { transaction: old, uri: PAGE, signature: signed(root, old + PAGE) };
      return [...forged, challenge(request, replayed), refusal(request)];
    });
    await expect(run.enroll()).rejects.toMatchObject({ failure: { code: 'error-answer' } });
    expect(run.pages).toEqual([]);
    expect(run.refusals.map(({ code }) => code)).toEqual([
      'challenge-signature',
      'challenge-signature',
      'wrong-transaction',
    ]);
  });

  test('it vanishes in the middle: a temporary failure, and the same request comes next time', async () => {
    const run = await enrolling(() => {
      run.component?.vanish();
      return [];
    });
    await expect(run.enroll(500)).rejects.toMatchObject({
      failure: { code: 'timeout', isTemporary: true },
    });
    await run.prosody?.logs('component disconnected');
    const request = await readFile(join(run.directory, 'pending-request.pem'), 'utf8');
    const first = run.component?.received.at(-1);
    await run.attach((again) => {
      const { certificate } = makeLeaf(root, { jid: USER, key: run.key });
      expect(contentOf(again)).toBe(first === undefined ? '' : contentOf(first));
      return [response(again, [certificate])];
    });
    expect(request).toContain('CERTIFICATE REQUEST');
    expect((await run.enroll()).node.userName).toBe(USER);
    expect(await run.files()).toEqual(['identity.pem']);
  });

  test('it withholds everything until the server ends: lost, with what to do', async () => {
    const run = await enrolling(() => {
      void run.prosody?.stop('SIGKILL');
      return [];
    });
    await expect(run.enroll()).rejects.toMatchObject({
      failure: { code: 'lost', isTemporary: true },
      message: expect.stringContaining('run this again: the request is kept'),
    });
  });
});

/** Everything that one client needs, and whoever answers it. */
class Run {
  readonly directory: string;
  readonly pages: string[] = [];
  readonly refusals: ExchangeRefusal[] = [];
  readonly key = makeKey();
  prosody: Prosody | undefined;
  connection: ServerConnection | undefined;
  component: HostileComponent | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  async attach(answer: (request: XmppElement) => readonly XmppElement[]): Promise<void> {
    const port = this.prosody?.ports.component ?? 0;
    const isRequest = (stanza: XmppElement) => childElement(stanza, 'x509-csr', X509_NAMESPACE);
    this.component = await HostileComponent.attach(
      { jid: AUTHORITY, secret: SECRET, port },
      (one) => (isRequest(one) === undefined ? [] : answer(one)),
    );
  }

  async enroll(responseMsMax?: number) {
    const { connection, directory } = this;
    if (connection === undefined) throw new Error('it is not connected');
    const request = await pendingRequest(directory, {
      userName: USER,
      name: 'Phone',
      keyType: 'p256',
      privateKey: this.key.privateKey,
    });
    return enrollOverXmpp({
      connection,
      stateDirectory: directory,
      request,
      userName: USER,
      authority: { certificate: certificateOf(root.certificate), address: jidOf(AUTHORITY) },
      authenticator: new Authenticator({
        ...trustSettingsOf(testConfiguration(root)),
        profile: 'xep-0416',
        overlayName: 'xmpp.org',
      }),
      responseMsMax,
      onChallenge: (uri) => this.pages.push(uri),
      onRefused: (one) => this.refusals.push(one),
    });
  }

  async files(): Promise<readonly string[]> {
    return (await readdir(this.directory)).sort();
  }
}

async function enrolling(answer: (request: XmppElement) => readonly XmppElement[]): Promise<Run> {
  const run = new Run(await mkdtemp(join(tmpdir(), 'xor-hostile-')));
  onTestFinished(() => rm(run.directory, { recursive: true, force: true }));
  const prosody = await Prosody.start({
    hosts: [{ domain: 'montague.lit', accounts: { romeo: { password: PASSWORD } } }],
    components: [{ domain: AUTHORITY, secret: SECRET }],
  });
  run.prosody = prosody;
  await run.attach(answer);
  const connection = await openServerConnection({
    jid: USER,
    server: '127.0.0.1',
    port: prosody.ports.client,
    caCertificates: [await readFile(prosody.certificateFile('montague.lit'), 'utf8')],
    credentials: { password: PASSWORD },
  });
  onTestFinished(() => connection.close());
  run.connection = connection;
  return run;
}

function reply(request: XmppElement, name: string, type: string, content: readonly XmppElement[]) {
  const { attributes } = request;
  const id = name === 'iq' ? attributes.get('id') : undefined;
  const values = { type, from: AUTHORITY, to: attributes.get('from'), id };
  return element(name, CLIENT, values, content);
}

function response(request: XmppElement, chain: readonly Uint8Array[]): XmppElement {
  return reply(request, 'iq', 'result', [certificateChainElement(chain, 'Phone')]);
}

function refusal(request: XmppElement): XmppElement {
  const condition = element('not-allowed', 'urn:ietf:params:xml:ns:xmpp-stanzas');
  const error = element('error', CLIENT, { type: 'cancel', by: AUTHORITY }, [condition]);
  return reply(request, 'iq', 'error', [error]);
}

function challenge(
  request: XmppElement,
  values: Parameters<typeof challengeElement>[0],
): XmppElement {
  return reply(request, 'message', 'normal', [challengeElement(values)]);
}

function signed(signer: typeof root, text: string): Uint8Array {
  return new Uint8Array(sign('sha256', Buffer.from(text), signer.key.privateKey));
}

function contentOf(request: XmppElement): string {
  return JSON.stringify(childElement(request, 'x509-csr', X509_NAMESPACE)?.children);
}

function transactionOf(request: XmppElement): string {
  const content = childElement(request, 'x509-csr', X509_NAMESPACE);
  return content?.attributes.get('transaction') ?? '';
}
