import { timingSafeEqual } from 'node:crypto';
import { PrecisFault } from '../../xmpp-address/precis-fault.ts';
import { toBase64 } from './base64.ts';
import type { ChannelBindingName } from './channel-binding.ts';
import { SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN } from './sasl-limits.ts';
import { clientProof, type ScramHash, scramKeys, serverSignature } from './scram-keys.ts';
import { escapeName, MalformedScram, readServerFinal, readServerFirst } from './scram-message.ts';

export interface ScramClientOptions {
  readonly username: string;
  readonly password: string;
  /** Default: `sha256`. */
  readonly hash?: ScramHash;
  /** Printable ASCII without commas that nobody can guess. */
  readonly nonce: string;
  /**
   * `bound` for SCRAM-SHA-256-PLUS and the like; `not-offered` where this end could bind and the
   * server did not offer it, so that a server which did notices (RFC 5802 §6); else `impossible`.
   */
  readonly binding:
    | { readonly type: 'bound'; readonly name: ChannelBindingName; readonly data: Uint8Array }
    | { readonly type: 'not-offered' }
    | { readonly type: 'impossible' };
}

/** Why this end does not go on with the server. */
export class ScramRefusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The client's side of SCRAM, with SHA-256 or SHA-1, bound to TLS or not (RFC 5802, RFC 7677). */
export class ScramClient {
  private readonly options: ScramClientOptions;
  private readonly gs2Header: string;
  private readonly bare: string;
  private expectedSignature: Uint8Array | undefined;

  constructor(options: ScramClientOptions) {
    this.options = options;
    this.gs2Header = `${bindingFlag(options.binding)},,`;
    this.bare = `n=${escapeName(options.username)},r=${options.nonce}`;
  }

  /** The initial response. */
  firstMessage(): Uint8Array {
    return utf8(`${this.gs2Header}${this.bare}`);
  }

  /** The answer to the server's challenge. */
  finalMessage(challenge: Uint8Array): Uint8Array | ScramRefusal {
    try {
      return this.proveTo(challenge);
    } catch (error) {
      if (!(error instanceof MalformedScram)) throw error;
      return new ScramRefusal(`the server's challenge is not SCRAM: ${error.message}`);
    }
  }

  /** Whether the server has proved that it knows the password; only then anything counts. */
  verify(success: Uint8Array): ScramRefusal | undefined {
    try {
      const signature = readServerFinal(success);
      const expected = this.expectedSignature;
      if ('error' in signature) return new ScramRefusal(`the server says ${signature.error}`);
      const isSame =
        expected !== undefined &&
        signature.length === expected.length &&
        timingSafeEqual(signature, expected);
      return isSame ? undefined : new ScramRefusal('the server does not know the password');
    } catch (error) {
      if (!(error instanceof MalformedScram)) throw error;
      return new ScramRefusal(`the server's last message is not SCRAM: ${error.message}`);
    }
  }

  private proveTo(challenge: Uint8Array): Uint8Array | ScramRefusal {
    const { nonce, salt, iterations } = readServerFirst(challenge);
    const { options } = this;
    if (!nonce.startsWith(options.nonce) || nonce === options.nonce) {
      return new ScramRefusal('the server did not add to the nonce');
    }
    if (iterations < SCRAM_ITERATIONS_MIN || iterations > SCRAM_ITERATIONS_MAX) {
      const range = `${SCRAM_ITERATIONS_MIN} to ${SCRAM_ITERATIONS_MAX}`;
      return new ScramRefusal(`the server asks for ${iterations} iterations; taken are ${range}`);
    }
    const keys = scramKeys(options.password, salt, iterations, options.hash);
    if (keys instanceof PrecisFault) return new ScramRefusal(`the password: ${keys.reason}`);
    const withoutProof = `c=${toBase64(this.channelBinding())},r=${nonce}`;
    const serverFirst = new TextDecoder().decode(challenge);
    const authMessage = `${this.bare},${serverFirst},${withoutProof}`;
    this.expectedSignature = serverSignature(keys.serverKey, authMessage, keys.hash);
    return utf8(`${withoutProof},p=${toBase64(clientProof(keys, authMessage))}`);
  }

  private channelBinding(): Uint8Array {
    const { binding } = this.options;
    const header = utf8(this.gs2Header);
    return binding.type === 'bound' ? new Uint8Array([...header, ...binding.data]) : header;
  }
}

function bindingFlag(binding: ScramClientOptions['binding']): string {
  if (binding.type === 'bound') return `p=${binding.name}`;
  return binding.type === 'not-offered' ? 'y' : 'n';
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
