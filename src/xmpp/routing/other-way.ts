import type { BareJid } from '../../xmpp-address/jid.ts';
import type { OutboxRecord } from './routing-records.ts';

/** Another way for what waits in the outbox than streams to devices (XEP-0415 §8). */
export interface OtherWay {
  /** It waits, on disk. */
  placed(entry: OutboxRecord): void;
  /** It does not wait any more: delivered, withdrawn or given up. */
  gone(entry: OutboxRecord): void;
  /** Devices are not to get what waits for this address now: the other way comes first. */
  holds(to: BareJid): boolean;
}

export const NO_OTHER_WAY: OtherWay = {
  placed: () => undefined,
  gone: () => undefined,
  holds: () => false,
};
