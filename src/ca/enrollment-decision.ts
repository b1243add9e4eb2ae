import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { domainKey, jidDomain } from '../tls-auth/xmpp-address.ts';
import { isInvalidNodeId, isWildcard, type NodeId } from '../wire/node-id.ts';
import {
  type CertificateRegister,
  type Device,
  isInForce,
  type RegisteredCertificate,
} from './certificate-register.ts';
import type { SigningRequestFault } from './certification-request.ts';
import type { SigningRequest } from './signing-request.ts';

/** The body of a 403 answer to an enrollment request — RFC 6940 §11.3. */
export type EnrollmentToken =
  | 'failed_authentication'
  | 'username_not_available'
  | 'Node-IDs_not_available'
  | 'bad_CSR';

/** What the sender of a request has proved to be. */
export interface Applicant {
  readonly userName: string;
  /** The device whose certificate the sender showed; undefined: a password was shown. */
  readonly device: Device | undefined;
  /** The certificate that was shown, beside `device`. */
  readonly shownSerialNumber?: string | undefined;
}

/** What an authority may issue. */
export interface IssuingRules {
  readonly profile: CertificateProfile;
  /** The one domain whose users it certifies (XEP-0416 §2); undefined: any. */
  readonly domain?: string | undefined;
}

/** What an authenticated sender wants. */
export interface EnrollmentWish {
  readonly signingRequest: SigningRequest | SigningRequestFault;
  /** SHA-256 of the key of the request, lower-case hex; of nothing where the request is bad. */
  readonly publicKeySha256: string;
  /** SHA-256 of the request, lower-case hex; undefined: only its key says which request it is. */
  readonly requestSha256?: string | undefined;
  /** The form's `nodeids`; undefined where there is none. */
  readonly nodeIdCount: string | undefined;
}

export type EnrollmentDecision =
  | { readonly type: 'issue'; readonly nodeIds: readonly NodeId[] }
  /** The same key was certified a short time ago: the answer is that certificate again. */
  | { readonly type: 'repeat'; readonly certificate: RegisteredCertificate }
  | { readonly type: 'refuse'; readonly token: EnrollmentToken; readonly detail: string }
  /** Too many certificates for one account in a day. */
  | { readonly type: 'later'; readonly retryAfterSeconds: number };

/**
 * Decides about a request of RFC 6940 §11.3 whose sender is authenticated. A device is known by
 * its key, or by the certificate that it showed: it keeps its Node-IDs. A key that nobody has used
 * is a new device with new random Node-IDs, as long as the account has room for one (eax-car: "MUST
 * generate a cryptographically random 128-bit integer each time it issues a leaf certificate for a
 * new user device").
 *
 * `drawNodeId` is asked here and not before: nobody who failed to authenticate can learn a Node-ID.
 */
export function decideEnrollment(
  register: CertificateRegister,
  rules: IssuingRules,
  authenticated: Applicant,
  wish: EnrollmentWish,
  drawNodeId: () => NodeId,
  unixMs: number,
): EnrollmentDecision {
  // Between the look at its certificate and this decision it may have been revoked.
  if (isRevoked(register, authenticated.shownSerialNumber)) {
    return refuse('failed_authentication', 'its certificate is revoked');
  }
  const applicant = { ...authenticated, device: sameDevice(register, authenticated.device) };
  const request = wish.signingRequest;
  if ('detail' in request) return refuse('bad_CSR', request.detail);
  if (!isOfDomain(applicant.userName, rules.domain)) {
    return refuse('username_not_available', `this is the authority of ${rules.domain} alone`);
  }
  const foreignName = request.userNames.find((name) => name !== applicant.userName);
  if (foreignName !== undefined) {
    return refuse('username_not_available', `the request is for "${foreignName.slice(0, 80)}"`);
  }
  const holder = register.deviceOfKey(wish.publicKeySha256);
  const keyFault = faultOfKey(register, applicant, holder, wish.publicKeySha256);
  if (keyFault !== undefined) return refuse('bad_CSR', keyFault);

  const device = applicant.device ?? holder;
  const countFault = faultOfCount(rules.profile, wish.nodeIdCount, device);
  if (countFault !== undefined) return refuse('Node-IDs_not_available', countFault);
  const repeated = repeatable(register, device, wish, unixMs);
  if (repeated !== undefined) return { type: 'repeat', certificate: repeated };
  const roomFault = faultOfRoom(register, applicant, device, unixMs);
  if (roomFault !== undefined) return refuse('Node-IDs_not_available', roomFault);
  const waitSeconds = secondsUntilIssue(register, applicant, unixMs);
  if (waitSeconds > 0) return { type: 'later', retryAfterSeconds: waitSeconds };
  if (device !== undefined) return { type: 'issue', nodeIds: device.nodeIds };
  return {
    type: 'issue',
    nodeIds: newNodeIds(register, Number(wish.nodeIdCount ?? 1), drawNodeId),
  };
}

function isRevoked(register: CertificateRegister, serialNumber: string | undefined): boolean {
  if (serialNumber === undefined) return false;
  return register.certificate(serialNumber)?.revocation !== undefined;
}

