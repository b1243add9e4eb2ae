import { CARBONS_NAMESPACE } from './message-rules.ts';
import type { FeatureRegistry } from './routing-feature.ts';

/** XEP-0280 §4, §5: a client says whether it wants copies. */
export function registerCarbons(registry: FeatureRegistry): void {
  registry.disco('server', [CARBONS_NAMESPACE]);
  registry.disco('account', [CARBONS_NAMESPACE]);
  registry.iq(CARBONS_NAMESPACE, ({ origin, payload, type }, answer) => {
    const isKnown = payload.name === 'enable' || payload.name === 'disable';
    if (type !== 'set' || !isKnown) {
      answer.error('bad-request', 'carbons are enabled or disabled by an iq of type set');
    } else if (origin.type !== 'client') {
      answer.error('not-allowed', 'only the own clients choose whether they get copies');
    } else {
      origin.client.hasCarbons = payload.name === 'enable';
      answer.result();
    }
  });
}
