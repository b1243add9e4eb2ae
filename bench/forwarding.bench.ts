/**
 * What each transit hop does for each message before it copies bytes: read the ForwardingHeader,
 * take the first destination, look up the next hop among 32 connected nodes. The reference is a
 * loop over the same bytes with a DataView and hard-coded offsets, which checks the same and looks
 * up in the same table.
 */
import { randomBytes } from 'node:crypto';
import { encode } from '../src/wire/codec.ts';
import { ForwardingView } from '../src/wire/forwarding-view.ts';
import { MalformedMessage } from '../src/wire/malformed-message.ts';
import { encodeFragment } from '../src/wire/message.ts';
import { type NodeId, nodeIdFromBytes } from '../src/wire/node-id.ts';
import { PingReq } from '../src/wire/topology.ts';
import type { BenchResult } from './bench-result.ts';
import { medianRate } from './median-rate.ts';

export async function run(): Promise<BenchResult[]> {
  const messages = Array.from({ length: DIFFERENT_MESSAGES }, () => randomMessage());
  const table = Array.from({ length: NODES }, () => randomNodeId()).sort();
  const rate = (decide: (bytes: Uint8Array, table: readonly NodeId[]) => number) =>
    medianRate(MESSAGES, (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        sum += decide(messages[i % DIFFERENT_MESSAGES] as Uint8Array, table);
      }
      return sum;
    });
  const value = rate(nextHopByView);
  const reference = rate(nextHopByHand);
  for (const bytes of messages) {
    if (nextHopByView(bytes, table) !== nextHopByHand(bytes, table)) {
      throw new Error('the two loops disagree about the next hop');
    }
  }
  const ratio = value / reference;
  return [
    {
      name: 'forwarding: header, first destination, next hop',
      value,
      unit: 'messages/s',
      referenceName: 'DataView with fixed offsets and the same NodeId',
      reference,
      ratio,
      bound: `value >= ${RATE_MIN} and ratio >= ${RATIO_MIN}`,
      isMet: value >= RATE_MIN && ratio >= RATIO_MIN,
    },
  ];
}

function nextHopByView(bytes: Uint8Array, table: readonly NodeId[]): number {
  const view = ForwardingView.over(bytes);
  if (view instanceof MalformedMessage) return -1;
  if (view.overlay !== OVERLAY || view.version !== 0x0a || view.ttl === 0) return -1;
  const destination = view.firstDestination();
  if (destination instanceof MalformedMessage || destination.type !== 'node') return -1;
  return nextHop(destination.nodeId, table);
}

function nextHopByHand(bytes: Uint8Array, table: readonly NodeId[]): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 38 || view.getUint32(0) !== 0xd2454c4f) return -1;
  if (view.getUint32(16) !== bytes.length) return -1;
  const start = 38 + view.getUint16(32);
  const end = start + view.getUint16(34);
  if (end + view.getUint16(36) > bytes.length) return -1;
  if (view.getUint32(4) !== OVERLAY || view.getUint8(10) !== 0x0a || view.getUint8(11) === 0) {
    return -1;
  }
  if (start + 18 > end || view.getUint8(start) !== 1 || view.getUint8(start + 1) !== 16) return -1;
  const at = bytes.byteOffset + start + 2;
  return nextHop(Buffer.from(bytes.buffer, at, 16).toString('hex') as NodeId, table);
}

/** RFC 6940 §10.3: the largest Node-ID that is not beyond the destination. */
function nextHop(id: NodeId, table: readonly NodeId[]): number {
  let low = 0;
  let high = table.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((table[middle] as NodeId) <= id) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? table.length - 1 : low - 1;
}

function randomMessage(): Uint8Array {
  const body = encode(PingReq, { padding: randomBytes(BODY_BYTES) });
  return encodeFragment(
    {
      overlay: OVERLAY,
      configurationSequence: 1,
      version: 0x0a,
      ttl: 100,
      fragment: 0xc0000000,
      transactionId: randomBytes(8).readBigUInt64BE(),
      maxResponseLength: 0,
      viaList: [{ type: 'node', nodeId: randomNodeId() }],
      destinationList: [{ type: 'node', nodeId: randomNodeId() }],
      options: [],
    },
    body,
  );
}

function randomNodeId(): NodeId {
  return nodeIdFromBytes(randomBytes(16));
}

const OVERLAY = 0x9aa32b8d;
const NODES = 32;
const DIFFERENT_MESSAGES = 256;
const MESSAGES = 200_000;
const BODY_BYTES = 700;
const RATE_MIN = 300_000;
const RATIO_MIN = 0.5;
