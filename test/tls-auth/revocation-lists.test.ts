import { describe, expect, test, vi } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestLeaf,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { extension, generalName } from '../../sim/certificates/extension-maker.ts';
import {
  deltaIndicator,
  distributionPoints,
  entryOf,
  issuingDistributionPoint,
  type ListChange,
  listNumber,
  makeList,
} from '../../sim/certificates/revocation-list-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import { POINTS_PER_ISSUER_MAX } from '../../src/tls-auth/list-points.ts';
import { RevocationLists } from '../../src/tls-auth/revocation-lists.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { testTrustSettings } from './test-node.ts';

const CA_URL = 'https://ca.example.org/ca.crl';
const ROOT_URL = 'http://root.example.org/root.crl';
const DAY_MS = 86_400_000;
const LEAF_SERIAL = 0x77n;
const CA_SERIAL = 0x55n;

const root = makeRoot();
const ca = makeIntermediate(root, {
  name: 'CA',
  change: ({ extensions }) => ({
    serialNumber: CA_SERIAL,
    extensions: { ...extensions, crlDistributionPoints: at(ROOT_URL) },
  }),
});
const leaf = leafOf(ca, CA_URL);
const rootList = makeList(root);
const caList = makeList(ca);

function at(...urls: readonly string[]) {
  return distributionPoints(urls.map((url) => ({ fullName: [generalName.uri(url)] })));
}

function leafOf(authority: TestAuthority, url: string, serialNumber = LEAF_SERIAL): TestLeaf {
  return makeLeaf(authority, {
    nodeId: testNodeId(7),
    change: ({ extensions }) => ({
      serialNumber,
      extensions: { ...extensions, crlDistributionPoints: at(url) },
    }),
  });
}

/** A complete list of `ca`: its number, days since the usual thisUpdate, and whom it revokes. */
function numbered(number: number, days = 0, serials: readonly bigint[] = []): Uint8Array {
  const entries = serials.map((serial) => entryOf(serial, 'keyCompromise'));
  return makeList(ca, entries, (content) => ({
    thisUpdateUnixMs: content.thisUpdateUnixMs + days * DAY_MS,
    extensions: { ...content.extensions, listNumber: listNumber(number) },
  }));
}

function peerWith(policy: 'require' | 'prefer') {
  const wanted: string[] = [];
  const lists = new RevocationLists({ policy, whenWanted: (url) => wanted.push(url) });
  const settings = testTrustSettings([root]);
  const authenticator = new Authenticator(settings, verifyWithKey, undefined, lists);
  const ask = (one: TestLeaf = leaf, unixMs = TEST_UNIX_MS, authority: TestAuthority = ca) => {
    const answer = authenticator.authenticate(one.certificate, [authority.certificate], unixMs);
    return answer instanceof CertificateRefusal ? answer.describe() : 'good';
  };
  const offer = (url: string, der: Uint8Array, unixMs = TEST_UNIX_MS) => {
    const offered = lists.offer(url, der, unixMs);
    return offered.type === 'refused' ? offered.refusal.describe() : offered.type;
  };
  return { authenticator, lists, wanted, ask, offer };
}

describe('RFC 5280 §6.3: which lists are wanted', () => {
  test('those of every certificate of a valid path, once each, intermediates like leaves', () => {
    const { ask, wanted, lists } = peerWith('prefer');
    expect(ask()).toBe('good');
    expect(ask()).toBe('good');
    expect(wanted).toEqual([CA_URL, ROOT_URL]);
    expect(lists.wanted().map(({ url }) => url)).toEqual([CA_URL, ROOT_URL]);
  });

  test('none before all signatures of the path are verified and the profile is obeyed', () => {
    const { ask, wanted } = peerWith('prefer');
    const stranger = makeRoot({ name: 'Stranger' });
    expect(ask(leafOf(stranger, 'http://victim/'))).toMatch(/^no-path/);
    const forged = leafOf({ ...ca, key: stranger.key }, 'http://victim/');
    expect(ask(forged)).toMatch(/^signature-invalid/);
    const wrong = makeLeaf(ca, { jid: 'a@b.lit', overlayName: 'other.example' });
    expect(ask(wrong)).toMatch(/^certificate-profile|^node-id/);
    expect(wanted).toEqual([]);
  });

  test('only http and https URLs, and a bounded number for each authority', () => {
    const { ask, wanted, lists } = peerWith('prefer');
    const urls = ['ldap://a/', 'file:///etc/passwd', 'http:///', `http://a/${'x'.repeat(2000)}`];
    for (const url of urls) expect(ask(leafOf(ca, url))).toBe('good');
    expect(wanted).toEqual([ROOT_URL]);
    const many = POINTS_PER_ISSUER_MAX + 10;
    const key = makeLeaf(ca).key;
    for (let number = 0; number < many; number++) {
      const one = makeLeaf(ca, {
        key,
        change: ({ extensions }) => ({
          serialNumber: BigInt(1000 + number),
          extensions: { ...extensions, crlDistributionPoints: at(`http://a/${number}`) },
        }),
      });
      expect(ask(one)).toBe('good');
    }
    expect(lists.wanted()).toHaveLength(POINTS_PER_ISSUER_MAX + 1);
  });
});

