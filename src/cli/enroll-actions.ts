import {
  findPersonalCertificates,
  publishOwnCertificate,
  retractOwnCertificate,
} from '../host/enrollment/certificate-publication.ts';
import {
  discardPendingRequest,
  forgetPendingRequest,
  pendingRequest,
} from '../host/enrollment/pending-request.ts';
import { findAuthorities, type XmppAuthorityChoice } from '../host/enrollment/xmpp-authorities.ts';
import { enrollOverXmpp } from '../host/enrollment/xmpp-enrollment.ts';
import type { XmppEnrollmentState } from '../host/enrollment/xmpp-enrollment-state.ts';
import { authorityAddressOf, revokeOverXmpp } from '../host/enrollment/xmpp-revocation.ts';
import { retireIdentity } from '../host/identity-file.ts';
import {
  type ServerConnection,
  StanzaErrorAnswer,
} from '../host/xmpp/account/server-connection.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { parseJid } from '../xmpp-address/jid.ts';
import type { EnrollOptions } from './enroll-options.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { printJson, printLine, printTable } from './terminal-output.ts';

/** What one run of `xor enroll` works with. */
interface EnrollSession {
  readonly state: XmppEnrollmentState;
  /** Logged in to the account. */
  readonly connection: ServerConnection;
  readonly options: EnrollOptions;
  /** The bare address, prepared. */
  readonly account: string;
}

/** Gets a certificate unless one is held, and publishes it if that is wished. */
export async function enroll(session: EnrollSession, isHeld: boolean): Promise<void> {
  const { state, options } = session;
  const { chain, authority } = isHeld
    ? { chain: state.held?.chain ?? [], authority: undefined }
    : await enrollNow(session);
  const published = options.publish === true ? await publish(session, chain) : undefined;
  const report = {
    ...reportOf(state, chain),
    ...(authority === undefined ? {} : { authority }),
    ...(published === undefined ? {} : { published }),
  };
  if (options.json === true) return printJson(report);
  printLine(`${report.jid} is certified as node ${report.nodeId} until ${report.notAfter}`);
  if (published !== undefined) printLine(`contacts find the certificate as ${published}`);
}

/** What the state directory holds already. */
export function reportHeld(state: XmppEnrollmentState, { json }: EnrollOptions): void {
  const report = reportOf(state, state.held?.chain ?? []);
  if (json === true) return printJson(report);
  printLine(
    `${state.stateDirectory} has a certificate already: ${report.jid} is node ${report.nodeId} ` +
      `until ${report.notAfter}`,
  );
}

export async function listAuthorities(session: EnrollSession): Promise<void> {
  const choices = await authoritiesFor(session);
  const shown = choices.map(({ address, certificate, isTrustedByServer }) => ({
    address: address.text,
    name: certificate.subject.text,
    isTrustedByServer,
    fingerprintSha256: certificate.sha256,
  }));
  if (session.options.json === true) return printJson(shown);
  printTable(
    ['AUTHORITY', 'NAME', 'THE SERVER TRUSTS IT', 'SHA-256'],
    shown.map(({ address, name, isTrustedByServer, fingerprintSha256 }) => [
      address,
      name,
      isTrustedByServer ? 'yes' : 'no',
      fingerprintSha256.slice(0, SHOWN_DIGITS),
    ]),
  );
}

/** XEP-0417 §7: the authority that issued revokes; what was published is taken back. */
export async function revoke({ state, connection, options }: EnrollSession): Promise<void> {
  const { held, rootCertificates, stateDirectory } = state;
  if (held === undefined) throw new OperatorError(`${stateDirectory} holds no certificate`);
  const authority = options.authority ?? authorityAddressOf(held.chain, rootCertificates);
  if (authority === undefined) {
    throw new OperatorError(
      'the authority that issued the certificate takes no requests over XMPP; ask its operator',
    );
  }
  await revokeOverXmpp(connection, authority, held);
  await retireIdentity(stateDirectory);
  await forgetPendingRequest(stateDirectory);
  const isRetracted = await retract(connection, held.chain);
  if (options.json === true) printJson({ revoked: true, authority, retracted: isRetracted });
  else printLine(`${authority} has revoked the certificate; enroll anew to have another one`);
}

