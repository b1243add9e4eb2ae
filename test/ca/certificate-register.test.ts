import { describe, expect, it } from 'vitest';
import { CertificateRegister } from '../../src/ca/certificate-register.ts';
import { readRegisterEvent } from '../../src/ca/register-event.ts';
import { accountAdded, authorityCertified, certificateIssued } from './register-events.ts';

const ROMEO = 'romeo@montague.lit';
const JULIET = 'juliet@capulet.lit';

describe('CertificateRegister', () => {
  it('knows a device by its Node-ID and by each key that it had', () => {
    const register = new CertificateRegister();
    const first = certificateIssued(JULIET);
    const second = certificateIssued(JULIET, { nodeIds: first.nodeIds });
    register.apply(first);
    register.apply(second);
    const device = register.deviceOfKey(first.publicKeySha256);
    expect(device?.serialNumbers).toEqual([first.serialNumber, second.serialNumber]);
    expect(register.deviceOfKey(second.publicKeySha256)).toBe(device);
    expect(register.deviceOfNode(first.nodeIds[0] as never)).toBe(device);
  });

  it('refuses what contradicts it, and stays as it was', () => {
    const register = new CertificateRegister();
    const first = certificateIssued(JULIET, {});
    register.apply(first);
    const contradictions = [
      first,
      certificateIssued(ROMEO, { nodeIds: first.nodeIds }),
      certificateIssued(JULIET, { publicKeySha256: first.publicKeySha256 }),
      certificateIssued(JULIET, { nodeIds: [...first.nodeIds, ...certificateIssued('').nodeIds] }),
    ];
    for (const event of contradictions) {
      expect(register.faultOf(event)).toEqual(expect.any(String));
      expect(() => register.apply(event)).toThrow(RangeError);
    }
    const unknown = { type: 'certificateRevoked', unixMs: 1, serialNumber: '40' } as const;
    expect(() => register.apply({ ...unknown, reason: 'unspecified' })).toThrow('never issued');
    expect(register.certificateCount).toBe(1);
  });

  it('keeps the first reason of a certificate that is revoked twice', () => {
    const register = new CertificateRegister();
    const issued = certificateIssued(JULIET);
    register.apply(issued);
    const { serialNumber } = issued;
    const revoked = { type: 'certificateRevoked', serialNumber } as const;
    register.apply({ ...revoked, unixMs: 5, reason: 'keyCompromise' });
    register.apply({ ...revoked, unixMs: 9, reason: 'superseded' });
    expect([...register.revoked()].map(({ revocation }) => revocation)).toEqual([
      { unixMs: 5, reason: 'keyCompromise' },
    ]);
  });

  it('counts the devices that hold a certificate in force', () => {
    const register = new CertificateRegister();
    const [expired, revoked, valid] = [
      certificateIssued(JULIET, { notAfterUnixMs: 10 }),
      certificateIssued(JULIET),
      certificateIssued(JULIET),
    ];
    for (const event of [expired, revoked, valid]) register.apply(event);
    const { serialNumber } = revoked;
    register.apply({ type: 'certificateRevoked', unixMs: 1, serialNumber, reason: 'unspecified' });
    expect(register.activeDevicesOf(valid.userName, 11).map(({ nodeIds }) => nodeIds)).toEqual([
      valid.nodeIds,
    ]);
  });

  it('forgets an account that was removed, and keeps its certificates', () => {
    const register = new CertificateRegister();
    const { userName } = accountAdded(JULIET);
    register.apply(accountAdded(JULIET));
    register.apply(certificateIssued(JULIET));
    register.apply({ type: 'accountRemoved', unixMs: 1, userName });
    expect(register.account(JULIET)).toBeUndefined();
    expect(register.devicesOf(userName)).toHaveLength(1);
  });
});

describe('readRegisterEvent', () => {
  it('reads each event from its JSON', () => {
    const events = [
      accountAdded(JULIET),
      { ...accountAdded(JULIET), type: 'accountChanged' },
      { type: 'accountRemoved', unixMs: 1, userName: JULIET },
      certificateIssued(JULIET),
      { type: 'certificateRevoked', unixMs: 1, serialNumber: '4001', reason: 'superseded' },
      { type: 'revocationListIssued', unixMs: 1, number: 3 },
    ];
    for (const event of events) {
      expect(readRegisterEvent(JSON.parse(JSON.stringify(event)))).toEqual(event);
    }
  });

  it.each([
    ['no object', 7, 'expected a JSON object'],
    ['an unknown type', { type: 'toString' }, 'unknown event type'],
    ['a missing field', { type: 'accountRemoved', unixMs: 1 }, '"userName" is not valid'],
    ['a missing time', { type: 'accountRemoved', userName: JULIET }, '"unixMs" is not valid'],
    ['no Node-ID', { ...certificateIssued(JULIET), nodeIds: [] }, '"nodeIds" is not valid'],
    [
      'an unknown reason',
      { type: 'certificateRevoked', unixMs: 1, serialNumber: '40', reason: 'mood' },
      '"reason" is not valid',
    ],
  ])('refuses %s', (_what, value, fault) => {
    expect(readRegisterEvent(value)).toEqual(expect.stringContaining(fault));
  });
});

describe('authorities below this one', () => {
  it('are known by their serial numbers, counted, and revoked like nodes', () => {
    const register = new CertificateRegister();
    const below = authorityCertified('below');
    register.apply(below);
    register.apply(certificateIssued(JULIET));
    expect(register.issuedCount).toBe(2);
    expect(register.certificateCount).toBe(1);
    expect([...register.authorities()]).toEqual([{ ...below, revocation: undefined }]);
    const { serialNumber, notAfterUnixMs } = below;
    register.apply({ type: 'certificateRevoked', unixMs: 7, serialNumber, reason: 'superseded' });
    const revocation = { unixMs: 7, reason: 'superseded' };
    expect(register.authority(serialNumber)?.revocation).toEqual(revocation);
    expect([...register.revoked()]).toEqual([{ serialNumber, notAfterUnixMs, revocation }]);
  });

  it('RFC 5280 §4.1.2.6: have names of their own; the same key may have its name again', () => {
    const register = new CertificateRegister();
    const below = authorityCertified('below');
    register.apply(below);
    expect(register.faultOf(authorityCertified('below'))).toContain('is called "below"');
    expect(register.faultOf(below)).toContain('was issued before');
    const { publicKeySha256, serialNumber } = below;
    expect(register.faultOf(authorityCertified('below', { publicKeySha256 }))).toBeUndefined();
    expect(register.faultOf(certificateIssued(JULIET, { serialNumber }))).toContain('before');
  });

  it('are read from the ledger as they were written', () => {
    const below = authorityCertified('below', { domain: 'shakespeare.lit' });
    expect(readRegisterEvent(JSON.parse(JSON.stringify(below)))).toEqual(below);
    for (const field of Object.keys(below).filter((name) => name !== 'type')) {
      expect(readRegisterEvent({ ...below, [field]: null })).toContain(`"${field}"`);
    }
  });
});
