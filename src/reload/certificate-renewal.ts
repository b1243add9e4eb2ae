import type { Signer } from '../tls-auth/signer.ts';
import type { LinkRenewal } from './link-renewal.ts';
import type { OwnRecords } from './own-records.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { checkRenewed, RenewalRefusal } from './renewed-signer.ts';
import type { ValueRenewal } from './value-renewal.ts';

/**
 * The change to a renewed certificate while the peer runs: from now on everything is signed with
 * the new key, what the former certificate signed in the overlay is signed and stored anew, and
 * links that were authenticated with it are made again. What is on its way keeps its signature,
 * which counts until the former certificate ends.
 */
export class CertificateRenewal {
  private readonly env: PeerEnvironment;
  private readonly records: OwnRecords;
  private readonly values: ValueRenewal;
  private readonly links: LinkRenewal;

  constructor(env: PeerEnvironment, records: OwnRecords, values: ValueRenewal, links: LinkRenewal) {
    this.env = env;
    this.records = records;
    this.values = values;
    this.links = links;
  }

  /** What still hangs on a former certificate: own values in the overlay, and links. */
  get remains(): { readonly values: number; readonly links: number } {
    return { values: this.records.formerCount + this.values.waiting, links: this.links.waiting };
  }

  renew(signer: Signer): void {
    const { env } = this;
    const former = env.signer;
    const next = checkRenewed(former, signer, env.options.authenticator, env.now.unixMs);
    if (next instanceof RenewalRefusal) {
      env.event({ type: 'renewalRefused', reason: next.describe() });
      return;
    }
    env.signer = next;
    env.event({ type: 'renewed', notAfterUnixMs: next.node.validUntilUnixMs });
    this.records.handleRenewed();
    this.values.start(former.node.validUntilUnixMs);
    this.links.start(former.node.validUntilUnixMs);
  }
}
