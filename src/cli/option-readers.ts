import { InvalidArgumentError } from 'commander';
import { parseSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { parseJid } from '../xmpp-address/jid.ts';

/** Readers of option values; commander turns their errors into exit status 2. */

export function readSocketAddress(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (typeof address === 'string') throw new InvalidArgumentError(address);
  return address;
}

/** A reader of whole numbers from `min` to `max`. */
export function readNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A bare XMPP address, prepared. */
export function readBareAddress(text: string): string {
  const jid = parseJid(text);
  if (jid instanceof AddressFault) throw new InvalidArgumentError(jid.describe());
  if (jid.resourcepart === undefined) return jid.bare;
  throw new InvalidArgumentError(`name a bare address: ${jid.bare}`);
}

export function readHttpsUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw new InvalidArgumentError('expected an https URL');
  return url.href;
}
