import { makeLeaf, makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { XmppUsage } from '../../src/xmpp/xmpp-usage.ts';
import { AddressFault } from '../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../src/xmpp-address/jid.ts';
import type { VirtualCore, VirtualDevice, VirtualIdentity } from './virtual-device.ts';
import type { VirtualXmpp } from './virtual-xmpp.ts';

/** A whole XmppUsage on the disk of its device, which any certificate lets in. */
export function virtualUsage(
  identity: VirtualIdentity,
  records: ReadonlyMap<string, Uint8Array> = new Map(),
): VirtualCore {
  const user = parseJid(identity.ownUser);
  if (user instanceof AddressFault) throw new Error(user.describe());
  return new XmppUsage({
    user,
    nodeId: identity.ownNodeId,
    authenticator: identity.authenticator,
    random: identity.random,
    records: [...records].map(([key, value]) => ({ key, value })),
    credential: undefined,
    judgeClientCertificate: () => ({ user: user.bare, addresses: [user.bare] }),
  });
}

/** A client of a virtual device: bytes as they would be on its connection. */
export class VirtualClient {
  heard = '';
  private readonly world: VirtualXmpp;
  private readonly device: VirtualDevice;
  private readonly connection: number;
  private seen: number;

  constructor(world: VirtualXmpp, device: VirtualDevice, connection: number) {
    this.world = world;
    this.device = device;
    this.connection = connection;
    this.seen = device.toClients.length;
  }

  /** Logs in by direct TLS with a certificate, binds a resource, and manages its stream. */
  logsIn(resource: string): this {
    const { connection } = this;
    const domain = this.device.user.split('@')[1];
    const header =
      `<stream:stream to='${domain}' version='1.0' xmlns='jabber:client' ` +
      "xmlns:stream='http://etherx.jabber.org/streams'>";
    this.world.handle(this.device, {
      type: 'clientConnected',
      connection,
      transport: 'tcp',
      tls: {
        certificates: [CERTIFICATE],
        serverEndPoint: Uint8Array.of(2),
        exporter: undefined,
      },
    });
    this.says(header);
    this.says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    this.says(header);
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind>`;
    this.says(`<iq type='set' id='b'>${bind}</iq>`);
    this.says("<enable xmlns='urn:xmpp:sm:3'/>");
    if (!this.heard.includes('<enabled')) throw new Error(`not logged in: ${this.heard}`);
    return this;
  }

  says(text: string): void {
    const bytes = Buffer.from(text);
    this.world.handle(this.device, { type: 'clientData', connection: this.connection, bytes });
    this.hears();
  }

  /** Takes in what was sent to it since. */
  hears(): void {
    for (; this.seen < this.device.toClients.length; this.seen++) {
      const output = this.device.toClients[this.seen];
      if (output?.type !== 'clientSend' || output.connection !== this.connection) continue;
      this.heard += Buffer.from(output.bytes).toString();
    }
  }

  /** XEP-0198 §4: how many stanzas the peer has acknowledged, as of its last answer. */
  acknowledged(): number {
    this.says("<r xmlns='urn:xmpp:sm:3'/>");
    const counts = [...this.heard.matchAll(/<a [^>]*h=['"](\d+)['"]/g)];
    const last = counts.at(-1)?.[1];
    this.heard = '';
    return last === undefined ? 0 : Number(last);
  }
}

/** Of nobody in particular. */
const CERTIFICATE = makeLeaf(makeRoot()).certificate;
