import { PING_NAMESPACE } from '../stanza/namespaces.ts';
import type { FeatureRegistry } from './routing-feature.ts';

/** XEP-0199: the peer answers for its user and as the server. */
export function registerPing(registry: FeatureRegistry): void {
  registry.disco('server', [PING_NAMESPACE]);
  registry.disco('account', [PING_NAMESPACE]);
  registry.iq(PING_NAMESPACE, ({ payload, type }, answer) => {
    if (type === 'get' && payload.name === 'ping') answer.result();
    else answer.error('bad-request', 'a ping is an iq of type get');
  });
}
