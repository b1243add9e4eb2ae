import type { BareJid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { OVERLAY_LOOKUP_MS } from './client-certificate-limits.ts';

/**
 * Which certificates the overlay has for the user: each of them can log in here, so each is to be
 * in the list, also before it has. They are looked up when the peer is in the overlay, and again
 * every few hours.
 */
export class OverlayCertificates {
  private readonly environment: XmppEnvironment;
  private readonly user: BareJid;
  private readonly found: (der: Uint8Array) => void;

  constructor(environment: XmppEnvironment, user: BareJid, found: (der: Uint8Array) => void) {
    this.environment = environment;
    this.user = user;
    this.found = found;
  }

  /** The peer is in the overlay, or no more. */
  overlay(joined: boolean): void {
    if (joined) this.lookUp();
    else this.environment.cancelDeadline(DEADLINE);
  }

  private lookUp(): void {
    const { environment, user } = this;
    environment.setDeadline(DEADLINE, OVERLAY_LOOKUP_MS, () => this.lookUp());
    environment.command({ type: 'lookupByUserName', userName: user }, (outcome) => {
      if (!outcome.ok || outcome.result.type !== 'certificates') return;
      for (const { certificate } of outcome.result.nodes) this.found(certificate.der);
    });
  }
}

const DEADLINE = 'certificates of the user in the overlay';
