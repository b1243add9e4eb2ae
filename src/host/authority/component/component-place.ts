import { isXmppDomain } from '../../../ca/host-name.ts';
import { isLoopbackHost, type SocketAddress } from '../../socket-address.ts';
import { AuthorityFailure } from '../authority-failure.ts';

/** The XMPP server that an authority attaches to as a component, and how far it is trusted. */
export interface ComponentOptions {
  /** The component's domain: the one that the authority's certificate names as XmppAddr. */
  readonly jid: string;
  readonly server: SocketAddress;
  readonly secret: string;
  /**
   * PEM of what the server's TLS certificate is checked by: then there is TLS even on this machine.
   * Left out: what the system trusts.
   */
  readonly serverTrust?: string | undefined;
  /**
   * Whether `from` alone proves who asks. It does where the authority's operator runs the server,
   * or trusts whoever does not to pose as its users; otherwise everybody is challenged.
   */
  readonly trustsServer: boolean;
}

/**
 * Throws AuthorityFailure where the authority cannot be that component. XEP-0417 §3.2: the
 * certificate must name the server, or clients would never ask there, nor take what comes.
 */
export function checkComponent(options: ComponentOptions, xmppAddress: string | undefined): void {
  const { jid, secret } = options;
  if (!isXmppDomain(jid)) {
    throw new AuthorityFailure(`"${jid.slice(0, 80)}" is not the domain of a component`);
  }
  if (secret === '') throw new AuthorityFailure('the secret of the component is empty');
  if (xmppAddress === jid) return;
  throw new AuthorityFailure(
    xmppAddress === undefined
      ? 'the certificate of this authority names no XMPP server (XEP-0417 §3.2); ' +
          `make one with xor ca init --xmpp-address ${jid}`
      : `the certificate of this authority names the XMPP server ${xmppAddress}; ` +
          `be the component ${xmppAddress}, not ${jid}`,
  );
}

/** XEP-0417 §3.1: "MUST NOT allow unencrypted XMPP", but nobody listens on the way to oneself. */
export function isInTheClear({ server, serverTrust }: ComponentOptions): boolean {
  return isLoopbackHost(server.host) && serverTrust === undefined;
}
