import type { FeatureRegistry, IqHandler, IqTarget, RoutingListener } from './routing-feature.ts';

export interface DiscoIdentity {
  readonly category: string;
  readonly type: string;
}

/** The features that registered themselves. */
export class FeatureTable implements FeatureRegistry {
  private readonly handlers = new Map<string, IqHandler>();
  private readonly features = { account: new Set<string>(), server: new Set<string>() };
  private readonly identities: Record<IqTarget, DiscoIdentity[]> = { account: [], server: [] };
  private readonly listeners: RoutingListener[] = [];

  iq(namespace: string, handler: IqHandler): void {
    if (this.handlers.has(namespace)) throw new Error(`two features answer ${namespace}`);
    this.handlers.set(namespace, handler);
  }

  disco(target: IqTarget, features: readonly string[]): void {
    for (const feature of features) this.features[target].add(feature);
  }

  identity(target: IqTarget, category: string, type: string): void {
    this.identities[target].push({ category, type });
  }

  listen(listener: RoutingListener): void {
    this.listeners.push(listener);
  }

  handlerOf(namespace: string): IqHandler | undefined {
    return this.handlers.get(namespace);
  }

  featuresOf(target: IqTarget): readonly string[] {
    return [...this.features[target]].sort();
  }

  identitiesOf(target: IqTarget): readonly DiscoIdentity[] {
    return this.identities[target];
  }

  /** Tells all listeners, in the order in which they registered. */
  tell(what: (listener: RoutingListener) => void): void {
    for (const listener of this.listeners) what(listener);
  }
}