async function enrollNow(session: EnrollSession) {
  const { state, connection, options, account } = session;
  const { stateDirectory, authenticator, held } = state;
  const [authority] = await authoritiesFor(session);
  if (authority === undefined) throw new OperatorError('there is no authority to ask');
  if (options.newRequest === true) await discardPendingRequest(stateDirectory);
  const request = await pendingRequest(stateDirectory, {
    userName: account,
    name: options.name,
    keyType: options.keyType,
    // The authority knows a device by its key, so that of an expired certificate keeps the Node-ID.
    privateKey: options.newRequest === true ? undefined : held?.privateKey,
  });
  const { chain } = await enrollOverXmpp({
    connection,
    stateDirectory,
    request,
    userName: account,
    authority,
    authenticator,
    challengeMsMax: options.challengeMinutes * MINUTE_MS,
    onChallenge: (uri) => showChallenge(uri, options),
    onRefused: ({ reason }) => process.stderr.write(`xor: ${reason}\n`),
  });
  return { chain, authority: authority.address.text };
}

function showChallenge(uri: string, { json }: EnrollOptions): void {
  if (json === true) return printJson({ event: 'challenge', uri });
  printLine(`the authority wants you to open this page in your browser:\n  ${uri}`);
}

function authoritiesFor(session: EnrollSession): Promise<readonly XmppAuthorityChoice[]> {
  const { state, connection, options, account } = session;
  const jid = parseJid(account);
  if (jid instanceof AddressFault) throw usageError(jid.describe());
  return findAuthorities(connection, {
    account: jid,
    rootCertificates: state.rootCertificates,
    named: options.authority,
    unixMs: Date.now(),
  });
}

/** Published, and found again as a contact would find it. */
async function publish(session: EnrollSession, chain: readonly Uint8Array[]): Promise<string> {
  const { connection, options, account, state } = session;
  const id = await publishOwnCertificate(connection, chain, options.name);
  const { nodes } = await findPersonalCertificates(connection, account, state.authenticator);
  const [leaf = new Uint8Array()] = chain;
  const isFound = nodes.some(({ certificate }) => Buffer.compare(certificate.der, leaf) === 0);
  if (isFound) return id;
  throw new OperatorError(
    'the server took the certificate and does not show it again; contacts will not find it there',
  );
}

/** A server that has no such item, or keeps no personal events, has nothing to take back. */
async function retract(
  connection: ServerConnection,
  chain: readonly Uint8Array[],
): Promise<boolean> {
  try {
    await retractOwnCertificate(connection, chain);
    return true;
  } catch (error) {
    if (error instanceof StanzaErrorAnswer) return false;
    throw error;
  }
}

/** What is told of a certificate; throws OperatorError for one that does not count any more. */
function reportOf(state: XmppEnrollmentState, [leaf, ...pool]: readonly Uint8Array[]) {
  const { authenticator, stateDirectory } = state;
  const node = authenticator.authenticate(leaf ?? new Uint8Array(), pool, Date.now());
  if (node instanceof CertificateRefusal) {
    throw new OperatorError(
      `the certificate in ${stateDirectory} does not count in this overlay: ${node.describe()}`,
    );
  }
  return {
    jid: node.userName,
    nodeId: node.nodeId,
    notAfter: new Date(node.certificate.notAfterUnixMs).toISOString(),
    fingerprintSha256: node.certificate.sha256,
  };
}

const MINUTE_MS = 60_000;
/** Of a fingerprint in the table; `--json` has all of it. */
const SHOWN_DIGITS = 16;
