import { generateKeyPairSync, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  authorityCertificateContent,
  serialNumberFrom,
  validityFrom,
} from '../../../../src/ca/certificate-content.ts';
import { certifySigner } from '../../../../src/host/authority/authority-keys.ts';
import { challengeSignerOf } from '../../../../src/host/authority/component/challenge-signer.ts';
import { keyPairOf, type SigningKey } from '../../../../src/host/authority/signing-key.ts';
import { ModuleKey } from '../module-key.ts';
import { CA } from './component-fixture.ts';

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
const INPUT = new Uint8Array(Buffer.from('4UGObuJYf7yY8ucndbmHhttps://ca.capulet.lit/csr/1'));

/** An authority whose certificate the key `parent` signed. */
function certified<Key extends SigningKey>(key: Key, parent: KeyObject) {
  const content = authorityCertificateContent(
    { commonName: 'below', domain: 'capulet.lit', xmppAddress: CA },
    'above',
    serialNumberFrom(new Uint8Array(20).fill(7)),
    validityFrom(Date.now(), 10, Date.now() + 86_400_000),
    'https://127.0.0.1/crl/ca.crl',
  );
  return certifySigner(key, content, keyPairOf(parent));
}

describe('the signature of a challenge', () => {
  it.each([
    ['P-256 below P-384', p256(), p384(), 'sha384'],
    ['P-384 below P-256', p384(), p256(), 'sha256'],
    ['RSA below P-384', rsa(), p384(), 'sha384'],
    ['P-256 below RSA', p256(), rsa(), 'sha256'],
  ])(
    'XEP-0417 §4.3: has the hash by which its certificate is signed: %s',
    async (_what, key, parent, hash) => {
      const pair = keyPairOf(key);
      const signer = { ...pair, ...(await certified(pair, parent)) };
      const signature = await challengeSignerOf(signer)(INPUT);
      const { publicKey } = new X509Certificate(signer.certificate);
      expect(verify(hash, INPUT, publicKey, signature)).toBe(true);
    },
  );

  it('a key module signs where its hash is the one, and is told where it is not', async () => {
    const fitting = new ModuleKey(p256());
    const made = await certified(fitting, p256());
    const signer = { ...made, sign: (bytes: Uint8Array) => fitting.sign(bytes) };
    const signature = await challengeSignerOf(signer)(INPUT);
    const { publicKey } = new X509Certificate(made.certificate);
    expect(verify('sha256', INPUT, publicKey, signature)).toBe(true);
    fitting.isBroken = true;
    await expect(challengeSignerOf(signer)(INPUT)).rejects.toThrow('is no signature');
    const other = await certified(new ModuleKey(p256()), p384());
    expect(() => challengeSignerOf(other)).toThrow('XEP-0417 wants signatures with sha384');
  });
});
