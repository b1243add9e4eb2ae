import { beforeEach, describe, expect, it } from 'vitest';
import { CertificateRegister } from '../../src/ca/certificate-register.ts';
import { type Applicant, decideEnrollment, isOfDomain } from '../../src/ca/enrollment-decision.ts';
import type { CertificateIssued } from '../../src/ca/register-event.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import {
  accountAdded,
  authorityCertified,
  certificateIssued,
  randomNodeId,
} from './register-events.ts';

const JULIET = 'juliet@capulet.lit';
const ROMEO = 'romeo@montague.lit';
const NOW = 100_000;
let register: CertificateRegister;

beforeEach(() => {
  register = new CertificateRegister();
  register.apply(accountAdded(JULIET, 2));
  register.apply(accountAdded(ROMEO));
});

interface Wish {
  readonly names?: readonly string[];
  readonly key?: string;
  readonly count?: string;
  readonly fault?: string;
  readonly device?: Applicant['device'];
  readonly shownSerialNumber?: string;
  readonly profile?: 'xep-0416' | 'rfc6940';
  readonly unixMs?: number;
  readonly draw?: () => NodeId;
  readonly domain?: string;
}

function decide(wish: Wish = {}) {
  const { names = [], key = 'aa', count, fault, device, profile = 'xep-0416' } = wish;
  const signingRequest =
    fault === undefined
      ? { subjectPublicKeyInfo: new Uint8Array(), userNames: names, xmppAddrs: [] }
      : { detail: fault };
  return decideEnrollment(
    register,
    { profile, domain: wish.domain },
    { userName: JULIET, device, shownSerialNumber: wish.shownSerialNumber },
    { signingRequest, publicKeySha256: key, nodeIdCount: count },
    wish.draw ?? randomNodeId,
    wish.unixMs ?? NOW,
  );
}

function issue(given: Partial<CertificateIssued> = {}, user = JULIET): CertificateIssued {
  const event = certificateIssued(user, given);
  register.apply(event);
  return event;
}

