import { expect, test } from 'vitest';
import {
  CertificateRefusal,
  type CertificateRefusalCode,
} from '../../src/tls-auth/certificate-refusal.ts';
import { remedyFor } from '../../src/tls-auth/refused-identity.ts';

function remedy(code: CertificateRefusalCode): string {
  return remedyFor(new CertificateRefusal(code, 'CN=juliet', 'a rule', 'a detail'));
}

test('a refused node is told what helps: the Node-ID stays with the key (RFC 6940 §11.3)', () => {
  const codes = ['revoked', 'bad-node', 'no-path'] as const;
  for (const code of codes) expect(remedy(code)).toMatch(/^enroll anew .* empty state directory/);
  expect(remedy('revoked')).toContain('a new one gets a Node-ID of its own');
  expect(remedy('bad-node')).toContain('bans this Node-ID');
  expect(remedy('no-path')).toContain('an authority that this overlay trusts');
});
