import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { PersistRecord } from '../../src/storage/persist-record.ts';
import type { SimNode } from './sim-node.ts';

/**
 * Whoever watches a World: measurements and checkers. An observer changes nothing. Each method is
 * called in the middle of an event; it may read every node.
 */
export interface WorldObserver {
  /** A Peer has handled an input; `outputs` are what it returned, before an attacker bends them. */
  handled?(node: SimNode, input: Input, outputs: readonly Output[]): void;
  /** Bytes leave a node: whole frames. */
  sent?(from: SimNode, bytes: Uint8Array): void;
  /** A batch of a node became durable, before its Peer hears of it. */
  persisted?(node: SimNode, records: readonly PersistRecord[]): void;
  started?(node: SimNode): void;
  /** `how`: its links are closed, or it is silent; `wiped`: and its disk is gone. */
  stopped?(node: SimNode, how: StopManner, wiped: boolean): void;
  /** A new configuration names it as a bad-node: it goes on, but the others cut it off. */
  revoked?(node: SimNode): void;
  /** Something went wrong inside a Peer: always a bug. */
  failed?(node: SimNode, input: Input, error: unknown): void;
}

/** `leave`: it said good-bye; `process`: neighbours see links close; `host`: silence. */
export type StopManner = 'leave' | 'process' | 'host';
