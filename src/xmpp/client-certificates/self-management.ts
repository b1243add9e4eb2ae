import { formatUtcTime } from '../../overlay-config/date-time.ts';
import type { FeatureRegistry, IqRequest } from '../routing/routing-feature.ts';
import { childElement, element, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import type { CertificateCommand, ListedCertificate } from './certificate-command.ts';
import {
  type CertificateManagement,
  certificateElements,
  mayManageIn,
  performFor,
  textInside,
} from './certificate-iq.ts';

/**
 * "Certificate self-management for clients": the peer's own issuer certifies the key of a request,
 * certificates are listed with when they were used last, and revoked by fingerprint. Where the tags
 * of the document do not match, they are `list-of-certificates` and `fingerprint`.
 */
export function registerSelfManagement(
  registry: FeatureRegistry,
  management: CertificateManagement,
): void {
  for (const namespace of [ADD_NAMESPACE, LIST_NAMESPACE, REVOKE_NAMESPACE]) {
    registry.disco('server', [namespace]);
    registry.disco('account', [namespace]);
  }
  registry.iq(ADD_NAMESPACE, (request, answer) => {
    const command = addition(request);
    if (typeof command === 'string') return answer.error('bad-request', command);
    performFor(management, request, answer, command, issuedResult);
  });
  registry.iq(LIST_NAMESPACE, (request, answer) => {
    if (request.type !== 'get' || request.payload.name !== 'list-certificates-request') {
      return answer.error('bad-request', 'expected <list-certificates-request/> in an iq get');
    }
    performFor(management, request, answer, { type: 'list' }, listResult);
  });
  registry.iq(REVOKE_NAMESPACE, (request, answer) => {
    const command = revocation(request);
    if (typeof command === 'string') return answer.error('bad-request', command);
    performFor(management, request, answer, command, () => []);
  });
}

function addition({ type, payload }: IqRequest): CertificateCommand | string {
  if (type !== 'set' || payload.name !== 'add-certificate-request') {
    return 'expected <add-certificate-request/> in an iq set';
  }
  const name = textInside(payload, 'name');
  const signingRequest = textInside(payload, 'x509certificate-signing-request');
  if (name === undefined) return 'give the certificate one <name/>';
  if (signingRequest === undefined) {
    return 'give one PKCS #10 request as <x509certificate-signing-request/>';
  }
  return { type: 'issue', name, signingRequest, mayManage: mayManageIn(payload) };
}

function issuedResult(certificates: readonly ListedCertificate[]): readonly XmppElement[] {
  const issued = certificates.map(({ base64 }) =>
    element('x509certificate', ADD_NAMESPACE, {}, [base64]),
  );
  return [element('add-certificate-result', ADD_NAMESPACE, {}, issued)];
}

function listResult(certificates: readonly ListedCertificate[]): readonly XmppElement[] {
  const entries = certificates.map((certificate) => {
    const { lastUsedUnixMs } = certificate;
    const lastUsed = lastUsedUnixMs === undefined ? undefined : formatUtcTime(lastUsedUnixMs);
    const inside = certificateElements(certificate, LIST_NAMESPACE);
    return element('x509certificate', LIST_NAMESPACE, { 'last-used': lastUsed }, inside);
  });
  return [element('list-of-certificates', LIST_NAMESPACE, {}, entries)];
}

function revocation({ type, payload }: IqRequest): CertificateCommand | string {
  if (type !== 'set' || payload.name !== 'revoke-certificate') {
    return 'expected <revoke-certificate/> in an iq set';
  }
  const given = childElement(payload, 'fingerprint');
  const fingerprint = given === undefined ? '' : textOf(given).trim().toLowerCase();
  if (given?.attributes.get('hash') !== 'sha-256' || !SHA_256.test(fingerprint)) {
    return "name the certificate by <fingerprint hash='sha-256'/> with 64 hex digits";
  }
  return { type: 'revoke', which: { fingerprint } };
}

const ADD_NAMESPACE = 'urn:xmpp:ccm2:add-cert:0';
const LIST_NAMESPACE = 'urn:xmpp:ccm2:list-certs:0';
const REVOKE_NAMESPACE = 'urn:xmpp:ccm2:revoke-cert:0';
const SHA_256 = /^[0-9a-f]{64}$/;
