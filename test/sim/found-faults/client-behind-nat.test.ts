import { expect, test } from 'vitest';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { XmppLocation } from '../../../src/wire/xmpp-location.ts';
import { SmallWorld } from '../small-world.ts';

/** The route that a lookup of the node's user name finds. */
function located(small: SmallWorld, asker: SimNode, node: SimNode): XmppLocation | undefined {
  const outcome = small.command(asker, { type: 'locate', userName: node.userName });
  if (!outcome.ok || outcome.result.type !== 'locations') return undefined;
  return outcome.result.locations[0]?.location;
}

/**
 * Found with `network.natShare` above 0: a client that nobody can connect to never joined, because
 * its Admitting Peer, which the Attach asks to connect (RFC 6940 §6.5.1), cannot.
 */
test('a client behind a NAT stays with its bootstrap peer, and is found through it', () => {
  const small = new SmallWorld();
  const peers = small.grow(8);
  const client = small.add('client', { isBehindNat: true });
  small.start(client);
  small.until(() => client.peer?.status().ownRecordsComplete === true);
  const asker = small.ring()[0] as SimNode;
  const accessPoint = peers.find(({ nodeId }) =>
    client.peer?.status().links.some((link) => link.nodeId === nodeId),
  ) as SimNode;
  const route = located(small, asker, client);
  expect(route).toMatchObject({
    destinationList: [{ nodeId: accessPoint.nodeId }, { nodeId: client.nodeId }],
  });
  const through = accessPoint.nodeId;
  expect(small.command(asker, { type: 'ping', nodeId: client.nodeId, through }).ok).toBe(true);
  const lookup = { type: 'lookupByNodeId', nodeId: asker.nodeId } as const;
  expect(small.command(client, lookup).ok).toBe(true);
  small.run(300);
  expect(client.isJoined).toBe(true);

  small.world.stop(accessPoint, 'process');
  small.run(60);
  expect(client.isJoined).toBe(true);
  const other = located(small, small.ring()[1] as SimNode, client);
  expect(other).not.toMatchObject({ destinationList: [{ nodeId: accessPoint.nodeId }, {}] });
  expect(other).toMatchObject({ destinationList: [{}, { nodeId: client.nodeId }] });
});

test('a client that can be reached is attached to the peer that answers for its Node-ID', () => {
  const small = new SmallWorld();
  small.grow(8);
  const client = small.add('client');
  small.start(client);
  small.until(() => client.peer?.status().ownRecordsComplete === true);
  const asker = small.ring()[0] as SimNode;
  expect(located(small, asker, client)).toMatchObject({
    destinationList: [{ nodeId: client.nodeId }],
  });
  expect(small.command(asker, { type: 'ping', nodeId: client.nodeId }).ok).toBe(true);
});
