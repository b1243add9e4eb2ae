import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cheapSignatures,
  realSignatures,
  SIGNATURE_BYTES,
} from '../../../sim/identity/signature-scheme.ts';
import { SimAuthority } from '../../../sim/identity/sim-authority.ts';
import { WORLD_START_UNIX_MS } from '../../../sim/world/sim-clock.ts';
import { parseCertificate } from '../../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { HashAlgorithm, SignatureAlgorithm } from '../../../src/wire/security-block.ts';

describe.each([cheapSignatures, realSignatures])('signatures of a simulation: $name', (scheme) => {
  const key = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  const authority = new SimAuthority('xmpp.org', scheme, key);
  const nodeId = '1a'.repeat(16) as NodeId;
  const leaf = { key, nodeId, userName: 'user@example.org' };
  const certificate = parseCertificate(authority.leafCertificate(leaf));
  if (certificate instanceof CertificateRefusal) throw new Error(certificate.describe());
  const signer = authority.signer(leaf, WORLD_START_UNIX_MS);
  const { sha256 } = HashAlgorithm;
  const { ecdsa } = SignatureAlgorithm;
  const isTrue = (input: Uint8Array, signature: Uint8Array) =>
    scheme.verify(certificate, sha256, ecdsa, input, signature);

  test('all have one length and are true over what was signed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        const { value } = signer.sign(input);
        expect(value.length).toBe(SIGNATURE_BYTES);
        expect(isTrue(input, value)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('one changed byte of what was signed makes them untrue', () => {
    const changed = fc.record({
      input: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      place: fc.nat(),
      bits: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(changed, ({ input, place, bits }) => {
        const { value } = signer.sign(input);
        const other = input.slice();
        other[place % input.length] = (other[place % input.length] as number) ^ bits;
        expect(isTrue(other, value)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
