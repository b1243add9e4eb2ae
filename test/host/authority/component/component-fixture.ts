import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { encodeSigned } from '../../../../src/ca/certificate-encoding.ts';
import { encodeRequestInfo } from '../../../../src/ca/certification-request.ts';
import type { SubjectAltName } from '../../../../src/ca/subject-alt-name.ts';
import {
  type RunningAuthority,
  type StartAuthorityOptions,
  startAuthority,
} from '../../../../src/host/authority/authority-server.ts';
import type { ComponentOptions } from '../../../../src/host/authority/component/component-place.ts';
import { initializeAuthority } from '../../../../src/host/authority/initialization.ts';
import { encodeSigningRequest } from '../../../../src/host/enrollment/enrollment-request.ts';
import {
  childElement,
  textOf,
  type XmppElement,
} from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { octetsOf } from '../../../../src/xmpp/x509/x509-element.ts';
import {
  afterTest,
  ask,
  JULIET,
  newAuthority,
  OVERLAY,
  PASSWORD,
  type RawAnswer,
} from '../authority-fixture.ts';
import { ComponentServer } from './component-server.ts';

export const CA = 'ca.capulet.lit';
export const BALCONY = `${JULIET}/balcony`;
export const SECRET = 'pilgrims’ hands';
const X509 = 'urn:xmpp:x509:0';

export interface DeviceRequest {
  readonly privateKey: KeyObject;
  readonly der: Uint8Array;
  readonly keySha256: string;
}

/** A key of a new device and its signing request, as clients make it. */
export function newRequest(userName = JULIET): DeviceRequest {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey,
    der: encodeSigningRequest(privateKey, userName),
    keySha256: keyHash(privateKey),
  };
}

/** A signing request with any names. */
export function requestFor(names: readonly SubjectAltName[]): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = spkiOf(privateKey);
  const info = encodeRequestInfo(undefined, key, { names, isCa: false });
  return encodeSigned(info, key, sign('sha256', info, privateKey));
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
}

function keyHash(privateKey: KeyObject): string {
  return createHash('sha256').update(spkiOf(privateKey)).digest('hex');
}

export interface CsrOptions {
  readonly id?: string;
  readonly from?: string;
  readonly transaction?: string;
  readonly name?: string;
  readonly content?: string;
}

/** `<iq/>` with `<x509-csr/>`, as a server hands it on. */
export function csrStanza(der: Uint8Array, options: CsrOptions = {}): string {
  const { id = 'csr', from = BALCONY, transaction = '4UGObuJYf7yY8ucndbmH', name } = options;
  const content = options.content ?? Buffer.from(der).toString('base64');
  const named = name === undefined ? '' : ` name='${name}'`;
  return (
    `<iq type='get' from='${from}' to='${CA}' id='${id}'>` +
    `<x509-csr xmlns='${X509}' transaction='${transaction}'${named}>${content}</x509-csr></iq>`
  );
}

/** An authority that is a component of a server in this test. */
export async function attachedAuthority(
  component: Partial<ComponentOptions> = {},
  start: Partial<StartAuthorityOptions> = {},
) {
  const server = await ComponentServer.open(SECRET);
  afterTest(() => server.close());
  const options = {
    jid: CA,
    server: { host: '127.0.0.1', port: server.port },
    secret: SECRET,
    trustsServer: false,
    ...component,
  };
  const authority = await newAuthority({ ...start, component: options }, { xmppAddress: CA });
  await server.attachedTimes(1);
  return { server, authority, options };
}

/** One authority for all tests of a file, which is a component of a server there. */
export function sharedAttached(component: Partial<ComponentOptions> = {}) {
  const held: { server?: ComponentServer; authority?: RunningAuthority; directory?: string } = {};
  beforeAll(async () => {
    held.directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
    held.server = await ComponentServer.open(SECRET);
    const stateDirectory = join(held.directory, 'ca');
    await initializeAuthority({ stateDirectory, overlayName: OVERLAY, xmppAddress: CA });
    const server = { host: '127.0.0.1', port: held.server.port };
    held.authority = await startAuthority({
      stateDirectory,
      listen: { host: '127.0.0.1', port: 0 },
      component: { jid: CA, server, secret: SECRET, trustsServer: false, ...component },
    });
    await held.authority.addUser(JULIET, PASSWORD, 1_000);
    await held.server.attachedTimes(1);
  });
  afterAll(async () => {
    await held.authority?.close();
    await held.server?.close();
    await rm(held.directory ?? '', { recursive: true, force: true });
  });
  return () => {
    const { server, authority } = held;
    if (server === undefined || authority === undefined) throw new Error('it does not run yet');
    return { server, authority };
  };
}

/** The challenge of a transaction. */
export async function challengeOf(
  server: ComponentServer,
  transaction = '4UGObuJYf7yY8ucndbmH',
): Promise<{ readonly uri: string; readonly path: string; readonly message: XmppElement }> {
  const message = await server.stanza(
    (stanza) =>
      childElement(stanza, 'x509-challenge', X509)?.attributes.get('transaction') === transaction,
  );
  const uri = childElement(message, 'x509-challenge', X509)?.attributes.get('uri') ?? '';
  return { uri, path: new URL(uri).pathname, message };
}

/** What a browser has after it has loaded the page of a challenge. */
export async function openPage(authority: Parameters<typeof ask>[0], path: string) {
  const page = await ask(authority, path);
  const [cookie = ''] = String(page.headers['set-cookie']).split(';');
  const html = page.body.toString();
  const form = /name="form" value="([^"]*)"/.exec(html)?.[1] ?? '';
  return { page, html, cookie, form };
}

/** Answers the page of a challenge as a browser does. */
export async function answerPage(
  authority: Parameters<typeof ask>[0],
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const { cookie, form } = await openPage(authority, path);
  return post(
    authority,
    path,
    { form, mine: 'yes', answer: 'issue', ...fields },
    { Cookie: cookie },
  );
}

export function post(
  authority: Parameters<typeof ask>[0],
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  return ask(authority, path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });
}

/** The certificates of an answer, DER. */
export function chainOf(answer: XmppElement): readonly Uint8Array[] {
  const chain = childElement(answer, 'x509-cert-chain', X509);
  return (chain?.children ?? []).flatMap((child) =>
    typeof child === 'string' ? [] : (octetsOf(child) ?? []),
  );
}

/** The condition of an error with what it says, and whether the challenge is what failed. */
export function errorOf(answer: XmppElement) {
  const error = childElement(answer, 'error');
  const condition = error?.children.find((child) => typeof child !== 'string');
  const text = error === undefined ? undefined : childElement(error, 'text', STANZAS);
  return {
    condition: typeof condition === 'object' ? condition.name : undefined,
    type: error?.attributes.get('type'),
    by: error?.attributes.get('by'),
    text: text === undefined ? '' : textOf(text),
    isChallengeFailed:
      error !== undefined && childElement(error, 'x509-challenge-failed', X509) !== undefined,
  };
}

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
