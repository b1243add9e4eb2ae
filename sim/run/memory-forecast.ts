import { freemem, totalmem } from 'node:os';
import type { Scenario } from '../scenario/scenario.ts';

/** What a run will need, in bytes. */
export interface MemoryForecast {
  readonly bytes: number;
  readonly nodes: number;
  readonly bytesPerNode: number;
}

/** More memory is needed than there is; the message is one sentence. */
export class MemoryTooSmall extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MemoryTooSmall';
  }
}

/** From what was measured in runs of 1,000 peers. */
export function forecastMemory(scenario: Scenario): MemoryForecast {
  const nodes = nodesAtOnce(scenario);
  const bytesPerNode = NODE_BYTES;
  return { bytes: BASE_BYTES + nodes * bytesPerNode, nodes, bytesPerNode };
}

/** Nodes that may be there at the same moment. */
export function nodesAtOnce(scenario: Scenario): number {
  const { peers, clients, faults } = scenario;
  const crowds = faults.map((fault) => (fault.type === 'flashCrowd' ? fault.peers : 0));
  return crowds.reduce((sum, crowd) => sum + crowd, peers + clients);
}

/** Throws `MemoryTooSmall` where `runsAtOnce` such runs need more than this machine has. */
export function requireMemory(
  forecast: MemoryForecast,
  runsAtOnce = 1,
  available = availableBytes(),
): void {
  const needed = forecast.bytes * runsAtOnce;
  if (needed <= available) return;
  const runs = runsAtOnce === 1 ? '' : ` in each of ${runsAtOnce} runs at once`;
  throw new MemoryTooSmall(
    `${forecast.nodes} nodes${runs} need about ${gigabytes(needed)} ` +
      `(${Math.round(forecast.bytesPerNode / 1000)} kB each), and ${gigabytes(available)} are ` +
      `available: take fewer peers${runsAtOnce === 1 ? '' : ' or workers'}`,
  );
}

/** Limit of the heap of a run, in MB: what is forecast with room for churn, within the machine. */
export function heapLimitMb(forecast: MemoryForecast): number {
  const wished = Math.max(HEAP_BYTES_MIN, forecast.bytes * HEAP_ROOM);
  return Math.ceil(Math.min(wished, Math.max(HEAP_BYTES_MIN, machineBytes())) / 1e6);
}

/** What programs could have now; Linux counts what it can give back at once among it. */
function availableBytes(): number {
  const available = process.availableMemory?.() ?? freemem();
  return Math.min(machineBytes(), Math.max(available, freemem()));
}

/** Of the machine, or of the container that this process is in. */
function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Node.js, the compiled program, the matrix of latencies and the young generation. */
const BASE_BYTES = 500e6;
/** Of one node: 0.8 MB were measured in an overlay of 1,000; larger and longer runs need more. */
const NODE_BYTES = 1_000_000;
/** More would let garbage lie about longer, not make runs faster. */
const HEAP_ROOM = 1.3;
const HEAP_BYTES_MIN = 2e9;
