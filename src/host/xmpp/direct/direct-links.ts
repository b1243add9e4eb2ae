import type { IpAddressPort } from '../../../wire/ip-address-port.ts';
import type { NodeId } from '../../../wire/node-id.ts';
import type { AttemptId, DirectLinkId, XmppInput } from '../../../xmpp/xmpp-input.ts';
import { LinkCounters } from '../../links/link-counters.ts';
import type { LinkCredentials } from '../../links/link-credentials.ts';
import { defaultLinkLimits, type LinkLimits } from '../../links/link-limits.ts';
import { OverlayLinks, type OverlayLinksOptions } from '../../links/overlay-links.ts';
import type { SocketAddress } from '../../socket-address.ts';

/**
 * The TLS connections under direct streams, in both directions (XEP-0415 §6). They are made and
 * authenticated like overlay links, on a port of their own: no ALPN, no STARTTLS, no resumption,
 * both certificates demanded and judged by the Authenticator.
 */
export class DirectLinks {
  readonly counters = new LinkCounters();
  private readonly links: OverlayLinks;

  constructor(
    options: Omit<OverlayLinksOptions, 'limits' | 'counters'>,
    deliver: (input: XmppInput) => void,
  ) {
    const { counters } = this;
    this.links = new OverlayLinks(
      { ...options, counters, limits: DIRECT_LINK_LIMITS },
      {
        linkUp: ({ id: link, node }, attempt) =>
          deliver({
            type: 'directLinkUp',
            link,
            node,
            ...(attempt === undefined ? {} : { attempt }),
          }),
        linkData: (link, bytes) => deliver({ type: 'directLinkData', link, bytes }),
        linkDown: (link, reason) => deliver({ type: 'directLinkDown', link, reason }),
        connectFailed: (attempt, reason) =>
          deliver({ type: 'directConnectFailed', attempt, reason }),
      },
    );
  }

  /** Resolves with the address in use; rejects with the system's error. */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return this.links.listen(address);
  }

  connect(attempt: AttemptId, address: IpAddressPort, expectedNodeId: NodeId): void {
    this.links.connect(attempt, address, expectedNodeId);
  }

  send(link: DirectLinkId, bytes: Uint8Array): void {
    this.links.send(link, bytes);
  }

  close(link: DirectLinkId): void {
    this.links.close(link);
  }

  /** New connections show this certificate. */
  replaceTls(credentials: LinkCredentials, rootCertificates: readonly Uint8Array[]): void {
    this.links.replaceTls(credentials, rootCertificates);
  }

  closeAll(): Promise<void> {
    return this.links.closeAll();
  }
}

/** A session that is resumed sends all at once what was not acknowledged: more than links need. */
const DIRECT_LINK_LIMITS: LinkLimits = {
  ...defaultLinkLimits,
  outgoingBytesMax: 16 * 1024 * 1024,
  outgoingBytesBeforePauseMax: 8 * 1024 * 1024,
};
