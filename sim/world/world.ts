import type { Command, CommandOutcome } from '../../src/reload/command.ts';
import type { Input, KnownPeer } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { Peer } from '../../src/reload/peer.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { EventHeap } from './event-heap.ts';
import { type ClockError, SimClock } from './sim-clock.ts';
import { type DiskConditions, SimDisk } from './sim-disk.ts';
import { type NetworkConditions, SimNetwork } from './sim-network.ts';
import { type PeerFactory, SimNode } from './sim-node.ts';
import { SimRandom } from './sim-random.ts';
import { TraceHash } from './trace-hash.ts';
import type { StopManner, WorldObserver } from './world-observer.ts';

/** What a World is made of; everything random in it comes from `seed`. */
export interface WorldOptions {
  /** A whole number in [0, 2^53). */
  readonly seed: number;
  readonly network: NetworkConditions;
  readonly disk: DiskConditions;
  /** Each host's clock error is drawn evenly from ± these. */
  readonly clockError: ClockError;
}

/** A node to add. */
export interface NodePlan {
  readonly signer: Signer;
  readonly role: 'peer' | 'client';
  readonly isBehindNat?: boolean;
  /** Called each time that the node's process starts. */
  readonly makeOptions: PeerFactory;
}

/**
 * Many Peers on virtual time: one heap of events in a total order, a network, disks and clocks.
 * The Peers are those of the daemon; only what lies below the Overlay Link Service Boundary is
 * imitated. Nothing here reads a real clock, a file or a random number of the system.
 */
export class World {
  readonly nodes: SimNode[] = [];
  readonly network: SimNetwork;
  readonly trace = new TraceHash();
  readonly observers: WorldObserver[] = [];
  readonly seed: number;
  /** The true time, ms since the World began. */
  nowMs = 0;
  /** Changes under way that reach peers at different times: till then no ring can be ideal. */
  changesUnderWay = 0;
  /** Inputs handled by Peers so far. */
  eventCount = 0;
  private readonly options: WorldOptions;
  private readonly heap = new EventHeap();
  private readonly random: SimRandom;
  private readonly authenticators = new Map<SimNode, Authenticator>();
  private sequence = 0;
  private nextCommand = 1;
  private stopReason: string | undefined;

  constructor(options: WorldOptions) {
    this.options = options;
    this.seed = options.seed;
    this.random = new SimRandom(options.seed, 'world');
    this.network = new SimNetwork(this, this.random.stream('network'), options.network);
  }

  /** A stream of random numbers for one purpose. */
  stream(label: string): SimRandom {
    return this.random.stream(label);
  }

  addNode(plan: NodePlan): SimNode {
    const index = this.nodes.length;
    const random = this.random.stream(`node/${index}`);
    const { skewMs, driftPpm } = this.options.clockError;
    const clock = new SimClock({
      skewMs: Math.round(random.between(-skewMs, skewMs)),
      driftPpm: Math.round(random.between(-driftPpm, driftPpm)),
    });
    const disk = new SimDisk(this, random.stream('disk'), this.options.disk);
    const node = new SimNode({ ...plan, index, clock, disk, isBehindNat: !!plan.isBehindNat });
    this.nodes.push(node);
    return node;
  }

  /** Starts the node's process, with what its disk holds. */
  start(node: SimNode, knownPeers: readonly KnownPeer[]): void {
    if (node.state === 'up') return;
    node.incarnation++;
    node.state = 'up';
    node.startedMs = this.nowMs;
    node.wakeAtMs = undefined;
    const options = node.makeOptions(node);
    const records = [...node.disk.records].map(([key, value]) => ({ key, value }));
    const now = node.clock.now(this.nowMs);
    if (records.length > 0) options.store.restore(records, options.authenticator, now);
    this.authenticators.set(node, options.authenticator);
    node.peer = new Peer(options);
    for (const observer of this.observers) observer.started?.(node);
    this.handle(node, { type: 'start', knownPeers: [...node.rememberedPeers, ...knownPeers] });
  }

  /** Ends the node's process or host; `wiped`: what its disk held is gone as well. */
  stop(node: SimNode, how: StopManner, wiped = false): void {
    if (node.state === 'up') {
      if (how === 'host') this.network.forgetAll(node);
      else this.network.resetAll(node);
      node.peer = undefined;
      this.authenticators.delete(node);
      node.waiting.clear();
      node.incarnation++;
      node.disk.crash();
    }
    node.state = how === 'host' ? 'silent' : 'down';
    if (wiped) {
      node.disk.wipe();
      node.rememberedPeers = [];
      node.configuration = undefined;
    }
    for (const observer of this.observers) observer.stopped?.(node, how, wiped);
  }

  /** From now on it is no part of the overlay, whatever it thinks of itself. */
  revoke(node: SimNode): void {
    node.isRevoked = true;
    for (const observer of this.observers) observer.revoked?.(node);
  }

  /** Gives a command to a node's Peer; `done` is called once unless the node stops before. */
  command(node: SimNode, command: Command, done: (outcome: CommandOutcome) => void): void {
    if (!node.isUp) return;
    const id = this.nextCommand++;
    node.waiting.set(id, done);
    this.handle(node, { type: 'command', id, command });
  }

  authenticatorOf(node: SimNode): Authenticator {
    const found = this.authenticators.get(node);
    if (found === undefined) throw new Error(`${node.name} does not run`);
    return found;
  }

  /** Runs `run` after `delayMs` of virtual time. */
  schedule(delayMs: number, run: () => void): void {
    this.heap.push({ atMs: this.nowMs + Math.max(0, delayMs), sequence: this.sequence++, run });
  }

