import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { SimNode } from '../world/sim-node.ts';

/** All that a developer wants to see of a node at a moment, as plain JSON. */
export function nodeState(node: SimNode): Readonly<Record<string, unknown>> {
  const { peer, disk } = node;
  return {
    name: node.name,
    nodeId: node.nodeId,
    userName: node.userName,
    role: node.role,
    state: node.state,
    incarnation: node.incarnation,
    behindNat: node.isBehindNat,
    attacker: node.behavior !== undefined,
    wakeAtMs: node.wakeAtMs,
    nextDeadlineMs: peer?.nextDeadline(),
    links: [...node.links].map(([link, { ends }]) => ({
      link,
      with: ends.map((end) => end.node.name).find((name) => name !== node.name),
      open: ends.map(({ open }) => open),
    })),
    disk: { records: disk.records.size, full: disk.isFull, slowness: disk.slowness },
    commandsWaiting: node.waiting.size,
    peer: peer === undefined ? undefined : plain(peer.status()),
  };
}

/** An event as it was: which node got what, and what it answered. */
export function eventState(
  node: SimNode,
  input: Input,
  outputs: readonly Output[],
): Readonly<Record<string, unknown>> {
  return { node: node.name, input: plain(input), outputs: outputs.map((output) => plain(output)) };
}

/** The same as JSON can say it: bytes in hex, whole numbers as they are, maps and sets as lists. */
function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' ? undefined : value;
  }
  if (value instanceof Uint8Array) return bytesOf(value);
  if (depth > DEPTH_MAX) return '…';
  if (value instanceof Map || value instanceof Set) return plain([...value], depth + 1);
  if (Array.isArray(value)) return value.map((one) => plain(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, plain(one, depth + 1)]),
  );
}

function bytesOf(bytes: Uint8Array): string {
  const shown = toHex(bytes.subarray(0, BYTES_SHOWN_MAX));
  return bytes.length > BYTES_SHOWN_MAX ? `${shown}… ${bytes.length} bytes` : shown;
}

const BYTES_SHOWN_MAX = 256;
const DEPTH_MAX = 6;
