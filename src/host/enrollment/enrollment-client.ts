import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import type { OverlayConfiguration } from '../../overlay-config/overlay-configuration.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { EnrollmentFailure, type FailedRequest, failureOfToken } from './enrollment-failure.ts';
import { generatePrivateKey, type KeyType } from './enrollment-key.ts';
import { type EnrollmentAnswer, postEnrollment } from './enrollment-post.ts';
import { encodeSigningRequest } from './enrollment-request.ts';
import { encodeForm, type FormPart } from './multipart.ts';

/** What enrollment and renewal have in common. */
interface EnrollmentOptions {
  /** https URL of an enrollment server; its host counts if the configuration names it. */
  readonly url: string;
  /** PEM certificates that the server's HTTPS chain may end in, beside Node's own roots. */
  readonly trust?: string | undefined;
  readonly overlayName: string;
  /** Whose enrollment servers, beside the overlay's own name, may be asked. */
  readonly configuration?: Pick<OverlayConfiguration, 'enrollmentServers'> | undefined;
  /** Has the roots of the configuration: a certificate that it refuses is not taken. */
  readonly authenticator: Authenticator;
  readonly signal?: AbortSignal | undefined;
}

export interface EnrollOptions extends EnrollmentOptions {
  readonly userName: string;
  readonly password: string;
  /** Default: p256. */
  readonly keyType?: KeyType | undefined;
  /** Node-IDs for one certificate; the profile xep-0416 has exactly one. Default: 1. */
  readonly nodeIdCount?: number | undefined;
  /**
   * The key to certify. A caller that has it on disk before asks for the same certificate again
   * after a crash, instead of for another device.
   */
  readonly privateKey?: KeyObject | undefined;
}

export interface RenewOptions extends EnrollmentOptions {
  /** The certificate in force and its key; the Node-ID comes from there. */
  readonly identity: Pick<EnrolledIdentity, 'privateKey' | 'chain'>;
  /** A new key for the same Node-ID; left out: the key stays. */
  readonly newPrivateKey?: KeyObject | undefined;
}

/** A certificate that passed every check, and its key. */
export interface EnrolledIdentity {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificateDer: Uint8Array;
  /** DER, the leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly node: AuthenticatedNode;
}

/** Obtains a first certificate (RFC 6940 §11.3). Throws EnrollmentFailure. */
export async function enroll(options: EnrollOptions): Promise<EnrolledIdentity> {
  const { userName, password, nodeIdCount = 1 } = options;
  const privateKey = options.privateKey ?? (await generatePrivateKey(options.keyType ?? 'p256'));
  const issued = await request(options, privateKey, userName, [
    textField('username', userName),
    textField('password', password),
    ...(nodeIdCount > 1 ? [textField('nodeids', String(nodeIdCount))] : []),
  ]);
  return accept(options, issued, privateKey, (node) =>
    node.userName === userName ? undefined : `it is for ${node.userName}, not for ${userName}`,
  );
}

/** Obtains the next certificate of a node by showing the one in force. Throws EnrollmentFailure. */
export async function renew(options: RenewOptions): Promise<EnrolledIdentity> {
  const { identity, authenticator } = options;
  const [leaf = new Uint8Array(), ...pool] = identity.chain;
  const held = authenticator.authenticate(leaf, pool, Date.now());
  if (held instanceof CertificateRefusal) {
    throw new EnrollmentFailure(
      'bad-certificate',
      `the certificate in force cannot be renewed (${held.describe()}); enroll anew`,
    );
  }
  const privateKey = options.newPrivateKey ?? identity.privateKey;
  const { certificate, pool: more } = await request(
    options,
    privateKey,
    held.userName,
    [],
    identity,
  );
  const issued = { certificate, pool: [...more, ...pool] };
  return accept(options, issued, privateKey, (node) => {
    if (node.userName !== held.userName) return `it is for ${node.userName}, not ${held.userName}`;
    const isSame = node.nodeIds.join() === held.nodeIds.join();
    return isSame ? undefined : `it is for Node-ID ${node.nodeIds}, not ${held.nodeIds}`;
  });
}

/** What an enrollment server sends, DER: a certificate, and others of its chain. */
interface IssuedChain {
  readonly certificate: Uint8Array;
  readonly pool: readonly Uint8Array[];
}

async function request(
  options: EnrollmentOptions,
  privateKey: KeyObject,
  userName: string,
  credentials: readonly FormPart[],
  client?: RenewOptions['identity'],
): Promise<IssuedChain> {
  const csr = encodeSigningRequest(privateKey, userName);
  const boundary = randomBytes(24).toString('hex');
  const form = [...credentials, { name: 'csr', contentType: 'application/pkcs10', value: csr }];
  const answer = await postEnrollment({
    url: options.url,
    boundary,
    form: encodeForm(form, boundary),
    trust: options.trust,
    serverNames: serverNamesOf(options),
    ...(client === undefined ? {} : { client }),
    signal: options.signal,
  });
  const isRenewal = client !== undefined;
  return certificateOf(answer, {
    url: options.url,
    userName: isRenewal ? undefined : userName,
  });
}

/**
 * The overlay's own name (RFC 6940 §11.3), and the host of the URL where a verified configuration
 * names the URL: several authorities serve one overlay.
 */
function serverNamesOf(options: EnrollmentOptions): string[] {
  const { url, overlayName, configuration } = options;
  const isNamed = configuration?.enrollmentServers.includes(url) ?? false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  return isNamed ? [overlayName, host] : [overlayName];
}

function certificateOf(answer: EnrollmentAnswer, failed: FailedRequest): IssuedChain {
  const { status, contentType, body, pool, retryAfterSeconds = 60 } = answer;
  if (status === 200 && contentType === 'application/pkix-cert') return { certificate: body, pool };
  if (status === 403) throw failureOfToken(Buffer.from(body).toString('latin1').trim(), failed);
  if (status === 429 || status === 503) {
    throw new EnrollmentFailure(
      'too-many-requests',
      `${failed.url} has too much to do; try again in ${retryAfterSeconds} s`,
      { retryAfterSeconds },
    );
  }
  throw new EnrollmentFailure(
    'refused',
    `${failed.url} answers with status ${status} (${contentType || 'no type'}) in place of a ` +
      'certificate; check that it is an enrollment server',
  );
}

/** "The client MUST check that the returned certificate chains back to" a root — RFC 6940 §11.3. */
function accept(
  options: EnrollmentOptions,
  { certificate: certificateDer, pool }: IssuedChain,
  privateKey: KeyObject,
  faultOf: (node: AuthenticatedNode) => string | undefined,
): EnrolledIdentity {
  const refuse = (reason: string) =>
    new EnrollmentFailure(
      'bad-certificate',
      `${options.url} returned a certificate that does not do: ${reason}; tell its operator`,
    );
  const node = options.authenticator.authenticate(certificateDer, pool, Date.now());
  if (node instanceof CertificateRefusal) throw refuse(node.describe());
  const ownKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  if (!ownKey.equals(node.certificate.subjectPublicKeyInfo.der)) throw refuse('another key');
  const fault = faultOf(node);
  if (fault !== undefined) throw refuse(fault);
  return { privateKey, certificateDer, chain: node.chain, node };
}

function textField(name: string, value: string): FormPart {
  return {
    name,
    contentType: 'text/plain; charset=utf-8',
    value: new Uint8Array(Buffer.from(value)),
  };
}
