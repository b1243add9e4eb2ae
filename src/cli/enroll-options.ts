import type { KeyType } from '../host/enrollment/enrollment-key.ts';
import type { ServerOptions } from './server-options.ts';

/** What `xor enroll` takes. */
export interface EnrollOptions extends ServerOptions {
  readonly xmpp?: boolean;
  readonly state?: string;
  readonly overlay: string;
  readonly configUrl?: string;
  readonly trust?: string;
  readonly authority?: string;
  readonly name?: string;
  readonly keyType: KeyType;
  readonly challengeMinutes: number;
  readonly publish?: boolean;
  readonly newRequest?: boolean;
  readonly listAuthorities?: boolean;
  readonly revoke?: boolean;
  readonly json?: boolean;
}