describe('decideEnrollment', () => {
  it('eax-car: a new device gets a new random 128-bit Node-ID', () => {
    expect(decide()).toEqual({ type: 'issue', nodeIds: [expect.stringMatching(/^[0-9a-f]{32}$/)] });
  });

  it('a certificate that was revoked since it was shown renews nothing', () => {
    const { nodeIds, serialNumber } = issue({ publicKeySha256: 'aa' });
    const device = register.deviceOfNode(nodeIds[0] as NodeId);
    const renewal = { key: 'bb', device, shownSerialNumber: serialNumber };
    expect(decide(renewal)).toEqual({ type: 'issue', nodeIds });
    register.apply({ type: 'certificateRevoked', unixMs: 1, serialNumber, reason: 'superseded' });
    expect(decide(renewal)).toMatchObject({ type: 'refuse', token: 'failed_authentication' });
  });

  it('RFC 6940 §11.3 (307): a Node-ID that is taken, all zeros or all ones is drawn again', () => {
    const { nodeIds } = issue();
    const good = randomNodeId();
    const draws = [nodeIds[0], '0'.repeat(32), 'f'.repeat(32), good] as NodeId[];
    expect(decide({ draw: () => draws.shift() ?? good })).toEqual({
      type: 'issue',
      nodeIds: [good],
    });
  });

  it.each([
    ['bad_CSR', { fault: 'it is broken' }],
    ['username_not_available', { names: [ROMEO] }],
    ['username_not_available', { names: [JULIET, ROMEO] }],
    ['Node-IDs_not_available', { count: '2' }],
    ['Node-IDs_not_available', { count: '0' }],
    ['Node-IDs_not_available', { count: 'one' }],
    ['Node-IDs_not_available', { count: '5', profile: 'rfc6940' as const }],
  ])('RFC 6940 §11.3: answers %s to %o, and draws no Node-ID for it', (token, wish) => {
    const draw = () => expect.fail('a Node-ID was drawn');
    expect(decide({ ...wish, draw })).toMatchObject({ type: 'refuse', token });
  });

  it('XEP-0416 §4: the authority of a domain certifies users of that domain alone', () => {
    expect(decide({ domain: 'capulet.lit' })).toMatchObject({ type: 'issue' });
    const draw = () => expect.fail('a Node-ID was drawn');
    for (const domain of ['montague.lit', 'lit', 'a.capulet.lit']) {
      expect(decide({ domain, draw })).toEqual({
        type: 'refuse',
        token: 'username_not_available',
        detail: `this is the authority of ${domain} alone`,
      });
    }
  });

  it('XEP-0416 §4: domains are compared as A-labels', () => {
    expect(isOfDomain('a@münchen.example', 'xn--mnchen-3ya.example')).toBe(true);
    expect(isOfDomain('a@munchen.example', 'xn--mnchen-3ya.example')).toBe(false);
  });

  it('RFC 6940 §11.3 (301): gives as many Node-IDs as nodeids asks for', () => {
    const decision = decide({ count: '3', profile: 'rfc6940' });
    expect(decision).toMatchObject({ type: 'issue', nodeIds: { length: 3 } });
  });

  it('RFC 6940 §11.3: the same key gets the same Node-IDs when its certificate grows old', () => {
    const { nodeIds } = issue({ publicKeySha256: 'aa', notAfterUnixMs: NOW + 1 });
    expect(decide()).toEqual({ type: 'issue', nodeIds });
    expect(decide({ unixMs: NOW + 2 })).toEqual({ type: 'issue', nodeIds });
  });

  it('answers with the same certificate again while it is young: nothing is used up', () => {
    const issued = issue({ publicKeySha256: 'aa', notAfterUnixMs: 3 * NOW });
    expect(decide()).toMatchObject({ type: 'repeat', certificate: issued });
  });

  it('a device keeps its Node-ID with a new key, when it shows its certificate', () => {
    const { nodeIds } = issue();
    const [device] = register.devicesOf(JULIET as never);
    expect(decide({ device, key: 'bb' })).toEqual({ type: 'issue', nodeIds });
  });

  it('refuses a key that is certified for another account or another device', () => {
    issue({ publicKeySha256: 'aa' }, ROMEO);
    expect(decide()).toMatchObject({ token: 'bad_CSR' });
    issue({ publicKeySha256: 'bb' });
    const other = issue({ publicKeySha256: 'cc' });
    const device = register.deviceOfNode(other.nodeIds[0] as NodeId);
    expect(decide({ device, key: 'bb' })).toMatchObject({ token: 'bad_CSR' });
  });

  it('certifies no key of an authority below this one', () => {
    register.apply(authorityCertified('below', { publicKeySha256: 'aa' }));
    expect(decide({ key: 'aa' })).toMatchObject({ token: 'bad_CSR' });
    expect(decide({ key: 'bb' })).toMatchObject({ type: 'issue' });
  });

  it('never certifies the key of a revoked certificate again', () => {
    const { serialNumber } = issue({ publicKeySha256: 'aa' });
    register.apply({
      type: 'certificateRevoked',
      unixMs: 1,
      serialNumber,
      reason: 'cessationOfOperation',
    });
    expect(decide()).toMatchObject({ token: 'bad_CSR' });
  });

  it('eax-car: no device beyond the limit, until one has expired or is revoked', () => {
    const first = issue();
    issue({ notAfterUnixMs: NOW + 10 });
    expect(decide()).toMatchObject({ token: 'Node-IDs_not_available' });
    expect(decide({ unixMs: NOW + 11 })).toMatchObject({ type: 'issue' });
    const { serialNumber } = first;
    register.apply({ type: 'certificateRevoked', unixMs: 1, serialNumber, reason: 'superseded' });
    expect(decide()).toMatchObject({ type: 'issue' });
  });

  it('eax-car: Sybil resistance also in time: 64 certificates of an account in a day', () => {
    const { nodeIds } = issue({ unixMs: NOW - 1_000 });
    for (let count = 1; count < 64; count++) issue({ nodeIds, unixMs: NOW });
    const [device] = register.devicesOf(JULIET as never);
    expect(decide({ device })).toEqual({ type: 'later', retryAfterSeconds: 86_399 });
    expect(decide({ device, unixMs: NOW - 1_000 + 86_400_000 })).toMatchObject({ type: 'issue' });
  });

  it('refuses a device whose account is gone', () => {
    issue();
    const [device] = register.devicesOf(JULIET as never);
    register.apply({ type: 'accountRemoved', unixMs: 1, userName: JULIET as never });
    expect(decide({ device, key: 'bb' })).toMatchObject({ type: 'refuse' });
  });
});
