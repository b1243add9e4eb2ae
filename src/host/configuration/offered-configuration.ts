/** What a document that a server offers is worth: the first one of all, and every later one. */
import { parseConfigurationDocument } from '../../overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../overlay-config/configuration-fault.ts';
import {
  acceptSuccessor,
  checkSuccession,
  trustInitialConfiguration,
} from '../../overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../../overlay-config/configuration-trust-settings.ts';
import { formatUtcTime } from '../../overlay-config/date-time.ts';
import { KindRefusal, verifyKindBlocks } from '../../overlay-config/kind-trust.ts';
import type { ParsedConfiguration } from '../../overlay-config/parsed-configuration.ts';
import { SuccessionRefusal } from '../../overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import { Authenticator } from '../../tls-auth/authenticator.ts';
import type { RevocationLists } from '../../tls-auth/revocation-lists.ts';
import { verifyWithKey } from '../../tls-auth/signature-verifier.ts';
import {
  ConfigurationRefused,
  ConfigurationUnavailable,
  TRUST_TODO,
} from './configuration-unavailable.ts';

/** The first document of all, for which HTTPS vouches (RFC 6940 §11.2). */
export function firstConfiguration(
  document: Uint8Array,
  overlayName: string,
  unixMs: number,
): VerifiedConfiguration {
  const parsed = parseConfigurationDocument(document, overlayName);
  if (parsed instanceof ConfigurationFault) throw refusalOf(parsed, false);
  return trustFirst(parsed, unixMs);
}

/**
 * A document that nobody's signature is asked for: HTTPS or an operator vouches for it. It must be
 * in force, and its Kinds signed. Throws ConfigurationUnavailable.
 */
export function trustFirst(parsed: ParsedConfiguration, unixMs: number): VerifiedConfiguration {
  const { expirationUnixMs } = parsed;
  if (expirationUnixMs !== undefined && unixMs >= expirationUnixMs) {
    const what = `the configuration expired at ${formatUtcTime(expirationUnixMs)}`;
    throw new ConfigurationUnavailable(`${what}; ask the overlay's operator for a newer one`);
  }
  const signers = verifyKindBlocks(parsed, unixMs);
  if (!(signers instanceof KindRefusal)) return trustInitialConfiguration(parsed, signers);
  throw new ConfigurationUnavailable(`${signers.describe()}; tell the overlay's operator`);
}

/**
 * The document as successor of `held`; undefined when it says the same. `revocation` tells of
 * revoked signers. Throws ConfigurationRefused.
 */
export function successorOf(
  held: VerifiedConfiguration,
  document: Uint8Array,
  unixMs: number,
  revocation?: RevocationLists,
): VerifiedConfiguration | undefined {
  if (Buffer.compare(document, held.document) === 0) return undefined;
  const settings = trustSettingsOf(held);
  const authenticator = new Authenticator(settings, verifyWithKey, undefined, revocation);
  const parsed = parseConfigurationDocument(document, held.instanceName);
  if (parsed instanceof ConfigurationFault) {
    throw refusalOf(parsed, isRightful(held, parsed, authenticator, unixMs));
  }
  // Signed anew, with a fresh certificate for instance: the configuration itself is the same.
  if (Buffer.compare(parsed.signedBytes, held.signedBytes) === 0) return undefined;
  const next = acceptSuccessor(held, parsed, authenticator, unixMs);
  if (!(next instanceof SuccessionRefusal)) return next;
  const stays = `the one held, of sequence ${held.sequence}, stays`;
  throw new ConfigurationRefused(`${next.describe()}; ${stays}; ${TRUST_TODO}`);
}

function refusalOf(fault: ConfigurationFault, isRightful: boolean): ConfigurationRefused {
  const isUnsupported = fault.code === 'unsupported';
  const todo = isUnsupported ? 'use a newer version' : "tell the server's operator";
  const mustLeave = isUnsupported && isRightful;
  return new ConfigurationRefused(`${fault.describe()}; ${todo}`, { mustLeave });
}

/** Whether a document that cannot be used may nevertheless follow `held`. */
function isRightful(
  held: VerifiedConfiguration,
  fault: ConfigurationFault,
  authenticator: Authenticator,
  unixMs: number,
): boolean {
  if (fault.signed === undefined) return false;
  const signer = checkSuccession(held, fault.signed, authenticator, unixMs);
  return !(signer instanceof SuccessionRefusal);
}
