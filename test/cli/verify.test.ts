import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { entryOf, makeList } from '../../sim/certificates/revocation-list-maker.ts';
import { failureOf } from '../../src/cli/failure-sentence.ts';
import type { StanzaReport } from '../../src/cli/stanza-report.ts';
import { verifyCommand } from '../../src/cli/verify-command.ts';
import {
  buildConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import { signStanza } from '../../src/xmpp/signed-stanzas/sign-stanza.ts';
import { StanzaRefusal } from '../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import { writeElement } from '../../src/xmpp/stanza/xmpp-element.ts';
import { authenticatedNode, testTrustSettings } from '../tls-auth/test-node.ts';
import { xml } from '../xmpp/routing/verona.ts';

const SIGNED_AT = Date.UTC(2026, 2, 1, 7);
const root = makeRoot();
const between = makeIntermediate(root, { domain: 'capulet.lit' });
const leaf = makeLeaf(between, { jid: 'juliet@capulet.lit', nodeId: testNodeId(1) });
const text =
  '<message id="m1" type="chat" from="juliet@capulet.lit/balcony" to="romeo@montague.lit">' +
  '<body>Wherefore art thou?</body></message>';
let directory: string;

function file(name: string): string {
  return join(directory, name);
}

function pem(...ders: readonly Uint8Array[]): string {
  return ders.map((der) => new X509Certificate(der).toString()).join('');
}

function signed(unixMs = SIGNED_AT): string {
  const authenticator = new Authenticator(testTrustSettings([root]));
  const node = authenticatedNode(authenticator, leaf.certificate, [between.certificate], unixMs);
  const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
  const outer = signStanza(signer, xml(text), unixMs, { id: 'outer' });
  if (outer instanceof StanzaRefusal) throw new Error(outer.describe());
  return writeElement(outer);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-verify-'));
  await writeFile(file('roots.pem'), pem(root.certificate));
  await writeFile(file('juliet.pem'), pem(leaf.certificate, between.certificate));
  await writeFile(file('message.xml'), signed());
  const streamed = signed().replace(' xmlns="jabber:client"', '');
  await writeFile(file('streamed.xml'), `<?xml version="1.0"?>\n${streamed}\n`);
  await writeFile(
    file('redirected.xml'),
    signed().replace(/ to="[^"]*"/, ' to="paris@verona.lit"'),
  );
  await writeFile(
    file('renamed.xml'),
    signed().replace(/ from="[^"]*"/, ' from="nurse@capulet.lit"'),
  );
  const [, data = ''] = /<data>([^<]*)<\/data>/.exec(signed(SIGNED_AT + 1)) ?? [];
  await writeFile(file('altered.xml'), signed().replace(/<data>[^<]*/, `<data>${data}`));
  await writeFile(file('unsigned.xml'), text);
  await writeFile(file('broken.xml'), '<message');
  await writeFile(file('other.xml'), '<body xmlns="jabber:client"/>');
});

afterAll(() => rm(directory, { recursive: true }));

/** What the command prints, and how it ends. */
async function verify(...args: readonly string[]) {
  let stdout = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    stdout += String(chunk);
    return true;
  });
  try {
    await verifyCommand().parseAsync([...args], { from: 'user' });
    return { stdout, exitStatus: 0, sentence: undefined };
  } catch (error) {
    return { stdout, ...failureOf(error) };
  } finally {
    write.mockRestore();
  }
}

function trusting(name: string, ...more: readonly string[]) {
  const files = ['--roots', file('roots.pem'), '--certificate', file('juliet.pem')];
  return verify(file(name), ...files, '--time', '2026-03-01T07:00:10Z', ...more);
}

async function report(name: string, ...more: readonly string[]): Promise<StanzaReport> {
  return JSON.parse((await trusting(name, '--json', ...more)).stdout);
}

