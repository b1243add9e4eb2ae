import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readCertificationRequest } from '../../ca/certification-request.ts';
import { dropPendingKey, IdentityFileDamaged, pendingPrivateKey } from '../identity-file.ts';
import { writeSecret } from '../state/state-directory.ts';
import { EnrollmentFailure } from './enrollment-failure.ts';
import type { KeyType } from './enrollment-key.ts';
import { encodeSigningRequest } from './enrollment-request.ts';

/** A request that is repeated until there is a certificate (XEP-0417 §6). */
export interface PendingRequest {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** PKCS #10 in DER: always the same bytes, though a new signature would differ. */
  readonly signingRequest: Uint8Array;
  /** Of the device; undefined: none was given. */
  readonly name: string | undefined;
}

export interface PendingRequestOptions {
  readonly userName: string;
  /** It counts when the request is made; afterwards the request has the name that it has. */
  readonly name: string | undefined;
  readonly keyType: KeyType;
  /** The key to certify; default: the pending one, or a new one. */
  readonly privateKey?: KeyObject | undefined;
}

/**
 * The request of a state directory, made and on disk before the first one leaves: "the same
 * structure MUST be reused for every new transaction" (XEP-0417 §6), also after a crash. Throws
 * EnrollmentFailure when the request there is another user's, IdentityFileDamaged.
 */
export async function pendingRequest(
  stateDirectory: string,
  options: PendingRequestOptions,
): Promise<PendingRequest> {
  const privateKey =
    options.privateKey ?? (await pendingPrivateKey(stateDirectory, options.keyType));
  const subjectPublicKeyInfo = new Uint8Array(
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const held = await heldRequest(stateDirectory);
  const isOurs =
    held !== undefined && Buffer.compare(held.subjectPublicKeyInfo, subjectPublicKeyInfo) === 0;
  if (isOurs) return { privateKey, ...checkedUser(held, options.userName, stateDirectory) };
  // None, or one whose key has had its certificate: then it was forgotten by a crash alone.
  const signingRequest = encodeSigningRequest(privateKey, options.userName);
  const { userName, name } = options;
  const lines = [JSON.stringify({ userName, name }), pemOf(signingRequest), ''];
  await writeSecret(join(stateDirectory, REQUEST_FILE), lines.join('\n'));
  return { privateKey, subjectPublicKeyInfo, signingRequest, name };
}

/** There is a certificate now. */
export async function forgetPendingRequest(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, REQUEST_FILE), { force: true });
}

/** The next request is a new one, with a new key. */
export async function discardPendingRequest(stateDirectory: string): Promise<void> {
  await forgetPendingRequest(stateDirectory);
  await dropPendingKey(stateDirectory);
}

interface HeldRequest extends Omit<PendingRequest, 'privateKey'> {
  readonly userName: string;
}

function checkedUser(held: HeldRequest, userName: string, stateDirectory: string): HeldRequest {
  if (held.userName === userName) return held;
  throw new EnrollmentFailure(
    'refused',
    `${stateDirectory} has a request of ${held.userName} under way, not of ${userName}; finish ` +
      'that one, name another state directory, or give it up with --new-request',
  );
}

async function heldRequest(stateDirectory: string): Promise<HeldRequest | undefined> {
  const path = join(stateDirectory, REQUEST_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [, first = '', body] = REQUEST.exec(text) ?? [];
  const about = body === undefined ? undefined : readAbout(first);
  const signingRequest = new Uint8Array(Buffer.from(body ?? '', 'base64'));
  const request = readCertificationRequest(signingRequest);
  if (about === undefined || 'detail' in request) {
    throw new IdentityFileDamaged(path, 'holds no request');
  }
  return { ...about, signingRequest, subjectPublicKeyInfo: request.subjectPublicKeyInfo };
}

function readAbout(line: string): Pick<HeldRequest, 'userName' | 'name'> | undefined {
  try {
    const read: unknown = JSON.parse(line);
    if (typeof read !== 'object' || read === null || !('userName' in read)) return undefined;
    const name = 'name' in read && typeof read.name === 'string' ? read.name : undefined;
    return typeof read.userName === 'string' ? { userName: read.userName, name } : undefined;
  } catch {
    // A line that is no JSON: the caller says that the file is damaged.
    return undefined;
  }
}

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}\n-----END CERTIFICATE REQUEST-----`;
}

const REQUEST_FILE = 'pending-request.pem';
const REQUEST =
  /^([^\n]*)\n-----BEGIN CERTIFICATE REQUEST-----\n([^-]+)\n-----END CERTIFICATE REQUEST-----\n$/;
