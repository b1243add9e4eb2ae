import { EventEmitter } from 'node:events';
import type {
  Command,
  CommandOutcome,
  CommandResult,
  FetchSpecifier,
  Location,
  ValueToStore,
} from '../reload/command.ts';
import type { PeerEvent } from '../reload/peer-event.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type {
  CertificateCommand,
  CertificateOutcome,
} from '../xmpp/client-certificates/certificate-command.ts';
import type { SentMessageOutcome } from '../xmpp/xmpp-output.ts';
import { CommandError } from './command-error.ts';
import { isResult, type ResultOf } from './command-result.ts';
import type { LinkCredentials } from './links/link-credentials.ts';
import type { SocketAddress } from './socket-address.ts';

export interface PeerHostEvents {
  event: [PeerEvent];
  /** The peer has left or was closed: `reason` is a sentence. */
  stopped: [string];
  /** Who is trusted changed: whoever holds an authenticated node asks about it again. */
  trustChanged: [];
  /** New connections show this certificate, and OpenSSL judges by these roots. */
  tlsReplaced: [LinkCredentials, readonly Uint8Array[]];
}

/** Where an XMPP usage listens; the ports are those in use. */
export interface XmppListening {
  /** For other devices. */
  readonly direct: SocketAddress;
  /** For the user's own clients: STARTTLS or direct TLS. */
  readonly gateway?: SocketAddress;
  /** The same for WebSockets. */
  readonly gatewayWebSocket?: SocketAddress;
}

/** What lives and ends with a peer: the XMPP usage. Neither method rejects. */
export interface PeerCompanion {
  readonly listening: XmppListening;
  /** Sends a text in the user's name; resolves when a device has acknowledged it, or none will. */
  sendMessage(to: string, text: string): Promise<SentMessageOutcome>;
  /** Carries out a command for the user's client certificates; resolves when it is on disk. */
  manageCertificates(what: CertificateCommand): Promise<CertificateOutcome>;
  /** Before the peer leaves the overlay. */
  leave(): Promise<void>;
  /** The peer has stopped. */
  close(): Promise<void>;
}

/** What applications ask of a peer: each method is one command. */
export abstract class PeerCommands extends EventEmitter<PeerHostEvents> {
  /** Carries out a command; never rejects. */
  abstract execute(command: Command): Promise<CommandOutcome>;

  /** The verified certificates of a node, or of all nodes of a user. */
  async lookupCertificates(
    target: { nodeId: NodeId } | { userName: string },
  ): Promise<readonly AuthenticatedNode[]> {
    const command: Command =
      'nodeId' in target
        ? { type: 'lookupByNodeId', nodeId: target.nodeId }
        : { type: 'lookupByUserName', userName: target.userName };
    return (await this.run(command, 'certificates')).nodes;
  }

  /** Where a user can be reached — XEP-0415 §5. `userName` is a prepared bare JID. */
  async locate(userName: string): Promise<readonly Location[]> {
    return (await this.run({ type: 'locate', userName }, 'locations')).locations;
  }

  /** Verified values — RFC 6940 §7.4.2. */
  fetch(resource: ResourceId, specifiers: FetchSpecifier[]): Promise<ResultOf<'values'>> {
    return this.run({ type: 'fetch', resource, specifiers }, 'values');
  }

  /** Signs and stores — RFC 6940 §7.4.1. */
  store(resource: ResourceId, values: ValueToStore[]): Promise<ResultOf<'stored'>> {
    return this.run({ type: 'store', resource, values }, 'stored');
  }

  /** RFC 6940 §7.4.3. */
  async stat(
    resource: ResourceId,
    specifiers: FetchSpecifier[],
  ): Promise<ResultOf<'stat'>['entries']> {
    return (await this.run({ type: 'stat', resource, specifiers }, 'stat')).entries;
  }

  /** RFC 6940 §7.4.4. */
  async find(resource: ResourceId, kinds: KindId[]): Promise<ResultOf<'found'>['closest']> {
    return (await this.run({ type: 'find', resource, kinds }, 'found')).closest;
  }

  /** RFC 6940 §6.5.3. */
  ping(nodeId: NodeId): Promise<ResultOf<'pong'>> {
    return this.run({ type: 'ping', nodeId }, 'pong');
  }

  /** RFC 6940 §6.4.2.5. */
  async probe(nodeId: NodeId, requestedInfo: number[]): Promise<ResultOf<'probed'>['info']> {
    return (await this.run({ type: 'probe', nodeId, requestedInfo }, 'probed')).info;
  }

  /** Where `nodeId` would send a message for `target` next — RFC 6940 §6.4.2.4. */
  async routeQuery(nodeId: NodeId, target: NodeId | ResourceId): Promise<NodeId> {
    return (await this.run({ type: 'routeQuery', nodeId, target }, 'nextPeer')).nodeId;
  }

  /** RFC 6940 §6.5.2. */
  appAttach(nodeId: NodeId, application: number): Promise<ResultOf<'appAttached'>> {
    return this.run({ type: 'appAttach', nodeId, application }, 'appAttached');
  }

  protected async run<T extends CommandResult['type']>(
    command: Command,
    type: T,
  ): Promise<ResultOf<T>> {
    const outcome = await this.execute(command);
    if (!outcome.ok) throw new CommandError(outcome.failure);
    if (isResult(outcome.result, type)) return outcome.result;
    throw new Error(`expected the result ${type}, got ${outcome.result.type}`);
  }
}
