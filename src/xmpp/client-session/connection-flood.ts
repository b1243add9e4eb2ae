import { CONNECTION_WINDOW_MS } from './client-limits.ts';

/** Counts new connections in a time, all together and by the address that they come from. */
export class ConnectionFlood {
  private readonly connectionsMax: number;
  private windowBeganMs = Number.NEGATIVE_INFINITY;
  private connections = 0;
  private readonly byAddress = new Map<string, number>();

  /** `connectionsMax`: in CONNECTION_WINDOW_MS. */
  constructor(connectionsMax: number) {
    this.connectionsMax = connectionsMax;
  }

  /**
   * Whether a new connection is one too many. Where there are too many, an address still has a
   * share of them: who floods keeps out nobody who comes from somewhere else.
   */
  isTooMuch(address = '', nowMs: number): boolean {
    if (nowMs - this.windowBeganMs >= CONNECTION_WINDOW_MS) {
      this.windowBeganMs = nowMs;
      this.connections = 0;
      this.byAddress.clear();
    }
    this.connections += 1;
    const ofAddress = (this.byAddress.get(address) ?? 0) + 1;
    if (ofAddress > 1 || this.byAddress.size < ADDRESSES_MAX) {
      this.byAddress.set(address, ofAddress);
    } else return true;
    const share = this.connectionsMax / SHARES;
    return this.connections > this.connectionsMax && ofAddress > share;
  }
}

/** The first of those of the address from which most come; undefined: there are none. */
export function mostCrowded<Item extends { readonly address: string | undefined }>(
  items: readonly Item[],
): Item | undefined {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const address = item.address ?? '';
    groups.set(address, [...(groups.get(address) ?? []), item]);
  }
  const [largest] = [...groups.values()].sort((a, b) => b.length - a.length);
  return largest?.[0];
}

/** Addresses that are counted in one time; from more nobody gets a connection. */
const ADDRESSES_MAX = 4_096;
const SHARES = 10;
