import type { SessionId } from '../client-session/local-sessions.ts';
import type { IqAnswer, IqRequest } from '../routing/routing-feature.ts';
import {
  childElement,
  childElements,
  element,
  textOf,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import type {
  CertificateCommand,
  CertificateOutcome,
  ListedCertificate,
} from './certificate-command.ts';
import { MANAGEMENT_NAMESPACE } from './certificate-push.ts';

/** Who carries out what the interfaces ask for. */
export interface CertificateManagement {
  perform(
    command: CertificateCommand,
    by: SessionId | undefined,
    then: (outcome: CertificateOutcome) => void,
  ): void;
}

/** Has a command carried out for a client's request, and answers with what `shown` makes of it. */
export function performFor(
  management: CertificateManagement,
  { origin }: IqRequest,
  answer: IqAnswer,
  command: CertificateCommand,
  shown: (certificates: readonly ListedCertificate[]) => readonly XmppElement[],
): void {
  // XEP-0257, "Stream Characteristics": over TLS, after SASL. A session has both.
  if (origin.type !== 'client') {
    return answer.error('not-allowed', 'certificates are managed by sessions of their user');
  }
  management.perform(command, origin.client.session, (outcome) => {
    if (outcome.ok) answer.result(shown(outcome.certificates));
    else answer.error(outcome.condition, outcome.reason);
  });
}

/** The text of the one child of this name; undefined where there is none or more than one. */
export function textInside(parent: XmppElement, name: string): string | undefined {
  const [found, ...more] = childElements(parent).filter(
    (child) => child.name === name && child.namespace === parent.namespace,
  );
  return found === undefined || more.length > 0 ? undefined : textOf(found);
}

/** False where the new certificate is not to manage others. */
export function mayManageIn(parent: XmppElement): boolean {
  return childElement(parent, 'no-cert-management') === undefined;
}

/** `<name/>`, `<x509cert/>` and `<users/>`, as both specifications have them in their lists. */
export function certificateElements(
  certificate: ListedCertificate,
  namespace: string,
): readonly XmppElement[] {
  const { name, base64, users, mayManage, isExpired, source } = certificate;
  const elements = [
    element('name', namespace, {}, [name]),
    element('x509cert', namespace, {}, [base64]),
  ];
  if (users.length > 0) {
    const resources = users.map((user) => element('resource', namespace, {}, [user]));
    elements.push(element('users', namespace, {}, resources));
  }
  if (!mayManage) elements.push(element('no-cert-management', namespace));
  const state = isExpired ? 'expired' : 'active';
  if (isExpired || source !== 'upload') {
    elements.push(element('certificate', MANAGEMENT_NAMESPACE, { state, source }));
  }
  return elements;
}
