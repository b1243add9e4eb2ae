import { cp } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  type RunningAuthority,
  startAuthority,
} from '../../../src/host/authority/authority-server.ts';
import { makeRequest } from '../../ca/request-maker.ts';
import {
  afterTest,
  ask,
  enrollJuliet,
  JULIET,
  newAuthorityState,
  PASSWORD,
  postForm,
  serve,
} from './authority-fixture.ts';
import { sharedCluster } from './ledger/ledger-stores.ts';
import { isPostgresMissing } from './ledger/postgres-cluster.ts';

const CONFIGURATION = '/.well-known/reload-config';
const publicUrl = 'https://ca.example.org';

/** Not by way of a balancer. */
function at({ listenAddress }: RunningAuthority) {
  return { url: `https://127.0.0.1:${listenAddress.port}/enroll` };
}

/** A way to a port on loopback, which may swallow what is sent. */
async function startNet(target: number) {
  let isSwallowing = false;
  let swallowedBytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.on('data', (bytes) => {
        if (isSwallowing) swallowedBytes += bytes.length;
        else to.write(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  afterTest(async () => {
    cut();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get swallowedBytes() {
      return swallowedBytes;
    },
    /** What was swallowed is lost: those connections are cut when it ends. */
    swallow: (is: boolean) => {
      isSwallowing = is;
      if (!is) cut();
    },
  };
}

describe.skipIf(isPostgresMissing)('two authority servers with one ledger in PostgreSQL', () => {
  const cluster = sharedCluster();

  async function twoServers() {
    const database = await cluster().newDatabase();
    const state = await newAuthorityState({ database, httpsNames: ['ca.example.org'] });
    for (const copy of [2, 3]) await cp(state, `${state}-${copy}`, { recursive: true });
    const first = await serve(state, { database, publicUrl });
    const second = await serve(`${state}-2`, { database, publicUrl });
    return { first, second, state, database };
  }

  it('are one authority: accounts, devices, configuration and lists', async () => {
    const { first, second } = await twoServers();
    await first.addUser(JULIET, PASSWORD, 1);
    const identity = await enrollJuliet(second, at(second));
    const again = await enrollJuliet(first, { ...at(first), privateKey: identity.privateKey });
    expect(again.node.certificate.sha256).toBe(identity.node.certificate.sha256);
    await expect(enrollJuliet(first, at(first))).rejects.toMatchObject({
      code: 'Node-IDs_not_available',
    });

    const documents = async (path: string) =>
      Promise.all([first, second].map(async (one) => (await ask(one, path)).body.toString('hex')));
    const [ours, theirs] = await documents(CONFIGURATION);
    expect(ours).toBe(theirs);
    const before = await documents('/crl/ca.crl');
    expect(before[0]).toBe(before[1]);

    await second.revoke(identity.node.nodeId);
    await expect.poll(async () => (await documents('/crl/ca.crl'))[0]).not.toBe(before[0]);
    const after = await documents('/crl/ca.crl');
    expect(after[0]).toBe(after[1]);
    expect((await first.list()).certificates.filter(({ status }) => status === 'revoked')).toEqual([
      expect.objectContaining({ jid: JULIET }),
    ]);
  }, 60_000);

  it('a password that was changed at one is changed at the other', async () => {
    const { first, second } = await twoServers();
    await first.addUser(JULIET, 'the first password');
    await second.updateUser(JULIET, { password: PASSWORD });
    await enrollJuliet(first, at(first));
    const old = enrollJuliet(second, { ...at(second), password: 'the first password' });
    await expect(old).rejects.toMatchObject({ code: 'failed_authentication' });
  }, 60_000);

  it('one user can keep nobody from enrolling by what he writes into a request', async () => {
    const { first, second } = await twoServers();
    await first.addUser(JULIET, PASSWORD);
    const evil = makeRequest({ subject: [['CN', 'a\u0000@b']] });
    const fields = { username: JULIET, password: PASSWORD, csr: evil };
    const [refused, , enrolled] = await Promise.all([
      postForm(first, fields),
      postForm(second, fields),
      enrollJuliet(first, at(first)),
    ]);
    expect({ status: refused.status, body: refused.body.toString() }).toEqual({
      status: 403,
      body: 'username_not_available',
    });
    expect(enrolled.node.userName).toBe(JULIET);
  }, 60_000);

  it('serve lists and the configuration while the net to the database swallows all', async () => {
    const { port, user, password } = cluster();
    const database = await cluster().newDatabase();
    const state = await newAuthorityState({ database });
    const net = await startNet(port);
    const url = `postgres://${user}:${password}@127.0.0.1:${net.port}${new URL(database).pathname}`;
    const authority = await serve(state, { database: url, publicUrl });
    await authority.addUser(JULIET, PASSWORD);
    const held = (await ask(authority, CONFIGURATION)).body;
    net.swallow(true);
    const answers = [];
    // For a second nobody asks the ledger.
    while (net.swallowedBytes === 0) {
      answers.push(await ask(authority, CONFIGURATION), await ask(authority, '/crl/ca.crl'));
    }
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.at(-2)?.body.equals(held)).toBe(true);
    net.swallow(false);
    await expect
      .poll(() => enrollJuliet(authority, at(authority)).then(() => 'enrolled', String), {
        timeout: 30_000,
      })
      .toBe('enrolled');
  }, 120_000);

  it('refresh what gets old without undoing each other', async () => {
    const { first, second } = await twoServers();
    const sequence = first.configurationSequence;
    for (const one of [second, first, second, first]) await one.refresh();
    expect([first.configurationSequence, second.configurationSequence]).toEqual([
      sequence,
      sequence,
    ]);
  }, 60_000);

  it('are told where peers reach them, and hold the right ledger', async () => {
    const { state, database } = await twoServers();
    const listen = { host: '127.0.0.1', port: 0 };
    const third = startAuthority({ stateDirectory: `${state}-3`, listen, database });
    await expect(third).rejects.toThrow('--public-url');
    const other = await newAuthorityState();
    await expect(startAuthority({ stateDirectory: other, listen, database })).rejects.toThrow(
      'holds the ledger of another authority',
    );
    const without = startAuthority({ stateDirectory: `${state}-3`, listen });
    await expect(without).rejects.toThrow('if it is in PostgreSQL, name it with --database');
    const empty = await cluster().newDatabase();
    const lost = startAuthority({ stateDirectory: `${state}-3`, listen, database: empty });
    await expect(lost).rejects.toThrow('is empty');
    const taken = newAuthorityState({ database });
    await expect(taken).rejects.toThrow('holds the ledger of an authority already');
  }, 60_000);
});
