import { expect, it } from 'vitest';
import { nodeDestination } from '../../src/wire/destination.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

const XMPP = 5222;

function address(last: number, port: number, first = 10): IpAddressPort {
  return { type: 'ipv4', address: Uint8Array.of(first, 0, 0, last), port };
}

it('RFC 6940 §6.5.2: AppAttach carries where the application waits, not the links', () => {
  const overlay = new VirtualOverlay();
  const asking = overlay.join('2', { applications: new Map([[XMPP, [address(1, 7000)]]]) });
  const asked = overlay.join('8', { applications: new Map([[XMPP, [address(2, 7001)]]]) });
  const { candidates } = overlay.result(
    asking,
    { type: 'appAttach', nodeId: asked.nodeId, application: XMPP },
    'appAttached',
  );
  expect(candidates.map((candidate) => candidate.address)).toEqual([address(2, 7001)]);
  expect(asked.events).toContainEqual({
    type: 'appAttachRequested',
    nodeId: asking.nodeId,
    application: XMPP,
    addresses: [address(1, 7000)],
  });
});

it('nobody makes a peer connect to its own host by AppAttach: loopback addresses are dropped', () => {
  const overlay = new VirtualOverlay();
  const waiting = [address(1, 22, 127), address(1, 7000)];
  const asking = overlay.join('2', { applications: new Map([[XMPP, waiting]]) });
  const asked = overlay.join('8', { applications: new Map([[XMPP, [address(2, 7001)]]]) });
  const command = { type: 'appAttach', nodeId: asked.nodeId, application: XMPP } as const;
  overlay.result(asking, command, 'appAttached');
  const requested = asked.events.filter(({ type }) => type === 'appAttachRequested');
  expect(requested).toMatchObject([{ addresses: [address(1, 7000)] }]);
});

it('AppAttach takes the way that a location names, and that ends at the node or is refused', () => {
  const overlay = new VirtualOverlay();
  const asking = overlay.join('2');
  const between = overlay.join('8');
  const asked = overlay.join('c', { applications: new Map([[XMPP, [address(3, 7001)]]]) });
  const way = [between.nodeId, asked.nodeId].map(nodeDestination);
  const command = { type: 'appAttach', nodeId: asked.nodeId, application: XMPP } as const;
  const attached = overlay.result(asking, { ...command, destinationList: way }, 'appAttached');
  expect(attached.node.nodeId).toBe(asked.nodeId);
  const wrong = overlay.run(asking, { ...command, destinationList: way.slice(0, 1) });
  expect(wrong).toMatchObject({ ok: false, failure: { code: 'bad-request' } });
});

it('XEP-0415 §4.1: an address location is stored in place of the route, and is found', () => {
  const overlay = new VirtualOverlay();
  overlay.join('2', { jid: 'romeo@montague.lit' });
  const juliet = overlay.join('8', {
    jid: 'juliet@capulet.lit',
    forwardTo: 'romeo@montague.lit',
  });
  const asking = overlay.join('c');
  const { locations } = overlay.result(
    asking,
    { type: 'locate', userName: 'juliet@capulet.lit' },
    'locations',
  );
  expect(locations.map(({ nodeId, location }) => ({ nodeId, location }))).toEqual([
    {
      nodeId: juliet.nodeId satisfies NodeId,
      location: { type: 'address', address: 'romeo@montague.lit' },
    },
  ]);
});

it('XEP-0415 §6.1: the own location has the priority that the user chose', () => {
  const overlay = new VirtualOverlay();
  overlay.join('2', { jid: 'romeo@montague.lit' });
  overlay.join('8', { jid: 'juliet@capulet.lit', locationPriority: 7 });
  const command = { type: 'locate', userName: 'juliet@capulet.lit' } as const;
  const { locations } = overlay.result(overlay.join('c'), command, 'locations');
  expect(locations.map(({ location }) => location)).toMatchObject([{ type: 'route', priority: 7 }]);
});
