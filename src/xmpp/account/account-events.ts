import type { ServerFailure } from './server-failure.ts';
import type { ServerTls } from './server-tls.ts';

/** Names one connection to the server of the account; the usage counts up. */
export type AccountConnectionId = number;

/** What happens to the connection to the account's server; `connection` names which. */
export type AccountInput = { readonly connection: AccountConnectionId } & (
  | { readonly event: 'connected'; readonly tls: ServerTls | undefined }
  | { readonly event: 'tlsUp'; readonly tls: ServerTls }
  | { readonly event: 'data'; readonly bytes: Uint8Array }
  /** Bytes that still wait for a slow reader. */
  | { readonly event: 'drained'; readonly pendingBytes: number }
  /** It did not come up, or is gone; nothing follows. */
  | { readonly event: 'closed'; readonly failure: ServerFailure }
);

/** What is to be done with it, in this order. */
export type AccountOutput = {
  readonly connection: AccountConnectionId;
} /** Answer with `connected` or `closed`; the server's certificate is judged BEFORE. */ & (
  | { readonly action: 'connect' }
  | { readonly action: 'send'; readonly bytes: Uint8Array }
  /** Begin TLS AFTER what was sent before is flushed, and answer with `tlsUp` or `closed`. */
  | { readonly action: 'startTls' }
  /** Close AFTER what was sent before is flushed, a bounded time long. No `closed` follows. */
  | { readonly action: 'close'; readonly reason: string }
);
