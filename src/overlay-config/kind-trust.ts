/** Which Kinds count, and which no longer do — RFC 6940 §6.5.4.2 and §11.1. */
import { Authenticator } from '../tls-auth/authenticator.ts';
import { verifyDocument } from '../tls-auth/document-signature.ts';
import type { SignatureVerifier } from '../tls-auth/signature-verifier.ts';
import { SignatureRefusal } from '../tls-auth/verified-signer.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import { ConfigurationFault } from './configuration-fault.ts';
import { trustSettingsOf } from './configuration-trust-settings.ts';
import { parseKindBlock } from './kind-block.ts';
import type { KindDefinition } from './kind-definition.ts';
import type { OverlayConfiguration } from './overlay-configuration.ts';
import type { ParsedConfiguration, ParsedKindBlock } from './parsed-configuration.ts';
import type { VerifiedConfiguration } from './verified-configuration.ts';

declare const verified: unique symbol;

/** A Kind that a kind-signer of the configuration in force has signed. */
export interface VerifiedKind {
  readonly [verified]: true;
  readonly definition: KindDefinition;
  /** The kind-block as received, to pass on. */
  readonly blockBytes: Uint8Array;
  readonly signer: NodeId;
}

/**
 * - `malformed`, `unsupported`: the kind-block cannot be read, or demands what we do not do;
 * - `signature`: no signature that is true; `signer`: one by nobody who may sign Kinds;
 * - `conflict`: the Kind is known from another signer or in another form from the document; a peer
 *   answers with Error_Forbidden;
 * - `limit`: `LEARNED_KINDS_MAX` are known beside those of the document.
 */
export type KindRefusalCode =
  | 'malformed'
  | 'unsupported'
  | 'signature'
  | 'signer'
  | 'conflict'
  | 'limit';

/** The answer "no" to a Kind: a value, never thrown. */
export class KindRefusal {
  readonly code: KindRefusalCode;
  /** What was expected and what came. */
  readonly detail: string;

  constructor(code: KindRefusalCode, detail: string) {
    this.code = code;
    this.detail = detail;
  }

  describe(): string {
    return `the Kind is refused (${this.code}): ${this.detail}`;
  }
}

/**
 * One KindDescription of a ConfigUpdate (RFC 6940 §6.5.4.2): it counts when a kind-signer of `held`
 * signed it and it does not conflict with a Kind known already. `authenticator` has the settings of
 * `held`.
 */
export function verifyKindBlock(
  held: VerifiedConfiguration,
  kindDescription: Uint8Array,
  authenticator: Authenticator,
  unixMs: number,
): VerifiedKind | KindRefusal {
  const block = parseKindBlock(kindDescription);
  if (block instanceof ConfigurationFault) {
    const code = block.code === 'unsupported' ? 'unsupported' : 'malformed';
    return new KindRefusal(code, block.describe());
  }
  const signer = kindSignerOf(held, block, authenticator, unixMs);
  if (signer instanceof KindRefusal) return signer;
  const { definition, blockBytes } = block;
  const refusal = conflictOf(held, block, signer) ?? limitRefusal(held, definition);
  return refusal ?? ({ definition, blockBytes, signer } as VerifiedKind);
}

/** Kinds that a configuration learns beside those of its document. */
export const LEARNED_KINDS_MAX = 64;

/**
 * Who signed each kind-block of a document, all of them under the roots, bad-nodes and kind-signers
 * of that same document; or the first one that does not count. "Receivers MUST verify the signature
 * prior to accepting a kind-block" (RFC 6940 §11.1).
 */
export function verifyKindBlocks(
  parsed: ParsedConfiguration,
  unixMs: number,
  verifySignature?: SignatureVerifier,
): Map<KindId, NodeId> | KindRefusal {
  const signers = new Map<KindId, NodeId>();
  if (parsed.kindBlocks.length === 0) return signers;
  const settings = trustSettingsOf(parsed.configuration);
  const authenticator = new Authenticator(settings, verifySignature);
  for (const block of parsed.kindBlocks) {
    const signer = kindSignerOf(parsed.configuration, block, authenticator, unixMs);
    if (signer instanceof KindRefusal) return signer;
    signers.set(block.definition.kindId, signer);
  }
  return signers;
}

/** `held` with these Kinds beside those it has; a later one of the same Kind-ID wins. */
export function adoptKinds(
  held: VerifiedConfiguration,
  adopted: readonly VerifiedKind[],
): VerifiedConfiguration {
  const kinds = new Map(held.kinds);
  const kindBlocks = new Map(held.kindBlocks);
  const kindBlockSigners = new Map(held.kindBlockSigners);
  const learnedKinds = new Set(held.learnedKinds);
  for (const { definition, blockBytes, signer } of adopted) {
    const { kindId } = definition;
    // A Kind of the document stays the document's; its block can only be the same.
    if (!held.kindBlocks.has(kindId)) learnedKinds.add(kindId);
    kinds.set(kindId, definition);
    kindBlocks.set(kindId, blockBytes);
    kindBlockSigners.set(kindId, signer);
  }
  return { ...held, kinds, kindBlocks, kindBlockSigners, learnedKinds };
}

