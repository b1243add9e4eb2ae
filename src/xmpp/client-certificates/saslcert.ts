import type { FeatureRegistry, IqAnswer, IqRequest } from '../routing/routing-feature.ts';
import { SASLCERT_NAMESPACE } from '../stanza/namespaces.ts';
import { element } from '../stanza/xmpp-element.ts';
import type { CertificateCommand } from './certificate-command.ts';
import {
  type CertificateManagement,
  certificateElements,
  mayManageIn,
  performFor,
  textInside,
} from './certificate-iq.ts';

/** XEP-0257: certificates are uploaded, listed, disabled and revoked by their names. */
export function registerSaslcert(
  registry: FeatureRegistry,
  management: CertificateManagement,
): void {
  registry.disco('server', [SASLCERT_NAMESPACE]);
  registry.disco('account', [SASLCERT_NAMESPACE]);
  registry.iq(SASLCERT_NAMESPACE, (request, answer) => {
    const { payload, type } = request;
    if (payload.name === 'items' && type === 'get') return list(management, request, answer);
    const command = type === 'set' ? commandOf(request) : undefined;
    if (command === undefined) {
      answer.error('bad-request', 'expected items, append, disable or revoke as XEP-0257 has them');
    } else if (typeof command === 'string') answer.error('bad-request', command);
    else performFor(management, request, answer, command, () => []);
  });
}

function list(management: CertificateManagement, request: IqRequest, answer: IqAnswer): void {
  performFor(management, request, answer, { type: 'list' }, (certificates) => {
    const items = certificates.map((certificate) =>
      element('item', SASLCERT_NAMESPACE, {}, certificateElements(certificate, SASLCERT_NAMESPACE)),
    );
    return [element('items', SASLCERT_NAMESPACE, {}, items)];
  });
}

/** What is asked for, or what is missing; undefined: it is none of the four. */
function commandOf({ payload }: IqRequest): CertificateCommand | string | undefined {
  const isKnown = ['append', 'disable', 'revoke'].includes(payload.name);
  if (!isKnown) return undefined;
  const name = textInside(payload, 'name');
  if (name === undefined) return 'give the certificate one <name/>';
  if (payload.name !== 'append') {
    return { type: payload.name === 'revoke' ? 'revoke' : 'disable', which: { name } };
  }
  const certificate = textInside(payload, 'x509cert');
  if (certificate === undefined) return 'give one certificate as <x509cert/>';
  return { type: 'add', name, certificate, mayManage: mayManageIn(payload) };
}
