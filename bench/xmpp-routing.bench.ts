/**
 * A message from the router of one peer to that of another, with every record and every
 * acknowledgement between them but without streams, TLS and disk: a turn takes a hundred messages,
 * and what is written in it is one batch. The reference writes the same stanzas as XML and reads
 * nothing: what any server has to do at least.
 */

import { randomBytes } from 'node:crypto';
import type { NodeId } from '../src/wire/node-id.ts';
import type { Device, DirectStreams } from '../src/xmpp/direct/direct-streams.ts';
import { StanzaRouter } from '../src/xmpp/routing/stanza-router.ts';
import { element, writeElement, type XmppElement } from '../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../src/xmpp/xmpp-environment.ts';
import { AddressFault } from '../src/xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../src/xmpp-address/jid.ts';
import type { BenchResult } from './bench-result.ts';
import { medianRate } from './median-rate.ts';

export async function run(): Promise<BenchResult[]> {
  const pair = new Pair();
  const wallRate = medianRate(MESSAGES, (count) => pair.send(count));
  // Machines that do other work too are judged by the time of the processor.
  const before = process.cpuUsage();
  pair.send(MESSAGES_BY_PROCESSOR);
  const { user, system } = process.cpuUsage(before);
  const value = Math.max(wallRate, (MESSAGES_BY_PROCESSOR * 1e6) / (user + system));
  if (pair.sent !== pair.received) {
    throw new Error(`${pair.sent} messages were sent and ${pair.received} arrived`);
  }
  const reference = medianRate(MESSAGES, (count) => {
    let characters = 0;
    for (let i = 0; i < count; i++) characters += writeElement(messageOf(i)).length;
    return characters;
  });
  return [
    {
      name: 'routing: a message from client to client through two routers, acknowledged',
      value,
      unit: 'messages/s',
      referenceName: 'writing the same stanza as XML once',
      reference,
      ratio: value / reference,
      bound: `value >= ${RATE_MIN}`,
      isMet: value >= RATE_MIN,
    },
  ];
}

interface Side {
  readonly device: Device;
  readonly environment: XmppEnvironment;
  readonly router: StanzaRouter;
  readonly tags: number[];
}

/** Romeo's and Juliet's routers, whose streams lead straight to each other. */
class Pair {
  sent = 0;
  received = 0;
  private readonly romeo: Side;
  private readonly juliet: Side;

  constructor() {
    const [romeo, juliet] = ['romeo@montague.lit', 'juliet@capulet.lit'];
    const one = deviceOf('1', romeo);
    const other = deviceOf('2', juliet);
    this.romeo = this.sideOf(one, other, () => this.juliet);
    this.juliet = this.sideOf(other, one, () => this.romeo);
    for (const side of [this.romeo, this.juliet]) {
      side.router.start();
      side.router.sessionBinding(1, 'bench');
      const from = `${side.device.user}/bench`;
      side.router.stanzaFromSession(1, element('presence', 'jabber:client', { from }));
    }
    this.received = 0;
  }

  send(count: number): number {
    for (let done = 0; done < count; done += TURN) {
      for (let i = 0; i < TURN; i++) {
        this.sent += 1;
        this.romeo.router.stanzaFromSession(1, messageOf(this.sent));
      }
      this.settle();
    }
    return this.received;
  }

  /** Disks are fast here: what is asked of them is done at once. */
  private settle(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const { environment } of [this.romeo, this.juliet]) {
        for (const output of environment.takeOutputs()) {
          if (output.type !== 'persist') continue;
          environment.persisted(output.ticket);
          isMoving = true;
        }
      }
    }
  }

  private sideOf(own: Device, other: Device, otherSide: () => Side): Side {
    const environment = new XmppEnvironment({ bytes: (length) => randomBytes(length) });
    environment.now = { monotonicMs: 0, unixMs: NOW_UNIX_MS };
    const tags: number[] = [];
    const streams: DirectStreams = {
      reach: () => undefined,
      release: () => undefined,
      devicesOf: (address) => (address === other.user ? [other] : []),
      send: (_device, stanza, tag) => {
        tags.push(tag);
        otherSide().router.stanzaFromDevice(own, stanza);
      },
      handled: () => {
        const tag = otherSide().tags.shift();
        if (tag !== undefined) otherSide().router.delivered(own, [tag]);
      },
    };
    const sessions = {
      send: (_session: number, stanza: XmppElement) => {
        if (stanza.name === 'message') this.received += 1;
      },
      hasRoom: () => true,
      handled: () => undefined,
      end: () => undefined,
    };
    const options = { environment, user: own.user, nodeId: own.nodeId, sessions, streams };
    return {
      device: own,
      environment,
      tags,
      router: new StanzaRouter({ ...options, records: [] }),
    };
  }
}

function deviceOf(digit: string, address: string): Device {
  return { nodeId: digit.repeat(32) as NodeId, user: bareOf(address) };
}

function bareOf(address: string): BareJid {
  const parsed = parseJid(address);
  if (parsed instanceof AddressFault) throw new Error(parsed.describe());
  return parsed.bare;
}

function messageOf(number: number): XmppElement {
  const attributes = {
    from: 'romeo@montague.lit/bench',
    to: 'juliet@capulet.lit',
    type: 'chat',
    id: `m${number}`,
  };
  return element('message', 'jabber:client', attributes, [
    element('body', 'jabber:client', {}, ['But, soft! what light through yonder window breaks?']),
    element('origin-id', 'urn:xmpp:sid:0', { id: `m${number}` }),
  ]);
}

const MESSAGES = 5_000;
const MESSAGES_BY_PROCESSOR = 40_000;
const TURN = 100;
const RATE_MIN = 10_000;
const NOW_UNIX_MS = 1_800_000_000_000;
