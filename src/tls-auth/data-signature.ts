import { type ResourceId, resourceId } from '../wire/resource-id.ts';
import type { GenericCertificate, Signature } from '../wire/security-block.ts';
import {
  type KindId,
  type StoredData,
  type StoredDataValue,
  storedDataValue,
} from '../wire/stored-data.ts';
import type { Writer } from '../wire/writer.ts';
import type { Authenticator } from './authenticator.ts';
import { type CoveredBytes, signInput, verifyInput } from './signed-input.ts';
import type { Signer } from './signer.ts';
import type { SignatureRefusal, VerifiedSigner } from './verified-signer.ts';

/**
 * What a data signature covers — RFC 6940 §7.1. Not said there: resource_id stands in wire form,
 * with its length byte, since ResourceId has no fixed length. The index of an array entry is 0,
 * because appending rewrites it (§7.4.2.2). Lifetime and generation counter are not covered.
 */
export function dataCoveredBytes(
  resource: ResourceId,
  kind: KindId,
  storageTime: bigint,
  value: StoredDataValue,
): CoveredBytes {
  return (writer: Writer) => {
    resourceId.write(writer, resource);
    writer.uint32(kind);
    writer.uint64(storageTime);
    const signedValue = value.model === 'array' ? { ...value, index: 0 } : value;
    storedDataValue(value.model).write(writer, signedValue);
  };
}

/** The signature of a value to be stored; `storageTime` in ms since 1970 — RFC 6940 §7.1. */
export function signData(
  signer: Signer,
  resource: ResourceId,
  kind: KindId,
  storageTime: bigint,
  value: StoredDataValue,
): Signature {
  return signInput(signer, dataCoveredBytes(resource, kind, storageTime, value));
}

/**
 * Who signed a stored value, if the certificate is valid now — RFC 6940 §7.1. What the signer may
 * store where is the access policy's question.
 */
export function verifyData(
  authenticator: Authenticator,
  resource: ResourceId,
  kind: KindId,
  data: StoredData,
  certificates: readonly GenericCertificate[],
  unixMs: number,
): VerifiedSigner | SignatureRefusal {
  const covered = dataCoveredBytes(resource, kind, data.storageTime, data.value);
  const { trueDataSignatures: known } = authenticator;
  return verifyInput(authenticator, data.signature, covered, certificates, unixMs, known);
}
