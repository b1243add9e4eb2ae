import { X509Certificate } from 'node:crypto';
import type { ServerConnection } from '../host/xmpp/account/server-connection.ts';
import { type ListedCertificate, SaslcertClient } from '../host/xmpp/saslcert/saslcert-client.ts';
import type {
  CertificateFile,
  ClientCertificateTarget,
  ShownCertificate,
} from './client-certificate-target.ts';
import { OperatorError } from './operator-error.ts';
import { openFromOptions, type ServerOptions } from './server-options.ts';

/** The client certificates of an account at any server that speaks XEP-0257. */
export class ServerCertificates implements ClientCertificateTarget {
  private readonly connection: ServerConnection;
  private readonly client: SaslcertClient;

  static async open(options: ServerOptions): Promise<ServerCertificates> {
    const connection = await openFromOptions(options);
    const target = new ServerCertificates(connection);
    const domain = connection.address.replace(/^[^@]*@/, '').replace(/\/.*$/s, '');
    if (await target.client.isOffered(domain)) return target;
    await connection.close();
    throw new OperatorError(
      `the server of ${domain} keeps no list of client certificates (XEP-0257); ask its operator`,
    );
  }

  private constructor(connection: ServerConnection) {
    this.connection = connection;
    this.client = new SaslcertClient(connection);
  }

  async add(
    name: string,
    { type, pem }: CertificateFile,
    noCertManagement: boolean,
  ): Promise<ShownCertificate> {
    if (type === 'signingRequest') {
      throw new OperatorError(
        'a server takes certificates alone (XEP-0257); self-signed ones do as well',
      );
    }
    const der = new Uint8Array(new X509Certificate(pem).raw);
    await this.client.append(name, der, noCertManagement);
    return this.find(name);
  }

  async list(): Promise<readonly ShownCertificate[]> {
    return (await this.client.list()).map(shown);
  }

  async disable(name: string): Promise<ShownCertificate> {
    return shown(await this.client.remove('disable', await this.nameOf(name)));
  }

  async revoke(name: string): Promise<ShownCertificate> {
    return shown(await this.client.remove('revoke', await this.nameOf(name)));
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** As the server has it now: not every one keeps what it says that it keeps. */
  private async find(name: string): Promise<ShownCertificate> {
    const found = (await this.client.list()).find((one) => one.name === name);
    if (found !== undefined) return shown(found);
    throw new OperatorError(`the server took "${name}" and does not list it; ask its operator`);
  }

  /** The name of what is meant by a name or a fingerprint. */
  private async nameOf(text: string): Promise<string> {
    if (!FINGERPRINT.test(text)) return text;
    const wanted = text.toLowerCase();
    const found = (await this.client.list()).find(
      ({ certificate }) => certificate?.sha256 === wanted,
    );
    return found?.name ?? text;
  }
}

function shown({ name, certificate, users }: ListedCertificate): ShownCertificate {
  if (certificate === undefined) return { name, fingerprintSha256: '', state: 'unreadable' };
  const hasEnded = certificate.notAfterUnixMs < Date.now();
  return {
    name,
    fingerprintSha256: certificate.sha256,
    state: hasEnded ? 'expired' : 'active',
    notAfter: new Date(certificate.notAfterUnixMs).toISOString(),
    ...(users === undefined ? {} : { users }),
  };
}

const FINGERPRINT = /^[0-9a-fA-F]{64}$/;