  scheduleAt(atMs: number, run: () => void): void {
    this.schedule(atMs - this.nowMs, run);
  }

  /** Ends `runUntil` after the present event. */
  halt(reason: string): void {
    this.stopReason ??= reason;
  }

  get haltReason(): string | undefined {
    return this.stopReason;
  }

  /** Runs all events up to and including `untilMs`; false when it was halted before. */
  runUntil(untilMs: number): boolean {
    for (;;) {
      if (this.stopReason !== undefined) return false;
      const first = this.heap.first();
      if (first === undefined || first.atMs > untilMs) break;
      this.heap.pop();
      this.nowMs = first.atMs;
      first.run();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    return true;
  }

  /** Runs until `done` holds, looked at every `everyMs`; returns whether it did in time. */
  runUntilDone(done: () => boolean, withinMs: number, everyMs = 1_000): boolean {
    const endMs = this.nowMs + withinMs;
    while (!done()) {
      if (this.nowMs >= endMs || !this.runUntil(Math.min(endMs, this.nowMs + everyMs))) {
        return done();
      }
    }
    return true;
  }

  /** Gives an input to a node's Peer, and carries out what it answers. */
  handle(node: SimNode, input: Input): void {
    const { peer, behavior } = node;
    if (peer === undefined || !node.isUp) return;
    const seen = behavior?.bendInput === undefined ? input : behavior.bendInput(input, node);
    if (seen === undefined) return;
    this.handleAt(node, peer, seen, node.clock.now(this.nowMs));
  }

  private handleAt(
    node: SimNode,
    peer: Peer,
    input: Input,
    now: { readonly monotonicMs: number; readonly unixMs: number },
  ): void {
    this.eventCount++;
    this.record(node, input);
    let outputs: Output[];
    try {
      outputs = peer.handle(input, now);
    } catch (error) {
      for (const observer of this.observers) observer.failed?.(node, input, error);
      this.halt(`${node.name} threw: ${error instanceof Error ? error.stack : String(error)}`);
      return;
    }
    for (const observer of this.observers) observer.handled?.(node, input, outputs);
    if (node.behavior?.bendOutputs !== undefined) {
      outputs = node.behavior.bendOutputs(outputs, node);
    }
    this.trace.add(outputs.length);
    for (const output of outputs) this.perform(node, output);
    this.planWake(node, peer);
  }

  private record(node: SimNode, input: Input): void {
    this.trace.add(this.nowMs);
    this.trace.add(node.index);
    this.trace.addText(input.type);
    if (input.type === 'linkData') this.trace.add(input.bytes.length);
  }

  private planWake(node: SimNode, peer: Peer): void {
    if (!node.isUp || node.peer !== peer) return;
    node.deadlineMs = peer.nextDeadline();
    this.scheduleWake(node, peer);
  }

  private scheduleWake(node: SimNode, peer: Peer): void {
    const { deadlineMs } = node;
    if (deadlineMs === undefined) return;
    const atMs = Math.max(this.nowMs, Math.ceil(node.clock.worldMs(deadlineMs) * 1024) / 1024);
    if (node.wakeAtMs !== undefined && node.wakeAtMs <= atMs) return;
    node.wakeAtMs = atMs;
    this.scheduleAt(atMs, () => this.wake(node, peer, atMs));
  }

  private wake(node: SimNode, peer: Peer, atMs: number): void {
    // Another process, or an earlier moment was planned since.
    if (node.peer !== peer || node.wakeAtMs !== atMs) return;
    node.wakeAtMs = undefined;
    const { deadlineMs } = node;
    if (deadlineMs === undefined) return;
    const now = node.clock.now(this.nowMs);
    // The deadline moved on.
    if (deadlineMs > now.monotonicMs + CLOCK_ROUNDING_MS) {
      this.scheduleWake(node, peer);
      return;
    }
    const monotonicMs = Math.max(now.monotonicMs, deadlineMs);
    this.handleAt(node, peer, { type: 'tick' }, { ...now, monotonicMs });
  }

  private perform(node: SimNode, output: Output): void {
    switch (output.type) {
      case 'connect':
        this.network.connect(node, output);
        return;
      case 'send':
        for (const observer of this.observers) observer.sent?.(node, output.bytes);
        this.network.send(node, output.link, output.bytes);
        return;
      case 'close':
        this.network.close(node, output.link, output.reason);
        return;
      case 'persist':
        this.persist(node, output);
        return;
      case 'completed': {
        const done = node.waiting.get(output.id);
        node.waiting.delete(output.id);
        done?.(output.outcome);
        return;
      }
      case 'rememberPeers':
        node.rememberedPeers = output.peers;
        return;
      case 'stopped':
        this.schedule(0, () => {
          if (node.isUp) this.stop(node, 'leave', node.leavesForGood);
        });
        return;
      case 'configurationAdopted':
        node.configuration = output.configuration;
        return;
      case 'event':
    }
  }

  private persist(node: SimNode, output: Extract<Output, { type: 'persist' }>): void {
    const { ticket, records } = output;
    const { incarnation } = node;
    node.disk.write(this.nowMs, records, (reason) => {
      if (node.incarnation !== incarnation) return;
      if (reason !== undefined) {
        this.handle(node, { type: 'persistFailed', ticket, reason });
        return;
      }
      for (const observer of this.observers) observer.persisted?.(node, records);
      this.handle(node, { type: 'persisted', ticket });
    });
  }
}

/** Below the resolution of the World's clock: a wake this early is the right one. */
const CLOCK_ROUNDING_MS = 1 / 512;