/** As the register has it now. */
function sameDevice(register: CertificateRegister, device: Device | undefined): Device | undefined {
  const [nodeId] = device?.nodeIds ?? [];
  return nodeId === undefined ? undefined : register.deviceOfNode(nodeId);
}

/**
 * XEP-0416 §4: a domain-associated authority certifies "the domain part of the XmppAddr" that
 * matches its own, compared as A-labels.
 */
export function isOfDomain(userName: string, domain: string | undefined): boolean {
  return domain === undefined || domainKey(jidDomain(userName)) === domainKey(domain);
}

/** One key serves one device: a copied or revoked key is never certified again. */
function faultOfKey(
  register: CertificateRegister,
  applicant: Applicant,
  holder: Device | undefined,
  publicKeySha256: string,
): string | undefined {
  for (const authority of register.authorities()) {
    if (authority.publicKeySha256 === publicKeySha256) return 'its key is one of an authority';
  }
  if (holder === undefined) return undefined;
  if (holder.userName !== applicant.userName || holder !== (applicant.device ?? holder)) {
    return 'its key is certified for another device; make a new key';
  }
  const isRevoked = register
    .certificatesOf(holder)
    .some(
      (certificate) =>
        certificate.publicKeySha256 === publicKeySha256 && certificate.revocation !== undefined,
    );
  return isRevoked ? 'a certificate of its key was revoked; make a new key' : undefined;
}

function faultOfCount(
  profile: CertificateProfile,
  nodeIdCount: string | undefined,
  device: Device | undefined,
): string | undefined {
  const max = NODE_IDS_MAX[profile];
  const isNumber = nodeIdCount === undefined || /^[1-9]\d{0,2}$/.test(nodeIdCount);
  const count = Number(nodeIdCount ?? device?.nodeIds.length ?? 1);
  if (!isNumber || count > max) return `a certificate of this overlay has 1 to ${max} Node-IDs`;
  if (device === undefined || count === device.nodeIds.length) return undefined;
  return `this device has ${device.nodeIds.length} Node-IDs`;
}

/**
 * Its latest certificate for this key: for the very same request as long as it is in force
 * (XEP-0417: "If it has an already issued certificate for this CSR, it MUST respond with the
 * certificate"), for another one while more than half of its time lies ahead.
 */
function repeatable(
  register: CertificateRegister,
  device: Device | undefined,
  { publicKeySha256, requestSha256 }: EnrollmentWish,
  unixMs: number,
): RegisteredCertificate | undefined {
  const latest = device === undefined ? undefined : register.certificatesOf(device).at(-1);
  if (latest === undefined || latest.publicKeySha256 !== publicKeySha256) return undefined;
  if (!isInForce(latest, unixMs)) return undefined;
  const isSameRequest = requestSha256 !== undefined && requestSha256 === latest.requestSha256;
  const middleUnixMs = (latest.notBeforeUnixMs + latest.notAfterUnixMs) / 2;
  return isSameRequest || unixMs < middleUnixMs ? latest : undefined;
}

function faultOfRoom(
  register: CertificateRegister,
  applicant: Applicant,
  device: Device | undefined,
  unixMs: number,
): string | undefined {
  const account = register.account(applicant.userName);
  if (account === undefined) return `the account ${applicant.userName} is gone`;
  const active = register.activeDevicesOf(account.userName, unixMs);
  if (device !== undefined && active.includes(device)) return undefined;
  if (active.length < account.devicesMax) return undefined;
  return `the account has ${active.length} devices already; its limit is ${account.devicesMax}`;
}

/** 0: now. */
function secondsUntilIssue(
  register: CertificateRegister,
  applicant: Applicant,
  unixMs: number,
): number {
  const account = register.account(applicant.userName);
  if (account === undefined) return 0;
  const issuedUnixMs = register
    .devicesOf(account.userName)
    .flatMap((device) => register.certificatesOf(device))
    .map((certificate) => certificate.unixMs)
    .filter((at) => at > unixMs - DAY_MS)
    .sort((a, b) => a - b);
  const oldestThatCounts = issuedUnixMs.at(-CERTIFICATES_PER_DAY_MAX);
  return oldestThatCounts === undefined
    ? 0
    : Math.ceil((oldestThatCounts + DAY_MS - unixMs) / 1000);
}

function newNodeIds(
  register: CertificateRegister,
  count: number,
  drawNodeId: () => NodeId,
): NodeId[] {
  const nodeIds: NodeId[] = [];
  while (nodeIds.length < count) {
    const drawn = drawNodeId();
    const isTaken = register.deviceOfNode(drawn) !== undefined || nodeIds.includes(drawn);
    if (isTaken || isWildcard(drawn) || isInvalidNodeId(drawn)) continue;
    nodeIds.push(drawn);
  }
  return nodeIds;
}

function refuse(token: EnrollmentToken, detail: string): EnrollmentDecision {
  return { type: 'refuse', token, detail };
}

/** XEP-0416 §3.2: "a single RELOAD URI". */
const NODE_IDS_MAX = { 'xep-0416': 1, rfc6940: 4 } as const;
const DAY_MS = 86_400_000;
/** Of one account: enough for eight devices with new keys every few hours. */
const CERTIFICATES_PER_DAY_MAX = 64;
