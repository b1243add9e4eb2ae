import { expect, test } from 'vitest';
import type { ChordReload } from '../../src/reload/chord-reload.ts';
import type { LinkManager } from '../../src/reload/link-manager.ts';
import type { MessageTransport } from '../../src/reload/message-transport.ts';
import type { PeerEnvironment } from '../../src/reload/peer-environment.ts';
import { PEER_LIMITS } from '../../src/reload/peer-limits.ts';
import { Replication } from '../../src/reload/replication.ts';
import type { ResourceStore } from '../../src/storage/resource-store.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';

test('a thousand resources without a near owner are offered a few at a time, and all of them', () => {
  const now = { monotonicMs: 0, unixMs: 0 };
  const deadlines = { has: () => false };
  const configuration = { maxMessageSizeBytes: 65_536 };
  const nodeId = 'f'.repeat(32);
  const env = {
    now,
    deadlines,
    configuration,
    nodeId,
    limits: PEER_LIMITS,
    after: () => undefined,
  };
  const store = { exportParts: () => [{ kindData: [], certificates: [] }] };
  const chord = { isResponsible: () => false, tables: { peers: () => [] } };
  const offered: ResourceId[] = [];
  const transport = {
    request: ({ owner }: { owner: { resource: ResourceId } }) => offered.push(owner.resource),
  };
  const replication = new Replication(
    env as unknown as PeerEnvironment,
    store as unknown as ResourceStore,
    chord as unknown as ChordReload,
    {} as LinkManager,
    transport as unknown as MessageTransport,
    { handleNewerElsewhere: () => undefined, handleDrained: () => undefined },
  );
  for (let count = 0; count < 1_000; count++) {
    replication.noteMisplaced(count.toString(16).padStart(32, '0') as ResourceId);
  }
  // Two tries with the nearest peer come first, 5 s apart.
  for (const atMs of [0, 5_000, 10_000]) {
    now.monotonicMs = atMs;
    replication.retry();
  }
  expect(offered).toHaveLength(PEER_LIMITS.replicationsInFlightMax);
  let most = 0;
  for (let ended = 0; ended < 1_000; ended++) {
    most = Math.max(most, offered.length - ended);
    replication.handleOfferOutcome(offered[ended] as ResourceId, {
      type: 'timeout',
      hint: undefined,
    });
  }
  expect(most).toBe(PEER_LIMITS.replicationsInFlightMax);
  expect(new Set(offered).size).toBe(1_000);
});
