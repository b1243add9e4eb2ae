import type {
  CertificateCommand,
  ListedCertificate,
} from '../../xmpp/client-certificates/certificate-command.ts';
import type { CertificateSelector } from '../../xmpp/client-certificates/certificate-register.ts';
import { toPem } from '../links/link-credentials.ts';
import type { PeerHost } from '../peer-host.ts';
import { isoTime } from './http-api-json.ts';
import { HttpProblem } from './http-problem.ts';

type Host = Pick<PeerHost, 'manageCertificates'>;

/** One of the user's client certificates, as the API and the commands show it. */
interface ClientCertificateJson {
  readonly name: string;
  readonly fingerprintSha256: string;
  /** `upload`, `issued` by this peer, or of the `overlay`. */
  readonly source: string;
  /** `active` or `expired`; in the answer to a change also `disabled` or `revoked`. */
  readonly state: string;
  readonly noCertManagement: boolean;
  readonly added: string | null;
  readonly lastUsed: string | null;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** XmppAddrs that stand in it. */
  readonly addresses: readonly string[];
  /** Resources of the sessions that came with it. */
  readonly users: readonly string[];
  readonly pem: string;
}

/** `GET /v1/client-certificates`: all that can be used, and the expired ones. */
export async function clientCertificatesJson(
  host: Host,
): Promise<readonly ClientCertificateJson[]> {
  return (await performed(host, { type: 'list' })).map(certificateJson);
}

/**
 * `POST /v1/client-certificates` with `{"name", "certificate"}` or `{"name", "signingRequest"}`,
 * each in PEM or base64, and `"noCertManagement"`: the certificate that can be used from now on.
 */
export async function addedCertificateJson(
  host: Host,
  body: Uint8Array,
): Promise<ClientCertificateJson> {
  const { name, certificate, signingRequest, noCertManagement = false } = fieldsOf(body);
  if (typeof name !== 'string' || typeof noCertManagement !== 'boolean') throw unreadable(ADDED);
  const mayManage = !noCertManagement;
  if (typeof certificate === 'string' && signingRequest === undefined) {
    return one(host, { type: 'add', name, certificate: base64Of(certificate), mayManage });
  }
  if (typeof signingRequest === 'string' && certificate === undefined) {
    const request = base64Of(signingRequest);
    return one(host, { type: 'issue', name, signingRequest: request, mayManage });
  }
  throw unreadable(ADDED);
}

/** `POST /v1/client-certificates/disable` or `…/revoke` with `{"name"}` or `{"fingerprint"}`. */
export async function unusableCertificateJson(
  host: Host,
  type: 'disable' | 'revoke',
  body: Uint8Array,
): Promise<ClientCertificateJson> {
  const { name, fingerprint } = fieldsOf(body);
  return one(host, { type, which: selectorOf(name, fingerprint) });
}

function selectorOf(name: unknown, fingerprint: unknown): CertificateSelector {
  if (typeof name === 'string' && fingerprint === undefined) return { name };
  if (typeof fingerprint === 'string' && name === undefined) {
    return { fingerprint: fingerprint.toLowerCase() };
  }
  throw unreadable(MEANT);
}

async function one(host: Host, command: CertificateCommand): Promise<ClientCertificateJson> {
  const [certificate] = await performed(host, command);
  if (certificate === undefined) throw new Error(`no certificate came of ${command.type}`);
  return certificateJson(certificate);
}

async function performed(
  host: Host,
  command: CertificateCommand,
): Promise<readonly ListedCertificate[]> {
  const outcome = await host.manageCertificates(command);
  if (outcome === undefined) {
    throw new HttpProblem(409, 'this peer does no XMPP; start it with --gateway', {
      code: 'no-xmpp',
    });
  }
  if (outcome.ok) return outcome.certificates;
  const status = STATUS_OF_CONDITION.get(outcome.condition) ?? 502;
  throw new HttpProblem(status, outcome.reason, { code: outcome.condition });
}

function certificateJson(certificate: ListedCertificate): ClientCertificateJson {
  const { state, isExpired, lastUsedUnixMs } = certificate;
  return {
    name: certificate.name,
    fingerprintSha256: certificate.fingerprint,
    source: certificate.source,
    state: state === 'active' && isExpired ? 'expired' : state,
    noCertManagement: !certificate.mayManage,
    added: isoTime(certificate.addedUnixMs),
    lastUsed: lastUsedUnixMs === undefined ? null : isoTime(lastUsedUnixMs),
    notBefore: isoTime(certificate.notBeforeUnixMs),
    notAfter: isoTime(certificate.notAfterUnixMs),
    addresses: certificate.addresses,
    users: certificate.users,
    pem: toPem(certificate.der),
  };
}

function fieldsOf(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Said below.
  }
  throw unreadable('an object');
}

/** What stands between the lines of a PEM file (RFC 7468); other text is base64 already. */
function base64Of(text: string): string {
  return PEM.exec(text)?.[1] ?? text;
}

function unreadable(expected: string): HttpProblem {
  return new HttpProblem(400, `the body is ${expected} in JSON`, { code: 'bad-request' });
}

/** Room for a certificate and a name, escaped in any way. */
export const CLIENT_CERTIFICATE_BODY_BYTES_MAX = 128 * 1024;
const PEM = /-----BEGIN [A-Z0-9 ]+-----([^-]*)-----END [A-Z0-9 ]+-----/;
const ADDED = '{"name": NAME, "certificate": PEM} or {"name": NAME, "signingRequest": PEM}';
const MEANT = '{"name": NAME} or {"fingerprint": SHA-256 in hex}';
const STATUS_OF_CONDITION: ReadonlyMap<string, number> = new Map([
  ['bad-request', 400],
  ['not-acceptable', 400],
  ['not-allowed', 403],
  ['item-not-found', 404],
  ['conflict', 409],
  ['internal-server-error', 500],
  ['resource-constraint', 503],
  ['service-unavailable', 503],
]);
