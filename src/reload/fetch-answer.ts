import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import { authorizationFault } from '../storage/access-policy.ts';
import { placeOf } from '../storage/place.ts';
import type { VerifiedValue } from '../storage/store-request.ts';
import { SignatureRefusal, type VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { decode } from '../wire/codec.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import { FetchAns } from '../wire/store.ts';
import type { KindId, StoredData } from '../wire/stored-data.ts';
import type { FetchedValue } from './command.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { readValues, verifyValue } from './value-verification.ts';

/** What of a FetchAns can be relied on. */
export interface VerifiedAnswer {
  readonly values: readonly FetchedValue[];
  /** The values that exist or were removed, with their signatures, to store them again. */
  readonly signed: ReadonlyMap<KindId, readonly VerifiedValue[]>;
  readonly generations: ReadonlyMap<KindId, bigint>;
  /** Why values were discarded, one sentence each. */
  readonly refusals: readonly string[];
}

/**
 * Checks every value of a FetchAns — RFC 6940 §7.4.2.2: signature, certificate and access policy.
 * What does not pass is discarded and told; the answer may also be unreadable as a whole.
 */
export function verifyFetchAnswer(
  env: PeerEnvironment,
  resource: ResourceId,
  body: Uint8Array,
  certificates: readonly GenericCertificate[],
): VerifiedAnswer | MalformedMessage {
  const answer = decode(FetchAns, body, env.configuration.nodeIdLength);
  if (answer instanceof MalformedMessage) return answer;
  const values: FetchedValue[] = [];
  const signed = new Map<KindId, VerifiedValue[]>();
  const generations = new Map<KindId, bigint>();
  const refusals: string[] = [];
  for (const response of answer.kindResponses) {
    const kind = env.configuration.kinds.get(response.kind);
    if (kind === undefined) {
      refusals.push(`values of the unknown Kind 0x${response.kind.toString(16)}`);
      continue;
    }
    generations.set(response.kind, response.generation);
    const stored = readValues(response.values, kind, env.configuration.nodeIdLength);
    if (stored instanceof MalformedMessage) return stored;
    const verified: VerifiedValue[] = [];
    for (const data of stored) {
      const found = checkValue(env, resource, kind, data, certificates);
      if (typeof found === 'string') refusals.push(found);
      else {
        values.push(fetchedValue(kind, data, found));
        if (found !== undefined) verified.push({ data, signer: found });
      }
    }
    signed.set(response.kind, verified);
  }
  return { values, signed, generations, refusals };
}

/** The signer; undefined for "there is nothing", which nobody signs; or why it is discarded. */
function checkValue(
  env: PeerEnvironment,
  resource: ResourceId,
  kind: KindDefinition,
  data: StoredData,
  certificates: readonly GenericCertificate[],
): VerifiedSigner | undefined | string {
  const isUnsigned = data.signature.identity.type === 'none';
  if (isUnsigned && !data.value.value.exists) return undefined;
  const verified = verifyValue(env, resource, kind, data, certificates);
  if (verified instanceof SignatureRefusal) return verified.describe();
  const key = data.value.model === 'dictionary' ? data.value.key : undefined;
  return authorizationFault(kind, resource, verified.signer, key) ?? verified.signer;
}

function fetchedValue(
  kind: KindDefinition,
  data: StoredData,
  signer: VerifiedSigner | undefined,
): FetchedValue {
  const { exists, value } = data.value.value;
  return {
    kind: kind.kindId,
    place: placeOf(data.value),
    value: exists ? value : undefined,
    storageTimeUnixMs: Number(data.storageTime),
    lifetimeSeconds: data.lifetime,
    signer: signer?.node,
  };
}