describe('the policies', () => {
  test('require: nobody passes before every list is there', () => {
    const { ask, offer } = peerWith('require');
    expect(ask()).toMatch(/^revocation-undetermined: CN=CA/);
    expect(offer(ROOT_URL, rootList)).toBe('taken');
    expect(ask()).toMatch(/^revocation-undetermined: .*distribution points is here/);
    expect(offer(CA_URL, caList)).toBe('taken');
    expect(ask()).toBe('good');
    expect(ask(leaf, Date.UTC(2026, 0, 7) + 1000)).toMatch(/^revocation-undetermined.*nextUpdate/);
  });

  test('prefer: a list that was never reachable stops nobody', () => {
    const { ask } = peerWith('prefer');
    expect(ask(leaf, TEST_UNIX_MS + 300 * DAY_MS)).toBe('good');
  });

  test('prefer: a list that was seen counts for a day after nextUpdate, then all are refused', () => {
    const { ask, offer } = peerWith('prefer');
    ask();
    expect(offer(CA_URL, caList)).toBe('taken');
    const nextUpdateUnixMs = Date.UTC(2026, 0, 7);
    expect(ask()).toBe('good');
    expect(ask(leaf, nextUpdateUnixMs + DAY_MS)).toBe('good');
    expect(ask(leaf, nextUpdateUnixMs + DAY_MS + 1000)).toMatch(/^revocation-undetermined/);
    const next = makeList(ca, [], (content) => ({
      thisUpdateUnixMs: nextUpdateUnixMs + DAY_MS,
      nextUpdateUnixMs: nextUpdateUnixMs + 8 * DAY_MS,
      extensions: { ...content.extensions, listNumber: listNumber(2) },
    }));
    expect(offer(CA_URL, next, nextUpdateUnixMs + 2 * DAY_MS)).toBe('taken');
    expect(ask(leaf, nextUpdateUnixMs + 2 * DAY_MS)).toBe('good');
  });

  test('a list of an earlier run is remembered: stale, it refuses; and an older one is none', () => {
    const { ask, offer, lists } = peerWith('prefer');
    lists.remember(CA_URL, numbered(5));
    const lateUnixMs = Date.UTC(2026, 1, 1);
    expect(ask(leaf, lateUnixMs)).toMatch(/^revocation-undetermined.*number 5/);
    expect(lists.heldFrom(CA_URL)?.crlNumber).toBe(5n);
    expect(offer(CA_URL, numbered(4, 1))).toContain('§5.2.3 cRLNumber');
  });
});

describe('a revoked certificate', () => {
  test('of the leaf: refused at once, also by its hash, and the reason is remembered', () => {
    const { authenticator, ask, offer } = peerWith('prefer');
    expect(ask()).toBe('good');
    const hash = (authenticator as Authenticator).authenticate(
      leaf.certificate,
      [ca.certificate],
      TEST_UNIX_MS,
    );
    if (hash instanceof CertificateRefusal) throw new Error(hash.describe());
    const sha256 = new Uint8Array(Buffer.from(hash.certificate.sha256, 'hex'));
    expect(authenticator.authenticateByHash(sha256, TEST_UNIX_MS)?.node).toBe(hash);
    expect(offer(CA_URL, numbered(2, 0, [LEAF_SERIAL]))).toBe('taken');
    expect(authenticator.authenticateByHash(sha256, TEST_UNIX_MS)).toBeUndefined();
    expect(ask()).toContain('revoked since 2025-11-03T00:00:00Z for keyCompromise');
    for (const target of [{ nodeId: testNodeId(7) }, { userName: 'juliet@capulet.lit' }]) {
      expect(authenticator.revocationOf(target)?.revocation).toMatchObject({
        sinceUnixMs: Date.UTC(2025, 10, 3),
        reason: 'keyCompromise',
      });
    }
    expect(authenticator.revocationOf({ nodeId: testNodeId(8) })).toBeUndefined();
  });

  test('is remembered by name as soon as its list is there, before it is asked about', () => {
    const { authenticator, ask, offer } = peerWith('prefer');
    ask();
    offer(CA_URL, numbered(2, 0, [LEAF_SERIAL]));
    authenticator.recheckKnownNodes(TEST_UNIX_MS);
    expect(authenticator.revocationOf({ nodeId: testNodeId(7) })?.code).toBe('revoked');
    const renewed = leafOf(ca, CA_URL, 0x78n);
    expect(ask(renewed)).toBe('good');
    expect(authenticator.revocationOf({ nodeId: testNodeId(7) })).toBeUndefined();
  });

  test('of the intermediate: all below it are refused', () => {
    const { ask, offer } = peerWith('prefer');
    ask();
    const revoking = makeList(root, [entryOf(CA_SERIAL, 'cACompromise')]);
    expect(offer(ROOT_URL, revoking)).toBe('taken');
    expect(ask()).toMatch(/^revoked: CN=CA .*cACompromise/);
  });

  test('is good again when a newer list lacks it: a hold has ended', () => {
    const { ask, offer } = peerWith('prefer');
    ask();
    const held = makeList(ca, [entryOf(LEAF_SERIAL, 'certificateHold')]);
    expect(offer(CA_URL, held)).toBe('taken');
    expect(ask()).toMatch(/certificateHold/);
    expect(offer(CA_URL, numbered(2))).toBe('taken');
    expect(ask()).toBe('good');
  });
});

