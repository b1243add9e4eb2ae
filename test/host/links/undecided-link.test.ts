import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import type { LinkLimits } from '../../../src/host/links/link-limits.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { nodeIdOf, TestAuthority } from './link-identities.ts';
import { LinkEnd } from './tls-link-fixture.ts';

const WITHIN = { timeout: 20_000, interval: 10 };
const romeoId = nodeIdOf('a1');
const julietId = nodeIdOf('b2');
let authority: TestAuthority;
let romeo: LinkCredentials;
let juliet: LinkCredentials;
let ends: LinkEnd[] = [];

beforeAll(async () => {
  authority = await TestAuthority.create();
  romeo = await authority.certify(romeoId);
  juliet = await authority.certify(julietId);
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end.links.closeAll()));
  ends = [];
});

async function end(credentials: LinkCredentials): Promise<LinkEnd> {
  return noted(await new LinkEnd(authority, credentials).listen());
}

/** An end that asks for a list when it meets somebody; `arrive` ends the request for it. */
async function endWithoutList(credentials: LinkCredentials, limits: Partial<LinkLimits> = {}) {
  const authenticator = authority.authenticator();
  let arrive: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  let isListHere = false;
  const judge = {
    authenticator: {
      authenticate: (...args: Parameters<typeof authenticator.authenticate>) =>
        isListHere ? authenticator.authenticate(...args) : UNDETERMINED,
    },
    revocation: { settled: () => settled },
  };
  const made = await new LinkEnd(authority, credentials, limits, judge).listen();
  return {
    made: noted(made),
    arrive: (list: 'with the list' | 'without it') => {
      isListHere = list === 'with the list';
      arrive();
    },
  };
}

function noted(made: LinkEnd): LinkEnd {
  ends.push(made);
  return made;
}

describe('A link whose other end a revocation list must decide about (RFC 5280 §6.3)', () => {
  test('comes up once the list is here; what was sent meanwhile is not lost', async () => {
    const { made: server, arrive } = await endWithoutList(juliet);
    const client = await end(romeo);
    client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(client.up).toHaveLength(1), WITHIN);
    client.links.send(client.up[0]?.link.id ?? 0, Buffer.from('Is love a tender thing?'));
    expect(server.up).toHaveLength(0);
    arrive('with the list');
    await vi.waitFor(() => expect(server.up).toHaveLength(1), WITHIN);
    const link = server.up[0]?.link;
    expect(link?.node.nodeId).toBe(romeoId);
    await vi.waitFor(
      () => expect(server.received.get(link?.id ?? 0)).toBe('Is love a tender thing?'),
      WITHIN,
    );
    expect(client.down).toEqual([]);
  });

  test('the end that connects waits likewise', async () => {
    const server = await end(juliet);
    const { made: client, arrive } = await endWithoutList(romeo);
    client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(server.up).toHaveLength(1), WITHIN);
    arrive('with the list');
    await vi.waitFor(() => expect(client.up).toHaveLength(1), WITHIN);
    expect(client.failed).toEqual([]);
  });

  test('is refused when no list came', async () => {
    const { made: server, arrive } = await endWithoutList(juliet);
    const client = await end(romeo);
    client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(client.up).toHaveLength(1), WITHIN);
    arrive('without it');
    await vi.waitFor(() => expect(client.down).toHaveLength(1), WITHIN);
    expect(server.up).toEqual([]);
    expect(server.loggedRules).toEqual(['revocation-undetermined']);
  });

  test('is refused at the latest after undecidedMsMax', async () => {
    const { made: server } = await endWithoutList(juliet, { undecidedMsMax: 50 });
    const client = await end(romeo);
    client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(client.down).toHaveLength(1), WITHIN);
    expect(server.loggedRules).toEqual(['revocation-undetermined']);
  });

  test('beyond undecidedMax nobody waits', async () => {
    const { made: server } = await endWithoutList(juliet, { undecidedMax: 1 });
    const clients = [await end(romeo), await end(await authority.certify(nodeIdOf('c3')))];
    for (const client of clients) client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(clients.flatMap(({ down }) => down)).toHaveLength(1), WITHIN);
    expect(server.loggedRules).toEqual(['revocation-undetermined']);
  });

  test('who waits does not keep the end from closing', async () => {
    const { made: server } = await endWithoutList(juliet, { undecidedMsMax: 600_000 });
    const client = await end(romeo);
    client.connectTo(server, 1, julietId);
    await vi.waitFor(() => expect(client.up).toHaveLength(1), WITHIN);
    await server.links.closeAll();
    await vi.waitFor(() => expect(client.down).toHaveLength(1), WITHIN);
    expect(server.up).toEqual([]);
  });
});

const UNDETERMINED = new CertificateRefusal(
  'revocation-undetermined',
  'CN=somebody',
  'RFC 5280 §6.3.3 revocation list',
  'no list is here',
);
