import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry } from './routing-feature.ts';

/** A feature that others than routing make, and what it needs of routing. */
export type RoutingExtension = (registry: FeatureRegistry, context: RoutingContext) => void;