describe('xor verify', () => {
  test('says who signed a stanza, when, and each check; exit status 0', async () => {
    const { exitStatus, stdout } = await trusting('message.xml');
    expect(exitStatus).toBe(0);
    expect(stdout).toContain(`signed by juliet@capulet.lit, node ${testNodeId(1)}`);
    expect(stdout).toContain('2026-03-01T07:00:00.000Z');
    for (const name of ['form', 'sender', 'certificate', 'signature', 'addressee', 'timestamp']) {
      expect(stdout).toMatch(new RegExp(`  ${name} +ok `));
    }
  });

  test('--json prints one document', async () => {
    const given = await report('message.xml');
    expect(given).toMatchObject({
      valid: true,
      reason: null,
      signer: { jid: 'juliet@capulet.lit', nodeId: testNodeId(1) },
      from: 'juliet@capulet.lit/balcony',
      to: 'romeo@montague.lit',
      signedAt: '2026-03-01T07:00:00.000Z',
      algorithm: 'ECDSA-SHA256',
      stanza: writeElement(xml(text)),
    });
    expect(given.checks.every(({ passed }) => passed === true)).toBe(true);
  });

  test('a stanza as it stands in a stream is read as well', async () => {
    expect((await report('streamed.xml')).valid).toBe(true);
  });

  test.each([
    ['altered.xml', 'signature-invalid', 'signature'],
    ['redirected.xml', 'wrong-addressee', 'addressee'],
    ['renamed.xml', 'wrong-sender', 'sender'],
    ['unsigned.xml', 'malformed', 'form'],
  ])('%s is refused: %s; exit status 1', async (name, reason, check) => {
    const { exitStatus, sentence, stdout } = await trusting(name, '--json');
    const given: StanzaReport = JSON.parse(stdout);
    expect(exitStatus).toBe(1);
    expect(sentence).toContain(reason);
    expect(given).toMatchObject({ valid: false, reason, stanza: null });
    expect(given.checks.find(({ passed }) => passed === false)?.name).toBe(check);
  });

  test('--to says whom it was for', async () => {
    expect((await report('redirected.xml', '--to', 'romeo@montague.lit')).valid).toBe(true);
    const other = await report('message.xml', '--to', 'paris@verona.lit');
    expect(other.reason).toBe('wrong-addressee');
  });

  test('roots that do not lead to the certificate refuse it', async () => {
    await writeFile(file('others.pem'), pem(makeRoot().certificate));
    const given = await report('message.xml', '--roots', file('others.pem'));
    expect(given.reason).toBe('certificate-refused');
    expect(given.checks.find(({ name }) => name === 'signature')?.passed).toBeNull();
  });

  test('--time: not before it was signed', async () => {
    const given = await report('message.xml', '--time', '2026-02-28T07:00:00Z');
    expect(given.reason).toBe('future-timestamp');
  });

  test('--crl: a certificate that is revoked refuses it', async () => {
    const serial = BigInt(`0x${new X509Certificate(leaf.certificate).serialNumber}`);
    const dates = { thisUpdateUnixMs: SIGNED_AT, nextUpdateUnixMs: SIGNED_AT + 86_400_000 };
    await writeFile(
      file('empty.crl'),
      makeList(between, [], () => dates),
    );
    await writeFile(
      file('revoked.crl'),
      makeList(between, [entryOf(serial)], () => dates),
    );
    await writeFile(
      file('stranger.crl'),
      makeList(makeRoot(), [], () => dates),
    );
    expect((await report('message.xml', '--crl', file('empty.crl'))).valid).toBe(true);
    const given = await report('message.xml', '--crl', file('revoked.crl'));
    expect(given.reason).toBe('certificate-refused');
    expect(JSON.stringify(given.checks)).toContain('revoked');
    const { sentence } = await trusting('message.xml', '--crl', file('stranger.crl'));
    expect(sentence).toContain('says nothing of these certificates');
    expect((await report('message.xml', '--revocation', 'require')).valid).toBe(false);
  });

  test('without --certificate the running peer looks for those of the sender', async () => {
    const asked: string[] = [];
    const api = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      const chainPem = pem(leaf.certificate, between.certificate);
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify([{ jid: 'juliet@capulet.lit', chainPem }]));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const { port } = api.address() as AddressInfo;
    await writeFile(file('token'), 'sesame');
    try {
      const { exitStatus, stdout } = await verify(
        ...[file('message.xml'), '--roots', file('roots.pem'), '--time', '2026-03-01T07:00:10Z'],
        ...['--api', `http://127.0.0.1:${port}`, '--token-file', file('token'), '--json'],
      );
      expect([exitStatus, JSON.parse(stdout).valid]).toEqual([0, true]);
      expect(asked).toEqual(['GET /v1/certificates/juliet%40capulet.lit Bearer sesame']);
    } finally {
      await new Promise((resolve) => api.close(resolve));
    }
  });

  test('--config: the roots of a configuration document', async () => {
    const roots = { rootCertificates: [root.certificate] };
    const document = buildConfiguration({ instanceName: 'xmpp.org', sequence: 1, ...roots });
    await writeFile(file('config.xml'), unsignedDocument(document));
    const files = ['--config', file('config.xml'), '--certificate', file('juliet.pem')];
    const time = ['--time', '2026-03-01T07:00:10Z'];
    const given = await verify(file('message.xml'), ...files, ...time, '--json');
    expect([given.sentence, given.exitStatus]).toEqual([undefined, 0]);
  });

  test.each(['broken.xml', 'other.xml', 'absent.xml'])('%s is no stanza', async (name) => {
    const { exitStatus, sentence, stdout } = await trusting(name);
    expect([exitStatus, stdout]).toEqual([1, '']);
    expect(sentence).toContain(name);
  });

  test('without roots and without a peer it says what to name', async () => {
    const { exitStatus, sentence } = await verify(
      file('message.xml'),
      ...['--certificate', file('juliet.pem'), '--state', directory],
    );
    expect(exitStatus).toBe(1);
    expect(sentence).toContain('--roots');
  });
});
