import type { KeyObject } from 'node:crypto';
import { keyPairOf, type SigningKey } from '../../../src/host/authority/signing-key.ts';

/** A signer whose key is in no file, as that of a hardware module. */
export class ModuleKey implements SigningKey {
  readonly subjectPublicKeyInfo: Uint8Array;
  signatures = 0;
  isBroken = false;
  private readonly key: SigningKey;

  constructor(privateKey: KeyObject) {
    this.key = keyPairOf(privateKey);
    this.subjectPublicKeyInfo = this.key.subjectPublicKeyInfo;
  }

  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    this.signatures++;
    await new Promise((done) => setImmediate(done));
    return this.key.sign(this.isBroken ? Uint8Array.of(1) : bytes);
  }
}
