import type { Now } from '../../../src/storage/now.ts';
import type { DirectStreamOptions } from '../../../src/xmpp/direct/direct-stream-manager.ts';
import { DirectStreamManager } from '../../../src/xmpp/direct/direct-stream-manager.ts';
import type { Device, DirectStreamsListener } from '../../../src/xmpp/direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../../../src/xmpp/stanza/stanza.ts';
import { element, textOf, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppInput } from '../../../src/xmpp/xmpp-input.ts';
import type { XmppOutput } from '../../../src/xmpp/xmpp-output.ts';
import type { BareJid } from '../../../src/xmpp-address/jid.ts';
import type { VirtualCore, VirtualDevice, VirtualIdentity } from '../virtual-device.ts';
import type { VirtualXmpp } from '../virtual-xmpp.ts';

/** A device whose router is the test: it keeps what the direct streams tell, in order. */
export class StreamTester implements VirtualCore, DirectStreamsListener {
  readonly streams: DirectStreamManager;
  readonly told: string[] = [];
  /** Texts of the messages that came, each once per arrival. */
  readonly received: string[] = [];
  /** As whose they came. */
  readonly senders: (string | undefined)[] = [];
  readonly deliveredTags: number[] = [];
  readonly undeliveredTags: number[] = [];
  /** Stanzas are said to be handled only after so long; undefined: by the test alone. */
  handleAfterMs: number | undefined = 0;
  /** What the router does at once when something was delivered, as the outbox does. */
  whenDelivered: (device: Device, tags: readonly number[]) => void = () => undefined;
  private readonly env: XmppEnvironment;
  private readonly ownUser: BareJid;
  private arrivals = 0;

  constructor(identity: VirtualIdentity, options: Partial<DirectStreamOptions> = {}) {
    this.env = new XmppEnvironment(identity.random);
    this.ownUser = identity.ownUser;
    this.streams = new DirectStreamManager(this.env, { ...identity, ...options }, this);
  }

  handle(input: XmppInput, now: Now): readonly XmppOutput[] {
    this.env.now = now;
    switch (input.type) {
      case 'start':
        this.streams.start();
        break;
      case 'commandCompleted':
        this.env.commandCompleted(input.command, input.outcome);
        break;
      case 'leave':
        this.streams.stop();
        break;
      case 'directLinkUp':
      case 'directLinkData':
      case 'directLinkDown':
      case 'directConnectFailed':
      case 'appAttachRequested':
      case 'overlay':
      case 'trustChanged':
        this.streams.handle(input);
    }
    this.env.runDueDeadlines();
    return this.env.takeOutputs();
  }

  nextDeadline(): number | undefined {
    return this.env.nextDeadline();
  }

  /** Does something with the streams, as a router would within an input. */
  act(network: VirtualXmpp, device: VirtualDevice, what: () => void): void {
    this.env.now = network.now;
    what();
    this.env.runDueDeadlines();
    for (const output of this.env.takeOutputs()) network.perform(device, output);
  }

  message(text: string, from: string = this.ownUser): XmppElement {
    const body = element('body', CLIENT_NAMESPACE, {}, [text]);
    return element('message', CLIENT_NAMESPACE, { from, to: 'whom@it.concerns' }, [body]);
  }

  deviceConnected({ user }: Device): void {
    this.told.push(`connected ${user}`);
  }

  deviceLost({ user }: Device): void {
    this.told.push(`lost ${user}`);
  }

  delivered(device: Device, tags: readonly number[]): void {
    this.deliveredTags.push(...tags);
    this.whenDelivered(device, tags);
  }

  undelivered(_device: Device, tags: readonly number[]): void {
    this.undeliveredTags.push(...tags);
  }

  addressTried(address: BareJid, found: number, connected: number, reason?: string): void {
    this.told.push(
      `tried ${address}: ${connected} of ${found}${reason === undefined ? '' : `, ${reason}`}`,
    );
  }

  stanzaFromDevice(device: Device, stanza: XmppElement): void {
    this.senders.push(stanza.attributes.get('from'));
    const [body] = stanza.children;
    this.received.push(body === undefined || typeof body === 'string' ? '' : textOf(body));
    if (this.handleAfterMs === undefined) return;
    this.arrivals += 1;
    this.env.setDeadline(`handled ${this.arrivals}`, this.handleAfterMs, () =>
      this.streams.handled(device.nodeId),
    );
  }
}
