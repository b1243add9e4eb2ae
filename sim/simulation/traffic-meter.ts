import { MessageCode } from '../../src/wire/message-contents.ts';
import { countFrames, type FrameCounter } from '../world/message-probe.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { WorldObserver } from '../world/world-observer.ts';
import type { MethodTraffic, TrafficSummary } from './run-record.ts';

/** What was sent between two moments. */
export interface TrafficInterval {
  readonly bytesPerPeerPerSecond: number;
  /** Methods of which nothing was sent are left out. */
  readonly bytesByMethod: Readonly<Record<string, number>>;
}

/**
 * Counts what peers send on their links, by method: a message counts each time that it crosses a
 * link, so what a peer passes on counts as its own. What clients send is left out, as are TLS and
 * TCP. Per peer and second means divided by the time that peers ran, all together.
 */
export class TrafficMeter implements WorldObserver, FrameCounter {
  private readonly world: World;
  private readonly messages = new Float64Array(SLOT_COUNT);
  private readonly bytes = new Float64Array(SLOT_COUNT);
  private readonly bytesAtMark = new Float64Array(SLOT_COUNT);
  private readonly running = new Set<SimNode>();
  private isCounting = false;
  /** The time that peers ran since `start`, up to `countedMs`. */
  private peerMs = 0;
  private peerMsAtMark = 0;
  private countedMs = 0;

  constructor(world: World) {
    this.world = world;
    for (const node of world.nodes) if (node.isUp) this.started(node);
    world.observers.push(this);
  }

  /** Counts from now on. */
  start(): void {
    this.messages.fill(0);
    this.bytes.fill(0);
    this.bytesAtMark.fill(0);
    this.peerMs = 0;
    this.peerMsAtMark = 0;
    this.countedMs = this.world.nowMs;
    this.isCounting = true;
  }

  stop(): void {
    this.addTime();
    this.isCounting = false;
  }

  /** What was sent since the last call, or since `start`. */
  takeInterval(): TrafficInterval {
    this.addTime();
    const seconds = (this.peerMs - this.peerMsAtMark) / 1000;
    this.peerMsAtMark = this.peerMs;
    const bytesByMethod: Record<string, number> = {};
    let sum = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const count = (this.bytes[slot] as number) - (this.bytesAtMark[slot] as number);
      this.bytesAtMark[slot] = this.bytes[slot] as number;
      if (count > 0) bytesByMethod[SLOT_NAMES[slot] as string] = count;
      sum += count;
    }
    return { bytesPerPeerPerSecond: per(sum, seconds), bytesByMethod };
  }

  /** From `start` until now or `stop`; what was most is first. */
  summary(): TrafficSummary {
    this.addTime();
    const seconds = this.peerMs / 1000;
    const byMethod: MethodTraffic[] = [];
    let sum = 0;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const bytes = this.bytes[slot] as number;
      const messages = this.messages[slot] as number;
      const bytesPerPeerPerSecond = per(bytes, seconds);
      const method = SLOT_NAMES[slot] as string;
      if (messages > 0) byMethod.push({ method, messages, bytes, bytesPerPeerPerSecond });
      sum += bytes;
    }
    byMethod.sort((a, b) => b.bytes - a.bytes);
    return { bytesPerPeerPerSecond: per(sum, seconds), byMethod };
  }

  sent(from: SimNode, bytes: Uint8Array): void {
    if (this.isCounting && from.role === 'peer') countFrames(bytes, this);
  }

  started(node: SimNode): void {
    if (node.role !== 'peer') return;
    this.addTime();
    this.running.add(node);
  }

  stopped(node: SimNode): void {
    if (!this.running.has(node)) return;
    this.addTime();
    this.running.delete(node);
  }

  countMessage(code: number | undefined, frameBytes: number): void {
    this.count(slotOf(code), frameBytes);
  }

  countAcknowledgement(frameBytes: number): void {
    this.count(ACKNOWLEDGEMENT_SLOT, frameBytes);
  }

  private count(slot: number, bytes: number): void {
    this.messages[slot] = (this.messages[slot] as number) + 1;
    this.bytes[slot] = (this.bytes[slot] as number) + bytes;
  }

  private addTime(): void {
    if (!this.isCounting) return;
    this.peerMs += this.running.size * (this.world.nowMs - this.countedMs);
    this.countedMs = this.world.nowMs;
  }
}

function per(bytes: number, seconds: number): number {
  return seconds === 0 ? 0 : bytes / seconds;
}

/** Codes up to the last of RFC 6940 §14.8 are their own slots. */
function slotOf(code: number | undefined): number {
  if (code === undefined) return FRAGMENT_SLOT;
  if (code === MessageCode.error) return ERROR_SLOT;
  return code < ERROR_SLOT ? code : OTHER_SLOT;
}

const ERROR_SLOT = MessageCode.configUpdateAns + 1;
/** Fragments that are not the first: they do not say which message they are of. */
const FRAGMENT_SLOT = ERROR_SLOT + 1;
const ACKNOWLEDGEMENT_SLOT = ERROR_SLOT + 2;
const OTHER_SLOT = ERROR_SLOT + 3;
const SLOT_COUNT = ERROR_SLOT + 4;

/** As RFC 6940 writes them: `FetchReq`. */
const SLOT_NAMES: readonly string[] = (() => {
  const names = new Array<string>(SLOT_COUNT).fill('unknown');
  for (const [name, code] of Object.entries(MessageCode)) {
    names[slotOf(code)] = name.charAt(0).toUpperCase() + name.slice(1);
  }
  names[FRAGMENT_SLOT] = 'fragments';
  names[ACKNOWLEDGEMENT_SLOT] = 'acknowledgements';
  return names;
})();
