import { timingSafeEqual } from 'node:crypto';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { ScramCredential } from '../xmpp-input.ts';
import { toBase64 } from './base64.ts';
import type { ChannelBindings } from './channel-binding.ts';
import { type SaslMechanism, type SaslStep, saslFailure } from './sasl-step.ts';
import { HASH_LENGTH, saltOfNobody, serverSignature, storedKeyOfProof } from './scram-keys.ts';
import {
  type ClientFinal,
  type ClientFirst,
  MalformedScram,
  readClientFinal,
  readClientFirst,
} from './scram-message.ts';

export const SCRAM = 'SCRAM-SHA-256';
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';

export interface ScramServerOptions {
  readonly mechanism: typeof SCRAM | typeof SCRAM_PLUS;
  readonly user: Jid;
  readonly credential: ScramCredential;
  /** Those of this connection; where there are any, the client was offered SCRAM-SHA-256-PLUS. */
  readonly bindings: ChannelBindings;
  /** Printable ASCII without commas that nobody can guess. */
  readonly nonce: string;
}

/**
 * The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). Whether the user
 * exists shows in nothing: who does not, has a salt too, and fails like a wrong password.
 */
export class ScramServer implements SaslMechanism {
  private readonly options: ScramServerOptions;
  private first: ClientFirst | undefined;
  private serverFirst = '';
  private isOver = false;

  constructor(options: ScramServerOptions) {
    this.options = options;
  }

  respond(data: Uint8Array): SaslStep {
    if (this.isOver) return saslFailure('malformed-request', 'SCRAM has no further message');
    try {
      if (this.first === undefined) return this.takeFirst(readClientFirst(data));
      this.isOver = true;
      return this.takeFinal(this.first, readClientFinal(data));
    } catch (error) {
      if (!(error instanceof MalformedScram)) throw error;
      return saslFailure('malformed-request', `SCRAM: ${error.message}`);
    }
  }

  private takeFirst(first: ClientFirst): SaslStep {
    const refusal = this.bindingRefusal(first);
    if (refusal !== undefined) return saslFailure('not-authorized', refusal);
    this.first = first;
    const { credential, nonce } = this.options;
    const isUser = this.isUser(first.username);
    const salt = isUser ? credential.salt : saltOfNobody(credential, first.username);
    const allNonce = `${first.nonce}${nonce}`;
    this.serverFirst = `r=${allNonce},s=${toBase64(salt)},i=${credential.iterations}`;
    return { type: 'challenge', data: utf8(this.serverFirst) };
  }

  /** RFC 5802 §6: which channel binding flags go with this offer. */
  private bindingRefusal({ bindingFlag, bindingName = '' }: ClientFirst): string | undefined {
    const { mechanism, bindings } = this.options;
    if (bindingFlag === 'y' && bindings.size > 0) {
      return 'the client does not know that channel binding was offered: somebody took it out';
    }
    if ((bindingFlag === 'p') !== (mechanism === SCRAM_PLUS)) {
      return `${mechanism} does not go with the channel binding flag ${bindingFlag}`;
    }
    if (bindingFlag === 'p' && !bindings.has(bindingName)) {
      return `there is no channel binding ${bindingName} here`;
    }
    return undefined;
  }

  private takeFinal(first: ClientFirst, final: ClientFinal): SaslStep {
    const { credential, nonce, user } = this.options;
    if (final.nonce !== `${first.nonce}${nonce}`) {
      return saslFailure('not-authorized', 'the nonce is another one');
    }
    if (!isSame(final.channelBinding, this.expectedBinding(first))) {
      return saslFailure('not-authorized', 'the channel binding is that of another connection');
    }
    const authMessage = `${first.bare},${this.serverFirst},${final.withoutProof}`;
    const { storedKey, serverKey } = credential;
    const isProved =
      final.proof.length === HASH_LENGTH &&
      isSame(storedKeyOfProof(final.proof, storedKey, authMessage), storedKey);
    const isUser = this.isUser(first.username);
    if (!isProved || !isUser) {
      return saslFailure('not-authorized', 'the user name or the password is wrong');
    }
    if (!isSameIdentity(first.authorizationIdentity, user)) {
      return saslFailure('invalid-authzid', 'the authorization identity is not the user');
    }
    const verifier = `v=${toBase64(serverSignature(serverKey, authMessage))}`;
    return { type: 'success', user: user.bare, data: utf8(verifier) };
  }

  /** `cbind-input` of RFC 5802 §7. */
  private expectedBinding({ gs2Header, bindingName }: ClientFirst): Uint8Array {
    const header = utf8(gs2Header);
    const data = bindingName === undefined ? undefined : this.options.bindings.get(bindingName);
    if (data === undefined) return header;
    const all = new Uint8Array(header.length + data.length);
    all.set(header);
    all.set(data, header.length);
    return all;
  }

  /** RFC 6120 §6.3.7: the localpart; some clients send the whole bare JID. */
  private isUser(username: string): boolean {
    const { user } = this.options;
    return isBareJid(username, user) || isBareJid(`${username}@${user.domainpart}`, user);
  }
}

/** RFC 6120 §6.3.8: an authorization identity is a bare JID, or not there. */
function isSameIdentity(identity: string | undefined, user: Jid): boolean {
  return identity === undefined || isBareJid(identity, user);
}

function isBareJid(text: string, user: Jid): boolean {
  const jid = parseJid(text);
  return !(jid instanceof AddressFault) && jid.text === user.bare;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
