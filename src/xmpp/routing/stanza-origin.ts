import type { Device } from '../direct/direct-streams.ts';
import type { Client } from './client-table.ts';

/** Where a stanza came from. */
export type StanzaOrigin =
  | { readonly type: 'client'; readonly client: Client }
  | { readonly type: 'device'; readonly device: Device; readonly isOwn: boolean }
  /** The account's server (XEP-0415 §8); `from` is its word. A copy is never answered. */
  | { readonly type: 'server'; readonly isCopy?: boolean }
  /** This peer itself, which asks a feature and takes the answer. */
  | { readonly type: 'peer' };
