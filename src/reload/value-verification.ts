import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import type { VerifiedValue } from '../storage/store-request.ts';
import { verifyData } from '../tls-auth/data-signature.ts';
import { SignatureRefusal } from '../tls-auth/verified-signer.ts';

import { readWhole } from '../wire/codec.ts';
import type { MalformedMessage } from '../wire/malformed-message.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import { type StoredData, storedData } from '../wire/stored-data.ts';
import type { PeerEnvironment } from './peer-environment.ts';

/**
 * Reads the bytes of a `values` field (StoreKindData, FetchKindResponse): elements of StoredData,
 * which only the Kind's data model makes readable.
 */
export function readValues(
  bytes: Uint8Array,
  kind: KindDefinition,
  nodeIdLength: number,
): StoredData[] | MalformedMessage {
  const codec = storedData(kind.dataModel);
  return readWhole(bytes, nodeIdLength, (reader) => {
    const values: StoredData[] = [];
    while (reader.remaining > 0) {
      if (values.length >= VALUES_MAX) {
        throw reader.fault(`expected at most ${VALUES_MAX} values of one Kind`);
      }
      values.push(codec.read(reader));
    }
    return values;
  });
}

/** Checks the signature of one value under its Resource-ID (RFC 6940 §7.1). */
export function verifyValue(
  env: PeerEnvironment,
  resource: ResourceId,
  kind: KindDefinition,
  data: StoredData,
  certificates: readonly GenericCertificate[],
): VerifiedValue | SignatureRefusal {
  const { authenticator } = env.options;
  const unixMs = env.now.unixMs;
  const signer = verifyData(authenticator, resource, kind.kindId, data, certificates, unixMs);
  return signer instanceof SignatureRefusal ? signer : { data, signer };
}

/** A message of 64 KiB holds fewer; each value costs a signature check. */
const VALUES_MAX = 512;
