import { hostClock } from '../../../src/host/host-clock.ts';
import { LinkCounters } from '../../../src/host/links/link-counters.ts';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import { defaultLinkLimits, type LinkLimits } from '../../../src/host/links/link-limits.ts';
import {
  OverlayLinks,
  type OverlayLinksOptions,
  type OverlayLinksOwner,
} from '../../../src/host/links/overlay-links.ts';
import type { TlsOverlayLink } from '../../../src/host/links/tls-overlay-link.ts';
import type { Log } from '../../../src/host/log.ts';
import { type SocketAddress, toIpAddressPort } from '../../../src/host/socket-address.ts';
import type { ConnectId, LinkId } from '../../../src/reload/input.ts';
import type { IpAddressPort } from '../../../src/wire/ip-address-port.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type { TestAuthority } from './link-identities.ts';

/** Who says who is at the other end. */
export type LinkJudge = Pick<OverlayLinksOptions, 'authenticator' | 'revocation'>;

/** One end of links, which notes all that happens to it. */
export class LinkEnd implements OverlayLinksOwner {
  readonly links: OverlayLinks;
  readonly counters = new LinkCounters();
  readonly up: { link: TlsOverlayLink; connect: ConnectId | undefined }[] = [];
  readonly down: { link: LinkId; reason: string }[] = [];
  readonly failed: { connect: ConnectId; reason: string }[] = [];
  readonly received = new Map<LinkId, string>();
  /** Bytes of all links together. */
  receivedBytes = 0;
  readonly logged: { fields: object; message: string }[] = [];
  address: SocketAddress = { host: '127.0.0.1', port: 0 };

  constructor(
    authority: TestAuthority,
    credentials: LinkCredentials,
    limits: Partial<LinkLimits> = {},
    judge: LinkJudge = { authenticator: authority.authenticator(), revocation: undefined },
  ) {
    const note = (fields: object, message: string) => this.logged.push({ fields, message });
    const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
    this.links = new OverlayLinks(
      {
        credentials,
        rootCertificates: authority.rootCertificates,
        ...judge,
        limits: { ...defaultLinkLimits, ...limits },
        clock: hostClock,
        counters: this.counters,
        log,
      },
      this,
    );
  }

  async listen(): Promise<this> {
    this.address = await this.links.listen({ host: '127.0.0.1', port: 0 });
    return this;
  }

  get wireAddress(): IpAddressPort {
    const address = toIpAddressPort(this.address);
    if (address === undefined) throw new Error('not an IP address');
    return address;
  }

  /** The rules that others broke, as the log has them. */
  get loggedRules(): string[] {
    return this.logged.flatMap(({ fields }) =>
      'rule' in fields && typeof fields.rule === 'string' ? [fields.rule] : [],
    );
  }

  connectTo(other: LinkEnd, connect: ConnectId, expectedNodeId?: NodeId): void {
    this.links.connect(connect, other.wireAddress, expectedNodeId);
  }

  linkUp(link: TlsOverlayLink, connect: ConnectId | undefined): void {
    this.up.push({ link, connect });
  }

  linkData(link: LinkId, bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
    if (bytes.length > 1_000) return;
    this.received.set(link, (this.received.get(link) ?? '') + Buffer.from(bytes).toString());
  }

  linkDown(link: LinkId, reason: string): void {
    this.down.push({ link, reason });
  }

  connectFailed(connect: ConnectId, reason: string): void {
    this.failed.push({ connect, reason });
  }
}
