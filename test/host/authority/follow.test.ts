import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { certificatesOf } from '../../../src/host/authority/authority-hierarchy.ts';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { initializeSubordinate } from '../../../src/host/authority/subordinate.ts';
import type { Log } from '../../../src/host/log.ts';
import { signConfiguration } from '../../../src/overlay-config/configuration-document-builder.ts';
import {
  type ConfigurationChange,
  EditRefusal,
  editConfiguration,
} from '../../../src/overlay-config/configuration-edit.ts';
import { isNewerSequence } from '../../../src/overlay-config/configuration-sequence.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { createSigner } from '../../../src/tls-auth/signer.ts';
import { serve as serveDocument, webAuthorityPem } from '../configuration/configuration-server.ts';
import {
  afterTest,
  ask,
  configurationOf,
  newAuthorityState,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';

const DAY_MS = 86_400_000;
const BAD_NODES = [1, 2, 3].map((number) => `${number}`.repeat(32));
const CONFIGURATION = '/.well-known/reload-config';

/** A log that can be read. */
function readableLog() {
  const lines: string[] = [];
  const note = (fields: object, message: string) =>
    lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  return { lines, log };
}

const documentOf = async (authority: RunningAuthority) =>
  (await ask(authority, CONFIGURATION)).body.toString('utf8');

/** The document in force with a change, signed by `authority` and not published. */
async function changed(authority: RunningAuthority, change: ConfigurationChange): Promise<string> {
  const edited = await edit(authority, change);
  return authority.signConfiguration(Buffer.from(edited.document).toString('utf8'));
}

async function edit(authority: RunningAuthority, change: ConfigurationChange) {
  const { parsed } = await configurationOf(authority);
  const edited = editConfiguration(parsed, [change]);
  if (edited instanceof EditRefusal) throw new Error(edited.detail);
  return edited;
}

const nextOf = (authority: RunningAuthority, badNode: string) =>
  changed(authority, { type: 'add', list: 'bad-node', value: badNode });

/** What the configuration signer of a state signs by itself, whoever trusts it. */
async function signedBy(state: string, authority: RunningAuthority, badNode: string) {
  const change = { type: 'add', list: 'bad-node', value: badNode } as const;
  const { signedBytes } = await edit(authority, change);
  const [certificate = new Uint8Array()] = certificatesOf(
    await readFile(join(state, 'configuration-signer.pem'), 'utf8'),
  );
  const { authenticator } = await configurationOf(authority);
  const node = authenticator.authenticate(certificate, [], Date.now());
  if (node instanceof CertificateRefusal) throw new Error(node.describe());
  const key = createPrivateKey(await readFile(join(state, 'configuration-signer-key.pem')));
  const document = signConfiguration(signedBytes, createSigner(node, node.nodeId, key));
  return Buffer.from(document).toString('utf8');
}

/** An authority, and a second root authority that has taken over its document. */
async function twoAuthorities(
  options: { readonly intervalMs?: number; readonly url?: string } = {},
) {
  const first = await serve(await newAuthorityState());
  const secondState = await newAuthorityState({ name: 'second' });
  const { lines, log } = readableLog();
  let unixMs = Date.now();
  const follow = {
    urls: [options.url ?? first.configurationUrl],
    trustedCertificates: first.trustedCertificates + webAuthorityPem,
    intervalMs: options.intervalMs ?? DAY_MS,
  };
  const second = await serve(secondState, { follow, log, nowUnixMs: () => unixMs });
  await second.lookAtFollowed();
  const [certificate = new Uint8Array()] = certificatesOf(
    await readFile(join(secondState, 'root.pem'), 'utf8'),
  );
  const shared = await changed(first, { type: 'addRoot', certificate });
  await first.publishConfiguration(shared);
  await second.publishConfiguration(shared, true);
  lines.length = 0;
  return {
    first,
    second,
    secondState,
    lines,
    pass: (days: number) => {
      unixMs += days * DAY_MS;
    },
  };
}

describe('eax-car: an authority that follows another one', () => {
  it('has what is published there within its refresh time, three sequences in a row', async () => {
    const { first, second, lines } = await twoAuthorities({ intervalMs: 100 });
    for (const bad of BAD_NODES) {
      await first.publishConfiguration(await nextOf(first, bad));
      await expect
        .poll(() => documentOf(second), { timeout: 20_000 })
        .toBe(await documentOf(first));
    }
    const { configuration } = await configurationOf(second);
    expect([...configuration.badNodes].toSorted()).toEqual(BAD_NODES);
    expect(lines.filter((line) => line.includes('another authority is in force'))).toHaveLength(3);
  }, 60_000);

  it('takes over only what follows by a signature of a signer of the one in force', async () => {
    let offered = '';
    const answer = (_request: IncomingMessage, response: ServerResponse) => response.end(offered);
    const server = await serveDocument(answer);
    afterTest(() => server.close());
    const { first, second, secondState, lines } = await twoAuthorities({
      url: `${server.origin}/config`,
    });
    const held = await documentOf(second);
    const offers = async (document: string, says: RegExp) => {
      offered = document;
      lines.length = 0;
      await second.lookAtFollowed();
      await second.lookAtFollowed();
      expect(lines).toEqual([expect.stringMatching(says)]);
      expect(await documentOf(second)).toBe(held);
    };
    const next = await nextOf(first, BAD_NODES[0] ?? '');
    await offers(next.replaceAll(BAD_NODES[0] ?? '', BAD_NODES[1] ?? ''), /is refused .*signature/);
    await offers(
      await signedBy(secondState, first, BAD_NODES[0] ?? ''),
      /is refused .*expected a configuration-signer of sequence 2/,
    );
    const stranger = await serve(await newAuthorityState({ name: 'stranger' }));
    await stranger.setBootstrap([{ host: '192.0.2.1', port: 6084 }]);
    await stranger.setBootstrap([{ host: '192.0.2.2', port: 6084 }]);
    expect(isNewerSequence(stranger.configurationSequence ?? 0, 2)).toBe(true);
    await offers(await documentOf(stranger), /is refused .*signature/);
    await offers('<overlay/>', /is refused/);
    await offers('x'.repeat(2_000_000), /cannot be had/);

    offered = next;
    await second.lookAtFollowed();
    expect(await documentOf(second)).toBe(next);
    lines.length = 0;
    offered = held;
    await second.lookAtFollowed();
    await second.lookAtFollowed();
    expect(lines).toEqual([expect.stringMatching(/is refused .*newer than 3, got 2/)]);
    expect(await documentOf(second)).toBe(next);
  }, 60_000);

  it('serves what it has while the other one is away, and says so once', async () => {
    const { first, second, lines, pass } = await twoAuthorities();
    const held = await documentOf(second);
    await first.close();
    for (let look = 0; look < 3; look++) await second.lookAtFollowed();
    expect(lines).toEqual([expect.stringMatching(/cannot be had/)]);
    pass(20);
    await second.refresh();
    expect(await documentOf(second)).toBe(held);
  }, 60_000);

  it('is a root: the one above an authority of a domain has the document', async () => {
    const rootState = await newAuthorityState();
    const root = await serve(rootState);
    const stateDirectory = join(await temporaryDirectory(), 'ca-below');
    await initializeSubordinate(
      { stateDirectory, name: 'below', domain: 'shakespeare.lit' },
      { stateDirectory: rootState },
    );
    const follow = { urls: [root.configurationUrl], intervalMs: DAY_MS };
    await expect(serve(stateDirectory, { follow })).rejects.toThrow('there is nothing to follow');
  }, 60_000);

  it('an authority that was taken out of the document makes none any more', async () => {
    const { first, second, pass } = await twoAuthorities();
    const own = second.list().then(({ certificates }) => certificates);
    const signer = (await own).find(({ jid }) => jid.startsWith('configuration-signer@'));
    const value = signer?.nodeIds[0] ?? '';
    const add = { type: 'add', list: 'configuration-signer', value } as const;
    await first.publishConfiguration(await changed(first, add));
    await second.lookAtFollowed();
    // It signs one itself, and with it takes itself out.
    const out = { type: 'remove', list: 'configuration-signer', value } as const;
    const last = await changed(second, out);
    const { warnings } = await second.publishConfiguration(last);
    expect(warnings).toEqual([expect.stringMatching(/the signer of this authority is not in it/)]);
    pass(20);
    await second.refresh();
    expect(await documentOf(second)).toBe(last);
  }, 60_000);
});
