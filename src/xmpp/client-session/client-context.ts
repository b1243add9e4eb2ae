import type { Jid } from '../../xmpp-address/jid.ts';
import type { ClientCertificateJudge } from '../sasl/client-certificate.ts';
import type { PasswordLockouts } from '../sasl/password-lockout.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { ScramCredential } from '../xmpp-input.ts';
import type { ClientLimits } from './client-limits.ts';

/** What all connections and sessions of the user's clients share. */
export interface ClientContext {
  readonly env: XmppEnvironment;
  /** The bare JID whose clients these are. */
  readonly user: Jid;
  readonly limits: ClientLimits;
  readonly lockouts: PasswordLockouts;
  readonly judgeClientCertificate: ClientCertificateJudge;
  /** A client has logged in with what it showed in TLS: DER, the leaf first. */
  readonly certificateUsed: (certificates: readonly Uint8Array[]) => void;
  /** Undefined: no password is set, so none lets anybody in. */
  credential: ScramCredential | undefined;
}
