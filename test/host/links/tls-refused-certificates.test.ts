import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateContent } from '../../../src/ca/certificate-content.ts';
import { type LinkCredentials, linkTlsOptions } from '../../../src/host/links/link-credentials.ts';
import { reloadUri } from '../../../src/tls-auth/node-identity.ts';
import { nodeIdOf, OVERLAY, TestAuthority } from './link-identities.ts';
import { LinkEnd } from './tls-link-fixture.ts';

const julietId = nodeIdOf('b2');
const strangerId = nodeIdOf('d4');
const DAY_MS = 86_400_000;
const JID = 'tybalt@example.org';
let authority: TestAuthority;
let otherAuthority: TestAuthority;
let juliet: LinkCredentials;
let ends: LinkEnd[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  otherAuthority = await TestAuthority.create();
  juliet = await authority.certify(julietId);
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end.links.closeAll()));
  ends = [];
});

async function end(credentials: LinkCredentials) {
  const made = await new LinkEnd(authority, credentials).listen();
  ends.push(made);
  return made;
}

type Names = CertificateContent['subjectAltNames'];

function withNames(change: (names: Names) => Names) {
  return (content: CertificateContent) => ({ subjectAltNames: change(content.subjectAltNames) });
}

/** Certificates that make nobody, the rule that says so, and whether OpenSSL agrees. */
const wrongCertificates: Readonly<
  Record<
    string,
    { make: () => Promise<LinkCredentials>; rule: string; says: RegExp; differs: boolean }
  >
> = {
  'another CA': {
    make: () => otherAuthority.certify(strangerId, JID),
    rule: 'signature-invalid|no-path',
    says: /./,
    differs: false,
  },
  expired: {
    make: () =>
      authority.certify(strangerId, JID, () => ({
        notBeforeUnixMs: Date.now() - 2 * DAY_MS,
        notAfterUnixMs: Date.now() - DAY_MS,
      })),
    rule: 'expired',
    says: /notAfter/,
    differs: false,
  },
  'not yet valid': {
    make: () =>
      authority.certify(strangerId, JID, () => ({ notBeforeUnixMs: Date.now() + DAY_MS / 2 })),
    rule: 'not-yet-valid',
    says: /notBefore/,
    differs: false,
  },
  'no RELOAD URI': {
    make: () =>
      authority.certify(
        strangerId,
        JID,
        withNames((names) => names.filter(({ type }) => type !== 'uri')),
      ),
    rule: 'node-id|certificate-profile',
    says: /URI/i,
    differs: true,
  },
  'two RELOAD URIs': {
    make: () =>
      authority.certify(
        strangerId,
        JID,
        withNames((names) => [
          ...names,
          { type: 'uri', value: reloadUri(nodeIdOf('e5'), OVERLAY) },
        ]),
      ),
    rule: 'node-id|certificate-profile',
    says: /URI/i,
    differs: true,
  },
  'another overlay': {
    make: () =>
      authority.certify(
        strangerId,
        JID,
        withNames((names) => [
          { type: 'uri', value: reloadUri(strangerId, 'example.net') },
          ...names.filter(({ type }) => type !== 'uri'),
        ]),
      ),
    rule: 'node-id|certificate-profile',
    says: /overlay xmpp\.org/,
    differs: true,
  },
  'an rfc822Name that is not the XmppAddr': {
    make: () =>
      authority.certify(
        strangerId,
        JID,
        withNames((names) => [
          ...names.filter(({ type }) => type !== 'rfc822Name'),
          { type: 'rfc822Name', value: 'juliet@example.org' },
        ]),
      ),
    rule: 'certificate-profile',
    says: /rfc822Name/,
    differs: true,
  },
  'no XmppAddr': {
    make: () =>
      authority.certify(
        strangerId,
        JID,
        withNames((names) => names.filter(({ type }) => type !== 'xmppAddr')),
      ),
    rule: 'certificate-profile',
    says: /XmppAddr/,
    differs: true,
  },
};

describe('a certificate that makes nobody gets no byte to the Peer', () => {
  test.each(Object.keys(wrongCertificates))('client with: %s', async (name) => {
    const wrong = wrongCertificates[name];
    if (wrong === undefined) throw new Error(name);
    const to = await end(juliet);
    await sendAsClient(to, await wrong.make());
    expect(to.up).toEqual([]);
    expect(to.receivedBytes).toBe(0);
    expectRefusal(to, wrong.rule, wrong.says);
    expect(to.counters.handshakesFailed).toBe(1);
    expect(to.counters.opensslDiffers).toBe(wrong.differs ? 1 : 0);
  });

  test.each(Object.keys(wrongCertificates))('server with: %s', async (name) => {
    const wrong = wrongCertificates[name];
    if (wrong === undefined) throw new Error(name);
    const from = await end(juliet);
    const to = await end(await wrong.make());
    from.connectTo(to, 1, strangerId);
    await expect.poll(() => from.failed).toHaveLength(1);
    expect(from.up).toEqual([]);
    expect(from.failed[0]?.reason).toMatch(new RegExp(wrong.rule));
    expectRefusal(from, wrong.rule, wrong.says);
  });

  test('no client certificate', async () => {
    const to = await end(juliet);
    await sendAsClient(to, undefined);
    expect(to.up).toEqual([]);
    expect(to.receivedBytes).toBe(0);
    expectRefusal(to, 'no-certificate', /showed no certificate/);
  });

  test('a valid node that is not the expected one', async () => {
    const from = await end(juliet);
    const to = await end(await authority.certify(strangerId, JID));
    from.connectTo(to, 1, nodeIdOf('f6'));
    await expect.poll(() => from.failed).toHaveLength(1);
    expect(from.up).toEqual([]);
    expectRefusal(from, 'unexpected-node-id', /expected node (f6)+, the certificate names (d4)+/);
    await expect.poll(() => to.down.length).toBe(to.up.length);
    expect(to.receivedBytes).toBe(0);
  });
});

/** Connects by plain TLS and sends bytes as soon as it may; resolves when it is closed. */
async function sendAsClient(to: LinkEnd, credentials: LinkCredentials | undefined): Promise<void> {
  const { key, cert } =
    credentials === undefined
      ? { key: undefined, cert: undefined }
      : linkTlsOptions(credentials, []);
  const socket = tlsConnect({
    host: to.address.host,
    port: to.address.port,
    rejectUnauthorized: false,
    ...(key === undefined || cert === undefined ? {} : { key, cert }),
  });
  socket.on('secureConnect', () =>
    socket.write('\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000'),
  );
  socket.on('error', () => socket.destroy());
  socket.resume();
  await new Promise((resolve) => socket.on('close', resolve));
}

function expectRefusal(by: LinkEnd, rule: string, says: RegExp): void {
  expect(by.loggedRules).toEqual([expect.stringMatching(new RegExp(`^(?:${rule})$`))]);
  const line = by.logged.find(({ fields }) => 'rule' in fields);
  expect(JSON.stringify(line)).toMatch(says);
  expect([...by.counters.refusedByRule.values()]).toEqual([1]);
}
