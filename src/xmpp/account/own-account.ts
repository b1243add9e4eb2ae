import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { SERVER_TIMEOUTS_DEFAULT, type ServerTimeouts } from './account-limits.ts';
import { AccountLink } from './account-link.ts';
import type { AccountServerListener } from './account-server.ts';
import type { AccountCredentials } from './server-login.ts';
import type { PrimaryWay } from './server-way.ts';

/** The user's account at an ordinary server, used beside the overlay (XEP-0415 §8). */
export interface OwnAccount {
  readonly credentials: AccountCredentials;
  readonly primary: PrimaryWay;
  readonly timeouts?: Partial<ServerTimeouts>;
}

/**
 * The link to the server of an account. Its address is that of the user in the overlay: whoever
 * gets a message knows by it from whom it is, whichever way it came, and sees one user.
 */
export function accountLink(
  env: XmppEnvironment,
  user: Jid,
  { credentials, timeouts }: OwnAccount,
  listener: () => AccountServerListener | undefined,
): AccountLink {
  const times = { ...SERVER_TIMEOUTS_DEFAULT, ...timeouts };
  return new AccountLink(
    env,
    { account: user, credentials, timeouts: times },
    {
      serverOnline: (isNew) => listener()?.serverOnline(isNew),
      serverOffline: () => listener()?.serverOffline(),
      acknowledgedByServer: (tags) => listener()?.acknowledgedByServer(tags),
      lostByServer: (tags) => listener()?.lostByServer(tags),
      stanzaFromServer: (session, stanza) => listener()?.stanzaFromServer(session, stanza),
    },
  );
}
