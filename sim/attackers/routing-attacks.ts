/** Attacks on routing: RFC 6940 §13.6.6. */
import { distance } from '../../src/reload/ring.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { FetchAns, FetchReq } from '../../src/wire/store.ts';
import type { SimNode } from '../world/sim-node.ts';
import { Attacker, type SeenMessage } from './attacker.ts';
import type { Treatment } from './bent-frames.ts';

/** Drops whatever it should pass on, requests and answers. */
export class DropForwards extends Attacker {
  protected override treat(seen: SeenMessage): Treatment {
    return seen.isForThisNode ? 'pass' : 'discard';
  }
}

/** Answers every Fetch that comes by as if it were responsible: there is nothing. */
export class FalseResponsibility extends Attacker {
  protected override treat(seen: SeenMessage): Treatment {
    return this.answerNothing(seen) ? 'discard' : 'pass';
  }

  /** Returns whether it was a Fetch that could be read. */
  protected answerNothing(seen: SeenMessage): boolean {
    const body = emptyFetchAnswer(seen);
    if (body === undefined) return false;
    this.answer(seen, body);
    return true;
  }
}

/**
 * Passes each Fetch to that friend whose Node-ID comes first behind the Resource-ID, who denies the
 * value: of all friends the one whose answer is most easily believed.
 */
export class RouteToFriends extends FalseResponsibility {
  protected override treat(seen: SeenMessage): Treatment {
    const { target, code, view } = seen;
    if (code !== MessageCode.fetchReq || target?.type !== 'resource') return 'pass';
    const friend = this.nearestFriend(target.resourceId);
    if (friend === this.node) return super.treat(seen);
    const bent = view.forwarded({ replaceDestinations: [nodeDestination(friend.nodeId)] });
    return bent instanceof MalformedMessage ? 'discard' : bent;
  }

  private nearestFriend(resource: ResourceId): SimNode {
    let nearest = this.node;
    for (const friend of this.context.friends) {
      if (distance(resource, friend.nodeId) < distance(resource, nearest.nodeId)) nearest = friend;
    }
    return nearest;
  }
}

/** The body of "there is nothing" for a Fetch (RFC 6940 §7.4.2.2); undefined for other messages. */
export function emptyFetchAnswer(seen: SeenMessage): Uint8Array | undefined {
  const fetch = fetchOf(seen);
  if (fetch === undefined) return undefined;
  const kindResponses = fetch.specifiers.map(({ kind }) => ({
    kind,
    generation: 0n,
    values: new Uint8Array(0),
  }));
  return encode(FetchAns, { kindResponses });
}

/** The FetchReq of a message; undefined for other messages. */
export function fetchOf(seen: SeenMessage): FetchReq | undefined {
  if (seen.code !== MessageCode.fetchReq) return undefined;
  const body = seen.message?.contents.body;
  const fetch = body === undefined ? undefined : decode(FetchReq, body);
  return fetch instanceof MalformedMessage ? undefined : fetch;
}
