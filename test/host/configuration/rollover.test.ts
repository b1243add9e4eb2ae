import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PeerHost } from '../../../src/host/join-overlay.ts';
import type { ConfigurationChange } from '../../../src/overlay-config/configuration-edit.ts';
import { resourceIdOf } from '../../../src/storage/resource-name.ts';
import { RollingOverlay, until } from './rolling-overlay.ts';

const OF_FIRST = 4;
const OF_SECOND = 2;
const PRIVATE_KIND = 0xf000_0001;

let overlay: RollingOverlay;
let staying: PeerHost[] = [];
let leaving: PeerHost[] = [];

beforeAll(async () => {
  overlay = await RollingOverlay.open();
  for (let number = 0; number < OF_FIRST; number++) await overlay.join(overlay.first);
  for (let number = 0; number < OF_SECOND; number++) await overlay.join(overlay.second);
  staying = overlay.peers.slice(0, OF_FIRST);
  leaving = overlay.peers.slice(OF_FIRST);
  const isStored = () => overlay.peers.every((peer) => peer.status().ownRecordsComplete);
  await until('all records are stored', isStored);
}, 180_000);

afterAll(() => overlay?.close());

const sequenceOf = (peer: PeerHost) => peer.status().configurationSequence;

/** Publishes at the first authority; one peer asks it, the others hear of it in the overlay. */
async function rollOver(changes: readonly ConfigurationChange[], asking: PeerHost) {
  const sequence = await overlay.publish(changes);
  expect(await asking.configurationWatch.refresh()).toBe(sequence);
  await until(`all have sequence ${sequence}`, () =>
    staying.every((peer) => sequenceOf(peer) === sequence),
  );
  return sequence;
}

/** Lookups between all peers that stay, by Node-ID and by user name, again and again. */
class Lookups {
  done = 0;
  readonly failed: string[] = [];
  private isOver = false;
  private readonly running: Promise<void>[];

