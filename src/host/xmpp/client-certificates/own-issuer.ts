import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialNumberFrom, validityFrom } from '../../../ca/certificate-content.ts';
import { MalformedRequest } from '../../../ca/certification-request.ts';
import {
  clientCertificateContent,
  clientIssuerContent,
  readClientRequest,
} from '../../../ca/client-certificate-request.ts';
import {
  type IssueOutcome,
  refused,
} from '../../../xmpp/client-certificates/certificate-command.ts';
import type { Jid } from '../../../xmpp-address/jid.ts';
import { buildCertificate } from '../../authority/certificate-builder.ts';
import { keyPairOf } from '../../authority/signing-key.ts';
import { generatePrivateKey } from '../../enrollment/enrollment-key.ts';
import type { Clock } from '../../host-clock.ts';
import { toPem } from '../../links/link-credentials.ts';
import type { Log } from '../../log.ts';
import { writeAtomic, writeSecret } from '../../state/state-directory.ts';

export interface OwnIssuerOptions {
  readonly stateDirectory: string;
  /** Whose clients it certifies, and nobody else's. */
  readonly user: Jid;
  readonly clock: Clock;
  readonly log: Log;
}

interface IssuerKey {
  readonly privateKey: KeyObject;
  readonly notAfterUnixMs: number;
}

/**
 * The small authority of a peer for its user's own clients. Its key is made when it is asked for
 * the first time, and stays in the state directory, readable for this user alone. Nobody trusts a
 * certificate of it because of its signature: only what is in the register of the peer logs in.
 */
export class OwnIssuer {
  private readonly options: OwnIssuerOptions;
  private key: Promise<IssuerKey> | undefined;

  constructor(options: OwnIssuerOptions) {
    this.options = options;
  }

  /** The certificate for a PKCS #10 request in DER, or why there is none. Never rejects. */
  async issue(signingRequest: Uint8Array): Promise<IssueOutcome> {
    const { user, clock, log } = this.options;
    const request = readClientRequest(signingRequest, user);
    if ('detail' in request) {
      const isMalformed = request instanceof MalformedRequest;
      const condition = isMalformed ? 'bad-request' : 'not-acceptable';
      return refused(condition, `the request cannot be certified: ${request.detail}`);
    }
    try {
      const { unixMs } = clock.now();
      const issuer = await this.currentKey(unixMs);
      const validity = validityFrom(unixMs, CLIENT_CERTIFICATE_DAYS, issuer.notAfterUnixMs);
      const content = clientCertificateContent(request, newSerialNumber(), validity);
      const key = keyPairOf(issuer.privateKey);
      const certificate = await buildCertificate(content, request.subjectPublicKeyInfo, key);
      return { ok: true, certificate };
    } catch (error) {
      log.error({ error: String(error) }, 'the issuer of client certificates cannot sign');
      return refused('internal-server-error', 'the issuer of the peer cannot sign; see its log');
    }
  }

  /** Read or made once; again after it failed, and when it is about to end. */
  private async currentKey(unixMs: number): Promise<IssuerKey> {
    this.key ??= this.heldKey(unixMs);
    try {
      const key = await this.key;
      if (isFit(key, unixMs)) return key;
      this.key = this.newKey(unixMs);
      return await this.key;
    } catch (error) {
      this.key = undefined;
      throw error;
    }
  }

  private async heldKey(unixMs: number): Promise<IssuerKey> {
    const { stateDirectory } = this.options;
    let pems: readonly string[];
    try {
      const files = [CERTIFICATE_FILE, KEY_FILE];
      pems = await Promise.all(files.map((name) => readFile(join(stateDirectory, name), 'utf8')));
    } catch (error) {
      // There is none yet; what is there and cannot be read is not written over.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return this.newKey(unixMs);
    }
    const [certificatePem = '', keyPem = ''] = pems;
    const certificate = new X509Certificate(certificatePem);
    const privateKey = createPrivateKey(keyPem);
    // A crash between the two files leaves the key of another certificate.
    if (!certificate.checkPrivateKey(privateKey)) return this.newKey(unixMs);
    return { privateKey, notAfterUnixMs: Date.parse(certificate.validTo) };
  }

  private async newKey(unixMs: number): Promise<IssuerKey> {
    const { stateDirectory, log } = this.options;
    const privateKey = await generatePrivateKey('p256');
    const key = keyPairOf(privateKey);
    const validity = validityFrom(unixMs, ISSUER_DAYS, Number.POSITIVE_INFINITY);
    const content = clientIssuerContent(newSerialNumber(), validity);
    const certificate = await buildCertificate(content, key.subjectPublicKeyInfo, key);
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeSecret(join(stateDirectory, KEY_FILE), pem);
    await writeAtomic(join(stateDirectory, CERTIFICATE_FILE), toPem(certificate));
    log.info({ file: CERTIFICATE_FILE }, 'an issuer for client certificates was made');
    return { privateKey, notAfterUnixMs: validity.notAfterUnixMs };
  }
}

/** What it signs is to be valid as long as any other. */
function isFit({ notAfterUnixMs }: IssuerKey, unixMs: number): boolean {
  return notAfterUnixMs - unixMs > CLIENT_CERTIFICATE_DAYS * DAY_MS;
}

function newSerialNumber(): string {
  return serialNumberFrom(randomBytes(SERIAL_NUMBER_BYTES));
}

const CERTIFICATE_FILE = 'client-issuer.pem';
const KEY_FILE = 'client-issuer-key.pem';
const SERIAL_NUMBER_BYTES = 20;
const CLIENT_CERTIFICATE_DAYS = 365;
const ISSUER_DAYS = 3_650;
const DAY_MS = 86_400_000;