/**
 * The Kinds whose stored information goes when `next` takes the place of `held` (RFC 6940 §11.1):
 * those that it no longer has, as when their signer may no longer sign Kinds, and those whose data
 * model or access control it changes, since what is stored was checked by other rules. A Kind that
 * an allowed signer merely signed anew keeps its values.
 */
export function kindsToDiscard(
  held: OverlayConfiguration,
  next: OverlayConfiguration,
): readonly KindId[] {
  return [...held.kinds.values()]
    .filter((kind) => {
      const later = next.kinds.get(kind.kindId);
      return later === undefined || !isStoredAlike(later, kind);
    })
    .map((kind) => kind.kindId);
}

/** `next` with the Kinds that `held` learned and whose signers may still sign. */
export function carryLearnedKinds(
  held: VerifiedConfiguration,
  next: VerifiedConfiguration,
): VerifiedConfiguration {
  const carried: VerifiedKind[] = [];
  for (const kindId of held.learnedKinds) {
    const definition = held.kinds.get(kindId);
    const blockBytes = held.kindBlocks.get(kindId);
    const signer = held.kindBlockSigners.get(kindId);
    if (definition === undefined || blockBytes === undefined || signer === undefined) continue;
    // "The new information in the configuration files overrides any previously learned."
    if (next.kindBlocks.has(kindId) || !maySignKinds(next, signer)) continue;
    carried.push({ definition, blockBytes, signer } as VerifiedKind);
  }
  return adoptKinds(next, carried);
}

function kindSignerOf(
  configuration: OverlayConfiguration,
  block: ParsedKindBlock,
  authenticator: Authenticator,
  unixMs: number,
): NodeId | KindRefusal {
  const name = describeKind(block.definition);
  const securityBlock = block.signature.block;
  if (securityBlock instanceof MalformedMessage) {
    const detail = `${name}: its signature is no SecurityBlock: ${securityBlock.describe()}`;
    return new KindRefusal('signature', detail);
  }
  const signer = verifyDocument(authenticator, block.signedBytes, securityBlock, unixMs);
  if (signer instanceof SignatureRefusal) {
    return new KindRefusal('signature', `${name}: ${signer.describe()}`);
  }
  if (maySignKinds(configuration, signer.nodeId)) return signer.nodeId;
  const detail = `${name}: expected a signature by a kind-signer, got one by ${signer.nodeId}`;
  return new KindRefusal('signer', detail);
}

/**
 * A kind-block has no sequence: whoever kept an old one could undo a change of the Kind's limits
 * with it. Intentional divergence from RFC 6940 §6.5.4.2: a Kind that the document in force defines
 * is changed by the next document, which has a sequence, and not by a ConfigUpdate of Kinds. Nor
 * does that change the data model and access control of a Kind that was learned: its values would
 * go, and again with each old block that somebody sends.
 */
function conflictOf(
  held: VerifiedConfiguration,
  block: ParsedKindBlock,
  signer: NodeId,
): KindRefusal | undefined {
  const { kindId } = block.definition;
  const name = describeKind(block.definition);
  const knownSigner = held.kindBlockSigners.get(kindId);
  const knownBlock = held.kindBlocks.get(kindId);
  if (knownSigner !== undefined && knownSigner !== signer) {
    const detail = `${name}: expected its known signer ${knownSigner}, got ${signer}`;
    return new KindRefusal('conflict', detail);
  }
  if (knownBlock === undefined) return undefined;
  if (held.learnedKinds.has(kindId)) {
    const known = held.kinds.get(kindId);
    if (known === undefined || isStoredAlike(known, block.definition)) return undefined;
    const detail = `${name}: expected the data model and access control that are known, got others`;
    return new KindRefusal('conflict', detail);
  }
  if (Buffer.compare(knownBlock, block.blockBytes) === 0) return undefined;
  const detail = `${name}: expected the definition of the document in force, got another one`;
  return new KindRefusal('conflict', detail);
}

function isStoredAlike(one: KindDefinition, other: KindDefinition): boolean {
  return one.dataModel === other.dataModel && one.accessPolicy === other.accessPolicy;
}

function limitRefusal(held: VerifiedConfiguration, kind: KindDefinition): KindRefusal | undefined {
  const isKnown = held.kindBlocks.has(kind.kindId);
  if (isKnown || held.learnedKinds.size < LEARNED_KINDS_MAX) return undefined;
  const detail = `${describeKind(kind)}: ${LEARNED_KINDS_MAX} Kinds were learned already`;
  return new KindRefusal('limit', detail);
}

function maySignKinds(configuration: OverlayConfiguration, signer: NodeId): boolean {
  return configuration.kindSigners.includes(signer) && !configuration.badNodes.has(signer);
}

function describeKind({ name, kindId }: KindDefinition): string {
  return name ?? `Kind 0x${kindId.toString(16)}`;
}
