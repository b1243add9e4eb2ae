import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configCommand } from '../../src/cli/config-commands.ts';
import { OperatorError } from '../../src/cli/operator-error.ts';
import type { RunningAuthority } from '../../src/host/authority/authority-server.ts';
import {
  ask,
  configurationOf,
  newAuthorityState,
  OVERLAY,
  serve,
} from '../host/authority/authority-fixture.ts';

const BAD = '6f1d8c0a2b4e4f7d9a3c5e7f91b3d5f7';
const DAY_MS = 86_400_000;

let directory: string;
let printed: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'config-authority-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

async function xor(...words: string[]): Promise<string> {
  printed = '';
  const command = configCommand();
  for (const inner of command.commands) inner.exitOverride();
  await command.parseAsync(words, { from: 'user' });
  return printed;
}

async function failure(...words: string[]): Promise<string> {
  const error = await xor(...words).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message;
}

const path = (name: string) => join(directory, name);

/** Changes what the authority has, signs it there and publishes it. */
async function change(state: string, ...options: string[]): Promise<string> {
  await xor('edit', '--state', state, ...options, '--output', path('next.xml'));
  await xor('sign', path('next.xml'), '--state', state, '--output', path('signed.xml'));
  return xor('publish', path('signed.xml'), '--state', state, '--json');
}

const served = async (authority: RunningAuthority) =>
  (await ask(authority, '/.well-known/reload-config')).body.toString('utf8');

describe('xor config edit, sign and publish at an authority', () => {
  test('that runs: the next one is served at once and follows the one before', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state);
    await writeFile(path('held.xml'), await served(authority));
    const options = ['--add-bad-node', BAD, '--set', 'max-message-size=131072'];
    const summary = JSON.parse(await change(state, ...options));
    expect(summary).toMatchObject({ sequence: 2, isUnchanged: false, warnings: [] });
    const { configuration } = await configurationOf(authority);
    expect(configuration).toMatchObject({ sequence: 2, maxMessageSizeBytes: 131_072 });
    expect([...configuration.badNodes]).toEqual([BAD]);
    expect(configuration.configurationSigners).toEqual([summary.signer]);
    expect(await served(authority)).toBe(await readFile(path('signed.xml'), 'utf8'));
    expect(await xor('verify', path('signed.xml'), '--held', path('held.xml'))).toMatch(/valid/);
    const again = await xor('publish', path('signed.xml'), '--state', state);
    expect(again).toMatch(/sequence 2 is in force as before/);
  });

  test('that does not run: it serves it when it runs, and what it makes itself keeps it', async () => {
    const state = await newAuthorityState();
    const bootstrap = [{ host: '192.0.2.1', port: 6084 }];
    await (await serve(state, { bootstrap })).close();
    await change(state, '--add-bad-node', BAD, '--add-bootstrap', '192.0.2.2:6084');
    let unixMs = Date.now();
    const authority = await serve(state, { nowUnixMs: () => unixMs });
    const before = await configurationOf(authority);
    expect(before.configuration.bootstrapNodes).toHaveLength(2);
    unixMs += 20 * DAY_MS;
    await authority.refresh();
    const { configuration } = await configurationOf(authority);
    expect(configuration.sequence).toBeGreaterThan(before.configuration.sequence);
    expect([...configuration.badNodes]).toEqual([BAD]);
    expect(configuration.bootstrapNodes).toHaveLength(2);
    expect(configuration.expirationUnixMs).toBeGreaterThan(unixMs + 29 * DAY_MS);
  });

  test('a Kind is signed by its kind signer', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state);
    const fields = 'data-model=array,access-control=NODE-MATCH,max-count=3,max-size=99';
    await change(
      state,
      ...['--set-kind', 'XMPP-LOCATION:max-count=64', '--set-kind', `0xf0000001:${fields}`],
    );
    const { kinds } = (await configurationOf(authority)).configuration;
    expect(kinds.get(5)).toMatchObject({ maxCount: 64, maxSizeBytes: 1_024 });
    expect(kinds.get(0xf000_0001)).toMatchObject({ dataModel: 'array', maxCount: 3 });
    await change(state, '--remove-kind', '0xf0000001');
    expect((await configurationOf(authority)).configuration.kinds.has(0xf000_0001)).toBe(false);
  });

  test('what an operator took out of it the authority does not bring back', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state, { bootstrap: [{ host: '192.0.2.1', port: 6084 }] });
    const server = ['--remove-enrollment-server', authority.enrollmentUrl];
    await change(state, '--remove-bootstrap', '192.0.2.1:6084', ...server);
    await authority.refresh();
    const { configuration } = await configurationOf(authority);
    expect(configuration).toMatchObject({ sequence: 2, bootstrapNodes: [], enrollmentServers: [] });
  });
});

