import type { PrecisRule } from './precis-fault.ts';

export type AddressPart = 'localpart' | 'domainpart' | 'resourcepart';

/** The rules of PRECIS, and those that RFC 7622 adds. */
export type AddressRule = PrecisRule | 'excluded-character' | 'host-name' | 'ip-literal';

/** Why a text is no XMPP address: the part and the rule. A value, never thrown. */
export class AddressFault {
  readonly part: AddressPart;
  readonly rule: AddressRule;
  /** A sentence without a capital and a full stop, which names the culprit. */
  readonly reason: string;

  constructor(part: AddressPart, rule: AddressRule, reason: string) {
    this.part = part;
    this.rule = rule;
    this.reason = reason;
  }

  describe(): string {
    return `the ${this.part} (RFC 7622 ${SECTIONS[this.part]}): ${this.reason}`;
  }
}

const SECTIONS: Readonly<Record<AddressPart, string>> = {
  localpart: '§3.3',
  domainpart: '§3.2',
  resourcepart: '§3.4',
};
