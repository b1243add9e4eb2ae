/** RFC 6121 §2.1.2.5. */
export type Subscription = 'none' | 'to' | 'from' | 'both';

/** RFC 6121 §3: the stanzas that change a subscription. */
export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed';

/** The nine states of RFC 6121 Appendix A.1; not every combination is one of them. */
export interface SubscriptionState {
  readonly subscription: Subscription;
  /** Pending out: the user asked and was not answered. */
  readonly ask: boolean;
  /** Pending in: the contact asked and was not answered. */
  readonly pendingIn: boolean;
}

export const NO_SUBSCRIPTION: SubscriptionState = {
  subscription: 'none',
  ask: false,
  pendingIn: false,
};

/** RFC 6121 Appendix A.2: what the user sends; `isRouted`: whether the contact gets it. */
export function outboundSubscription(
  state: SubscriptionState,
  type: SubscriptionType,
): { readonly next: SubscriptionState; readonly isRouted: boolean } {
  const { subscription, pendingIn } = state;
  switch (type) {
    case 'subscribe':
      return { next: hasTo(subscription) ? state : { ...state, ask: true }, isRouted: true };
    case 'unsubscribe': {
      const next = { ...state, subscription: withoutTo(subscription), ask: false };
      return { next, isRouted: true };
    }
    case 'subscribed':
      if (!pendingIn) return { next: state, isRouted: false };
      return {
        next: { ...state, subscription: withFrom(subscription), pendingIn: false },
        isRouted: true,
      };
    case 'unsubscribed': {
      const next = { ...state, subscription: withoutFrom(subscription), pendingIn: false };
      return { next, isRouted: pendingIn || hasFrom(subscription) };
    }
  }
}

/**
 * RFC 6121 Appendix A.3: what the contact sends. `isDelivered`: whether the user's clients get it;
 * `answer`: what the server says at once in the user's name.
 */
export function inboundSubscription(
  state: SubscriptionState,
  type: SubscriptionType,
): {
  readonly next: SubscriptionState;
  readonly isDelivered: boolean;
  readonly answer?: SubscriptionType;
} {
  const { subscription, ask, pendingIn } = state;
  switch (type) {
    case 'subscribe':
      if (hasFrom(subscription)) return { next: state, isDelivered: false, answer: 'subscribed' };
      return { next: { ...state, pendingIn: true }, isDelivered: !pendingIn };
    case 'unsubscribe': {
      const next = { ...state, subscription: withoutFrom(subscription), pendingIn: false };
      return { next, isDelivered: pendingIn || hasFrom(subscription) };
    }
    case 'subscribed':
      if (!ask) return { next: state, isDelivered: false };
      return {
        next: { ...state, subscription: withTo(subscription), ask: false },
        isDelivered: true,
      };
    case 'unsubscribed': {
      const next = { ...state, subscription: withoutTo(subscription), ask: false };
      return { next, isDelivered: ask || hasTo(subscription) };
    }
  }
}

export function isSubscription(text: string | undefined): text is Subscription {
  return text === 'none' || text === 'to' || text === 'from' || text === 'both';
}

/** The user gets the contact's presence. */
export function hasTo(subscription: Subscription): boolean {
  return subscription === 'to' || subscription === 'both';
}

/** The contact gets the user's presence. */
export function hasFrom(subscription: Subscription): boolean {
  return subscription === 'from' || subscription === 'both';
}

function withTo(subscription: Subscription): Subscription {
  return hasFrom(subscription) ? 'both' : 'to';
}

function withFrom(subscription: Subscription): Subscription {
  return hasTo(subscription) ? 'both' : 'from';
}

function withoutTo(subscription: Subscription): Subscription {
  return hasFrom(subscription) ? 'from' : 'none';
}

function withoutFrom(subscription: Subscription): Subscription {
  return hasTo(subscription) ? 'to' : 'none';
}
