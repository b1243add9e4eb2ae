import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configCommand } from '../../src/cli/config-commands.ts';
import { OperatorError } from '../../src/cli/operator-error.ts';
import { ConfigurationCache } from '../../src/host/configuration/configuration-cache.ts';
import { ConfigurationClient } from '../../src/host/configuration/configuration-client.ts';
import { toPem } from '../../src/host/links/link-credentials.ts';
import { openStateDirectory } from '../../src/host/state/state-directory.ts';
import {
  buildConfiguration,
  type ConfigurationContent,
  signConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { serve, webAuthorityPem } from '../host/configuration/configuration-server.ts';
import { TestAuthority } from '../overlay-config/test-authority.ts';

const NAME = 'overlay.example.org';
const authority = new TestAuthority(NAME);
const signer = authority.signer(1);
const stranger = authority.signer(2);
const leaf = authority.issue(`signer@${NAME}`, signer.nodeId);

const configuration = (sequence: number, more: Partial<ConfigurationContent> = {}) =>
  buildConfiguration({
    instanceName: NAME,
    sequence,
    rootCertificates: [authority.root.der],
    configurationSigners: [signer.nodeId],
    sharedSecret: 'psst',
    ...more,
  });

let directory: string;
let printed: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'config-commands-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function xor(...words: string[]): Promise<string> {
  printed = '';
  await configCommand().exitOverride().parseAsync(words, { from: 'user' });
  return printed;
}

async function failure(...words: string[]): Promise<string> {
  const error = await xor(...words).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OperatorError);
  return (error as Error).message;
}

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe('xor config show', () => {
  test('says what a document says, but not its secret', async () => {
    const path = await file('a.xml', unsignedDocument(configuration(7)));
    const report = JSON.parse(await xor('show', path, '--json'));
    expect(report).toMatchObject({ overlay: NAME, sequence: 7, hasSharedSecret: true });
    expect(report.kinds[0]).toMatchObject({ kindId: 2, name: 'TURN-SERVICE', findAllowed: true });
    const text = await xor('show', path);
    expect(text).toMatch(/^sequence +7$/m);
    expect(text).toMatch(/XMPP-LOCATION \(0x5\): dictionary, USER-NODE-MATCH, at most 32 of 1024/);
    expect(text).not.toContain('psst');
  });

  test('says where a document is wrong', async () => {
    const path = await file('a.xml', '<overlay>\n</overlay');
    expect(await failure('show', path)).toMatch(/a\.xml: configuration document, line 2/);
  });

  test('wants to know which of several overlays', async () => {
    const one = new TextDecoder().decode(unsignedDocument(configuration(7)));
    const inner = one.slice(one.indexOf('<configuration'), one.indexOf('</overlay>'));
    const two = one.replace('</overlay>', `${inner.replaceAll(NAME, 'b.example')}</overlay>`);
    const path = await file('a.xml', two);
    expect(await failure('show', path)).toMatch(/one of overlay.example.org, b.example by --over/);
    expect(await xor('show', path, '--overlay', 'b.example')).toMatch(/^overlay +b\.example$/m);
  });

  test('shows what a peer holds, or that it holds nothing', async () => {
    const state = ['--state', directory, '--overlay', NAME];
    expect(await failure('show', ...state)).toMatch(/there is no .*configuration\.json; give/);
    const document = unsignedDocument(configuration(7));
    const entry = { overlayName: NAME, document, lastModified: undefined, checkedUnixMs: 0 };
    await new ConfigurationCache(directory).write(entry, true);
    expect(JSON.parse(await xor('show', ...state, '--json'))).toMatchObject({ sequence: 7 });
  });
});

