import { expect, it } from 'vitest';
import { CertificateRegister } from '../../src/ca/certificate-register.ts';
import {
  isRevocationListDue,
  nextRevocationLists,
  REVOCATION_LIST_LIFETIME_MS,
} from '../../src/ca/revocation-list-content.ts';
import { revocationReasonOf } from '../../src/ca/revocation-reason.ts';
import { certificateIssued } from './register-events.ts';

const URL = 'https://ca.example.org/crl/ca.crl';

/** The one list of a register whose certificates fit on it. */
function nextRevocationList(register: CertificateRegister, issuer: string, unixMs: number) {
  const lists = nextRevocationLists(register, issuer, new Set([0]), () => URL, unixMs);
  const list = lists.get(0);
  if (list === undefined) throw new Error('there is no list');
  return list;
}

function revokedRegister(notAfterUnixMs: number) {
  const register = new CertificateRegister();
  const issued = certificateIssued('juliet@capulet.lit', { notAfterUnixMs });
  register.apply(certificateIssued('romeo@montague.lit'));
  register.apply(issued);
  const { serialNumber } = issued;
  register.apply({ type: 'certificateRevoked', unixMs: 7, serialNumber, reason: 'keyCompromise' });
  return { register, serialNumber };
}

it('eax-car: the list names what is revoked and nothing else', () => {
  const { register, serialNumber } = revokedRegister(1_000);
  expect(nextRevocationList(register, 'root', 1_234)).toEqual({
    issuerCommonName: 'root',
    number: 1,
    thisUpdateUnixMs: 1_000,
    nextUpdateUnixMs: 1_000 + REVOCATION_LIST_LIFETIME_MS,
    entries: [{ serialNumber, revokedUnixMs: 7, reason: 'keyCompromise' }],
  });
});

it('RFC 5280 §5.2.3: the number grows with each list', () => {
  const { register } = revokedRegister(1_000);
  register.apply({ type: 'revocationListIssued', unixMs: 1, number: 41 });
  expect(nextRevocationList(register, 'root', 0).number).toBe(42);
});

it('RFC 5280 §3.3: a certificate stays on a list beyond its own end', () => {
  const { register } = revokedRegister(1_000);
  const lastUnixMs = 1_000 + REVOCATION_LIST_LIFETIME_MS;
  expect(nextRevocationList(register, 'root', lastUnixMs).entries).toHaveLength(1);
  expect(nextRevocationList(register, 'root', lastUnixMs + 1).entries).toHaveLength(0);
});

it('a new list is due when half of the time of the old one is over', () => {
  const list = nextRevocationList(new CertificateRegister(), 'root', 0);
  expect(isRevocationListDue(list, REVOCATION_LIST_LIFETIME_MS / 2 - 1)).toBe(false);
  expect(isRevocationListDue(list, REVOCATION_LIST_LIFETIME_MS / 2)).toBe(true);
});

it('reads reasons in any case of letters, and only those that are for good', () => {
  expect(revocationReasonOf('KEYCOMPROMISE')).toBe('keyCompromise');
  expect(revocationReasonOf('certificateHold')).toBeUndefined();
});
