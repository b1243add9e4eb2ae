import { signConfiguration } from '../overlay-config/configuration-document-builder.ts';
import {
  acceptSuccessor,
  checkSuccession,
  predecessorOf,
  trustInitialConfiguration,
} from '../overlay-config/configuration-trust.ts';
import { trustSettingsOf } from '../overlay-config/configuration-trust-settings.ts';
import { KindRefusal, verifyKindBlocks } from '../overlay-config/kind-trust.ts';
import type { ParsedConfiguration } from '../overlay-config/parsed-configuration.ts';
import { SuccessionRefusal } from '../overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import { Authenticator } from '../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../tls-auth/signer.ts';
import type { NodeId } from '../wire/node-id.ts';
import {
  parseDocument,
  readCertificateFile,
  readDocumentFile,
  readKeyFile,
  readUnsignedFile,
} from './config-document-file.ts';
import { OperatorError } from './operator-error.ts';

/** What `xor config verify --json` prints. */
export interface DocumentVerdict {
  readonly valid: boolean;
  readonly overlay: string;
  readonly sequence: number;
  /** The Node-ID whose signature counts. */
  readonly signer: string | null;
  /** Whether it was compared with a document that peers hold. */
  readonly follows: boolean | null;
  /** Why not. */
  readonly reason: string | null;
}

/**
 * Whether peers will take a document: as the successor of `held`, or, without one, whether whoever
 * signed it is a configuration-signer by its own account. Throws OperatorError for what is no
 * document.
 */
export async function verifyDocumentFile(
  file: string,
  options: { readonly held?: string; readonly overlay?: string },
  unixMs: number,
): Promise<DocumentVerdict> {
  const parsed = await readDocumentFile(file, options.overlay);
  const held =
    options.held === undefined ? undefined : await readHeld(options.held, parsed.instanceName);
  const signer = signerOf(held ?? predecessorOf(parsed), parsed, unixMs);
  const kinds = verifyKindBlocks(parsed, unixMs);
  // Nobody but HTTPS or an operator need vouch for a first document.
  const isOpen = held === undefined && parsed.signatures.length === 0;
  const isForged = signer instanceof SuccessionRefusal && !(isOpen && signer.code === 'unsigned');
  const refusal = isForged ? signer : kinds instanceof KindRefusal ? kinds : undefined;
  return {
    valid: refusal === undefined,
    overlay: parsed.instanceName,
    sequence: parsed.sequence,
    signer: signer instanceof SuccessionRefusal ? null : signer.nodeId,
    follows: held === undefined ? null : refusal === undefined,
    reason: refusal?.describe() ?? null,
  };
}

/** The document with a signature over its exact `<configuration>`. Throws OperatorError. */
export async function signDocumentFile(
  file: string,
  options: { readonly key: string; readonly certificate: string; readonly held?: string },
  unixMs: number,
): Promise<Uint8Array> {
  const parsed = await readUnsignedFile(file);
  checkStandsAlone(file, parsed);
  const held =
    options.held === undefined ? undefined : await readHeld(options.held, parsed.instanceName);
  const before = held ?? predecessorOf(parsed);
  const signer = await openSigner(before, before.configurationSigners, options, unixMs);
  const document = signConfiguration(parsed.signedBytes, signer);
  const signed = parseDocument(document, parsed.instanceName, file);
  const reason = held === undefined ? undefined : refusalOf(held, signed, unixMs);
  if (reason !== undefined) throw new OperatorError(`peers would not take it: ${reason}`);
  return document;
}

/**
 * The signature does not cover what stands around the configuration, so that its prefixes must be
 * declared inside; the default namespace is the one that every reader knows.
 */
export function checkStandsAlone(file: string, parsed: ParsedConfiguration): void {
  const open = [...parsed.outerNamespaces].filter(([prefix]) => prefix !== '');
  if (open.length === 0) return;
  const declarations = open.map(([prefix, name]) => `xmlns:${prefix}="${name}"`).join(' ');
  throw new OperatorError(`${file}: write ${declarations} into <configuration>, which is signed`);
}

/** The signer of a key and certificate file, which must be one of `allowed`. */
export async function openSigner(
  trusted: VerifiedConfiguration,
  allowed: readonly NodeId[],
  options: { readonly key: string; readonly certificate: string },
  unixMs: number,
): Promise<Signer> {
  const [leaf = new Uint8Array(), ...pool] = await readCertificateFile(options.certificate);
  const authenticator = new Authenticator(trustSettingsOf(trusted));
  const node = authenticator.authenticate(leaf, pool, unixMs);
  if (node instanceof CertificateRefusal) {
    throw new OperatorError(`${options.certificate}: ${node.describe()}`);
  }
  if (!allowed.includes(node.nodeId)) {
    const what = `${options.certificate} is of ${node.nodeId}`;
    const which = allowed === trusted.kindSigners ? 'kind-signer' : 'configuration-signer';
    throw new OperatorError(`${what}, which is no ${which} of the document`);
  }
  try {
    return createSigner(node, node.nodeId, await readKeyFile(options.key));
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`${options.key}: ${String(error)}`, 1, { cause: error });
  }
}

async function readHeld(file: string, overlayName: string): Promise<VerifiedConfiguration> {
  return trustInitialConfiguration(await readDocumentFile(file, overlayName));
}

function signerOf(held: VerifiedConfiguration, parsed: ParsedConfiguration, unixMs: number) {
  return checkSuccession(held, parsed, new Authenticator(trustSettingsOf(held)), unixMs);
}

function refusalOf(
  held: VerifiedConfiguration,
  parsed: ParsedConfiguration,
  unixMs: number,
): string | undefined {
  const authenticator = new Authenticator(trustSettingsOf(held));
  const answer = acceptSuccessor(held, parsed, authenticator, unixMs);
  return answer instanceof SuccessionRefusal ? answer.describe() : undefined;
}
