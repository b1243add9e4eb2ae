import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { PARSED_ADDRESSES_MAX } from './routing-limits.ts';

/** Prepared addresses, remembered: those of a conversation come again and again. */
export class ParsedAddresses {
  private recent = new Map<string, Jid | AddressFault>();
  private former = new Map<string, Jid | AddressFault>();

  parse(text: string): Jid | AddressFault {
    const known = this.recent.get(text);
    if (known !== undefined) return known;
    const parsed = this.former.get(text) ?? parseJid(text);
    // Nobody fills the memory with what can be no address.
    if (text.length <= ADDRESS_CHARACTERS_MAX) this.remember(text, parsed);
    return parsed;
  }

  /** The address, or undefined where there is none or none that is well-formed. */
  parseIfValid(text: string | undefined): Jid | undefined {
    if (text === undefined) return undefined;
    const parsed = this.parse(text);
    return parsed instanceof AddressFault ? undefined : parsed;
  }

  private remember(text: string, parsed: Jid | AddressFault): void {
    if (this.recent.size >= PARSED_ADDRESSES_MAX / 2) {
      this.former = this.recent;
      this.recent = new Map();
    }
    this.recent.set(text, parsed);
  }
}

/** RFC 7622 §3.1: three parts of 1,023 bytes, and what stands between them. */
const ADDRESS_CHARACTERS_MAX = 3_071;
