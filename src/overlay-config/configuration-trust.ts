/**
 * Which configuration counts — RFC 6940 §11.1. The first one is trusted because HTTPS or an
 * operator says so; from then on a document replaces the one held by its signature alone. Here, and
 * for Kinds in `kind-trust.ts`, is the only place that makes a VerifiedConfiguration.
 */
import type { Authenticator } from '../tls-auth/authenticator.ts';
import { verifyDocument } from '../tls-auth/document-signature.ts';
import { SignatureRefusal, type VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import { quoted } from './configuration-fault.ts';
import { isNewerSequence, SEQUENCE_MODULUS } from './configuration-sequence.ts';
import { formatUtcTime } from './date-time.ts';
import { carryLearnedKinds, KindRefusal, verifyKindBlocks } from './kind-trust.ts';
import { ConfigurationNamespace } from './namespaces.ts';
import type {
  ElementSignature,
  ParsedConfiguration,
  SignedConfiguration,
} from './parsed-configuration.ts';
import { SuccessionRefusal } from './succession-refusal.ts';
import type { VerifiedConfiguration } from './verified-configuration.ts';

/**
 * The configuration as the first one, on the word of HTTPS or an operator. `kindBlockSigners` is
 * what `verifyKindBlocks` found; without it nobody is known to have signed the document's Kinds.
 */
export function trustInitialConfiguration(
  parsed: ParsedConfiguration,
  kindBlockSigners: ReadonlyMap<KindId, NodeId> = new Map(),
): VerifiedConfiguration {
  const { configuration, document, signedBytes, outerNamespaces } = parsed;
  const learnedKinds: ReadonlySet<KindId> = new Set();
  return {
    ...configuration,
    document,
    signedBytes,
    outerNamespaces,
    kindBlockSigners,
    learnedKinds,
  } as VerifiedConfiguration;
}

/** A document that says the same with the sequence before: what its own signers may follow. */
export function predecessorOf(parsed: ParsedConfiguration): VerifiedConfiguration {
  const sequence = (parsed.sequence + SEQUENCE_MODULUS - 1) % SEQUENCE_MODULUS;
  return { ...trustInitialConfiguration(parsed), sequence };
}

/**
 * The configuration as the successor of `held`: newer by serial arithmetic, signed by a
 * configuration-signer of `held` whose chain is valid under the roots and bad-nodes in force, not
 * expired at `unixMs`, each of its Kinds signed by a kind-signer of its own. `authenticator` has
 * the settings of `held`.
 */
export function acceptSuccessor(
  held: VerifiedConfiguration,
  parsed: ParsedConfiguration,
  authenticator: Authenticator,
  unixMs: number,
): VerifiedConfiguration | SuccessionRefusal {
  const signer = checkSuccession(held, parsed, authenticator, unixMs);
  if (signer instanceof SuccessionRefusal) return signer;
  const kindBlockSigners = verifyKindBlocks(parsed, unixMs, authenticator.verifySignature);
  if (kindBlockSigners instanceof KindRefusal) {
    return new SuccessionRefusal('kinds', kindBlockSigners.describe());
  }
  return carryLearnedKinds(held, trustInitialConfiguration(parsed, kindBlockSigners));
}

/**
 * Whether `signed` may follow `held`, and who says so. Also asked about documents that demand what
 * this program cannot do (`ConfigurationFault.signed`): where the answer is a signer, the node MUST
 * leave the overlay (RFC 6940 §11.1).
 */
export function checkSuccession(
  held: VerifiedConfiguration,
  signed: SignedConfiguration,
  authenticator: Authenticator,
  unixMs: number,
): VerifiedSigner | SuccessionRefusal {
  const fault =
    instanceFault(held, signed) ?? expirationFault(signed, unixMs) ?? namespaceFault(held, signed);
  if (fault !== undefined) return fault;
  const refusals: SuccessionRefusal[] = [];
  for (const signature of signed.signatures) {
    const signer = checkSignature(held, signed, signature, authenticator, unixMs);
    if (!(signer instanceof SuccessionRefusal)) return signer;
    refusals.push(signer);
  }
  if (refusals.length === 1 && refusals[0] !== undefined) return refusals[0];
  const detail = refusals.map((refusal) => refusal.detail).join('; ');
  return refusals.length === 0
    ? new SuccessionRefusal('unsigned', 'expected a <signature> behind the configuration, got none')
    : new SuccessionRefusal('signature', `none of ${refusals.length} signatures counts: ${detail}`);
}

function instanceFault(
  held: VerifiedConfiguration,
  signed: SignedConfiguration,
): SuccessionRefusal | undefined {
  if (signed.instanceName !== held.instanceName) {
    const [expected, actual] = [quoted(held.instanceName), quoted(signed.instanceName)];
    const detail = `expected the overlay ${expected}, got ${actual}`;
    return new SuccessionRefusal('other-overlay', detail);
  }
  if (isNewerSequence(signed.sequence, held.sequence)) return undefined;
  const detail = `expected a sequence newer than ${held.sequence}, got ${signed.sequence}`;
  return new SuccessionRefusal('not-newer', detail);
}

function expirationFault(
  signed: SignedConfiguration,
  unixMs: number,
): SuccessionRefusal | undefined {
  const { expirationUnixMs } = signed;
  if (expirationUnixMs === undefined || unixMs < expirationUnixMs) return undefined;
  const expired = formatUtcTime(expirationUnixMs);
  const detail = `expected a configuration in force, got one that expired at ${expired}`;
  return new SuccessionRefusal('expired', detail);
}

/**
 * RFC 6940 signs the bytes of `<configuration>`, but not the namespace declarations around it: who
 * passes a document on could bind `chord` or an extension's prefix anew, and so take an element
 * away or turn it into another, without breaking the signature. So a prefix that the signed bytes
 * leave open must mean what it means in the configuration held, or what the RFC's own example says.
 */
function namespaceFault(
  held: VerifiedConfiguration,
  signed: SignedConfiguration,
): SuccessionRefusal | undefined {
  for (const [prefix, namespace] of signed.outerNamespaces) {
    const known = held.outerNamespaces.get(prefix) ?? EXAMPLE_NAMESPACES.get(prefix);
    if (namespace === known) continue;
    const expected =
      known === undefined
        ? 'to be declared on <configuration> or inside, where the signature covers it'
        : `to stand for ${quoted(known)}`;
    const detail = `expected the prefix ${quoted(prefix)} ${expected}, got ${quoted(namespace)}`;
    return new SuccessionRefusal('namespace', detail);
  }
  return undefined;
}

function checkSignature(
  held: VerifiedConfiguration,
  signed: SignedConfiguration,
  signature: ElementSignature,
  authenticator: Authenticator,
  unixMs: number,
): VerifiedSigner | SuccessionRefusal {
  const { block, line } = signature;
  if (block instanceof MalformedMessage) {
    const detail = `the signature in line ${line} is no SecurityBlock: ${block.describe()}`;
    return new SuccessionRefusal('signature', detail);
  }
  const signer = verifyDocument(authenticator, signed.signedBytes, block, unixMs);
  if (signer instanceof SignatureRefusal) {
    return new SuccessionRefusal('signature', `signature in line ${line}: ${signer.describe()}`);
  }
  if (held.configurationSigners.includes(signer.nodeId)) return signer;
  const expected = `expected a configuration-signer of sequence ${held.sequence}`;
  const detail = `${expected}, got a signature by ${signer.nodeId}`;
  return new SuccessionRefusal('signer', detail);
}

/** The prefixes of the example document in RFC 6940 §11.1. */
const EXAMPLE_NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['', ConfigurationNamespace.base],
  ['chord', ConfigurationNamespace.chord],
]);
