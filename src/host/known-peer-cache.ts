import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownPeer } from '../reload/input.ts';
import { fromHex } from '../wire/hex.ts';
import { type NodeId, nodeIdFromBytes } from '../wire/node-id.ts';
import type { Log } from './log.ts';
import {
  formatSocketAddress,
  fromIpAddressPort,
  parseSocketAddress,
  toIpAddressPort,
} from './socket-address.ts';

/**
 * Peers that this one was directly connected with, to rejoin without a bootstrap node — RFC 6940
 * §11.4: others must not be cached. A lost or damaged file costs nothing but that convenience.
 */
export class KnownPeerCache {
  private readonly path: string;
  private readonly log: Log;

  constructor(directory: string, log: Log) {
    this.path = join(directory, 'known-peers.json');
    this.log = log;
  }

  /** The peers remembered; none where the file is absent or unreadable. */
  async read(): Promise<KnownPeer[]> {
    try {
      const entries: unknown = JSON.parse(await readFile(this.path, 'utf8'));
      if (!Array.isArray(entries)) return [];
      return entries
        .map(readEntry)
        .filter((peer) => peer !== undefined)
        .slice(0, KNOWN_PEERS_MAX);
    } catch (error) {
      const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isAbsent) this.log.warn({ reason: String(error) }, 'remembered peers are unreadable');
      return [];
    }
  }

  /**
   * Replaces the list, and returns when it is in the file: whoever hears next that this peer has
   * joined may end its process, and it must find the way back.
   */
  remember(peers: readonly KnownPeer[]): void {
    try {
      this.write(peers.slice(0, KNOWN_PEERS_MAX));
    } catch (error) {
      this.log.warn({ reason: String(error), path: this.path }, 'cannot remember peers');
    }
  }

  private write(peers: readonly KnownPeer[]): void {
    const entries = peers.map((peer) => {
      const address = fromIpAddressPort(peer.address);
      return address === undefined
        ? undefined
        : { address: formatSocketAddress(address), nodeId: peer.nodeId };
    });
    const text = JSON.stringify(entries.filter((entry) => entry !== undefined));
    const draft = `${this.path}.new`;
    writeFileSync(draft, `${text}\n`, { mode: 0o600 });
    renameSync(draft, this.path);
  }
}

function readEntry(entry: unknown): KnownPeer | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { address, nodeId } = entry as { address?: unknown; nodeId?: unknown };
  if (typeof address !== 'string') return undefined;
  const parsed = parseSocketAddress(address);
  const wire = typeof parsed === 'string' ? undefined : toIpAddressPort(parsed);
  if (wire === undefined) return undefined;
  const known = readNodeId(nodeId);
  return known === undefined ? { address: wire } : { address: wire, nodeId: known };
}

function readNodeId(value: unknown): NodeId | undefined {
  if (typeof value !== 'string' || !/^(?:[0-9a-f]{2}){16,20}$/.test(value)) return undefined;
  return nodeIdFromBytes(fromHex(value));
}

/** RFC 6940 §11.4 speaks of about ten. */
const KNOWN_PEERS_MAX = 10;
