import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import { parseCertificate } from '../tls-auth/certificate.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { remedyFor } from '../tls-auth/refused-identity.ts';
import { createSigner, type Signer } from '../tls-auth/signer.ts';
import { EnrollmentFailure } from './enrollment/enrollment-failure.ts';
import {
  dropPendingKey,
  loadIdentity,
  pendingPrivateKey,
  type StoredIdentity,
  saveIdentity,
} from './identity-file.ts';
import type { IdentitySource } from './join-options.ts';
import type { LinkCredentials } from './links/link-credentials.ts';
import type { Log } from './log.ts';

/** A peer cannot say who it is. The message says why and what to do. */
export class IdentityMissing extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IdentityMissing';
  }
}

/** Key and certificate, and where they were certified, as far as that is known. */
export interface PeerIdentity extends LinkCredentials {
  readonly enrollmentUrl?: string | undefined;
}

export interface IdentityOptions {
  readonly stateDirectory: string;
  readonly source: IdentitySource | undefined;
  readonly configuration: VerifiedConfiguration;
  readonly authenticator: Authenticator;
  /** PEM certificates to trust for HTTPS. */
  readonly trust: string | undefined;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
}

/**
 * Who this peer is: what its program says, else what its state directory holds, else what an
 * enrollment server certifies now, once (RFC 6940 §11.3). Throws IdentityMissing,
 * EnrollmentFailure or IdentityFileDamaged.
 */
export async function obtainIdentity(options: IdentityOptions): Promise<PeerIdentity> {
  const { source, stateDirectory } = options;
  if (source?.from === 'given') return source.credentials;
  const held = await loadIdentity(stateDirectory);
  if (held !== undefined && !(isExpired(held) && source !== undefined)) return held;
  if (source === undefined) {
    throw new IdentityMissing(
      `${stateDirectory} holds no certificate yet; enroll with a user name and a password`,
    );
  }
  return enrollWithAny(source, options, held);
}

/** The peer was off for too long: its certificate cannot be renewed any more. */
function isExpired({ certificateDer }: StoredIdentity): boolean {
  const certificate = parseCertificate(certificateDer);
  return !(certificate instanceof CertificateRefusal) && certificate.notAfterUnixMs < Date.now();
}

/** The signer of this identity, whose certificate must count. Throws IdentityMissing. */
export function signerOf(
  credentials: LinkCredentials,
  authenticator: Authenticator,
  unixMs: number,
): Signer {
  const [leaf, ...pool] = credentials.chain;
  if (leaf === undefined) throw new IdentityMissing('the identity has no certificate');
  const node = authenticator.authenticate(leaf, pool, unixMs);
  if (node instanceof CertificateRefusal) {
    throw new IdentityMissing(
      `the own certificate does not count in this overlay (${node.describe()}); ` +
        (node.code === 'expired'
          ? 'enroll again with user name and password: the Node-ID stays'
          : remedyFor(node)),
    );
  }
  return createSigner(node, node.nodeId, credentials.privateKey);
}

/** Asks the enrollment servers one after another; only an unreachable one makes the next asked. */
async function enrollWithAny(
  source: Extract<IdentitySource, { from: 'enrollment' }>,
  options: IdentityOptions,
  expired: StoredIdentity | undefined,
): Promise<PeerIdentity> {
  const { configuration, stateDirectory, log } = options;
  const { enrollmentUrl } = source;
  const [firstUrl, ...otherUrls] =
    enrollmentUrl === undefined ? configuration.enrollmentServers : [enrollmentUrl];
  if (firstUrl === undefined) {
    throw new IdentityMissing(
      `the overlay ${configuration.instanceName} names no enrollment server; ` +
        'its operator has to give you a key and a certificate',
    );
  }
  const password = await source.password();
  for (const [index, url] of [firstUrl, ...otherUrls].entries()) {
    log.info({ url, user: source.userName }, 'enrolling');
    try {
      return await enrollAt(url, password, source, options, expired);
    } catch (error) {
      const isUnreachable = error instanceof EnrollmentFailure && error.code === 'unreachable';
      if (!isUnreachable || index === otherUrls.length) throw error;
      log.warn({ url, reason: error.message }, 'trying the next enrollment server');
    }
  }
  throw new IdentityMissing(`nothing in ${stateDirectory} and nobody to ask`);
}

async function enrollAt(
  url: string,
  password: string,
  source: Extract<IdentitySource, { from: 'enrollment' }>,
  options: IdentityOptions,
  expired: StoredIdentity | undefined,
): Promise<PeerIdentity> {
  const { stateDirectory, configuration, authenticator, trust, signal, log } = options;
  // Once in the life of a peer: what it takes is not kept in memory by those that are enrolled.
  const { enroll } = await import('./enrollment/enrollment-client.ts');
  try {
    const identity = await enroll({
      url,
      password,
      trust,
      authenticator,
      configuration,
      signal,
      overlayName: configuration.instanceName,
      userName: source.userName,
      // On disk before the request leaves: a crash in between asks for the same device again. The
      // authority knows a device by its key, so that of an expired certificate keeps the Node-ID.
      privateKey:
        expired?.privateKey ?? (await pendingPrivateKey(stateDirectory, source.keyType ?? 'p256')),
    });
    const { privateKey, chain } = identity;
    const obtained = { privateKey, chain, enrollmentUrl: url };
    await saveIdentity(stateDirectory, obtained);
    log.info({ nodeId: identity.node.nodeId }, 'enrolled');
    return obtained;
  } catch (error) {
    if (error instanceof EnrollmentFailure && error.code === 'bad_CSR') {
      await dropPendingKey(stateDirectory);
    }
    throw error;
  }
}
