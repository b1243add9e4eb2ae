import { ApiClient, type ApiClientOptions } from './api-client.ts';
import type {
  CertificateFile,
  ClientCertificateTarget,
  ShownCertificate,
} from './client-certificate-target.ts';
import { OperatorError } from './operator-error.ts';

/** The client certificates of the running peer, through its HTTP API. */
export class OwnPeerCertificates implements ClientCertificateTarget {
  private readonly api: ApiClient;

  static async open(options: ApiClientOptions): Promise<OwnPeerCertificates> {
    return new OwnPeerCertificates(await ApiClient.open(options));
  }

  private constructor(api: ApiClient) {
    this.api = api;
  }

  async add(
    name: string,
    { type, pem }: CertificateFile,
    noCertManagement: boolean,
  ): Promise<ShownCertificate> {
    return shown(await this.api.ask('POST', PATH, { name, [type]: pem, noCertManagement }));
  }

  async list(): Promise<readonly ShownCertificate[]> {
    const answer = await this.api.ask('GET', PATH);
    if (!Array.isArray(answer)) throw unreadable();
    return answer.map(shown);
  }

  async disable(name: string): Promise<ShownCertificate> {
    return shown(await this.api.ask('POST', `${PATH}/disable`, selector(name)));
  }

  async revoke(name: string): Promise<ShownCertificate> {
    return shown(await this.api.ask('POST', `${PATH}/revoke`, selector(name)));
  }

  async close(): Promise<void> {
    // Each request has a connection of its own.
  }
}

/** A fingerprint is taken as well: after disabling, a name may be another's. */
function selector(text: string): { name: string } | { fingerprint: string } {
  return FINGERPRINT.test(text) ? { fingerprint: text } : { name: text };
}

/** The API is our own program, yet maybe another version of it. */
function shown(value: unknown): ShownCertificate {
  if (typeof value !== 'object' || value === null) throw unreadable();
  const { name, fingerprintSha256, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof fingerprintSha256 !== 'string') throw unreadable();
  return { name, fingerprintSha256, ...rest };
}

function unreadable(): OperatorError {
  return new OperatorError('the peer answered what this program does not understand; update it');
}

const PATH = '/v1/client-certificates';
const FINGERPRINT = /^[0-9a-fA-F]{64}$/;