describe('refused, with the reason', () => {
  test('a document that peers would not take is not published', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state);
    await xor('edit', '--state', state, '--add-bad-node', BAD, '--output', path('next.xml'));
    const unsigned = await failure('publish', path('next.xml'), '--state', state);
    expect(unsigned).toMatch(/peers would not take it: .*expected a <signature>/);
    await xor('sign', path('next.xml'), '--state', state, '--output', path('signed.xml'));
    const text = await readFile(path('signed.xml'), 'utf8');
    await writeFile(path('forged.xml'), text.replaceAll(BAD, BAD.replace('6f', '7f')));
    expect(await failure('publish', path('forged.xml'), '--state', state)).toMatch(/signature/);
    await xor('publish', path('signed.xml'), '--state', state);
    await change(state, '--remove-bad-node', BAD);
    const older = await failure('publish', path('forged.xml'), '--state', state);
    expect(older).toMatch(/newer than 3, got 2/);
    expect(await failure('sign', path('next.xml'), '--state', state)).toMatch(/newer than 3/);
    expect((await configurationOf(authority)).configuration.sequence).toBe(3);
  });

  test.each<[string, string[], RegExp]>([
    ['nothing to change', [], /nothing to change/],
    ['what is not there', ['--remove-bad-node', BAD], /bad-node 6f.* is not there/],
    ['no root file', ['--remove-root', '/nowhere.pem'], /neither a SHA-256 .* nor a certificate/],
    ['no parameter', ['--set', 'colour=red'], /expected one of turn-density/],
    ['a value out of range', ['--set', 'initial-ttl=999'], /<initial-ttl>/],
    ['no Node-ID', ['--add-bad-node', 'x'], /is no Node-ID/],
    ['a host name', ['--add-bootstrap', 'peer.example:6084'], /an IP address, not a name/],
    ['a past expiration', ['--set', 'expiration=2020-01-01T00:00:00Z'], /which is past; give/],
    ['a Kind without limits', ['--set-kind', '0xf0000001'], /0xf0000001 needs max-count/],
    [
      'a registered Kind with another model',
      ['--set-kind', 'XMPP-LOCATION:data-model=array'],
      /are those of its registration/,
    ],
    ['an unknown field', ['--set-kind', 'XMPP-LOCATION:a=b'], /KIND:FIELD=VALUE/],
    ['half a key', ['--set-kind', 'XMPP-LOCATION', '--kind-key', 'k'], /needs --kind-certificate/],
  ])('%s', async (_what, options, says) => {
    const state = await newAuthorityState();
    await (await serve(state)).close();
    expect(await failure('edit', '--state', state, ...options)).toMatch(says);
  });

  test('the kind signer that signed the Kinds cannot simply go', async () => {
    const state = await newAuthorityState();
    const authority = await serve(state);
    const [signer = ''] = (await configurationOf(authority)).configuration.kindSigners;
    const removal = await failure('edit', '--state', state, '--remove-kind-signer', signer);
    expect(removal).toMatch(/peers would not take it: the Kind is refused \(signer\)/);
    const bad = await failure('edit', '--state', state, '--add-bad-node', signer);
    expect(bad).toMatch(/is a signer; name another one in its place first/);
  });

  test('an authority that has never served has no document to change', async () => {
    const state = await newAuthorityState();
    const error = failure('edit', '--state', state, '--add-bad-node', BAD);
    expect(await error).toMatch(/serves no document yet/);
    await expect(xor('sign', 'x', '--key', 'k')).rejects.toThrow(OperatorError);
  });
});

describe('eax-car: root authorities that serve the same document', () => {
  test('the second takes over the document of the first, and leaves renewing to it', async () => {
    const [first, second] = [await newAuthorityState(), await newAuthorityState({ name: 'b' })];
    let unixMs = Date.now();
    const a = await serve(first);
    const b = await serve(second, { nowUnixMs: () => unixMs });
    const roots = ['--add-root', join(second, 'root.pem')];
    await change(first, ...roots, '--add-enrollment-server', b.enrollmentUrl);
    const refused = await failure('publish', path('signed.xml'), '--state', second);
    expect(refused).toMatch(/peers would not take it: .*see --replace/);
    const taken = await xor(
      'publish',
      path('signed.xml'),
      '--state',
      second,
      '--replace',
      '--json',
    );
    expect(JSON.parse(taken).warnings).toEqual([
      expect.stringMatching(/the signer of this authority is not in it/),
      expect.stringMatching(/another authority signed it, and has to renew it/),
    ]);
    expect(await served(b)).toBe(await served(a));
    const { configuration } = await configurationOf(b);
    expect(configuration.instanceName).toBe(OVERLAY);
    expect(configuration.rootCertificates).toHaveLength(2);
    expect(configuration.enrollmentServers).toEqual([a.enrollmentUrl, b.enrollmentUrl]);
    unixMs += 20 * DAY_MS;
    await b.refresh();
    expect(await served(b)).toBe(await served(a));
    await change(first, '--add-bad-node', BAD);
    expect(await xor('publish', path('signed.xml'), '--state', second)).toMatch(/sequence 3/);
    expect(await served(b)).toBe(await served(a));
  });
});
