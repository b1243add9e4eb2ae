import type { FeatureRegistry } from './routing-feature.ts';

/**
 * Clients ask for a vCard (XEP-0054 §3.1) without looking whether there are any. There are none;
 * the answer is the one for an empty one, and no feature is told.
 */
export function registerAbsentVcard(registry: FeatureRegistry): void {
  registry.iq(VCARD_NAMESPACE, ({ isOwn, type }, answer) => {
    if (type === 'get') answer.error('item-not-found', 'there is no vCard here');
    else if (isOwn) answer.error('feature-not-implemented', 'vCards are not kept here');
    else answer.error('forbidden', 'a vCard is changed by its user alone');
  });
}

const VCARD_NAMESPACE = 'vcard-temp';
