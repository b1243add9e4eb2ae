/**
 * Users whose peers sign what leaves over servers, and check what arrives: the component alone,
 * with real certificates. The overlay, the servers and the disk are played by the test.
 */
import {
  makeLeaf,
  makeRoot,
  type TestAuthority,
  type TestKey,
  testNodeId,
} from '../../../sim/certificates/certificate-maker.ts';
import type { CommandOutcome } from '../../../src/reload/command.ts';
import type { AuthenticatedNode } from '../../../src/tls-auth/authenticated-node.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../../src/tls-auth/signer.ts';
import { DurableWrites } from '../../../src/xmpp/routing/durable-writes.ts';
import { restoreSigned } from '../../../src/xmpp/signed-stanzas/restored-signed.ts';
import type { AskForNode } from '../../../src/xmpp/signed-stanzas/sender-certificates.ts';
import {
  type ArrivedStanza,
  type SignedStanzaPolicy,
  SignedStanzas,
} from '../../../src/xmpp/signed-stanzas/signed-stanzas.ts';
import { StanzaRefusal } from '../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppOutput } from '../../../src/xmpp/xmpp-output.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import { testTrustSettings } from '../../tls-auth/test-node.ts';
import { xml } from '../routing/verona.ts';

export const JULIET = 'juliet@capulet.lit';
export const ROMEO = 'romeo@montague.lit';
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export class SignedWorld {
  readonly root: TestAuthority = makeRoot();
  unixMs = Date.UTC(2026, 10, 21, 9);
  /** What the overlay has under each user name; undefined: it cannot be reached. */
  overlay: Map<string, AuthenticatedNode[]> | undefined = new Map();
  private nodes = 0;

  /** A device of a user, with a certificate that is in the overlay. */
  device(
    jid: string,
    options: { readonly key?: TestKey; readonly isStored?: boolean } = {},
  ): Signer {
    this.nodes += 1;
    const nodeId = testNodeId(this.nodes);
    const leaf = makeLeaf(this.root, { ...options, jid, nodeId });
    const authenticator = new Authenticator(testTrustSettings([this.root]));
    const node = authenticator.authenticate(leaf.certificate, [], this.unixMs);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    if (options.isStored !== false) {
      this.overlay?.set(jid, [...(this.overlay.get(jid) ?? []), node]);
    }
    return createSigner(node, nodeId, leaf.key.privateKey);
  }

  peer(signer: Signer, options: PeerOptions = {}): SignedPeer {
    return new SignedPeer(this, signer, options);
  }
}

export interface PeerOptions {
  readonly policy?: SignedStanzaPolicy;
  readonly disk?: Map<string, Uint8Array>;
  readonly askForNode?: AskForNode;
  readonly authenticator?: Authenticator;
}

export class SignedPeer {
  readonly stanzas: SignedStanzas;
  readonly disk: Map<string, Uint8Array>;
  readonly own: Jid;
  lookups = 0;
  /** Outcomes of the overlay come by `answerLookups`. */
  holdsLookups = false;
  private readonly world: SignedWorld;
  private readonly environment = new XmppEnvironment(seededRandom(1));
  private held: (() => void)[] = [];

  constructor(world: SignedWorld, signer: Signer, options: PeerOptions) {
    this.world = world;
    this.own = jid(signer.node.xmppAddr ?? '');
    this.disk = options.disk ?? new Map();
    const records = [...this.disk].map(([key, value]) => ({ key, value }));
    this.stanzas = new SignedStanzas(
      {
        environment: this.environment,
        writes: new DurableWrites(this.environment),
        own: this.own,
        authenticator: options.authenticator ?? new Authenticator(testTrustSettings([world.root])),
        signer: () => signer,
        policy: options.policy ?? 'prefer',
        askForNode: options.askForNode,
      },
      restoreSigned(records),
    );
    this.turn(() => this.stanzas.start());
  }

  connect(): void {
    this.turn(() => this.stanzas.serverConnected());
  }

  disconnect(): void {
    this.turn(() => this.stanzas.serverLost());
  }

  /** What leaves for this, where it does so at once. */
  send(text: string): XmppElement {
    const left = this.outgoing(text)[0];
    if (left === undefined) throw new Error('nothing left yet');
    if (left instanceof StanzaRefusal) throw new Error(left.describe());
    return left;
  }

  outgoing(text: string): (XmppElement | StanzaRefusal)[] {
    const left: (XmppElement | StanzaRefusal)[] = [];
    this.turn(() => this.stanzas.outgoing(xml(text), (one) => left.push(one)));
    return left;
  }

  receive(stanza: XmppElement): ArrivedStanza {
    const arrived = this.incoming(stanza)[0];
    if (arrived === undefined) throw new Error('nothing arrived yet');
    return arrived;
  }

  incoming(stanza: XmppElement): ArrivedStanza[] {
    const arrived: ArrivedStanza[] = [];
    this.turn(() => this.stanzas.incoming(stanza, (one) => arrived.push(one)));
    return arrived;
  }

  answerLookups(): void {
    this.turn(() => {
      for (const answer of this.held.splice(0)) answer();
    });
  }

  /** Lets time pass for this peer. */
  wait(ms: number): void {
    this.world.unixMs += ms;
    this.turn(() => this.environment.runDueDeadlines());
  }

  private turn(act: () => void): void {
    const { unixMs } = this.world;
    this.environment.now = { monotonicMs: unixMs, unixMs };
    act();
    for (let outputs = this.environment.takeOutputs(); outputs.length > 0; ) {
      for (const output of outputs) this.perform(output);
      outputs = this.environment.takeOutputs();
    }
  }

  private perform(output: XmppOutput): void {
    if (output.type === 'persist') {
      for (const { key, value } of output.records) {
        if (value === undefined) this.disk.delete(key);
        else this.disk.set(key, value);
      }
      this.environment.persisted(output.ticket);
    }
    if (output.type !== 'command' || output.what.type !== 'lookupByUserName') return;
    const { command, what } = output;
    this.lookups += 1;
    const answer = () => this.environment.commandCompleted(command, this.lookup(what.userName));
    if (this.holdsLookups) this.held.push(answer);
    else answer();
  }

  private lookup(userName: string): CommandOutcome {
    const { overlay } = this.world;
    if (overlay === undefined) {
      return { ok: false, failure: { code: 'not-joined', detail: 'the overlay is cut off' } };
    }
    const nodes = overlay.get(userName) ?? [];
    if (nodes.length > 0) return { ok: true, result: { type: 'certificates', nodes } };
    return { ok: false, failure: { code: 'not-found', detail: `${userName} has none` } };
  }
}

export function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(parsed.describe());
  return parsed;
}

/** The code of a refusal, or what else it is. */
export function codeOf(arrived: ArrivedStanza): string {
  return arrived.type === 'refused' ? arrived.refusal.code : arrived.type;
}

export function chat(text: string, from = `${JULIET}/balcony`, to: string = ROMEO): string {
  return `<message id="m1" type="chat" from="${from}" to="${to}"><body>${text}</body></message>`;
}
