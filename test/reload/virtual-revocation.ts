import {
  makeIntermediate,
  makeLeaf,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { crlDistributionPoints } from '../../sim/certificates/extension-maker.ts';
import {
  entryOf,
  listNumber,
  makeList,
  type TestEntry,
} from '../../sim/certificates/revocation-list-maker.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import type { RevocationPolicy } from '../../src/tls-auth/revocation-check.ts';
import { RevocationLists } from '../../src/tls-auth/revocation-lists.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

const DAY_MS = 86_400_000;
const ROOT_URL = 'http://crl.example.org/root.crl';
const BELOW_URL = 'http://crl.example.org/below.crl';
/** The domain whose authority stands below the root. */
const DOMAIN = 'shakespeare.lit';

/** A peer to add to a VirtualOverlay with lists. */
export interface ListedPeer {
  /** The first digits of its Node-ID. */
  readonly digits: string;
  readonly policy: RevocationPolicy;
  /** Its certificate is one of the authority below the root. */
  readonly isBelow?: boolean;
}

/**
 * A root, the authority of a domain below it, and the revocation lists of both, which the host of
 * each peer fetches when they are wanted and again within each `refreshMs`, at moments of its own.
 */
export class VirtualRevocation {
  readonly overlay: VirtualOverlay;
  /** How long a request for a list takes: between 5 ms and this. */
  fetchMsMax = 300;
  refreshMs = 1_000;
  private readonly below: TestAuthority;
  private readonly lists = new Map<string, Uint8Array>();
  private readonly revoked = new Map<string, TestEntry[]>();
  private readonly random: () => number;

  constructor(seed: number) {
    this.overlay = new VirtualOverlay({ seed });
    const bytes = seededRandom(seed * 7919 + 1);
    this.random = () => (bytes.bytes(2)[1] ?? 0) / 256;
    this.below = makeIntermediate(this.overlay.root, {
      domain: DOMAIN,
      change: ({ extensions }) => ({ extensions: withPoint(extensions, ROOT_URL) }),
    });
    this.publish(ROOT_URL);
    this.publish(BELOW_URL);
  }

  /** A share in [0, 1). */
  share(): number {
    return this.random();
  }

  /** A peer that has the lists of its own certificate, as its host sees to before it starts. */
  add({ digits, policy, isBelow = false }: ListedPeer): VirtualPeer {
    const nodeId = digits.padEnd(32, '0') as NodeId;
    const settings = trustSettingsOf(this.overlay.configuration);
    const wanted: string[] = [];
    let isStarted = false;
    const lists =
      policy === 'off'
        ? undefined
        : new RevocationLists({
            policy,
            whenWanted: (url) => (isStarted ? host?.want(url) : wanted.push(url)),
          });
    const authenticator = new Authenticator(settings, verifyWithKey, undefined, lists);
    const signer = this.signer(nodeId, isBelow);
    const peer = this.overlay.add(digits, { authenticator, signer });
    const host = lists && new VirtualListHost(this, peer, lists);
    peer.whenListsSettled = host && ((then) => host.whenSettled(then));
    const [leaf = new Uint8Array(0), ...pool] = signer.node.chain;
    authenticator.authenticate(leaf, pool, this.overlay.now.unixMs);
    isStarted = true;
    for (const url of wanted) host?.take(url);
    return peer;
  }

  /** The newest list there. */
  listAt(url: string): Uint8Array | undefined {
    return this.lists.get(url);
  }

  /** Runs it once, some time between the two from now, ms. */
  after(fromMs: number, untilMs: number, run: () => void): void {
    this.overlay.later(Math.floor(fromMs + (untilMs - fromMs) * this.random()), run);
  }

  /** The next list of its issuer names it. */
  revoke({ signer }: VirtualPeer): void {
    const { serialNumber } = signer.node.certificate;
    const url = signer.node.chain.length > 1 ? BELOW_URL : ROOT_URL;
    const entries = this.revoked.get(url) ?? [];
    this.revoked.set(url, [...entries, entryOf(BigInt(`0x${serialNumber}`), 'keyCompromise')]);
    this.publish(url);
  }

  private publish(url: string): void {
    const entries = this.revoked.get(url) ?? [];
    const issuer = url === BELOW_URL ? this.below : this.overlay.root;
    const list = makeList(issuer, entries, ({ extensions }) => ({
      thisUpdateUnixMs: TEST_UNIX_MS,
      nextUpdateUnixMs: TEST_UNIX_MS + 7 * DAY_MS,
      extensions: { ...extensions, listNumber: listNumber(entries.length + 1) },
    }));
    this.lists.set(url, list);
  }

  private signer(nodeId: NodeId, isBelow: boolean): Signer {
    const issuer = isBelow ? this.below : this.overlay.root;
    const url = isBelow ? BELOW_URL : ROOT_URL;
    const leaf = makeLeaf(issuer, {
      jid: `user-${nodeId.slice(0, 4)}@${isBelow ? DOMAIN : 'capulet.lit'}`,
      nodeId,
      change: ({ extensions }) => ({ extensions: withPoint(extensions, url) }),
    });
    const authenticator = new Authenticator(trustSettingsOf(this.overlay.configuration));
    const pool = isBelow ? [this.below.certificate] : [];
    const node = authenticator.authenticate(leaf.certificate, pool, TEST_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    return createSigner(node, nodeId, leaf.key.privateKey);
  }
}

function withPoint<T extends object>(extensions: T, url: string): T {
  return { ...extensions, crlDistributionPoints: crlDistributionPoints(url) };
}

/** What the host of a peer does about revocation lists. */
class VirtualListHost {
  private readonly source: VirtualRevocation;
  private readonly peer: VirtualPeer;
  private readonly lists: RevocationLists;
  private readonly asked = new Set<string>();
  private whenIdle: (() => void)[] = [];

  constructor(source: VirtualRevocation, peer: VirtualPeer, lists: RevocationLists) {
    this.source = source;
    this.peer = peer;
    this.lists = lists;
  }

  want(url: string): void {
    this.asked.add(url);
    this.source.after(5, this.source.fetchMsMax, () => {
      this.asked.delete(url);
      this.take(url);
      if (this.asked.size > 0) return;
      for (const then of this.whenIdle.splice(0)) then();
    });
  }

  whenSettled(then: () => void): void {
    if (this.asked.size === 0) then();
    else this.whenIdle.push(then);
  }

  /** Takes the list that is there now, and looks again in time. */
  take(url: string): void {
    const { overlay, refreshMs, fetchMsMax } = this.source;
    const der = this.source.listAt(url);
    if (der === undefined) return;
    const offered = this.lists.offer(url, der, overlay.now.unixMs);
    if (offered.type === 'refused') throw new Error(offered.refusal.describe());
    if (offered.type === 'taken') overlay.handle(this.peer, { type: 'trustChanged' });
    this.source.after(0.75 * refreshMs, refreshMs + fetchMsMax, () => this.take(url));
  }
}