describe('xor config sign and verify', () => {
  const credentials = async () => [
    '--key',
    await file('key.pem', leaf.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    '--certificate',
    await file('certificate.pem', toPem(leaf.der)),
  ];

  test('a document or a <configuration> alone is signed byte for byte', async () => {
    const held = await file('held.xml', unsignedDocument(configuration(7)));
    for (const bytes of [configuration(8), unsignedDocument(configuration(8))]) {
      const output = join(directory, 'signed.xml');
      const input = await file('new.xml', bytes);
      await xor('sign', input, ...(await credentials()), '--held', held, '--output', output);
      expect(await readFile(output, 'utf8')).toContain(new TextDecoder().decode(configuration(8)));
      expect(JSON.parse(await xor('verify', output, '--held', held, '--json'))).toEqual({
        valid: true,
        overlay: NAME,
        sequence: 8,
        signer: signer.nodeId,
        follows: true,
        reason: null,
      });
      expect(await xor('verify', output)).toMatch(/valid for .* sequence 8, signed by 0101/);
    }
  });

  test('what peers would not take is not signed', async () => {
    const held = await file('held.xml', unsignedDocument(configuration(8)));
    const old = await file('new.xml', configuration(8));
    expect(await failure('sign', old, ...(await credentials()), '--held', held)).toMatch(
      /peers would not take it: .*newer than 8, got 8/,
    );
    const other = { configurationSigners: [stranger.nodeId] };
    const foreign = await file('new.xml', configuration(9, other));
    expect(await failure('sign', foreign, ...(await credentials()))).toMatch(
      /is of 0101.*, which is no configuration-signer/,
    );
  });

  test('a prefix that the signature would not cover is pointed out', async () => {
    const text = new TextDecoder().decode(unsignedDocument(configuration(8)));
    const outer = text
      .replace('<overlay ', '<overlay xmlns:x="urn:x" ')
      .replace('</configuration>', '<x:y/></configuration>');
    const path = await file('new.xml', outer);
    expect(await failure('sign', path, ...(await credentials()))).toMatch(
      /write xmlns:x="urn:x" into <configuration>, which is signed/,
    );
  });

  test('a key of somebody else', async () => {
    const { privateKey } = authority.issue(`other@${NAME}`, stranger.nodeId);
    const key = await file('other.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const input = await file('new.xml', configuration(8));
    const words = ['sign', input, ...(await credentials()), '--key', key];
    expect(await failure(...words)).toMatch(/other\.pem: .*does not belong to/);
    const text = await file('text.pem', 'hello');
    expect(await failure('sign', input, ...(await credentials()), '--key', text)).toMatch(
      /text\.pem holds no private key/,
    );
    const noCertificate = ['--certificate', text];
    expect(await failure('sign', input, ...(await credentials()), ...noCertificate)).toMatch(
      /text\.pem holds no certificate/,
    );
  });

  test('a document that does not follow: exit with the reason', async () => {
    const held = await file('held.xml', unsignedDocument(configuration(7)));
    const forged = await file('new.xml', signConfiguration(configuration(8), stranger));
    expect(await failure('verify', forged)).toMatch(/expected a configuration-signer/);
    expect(await failure('verify', forged, '--held', held, '--json')).toMatch(/\(signer\)/);
    expect(JSON.parse(printed)).toMatchObject({ valid: false, follows: false, signer: null });
    const unsigned = await file('new.xml', unsignedDocument(configuration(8)));
    expect(await failure('verify', unsigned, '--held', held)).toMatch(/unsigned/);
    expect(await xor('verify', unsigned)).toMatch(/sequence 8, not signed/);
    const expired = unsignedDocument(configuration(8, { expirationUnixMs: 0 }));
    expect(await failure('verify', await file('new.xml', expired))).toMatch(/expired at 1970/);
  });
});

describe('xor config fetch', () => {
  test('prints the document as it is, or what it says', async () => {
    const document = unsignedDocument(configuration(7));
    const server = await serve((_request, response) => response.end(document));
    const trust = ['--trust', await file('trust.pem', webAuthorityPem)];
    const words = ['fetch', '--overlay', NAME, '--config-url', `${server.origin}/`, ...trust];
    expect(await xor(...words)).toBe(new TextDecoder().decode(document));
    const output = join(directory, 'out.xml');
    const report = await xor(...words, '--output', output, '--json');
    expect(JSON.parse(report)).toMatchObject({ sequence: 7 });
    expect(new Uint8Array(await readFile(output))).toEqual(document);
    await server.close();
    expect(await failure(...words)).toMatch(/ECONNREFUSED.*check that the server runs/);
  });
});

describe('xor config trust', () => {
  test('makes a document the one held, where no signature would', async () => {
    const words = ['--state', directory, '--overlay', NAME];
    await xor('trust', await file('a.xml', unsignedDocument(configuration(8))), ...words);
    expect(printed).toMatch(/now trusts sequence 8 of overlay.example.org/);
    const older = await file('a.xml', unsignedDocument(configuration(5)));
    expect(JSON.parse(await xor('trust', older, ...words, '--json'))).toMatchObject({
      sequence: 5,
    });
    const cache = new ConfigurationCache(directory);
    const client = new ConfigurationClient({ overlayName: NAME, cache });
    expect(await client.obtain()).toMatchObject({ sequence: 5 });
  });

  test('not while the peer runs, which would write over it', async () => {
    const running = await openStateDirectory(directory);
    const path = await file('a.xml', unsignedDocument(configuration(8)));
    expect(await failure('trust', path, '--state', directory)).toMatch(/process/);
    await running.close();
  });

  test('not one that has expired', async () => {
    const expired = unsignedDocument(configuration(8, { expirationUnixMs: 0 }));
    const words = ['--state', directory];
    expect(await failure('trust', await file('a.xml', expired), ...words)).toMatch(/expired/);
  });
});
