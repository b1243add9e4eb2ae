import { type Certificate, parseCertificate } from '../../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../tls-auth/certificate-refusal.ts';
import { DISCO_INFO_NAMESPACE, SASLCERT_NAMESPACE } from '../../../xmpp/stanza/namespaces.ts';
import {
  childElement,
  childElements,
  element,
  textOf,
  type XmppElement,
} from '../../../xmpp/stanza/xmpp-element.ts';
import type { ServerConnection } from '../account/server-connection.ts';

/** One certificate of an account, as its server lists it (XEP-0257 §2.2). */
export interface ListedCertificate {
  readonly name: string;
  /** DER; undefined: what the server lists is no certificate. */
  readonly certificate: Certificate | undefined;
  /** Resources that are logged in with it now; undefined: the server does not say. */
  readonly users: readonly string[] | undefined;
}

/** The server does not do what XEP-0257 describes; the message is a sentence. */
export class SaslcertFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SaslcertFailure';
  }
}

/**
 * The list of client certificates of an account at its server (XEP-0257), over a connection that is
 * logged in to the account. What servers are known to leave unchecked is checked here as well:
 * names that are taken, names that are not there, certificates that have ended.
 */
export class SaslcertClient {
  private readonly connection: Pick<ServerConnection, 'iq'>;

  constructor(connection: Pick<ServerConnection, 'iq'>) {
    this.connection = connection;
  }

  /** Whether the server, or the account, says that it keeps such a list (XEP-0257 §4). */
  async isOffered(domain: string): Promise<boolean> {
    const features = await this.features(domain);
    return features.has(SASLCERT_NAMESPACE);
  }

  async list(): Promise<readonly ListedCertificate[]> {
    const answer = await this.connection.iq(undefined, 'get', saslcert('items'));
    const items = childElement(answer, 'items', SASLCERT_NAMESPACE);
    if (items === undefined) throw new SaslcertFailure('the server answered without a list');
    const listed = childElements(items).filter(({ name }) => name === 'item');
    if (listed.length > LISTED_MAX) {
      throw new SaslcertFailure(`the server lists more than ${LISTED_MAX} certificates`);
    }
    return listed.map(listedCertificate);
  }

  /** Throws SaslcertFailure for a name that is taken, and for what has ended. */
  async append(name: string, der: Uint8Array, noCertManagement: boolean): Promise<void> {
    const fault = await this.faultOfAppend(name, der);
    if (fault !== undefined) throw new SaslcertFailure(fault);
    await this.connection.iq(
      undefined,
      'set',
      saslcert('append', [
        saslcert('name', [name]),
        ...(noCertManagement ? [saslcert('no-cert-management')] : []),
        saslcert('x509cert', [Buffer.from(der).toString('base64')]),
      ]),
    );
  }

  /** Throws SaslcertFailure when no certificate has the name. */
  async remove(how: 'disable' | 'revoke', name: string): Promise<ListedCertificate> {
    const found = (await this.list()).find((one) => one.name === name);
    if (found === undefined) {
      throw new SaslcertFailure(`no certificate of the account is called "${name}"`);
    }
    await this.connection.iq(undefined, 'set', saslcert(how, [saslcert('name', [name])]));
    return found;
  }

  private async faultOfAppend(name: string, der: Uint8Array): Promise<string | undefined> {
    if (name.trim() === '' || name.length > NAME_LENGTH_MAX) {
      return `a name has 1 to ${NAME_LENGTH_MAX} characters`;
    }
    const certificate = parseCertificate(der);
    if (certificate instanceof CertificateRefusal) return certificate.describe();
    if (certificate.notAfterUnixMs < Date.now()) {
      return 'the certificate has ended; make a new one';
    }
    const taken = (await this.list()).some((one) => one.name === name);
    return taken ? `another certificate is called "${name}"; choose another name` : undefined;
  }

  private async features(domain: string): Promise<ReadonlySet<string>> {
    const query = element('query', DISCO_INFO_NAMESPACE);
    const answer = await this.connection.iq(domain, 'get', query);
    const info = childElement(answer, 'query', DISCO_INFO_NAMESPACE);
    const features = info === undefined ? [] : childElements(info);
    return new Set(features.map(({ attributes }) => attributes.get('var') ?? ''));
  }
}

function listedCertificate(item: XmppElement): ListedCertificate {
  const name = childElement(item, 'name');
  const x509cert = childElement(item, 'x509cert');
  const base64 = x509cert === undefined ? '' : textOf(x509cert);
  const certificate = parseCertificate(new Uint8Array(Buffer.from(base64, 'base64')));
  const users = childElement(item, 'users');
  return {
    name: name === undefined ? '' : textOf(name),
    certificate: certificate instanceof CertificateRefusal ? undefined : certificate,
    users: users === undefined ? undefined : childElements(users).map(textOf),
  };
}

function saslcert(name: string, children: readonly (XmppElement | string)[] = []): XmppElement {
  return element(name, SASLCERT_NAMESPACE, {}, children);
}

const LISTED_MAX = 10_000;
const NAME_LENGTH_MAX = 256;