describe('a list that is offered', () => {
  const unknown = extension('1.2.3.4', integer(1), true);
  const adding =
    (added: ReturnType<typeof extension>): ListChange =>
    ({ extensions }) => ({ extensions: { ...extensions, added } });
  const other = makeIntermediate(root, { name: 'Other CA' });
  const elsewhere = issuingDistributionPoint({ fullName: [generalName.uri('http://else/')] });
  const future: ListChange = () => ({ thisUpdateUnixMs: TEST_UNIX_MS + 1000 });
  const stale: ListChange = () => ({ nextUpdateUnixMs: TEST_UNIX_MS - 2 * DAY_MS });

  test.each([
    ['bytes that are no list', 'malformed', new Uint8Array([1, 2, 3])],
    ['of another authority', '§6.3.3 (b) scope', makeList(other)],
    ['by another key', '§6.3.3 (g) signature', makeList({ ...ca, key: other.key })],
    ['of another distribution point', '§6.3.3 (b) scope', makeList(ca, [], adding(elsewhere))],
    ['with an unknown critical extension', '§5.2 critical', makeList(ca, [], adding(unknown))],
    ['a delta list', '§5.2.4', makeList(ca, [], adding(deltaIndicator(1)))],
    ['from the future', '§5.1.2.4 thisUpdate', makeList(ca, [], future)],
    ['too old', '§5.1.2.5 nextUpdate', makeList(ca, [], stale)],
  ])('is not taken: %s', (_, rule, der) => {
    const { ask, offer } = peerWith('prefer');
    ask();
    expect(offer(CA_URL, der)).toContain(rule);
    expect(ask()).toBe('good');
  });

  test('is not taken from a URL that no valid path names', () => {
    const { offer } = peerWith('prefer');
    expect(offer(CA_URL, caList)).toContain('nobody asks for it');
  });

  test('RFC 5280 §5.2.3: with a smaller number or an earlier thisUpdate than the one held', () => {
    const { ask, offer } = peerWith('prefer');
    ask();
    expect(offer(CA_URL, numbered(3, 0, [LEAF_SERIAL]))).toBe('taken');
    expect(offer(CA_URL, numbered(2))).toContain('§5.2.3 cRLNumber');
    expect(offer(CA_URL, numbered(4, -1))).toContain('§5.1.2.4 thisUpdate');
    expect(offer(CA_URL, numbered(3, 0, [LEAF_SERIAL]))).toMatch(/^unchanged|^taken/);
    expect(ask()).toMatch(/^revoked/);
  });

  test('is not old because another authority of the same name has a later one', () => {
    const twin = makeIntermediate(root, { name: 'CA' });
    const { ask, offer } = peerWith('prefer');
    ask();
    ask(leafOf(twin, 'http://twin/'), TEST_UNIX_MS, twin);
    const later = makeList(twin, [entryOf(LEAF_SERIAL)], ({ extensions }) => ({
      extensions: { ...extensions, listNumber: listNumber(99) },
    }));
    expect(offer('http://twin/', later)).toBe('taken');
    expect(offer(CA_URL, later)).toContain('(g) signature');
    expect(offer(CA_URL, caList)).toBe('taken');
    expect(ask()).toBe('good');
  });

  test('is verified for whoever names its URL, in whatever order they came', () => {
    const { ask, offer } = peerWith('prefer');
    expect(ask(leafOf(other, CA_URL), TEST_UNIX_MS, other)).toBe('good');
    expect(offer(CA_URL, caList)).toContain('§6.3.3 (b) scope');
    ask();
    expect(offer(CA_URL, caList)).toBe('taken');
  });
});

test('the paths of one search have one bound on what they ask of lists', () => {
  const { authenticator, lists, offer } = peerWith('prefer');
  const pool = [ca, ca, ca].map(
    () => makeIntermediate(root, { name: 'CA', key: ca.key }).certificate,
  );
  const judge = vi.spyOn(lists, 'judge');
  const search = () => authenticator.authenticate(leaf.certificate, pool, TEST_UNIX_MS);
  search();
  offer(CA_URL, numbered(2, 0, [LEAF_SERIAL]));
  judge.mockClear();
  expect(search()).toMatchObject({ code: 'revoked' });
  const works = judge.mock.calls.map(([, , work]) => work);
  expect(works).toHaveLength(3);
  expect(new Set(works).size).toBe(1);
  expect(works[0]?.steps).toBeGreaterThanOrEqual(3);
  const [[path]] = judge.mock.calls as [Parameters<RevocationLists['judge']>];
  // What is spent decides nothing, and does not let pass.
  expect(lists.judge(path, TEST_UNIX_MS, { steps: 10_000 }).refusal).toMatchObject({
    code: 'revocation-undetermined',
    rule: expect.stringContaining('stepsMax'),
  });
});