  constructor(peers: readonly PeerHost[]) {
    this.running = peers.map((peer) => this.ask(peer, peers));
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  /** Waits until each peer has been asking for a while. */
  async more(count: number): Promise<void> {
    const wanted = this.done + count;
    await until(`${count} more lookups`, () => this.done >= wanted);
  }

  private async ask(peer: PeerHost, peers: readonly PeerHost[]): Promise<void> {
    while (!this.isOver && this.failed.length === 0) {
      for (const { nodeId, userName } of peers) {
        for (const target of [{ nodeId }, { userName }]) {
          try {
            const nodes = await peer.lookupCertificates(target);
            if (!nodes.some((node) => node.nodeId === nodeId)) throw new Error('another node');
          } catch (error) {
            this.failed.push(`${peer.nodeId} -> ${nodeId}: ${String(error)}`);
          }
          this.done += 1;
          // A lookup that a peer answers itself, or refuses, takes no time at all.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
  }
}

function isDropped(by: PeerHost, gone: PeerHost): boolean {
  const { links, predecessors, successors, fingers } = by.status();
  const known = [...links.map(({ nodeId }) => nodeId), ...predecessors, ...successors, ...fingers];
  const isServed = by.values().some(({ signerNodeId }) => signerNodeId === gone.nodeId);
  return !known.includes(gone.nodeId) && !isServed;
}

describe('eax-car: two root authorities with one configuration', () => {
  test('peers enroll at either and authenticate each other', async () => {
    for (const peer of overlay.peers) {
      expect(peer.overlayConfiguration.rootCertificates).toHaveLength(2);
      for (const { nodeId } of overlay.peers) {
        const found = await peer.lookupCertificates({ nodeId });
        expect(found.map((node) => node.nodeId)).toEqual([nodeId]);
      }
    }
  });
});

describe('the configuration rolls over three sequences while lookups go on', () => {
  test('no lookup between those that stay fails, and those of the removed root are dropped', async () => {
    const lookups = new Lookups(staying);
    const [first, second, third] = staying as [PeerHost, PeerHost, PeerHost];
    await lookups.more(30);
    const sequence = sequenceOf(first);
    const set = (value: string) => ({ type: 'set', parameter: 'initial-ttl', value }) as const;
    await rollOver([set('50')], second);
    await until('the others have it too', () =>
      leaving.every((peer) => sequenceOf(peer) === sequence + 1),
    );
    await lookups.more(30);
    const root = createHash('sha256')
      .update(await overlay.secondRoot())
      .digest('hex');
    await rollOver([{ type: 'removeRoot', sha256: root }], third);
    await until('those of the removed root are dropped', () =>
      staying.every((peer) => leaving.every((gone) => isDropped(peer, gone))),
    );
    await lookups.more(30);
    await rollOver([set('60')], first);
    await lookups.more(60);
    await lookups.stop();
    expect(lookups.failed).toEqual([]);
    expect(staying.map(sequenceOf)).toEqual(staying.map(() => sequence + 3));
    for (const { nodeId } of leaving) {
      await expect(first.lookupCertificates({ nodeId })).rejects.toThrow();
    }
    expect(leaving.map(sequenceOf)).toEqual(leaving.map(() => sequence + 1));
  }, 180_000);

  test('a peer of the removed root leaves and says why once its server tells it', async () => {
    await overlay.share();
    const [gone] = leaving as [PeerHost];
    const reason = new Promise<string>((resolve) => gone.once('stopped', resolve));
    await gone.configurationWatch.refresh();
    expect(await reason).toMatch(/own certificate no longer counts in this overlay; enroll anew/);
  }, 60_000);
});

describe('RFC 6940 §11.1 in running peers', () => {
  test('a Kind is there at once, changed at once and gone at once', async () => {
    const [first, second] = staying as [PeerHost, PeerHost];
    const store = (bytes: number) => {
      const value = new Uint8Array(bytes);
      const place = { model: 'single' } as const;
      const values = [{ kind: PRIVATE_KIND, place, value, lifetimeSeconds: 600 }];
      return second.store(resourceIdOf(second.userName), values);
    };
    const kindOf = async (maxSizeBytes: number) => {
      const kind = {
        kindId: PRIVATE_KIND,
        dataModel: 'single',
        accessPolicy: 'USER-MATCH',
        maxCount: 1,
        maxSizeBytes,
        findAllowed: true,
      } as const;
      const block = Buffer.from(await overlay.first.signKind(kind));
      return [{ type: 'setKind', kindId: PRIVATE_KIND, block }] as const;
    };
    await expect(store(8)).rejects.toThrow();
    await rollOver(await kindOf(10), first);
    await store(8);
    await expect(store(11)).rejects.toThrow();
    await rollOver(await kindOf(20), second);
    await store(11);
    await rollOver([{ type: 'removeKind', kindId: PRIVATE_KIND }], first);
    await expect(store(8)).rejects.toThrow();
    const kinds = staying.flatMap((peer) => peer.values().map(({ kind }) => kind));
    expect(kinds).not.toContain(PRIVATE_KIND);
  }, 60_000);

  test('a forged or an older document is refused, also when the server itself offers it', async () => {
    const [first] = staying as [PeerHost];
    const older = await overlay.document();
    const ttl = { type: 'set', parameter: 'initial-ttl', value: '65' } as const;
    const sequence = await rollOver([ttl], first);
    const current = await overlay.document();
    const root = { type: 'addRoot', certificate: await overlay.secondRoot() } as const;
    await overlay.first.publishConfiguration(await overlay.forged([root]), true);
    await expect(first.configurationWatch.refresh()).rejects.toThrow(/refused \(signature\)/);
    await overlay.first.publishConfiguration(older, true);
    await expect(first.configurationWatch.refresh()).rejects.toThrow(/refused \(not-newer\)/);
    const report = first.configurationWatch.report(first.overlayConfiguration);
    expect(report).toMatchObject({ sequence, server: { refused: 2 } });
    expect(report.server?.refusal?.reason).toMatch(/the one held, of sequence \d+, stays/);
    await overlay.first.publishConfiguration(current, true);
    expect(await first.configurationWatch.refresh()).toBe(sequence);
    expect(first.configurationWatch.report(first.overlayConfiguration).server?.refusal).toBe(
      undefined,
    );
    expect(staying.map(sequenceOf)).toEqual(staying.map(() => sequence));
  }, 60_000);

  test('a bad-node is dropped by all at once', async () => {
    const [first, , , bad] = staying as [PeerHost, PeerHost, PeerHost, PeerHost];
    staying = staying.filter((peer) => peer !== bad);
    await rollOver([{ type: 'add', list: 'bad-node', value: bad.nodeId }], first);
    await until('the bad-node is dropped', () => staying.every((peer) => isDropped(peer, bad)));
    await expect(first.lookupCertificates({ nodeId: bad.nodeId })).rejects.toThrow();
    for (const peer of staying) {
      for (const { nodeId } of staying)
        expect(await peer.lookupCertificates({ nodeId })).toHaveLength(1);
    }
  }, 60_000);

  test('a restarted peer has the newest, and takes no older file for it', async () => {
    const [, second] = staying as [PeerHost, PeerHost];
    const number = overlay.peers.indexOf(second);
    const sequence = sequenceOf(second);
    const file = join(overlay.stateOf(number), 'configuration.json');
    const old = await readFile(file);
    await rollOver([{ type: 'set', parameter: 'initial-ttl', value: '70' }], second);
    await second.leave();
    const again = await overlay.start(number, overlay.first);
    expect(again.overlayConfiguration.sequence).toBe(sequence + 1);
    await again.leave();
    await writeFile(file, old);
    await expect(overlay.start(number, overlay.first)).rejects.toThrow(
      /was in force here before, and what is there now has the older sequence/,
    );
  }, 120_000);
});
