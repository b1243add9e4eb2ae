import type { NodeId } from '../../wire/node-id.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { ANSWER_ROUTE_MS, ANSWER_ROUTES_MAX } from './routing-limits.ts';

/**
 * Where an answer of a client goes: to the device from which the request came. For a while, and
 * for so many; the oldest are forgotten first.
 */
export class AnswerRoutes {
  private readonly environment: XmppEnvironment;
  private readonly routes = new Map<string, { device: NodeId; untilMs: number }>();

  constructor(environment: XmppEnvironment) {
    this.environment = environment;
  }

  /** `client` and `from`: full JIDs of who is asked and who asks. */
  expect(client: string, from: string, id: string, device: NodeId): void {
    const untilMs = this.environment.now.monotonicMs + ANSWER_ROUTE_MS;
    const key = routeKey(client, from, id);
    this.routes.delete(key);
    this.routes.set(key, { device, untilMs });
    for (const [oldest, route] of this.routes) {
      const isOver = route.untilMs < this.environment.now.monotonicMs;
      if (!isOver && this.routes.size <= ANSWER_ROUTES_MAX) return;
      this.routes.delete(oldest);
    }
  }

  take(client: string, from: string, id: string): NodeId | undefined {
    const key = routeKey(client, from, id);
    const route = this.routes.get(key);
    this.routes.delete(key);
    return route?.device;
  }
}

function routeKey(client: string, from: string, id: string): string {
  return `${client}\n${from}\n${id}`;
}
