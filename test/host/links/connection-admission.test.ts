import { describe, expect, test } from 'vitest';
import { ConnectionAdmission } from '../../../src/host/links/connection-admission.ts';
import { defaultLinkLimits } from '../../../src/host/links/link-limits.ts';

class FakeConnection {
  destroyed = false;
  readonly remoteAddress: string;

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

function admissionWith(limits: Partial<typeof defaultLinkLimits>) {
  const evicted: FakeConnection[] = [];
  const admission = new ConnectionAdmission<FakeConnection>(
    { ...defaultLinkLimits, ...limits },
    (connection) => evicted.push(connection),
  );
  return { admission, evicted };
}

describe('ConnectionAdmission', () => {
  test('the oldest handshake makes room for a new one', () => {
    const { admission, evicted } = admissionWith({ handshakesMax: 2 });
    const connections = ['a', 'b', 'c'].map((address) => new FakeConnection(address));
    for (const connection of connections) expect(admission.admit(connection)).toBeUndefined();
    expect(evicted).toEqual([connections[0]]);
    expect(connections[0]?.destroyed).toBe(true);
    expect(admission.handshakeCount).toBe(2);
  });

  test('one address cannot take the handshakes of others', () => {
    const { admission } = admissionWith({ handshakesPerAddressMax: 2 });
    expect(admission.admit(new FakeConnection('flooder'))).toBeUndefined();
    expect(admission.admit(new FakeConnection('flooder'))).toBeUndefined();
    expect(admission.admit(new FakeConnection('flooder'))).toBe('handshakesPerAddressMax');
    expect(admission.admit(new FakeConnection('honest'))).toBeUndefined();
  });

  test('a finished handshake counts as a connection only', () => {
    const { admission } = admissionWith({ handshakesPerAddressMax: 1 });
    const first = new FakeConnection('a');
    admission.admit(first);
    admission.handshakeOver(first);
    expect(admission.handshakeCount).toBe(0);
    expect(admission.connectionCount).toBe(1);
    expect(admission.admit(new FakeConnection('a'))).toBeUndefined();
  });

  test('connections are bounded, altogether and per address, until they close', () => {
    const { admission } = admissionWith({ connectionsMax: 3, connectionsPerAddressMax: 2 });
    const first = new FakeConnection('a');
    admission.admit(first);
    admission.admit(new FakeConnection('a'));
    expect(admission.admit(new FakeConnection('a'))).toBe('connectionsPerAddressMax');
    admission.admit(new FakeConnection('b'));
    expect(admission.admit(new FakeConnection('c'))).toBe('connectionsMax');
    admission.closed(first);
    admission.closed(first);
    expect(admission.connectionCount).toBe(2);
    expect(admission.admit(new FakeConnection('c'))).toBeUndefined();
  });
});
