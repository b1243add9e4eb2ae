import { beforeAll, describe, expect, test } from 'vitest';
import { AccessPolicy } from '../../src/overlay-config/kind-definition.ts';
import { authorizationFault } from '../../src/storage/access-policy.ts';
import { nodeMultipleResourceId, resourceIdOf } from '../../src/storage/resource-name.ts';
import type { VerifiedSigner } from '../../src/tls-auth/verified-signer.ts';
import { nodeIdBytes } from '../../src/wire/node-id.ts';
import { TestAuthority, testNodeId } from './signer-fixture.ts';
import { kind } from './store-fixture.ts';

const userName = 'juliet@example.org';
const nodeId = testNodeId('1a');
const otherNodeId = testNodeId('2b');
const userResource = resourceIdOf(userName);
const nodeResource = resourceIdOf(nodeIdBytes(nodeId));
const nodeKey = nodeIdBytes(nodeId);

let signer: VerifiedSigner;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  signer = (await authority.node({ userName, nodeId })).verified;
});

/** The same certificate, but the SignerIdentity designates another of its Node-IDs. */
function designating(other: VerifiedSigner['nodeId']): VerifiedSigner {
  return { ...signer, nodeId: other };
}

describe('USER-MATCH', () => {
  const userMatch = kind(1, 'single', AccessPolicy.userMatch);

  test('RFC 6940 §7.3.1 (160): the user name hashes to the Resource-ID', () => {
    expect(authorizationFault(userMatch, userResource, signer, undefined)).toBeUndefined();
  });

  test('RFC 6940 §7.3.1 (160): another Resource-ID is refused, the own Node-ID’s too', () => {
    const other = resourceIdOf('romeo@example.org');
    expect(authorizationFault(userMatch, other, signer, undefined)).toContain('USER-MATCH');
    expect(authorizationFault(userMatch, nodeResource, signer, undefined)).toContain('USER-MATCH');
  });

  test('user names are compared as octets: case matters', () => {
    const upper = resourceIdOf('Juliet@example.org');
    expect(authorizationFault(userMatch, upper, signer, undefined)).toContain('USER-MATCH');
  });
});

describe('NODE-MATCH', () => {
  const nodeMatch = kind(1, 'array', AccessPolicy.nodeMatch);

  test('RFC 6940 §7.3.2 (161): the Node-ID hashes to the Resource-ID', () => {
    expect(authorizationFault(nodeMatch, nodeResource, signer, undefined)).toBeUndefined();
    expect(authorizationFault(nodeMatch, userResource, signer, undefined)).toContain('NODE-MATCH');
  });

  test('RFC 6940 §7.3.2 (161): it is the Node-ID that the SignerIdentity designates', () => {
    const fault = authorizationFault(nodeMatch, nodeResource, designating(otherNodeId), undefined);
    expect(fault).toContain('NODE-MATCH');
  });
});

describe('USER-NODE-MATCH', () => {
  const userNodeMatch = kind(1, 'dictionary', AccessPolicy.userNodeMatch);

  test('RFC 6940 §7.3.3 (162): the user name hashes to the Resource-ID', () => {
    expect(authorizationFault(userNodeMatch, userResource, signer, nodeKey)).toBeUndefined();
    expect(authorizationFault(userNodeMatch, nodeResource, signer, nodeKey)).toContain('hashes to');
  });

  test('RFC 6940 §7.3.3 (163): the dictionary key is the Node-ID', () => {
    const otherKey = nodeIdBytes(otherNodeId);
    expect(authorizationFault(userNodeMatch, userResource, signer, otherKey)).toContain('key');
    const longer = new Uint8Array([...nodeKey, 0]);
    expect(authorizationFault(userNodeMatch, userResource, signer, longer)).toContain('key');
  });

  test('RFC 6940 §7.3.3 (164): it is the Node-ID that the SignerIdentity designates', () => {
    const other = designating(otherNodeId);
    expect(authorizationFault(userNodeMatch, userResource, other, nodeKey)).toContain('key');
    const otherKey = nodeIdBytes(otherNodeId);
    expect(authorizationFault(userNodeMatch, userResource, other, otherKey)).toBeUndefined();
  });

  test('RFC 6940 §7.3.3: it is for dictionaries alone', () => {
    const onSingle = kind(1, 'single', AccessPolicy.userNodeMatch);
    expect(authorizationFault(onSingle, userResource, signer, undefined)).toContain('only');
  });
});

describe('NODE-MULTIPLE', () => {
  const nodeMultiple = kind(1, 'single', AccessPolicy.nodeMultiple, { maxNodeMultiple: 3 });

  test('RFC 6940 §7.3.4 (165, 167): some i from 1 to the maximum gives the Resource-ID', () => {
    for (const i of [1, 2, 3]) {
      const resource = nodeMultipleResourceId(nodeId, i);
      expect(authorizationFault(nodeMultiple, resource, signer, undefined)).toBeUndefined();
    }
  });

  test('RFC 6940 §7.3.4 (165): i = 0 and i above the maximum are refused', () => {
    for (const i of [0, 4]) {
      const resource = nodeMultipleResourceId(nodeId, i);
      expect(authorizationFault(nodeMultiple, resource, signer, undefined)).toContain('no i');
    }
  });

  test('RFC 6940 §7.3.4 (165): it is the Node-ID that the SignerIdentity designates', () => {
    const resource = nodeMultipleResourceId(nodeId, 1);
    const fault = authorizationFault(nodeMultiple, resource, designating(otherNodeId), undefined);
    expect(fault).toContain('no i');
  });

  test('RFC 6940 §7.3.4 (166): a Kind without a maximum of i takes nothing', () => {
    const unbounded = kind(1, 'single', AccessPolicy.nodeMultiple);
    const resource = nodeMultipleResourceId(nodeId, 1);
    expect(authorizationFault(unbounded, resource, signer, undefined)).toContain('maximum');
  });
});

test('RFC 6940 §7.3 (157): every policy refuses a signer that has nothing to do with the place', () => {
  const nowhere = resourceIdOf('nowhere');
  for (const policy of Object.values(AccessPolicy)) {
    const definition = kind(1, 'dictionary', policy, { maxNodeMultiple: 20 });
    expect(authorizationFault(definition, nowhere, signer, nodeKey)).toBeDefined();
  }
});
