import type { FeatureRegistry } from '../routing/routing-feature.ts';
import { authorityListElement, X509_NAMESPACE } from './x509-element.ts';

/**
 * XEP-0417 §5 at the server that local sessions see: the user's clients learn whose certificates
 * let them in, which are those of the overlay. Registration of accounts (§8) is not for a server of
 * one user, whose account is there: it is answered with the conflict that the section has for this.
 */
export function registerAuthorityList(
  registry: FeatureRegistry,
  rootCertificates: () => readonly Uint8Array[],
): void {
  registry.disco('server', [X509_NAMESPACE]);
  registry.identity('server', 'auth', 'cert');
  registry.iq(X509_NAMESPACE, ({ payload, type, isOwn, target }, answer) => {
    if (payload.name === 'x509-csr') {
      answer.error('conflict', 'the account is registered; send the request to an authority');
    } else if (payload.name !== 'x509-ca-list' || type !== 'get' || target !== 'server') {
      answer.error('service-unavailable', 'this is no authority; the server lists those it trusts');
    } else if (!isOwn) {
      answer.error('forbidden', 'the list is for the user of this server');
    } else {
      const roots = rootCertificates();
      // "The <x509-ca-list/> element MUST NOT be empty": there is an overlay without authorities.
      if (roots.length > 0) answer.result([authorityListElement(roots)]);
      else answer.error('item-not-found', 'this overlay has no authority');
    }
  });
}
