/** The whole in one: an overlay, two peers over real TLS, and two clients that others wrote. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../../src/host/log.ts';
import { Sandbox } from '../../../src/host/sandbox.ts';
import { areInstalled } from '../../installed-programs.ts';
import { isSlixmppInstalled, runSlixmpp } from './slixmpp-process.ts';

const releases: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

describe('two slixmpp clients at two peers', { timeout: 120_000 }, () => {
  if (!areInstalled({ slixmpp: isSlixmppInstalled })) return;

  test('XEP-0415: Romeo writes to Juliet and she answers, each with any client', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'xor-two-clients-'));
    releases.push(() => rm(stateDirectory, { recursive: true, force: true }));
    const sandbox = new Sandbox({
      stateDirectory,
      peers: 2,
      gateway: { host: '127.0.0.1', port: 0 },
      log: silentLog,
      onProgress: () => undefined,
    });
    releases.push(() => sandbox.stop());
    await sandbox.start();
    const [romeo, juliet] = sandbox.accounts.map(({ jid, password, gateway, certificateFile }) => ({
      jid,
      password,
      ...gateway,
      trust: certificateFile,
      mechanism: 'SCRAM-SHA-256-PLUS',
    }));
    if (romeo === undefined || juliet === undefined) throw new Error('no two accounts');

    let heard: Promise<readonly unknown[]> | undefined;
    const answered = runSlixmpp({ ...juliet, direct: true, reply: 'It is my lady.' }, () => {
      heard ??= runSlixmpp({
        ...romeo,
        direct: false,
        to: 'juliet@capulet.lit',
        text: 'What light through yonder window breaks?',
      });
    });
    expect(await answered).toMatchObject([
      { event: 'started', jid: expect.stringMatching(/^juliet@capulet\.lit\//) },
      {
        event: 'message',
        body: 'What light through yonder window breaks?',
        from: expect.stringMatching(/^romeo@montague\.lit\//),
      },
    ]);
    expect(await heard).toMatchObject([
      { event: 'started' },
      {
        event: 'message',
        body: 'It is my lady.',
        from: expect.stringMatching(/^juliet@capulet\.lit\//),
      },
    ]);
  });
});
