import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunningAuthority } from '../../../src/host/authority/authority-server.ts';
import { initializeSubordinate } from '../../../src/host/authority/subordinate.ts';
import { freePort } from '../../../src/host/free-port.ts';
import { openPeer } from '../../../src/host/join-overlay.ts';
import type { PeerHost } from '../../../src/host/peer-host.ts';
import {
  afterTest,
  configurationOf,
  newAuthorityState,
  OVERLAY,
  PASSWORD,
  serve,
  temporaryDirectory,
} from './authority-fixture.ts';

const LOOPBACK = '127.0.0.1';

it('eax-car: peers of a root and of the authority of a domain are one overlay', async () => {
  const directory = await temporaryDirectory();
  const bootstrap = { host: LOOPBACK, port: await freePort() };
  const childListen = { host: LOOPBACK, port: await freePort() };
  const childUrl = `https://${LOOPBACK}:${childListen.port}/enroll`;
  const rootState = await newAuthorityState();
  const root = await serve(rootState, { bootstrap: [bootstrap], enrollmentServers: [childUrl] });
  const childState = join(directory, 'ca-below');
  await initializeSubordinate(
    { stateDirectory: childState, name: 'below', domain: 'shakespeare.lit' },
    { stateDirectory: rootState },
  );
  const child = await serve(childState, { listen: childListen });
  expect(child.enrollmentUrl).toBe(childUrl);
  const { configuration } = await configurationOf(root);
  expect(configuration.enrollmentServers).toEqual([root.enrollmentUrl, childUrl]);

  const trust = root.trustedCertificates + child.trustedCertificates;
  const joinAs = async (
    authority: RunningAuthority,
    jid: string,
    listen: { host: string; port: number },
    first = false,
  ): Promise<PeerHost> => {
    await authority.addUser(jid, PASSWORD);
    const host = await openPeer({
      stateDirectory: join(directory, jid),
      overlay: OVERLAY,
      configuration: { from: 'https', url: root.configurationUrl, trustedCertificates: trust },
      identity: {
        from: 'enrollment',
        userName: jid,
        password: () => Promise.resolve(PASSWORD),
        enrollmentUrl: authority.enrollmentUrl,
      },
      listen,
      first,
    });
    afterTest(() => host.close());
    await host.whenJoined(AbortSignal.timeout(30_000));
    return host;
  };
  const any = { host: LOOPBACK, port: 0 };
  const peers = [
    await joinAs(root, 'juliet@capulet.lit', bootstrap, true),
    await joinAs(child, 'bard@shakespeare.lit', any),
    await joinAs(root, 'romeo@montague.lit', any),
    await joinAs(child, 'anne@shakespeare.lit', any),
  ];
  await expect
    .poll(() => peers.every((host) => host.status().ownRecordsComplete), { timeout: 30_000 })
    .toBe(true);
  for (const asking of peers) {
    for (const asked of peers) {
      if (asking === asked) continue;
      const [node, ...more] = await asking.lookupCertificates({ nodeId: asked.nodeId });
      expect(more).toEqual([]);
      expect(node?.nodeId).toBe(asked.nodeId);
      const isBelow = node?.userName.endsWith('@shakespeare.lit') === true;
      expect(node?.chain).toHaveLength(isBelow ? 2 : 1);
    }
  }
}, 120_000);
