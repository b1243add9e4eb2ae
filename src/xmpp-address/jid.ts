import { AddressFault, type AddressPart } from './address-fault.ts';
import { type Domainpart, enforceDomainpart } from './domainpart.ts';
import { PrecisFault } from './precis-fault.ts';
import { type Enforced, enforce, opaqueString, usernameCaseMapped } from './precis-profile.ts';
import { shown } from './string-class.ts';

declare const prepared: unique symbol;

/** `localpart@domainpart` or `domainpart`, prepared: equal strings are the same address. */
export type BareJid = string & { readonly [prepared]: 'bare' };

/** An XMPP address (RFC 7622) whose parts are prepared; only `parseJid` and its kin make one. */
export interface Jid {
  readonly [prepared]: 'jid';
  readonly localpart: Localpart | undefined;
  readonly domainpart: Domainpart;
  readonly resourcepart: Resourcepart | undefined;
  /** Without the resourcepart. */
  readonly bare: BareJid;
  /** The whole address. */
  readonly text: string;
}

export type Localpart = Enforced<'UsernameCaseMapped'>;
export type Resourcepart = Enforced<'OpaqueString'>;

/**
 * The address that `text` is, prepared for comparison, or the part and rule at fault (RFC 7622
 * §3). Everything from the first `/` is the resourcepart, and everything before the first `@` of
 * the rest the localpart. `localpart@domainpart` is also what a user's certificate names.
 */
export function parseJid(text: string): Jid | AddressFault {
  const slash = text.indexOf('/');
  const bare = slash === -1 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  const domainpart = enforceDomainpart(bare.slice(at + 1));
  if (domainpart instanceof AddressFault) return domainpart;
  const localpart = at === -1 ? undefined : enforceLocalpart(bare.slice(0, at));
  if (localpart instanceof AddressFault) return localpart;
  const resourcepart = slash === -1 ? undefined : enforceResourcepart(text.slice(slash + 1));
  if (resourcepart instanceof AddressFault) return resourcepart;
  return jidOf(localpart, domainpart, resourcepart);
}

/** RFC 7622 §3.3: a username without the characters of §3.3.1, of 1 to 1,023 bytes. */
function enforceLocalpart(text: string): Localpart | AddressFault {
  const localpart = enforcePart('localpart', text);
  if (localpart instanceof AddressFault) return localpart;
  const excluded = EXCLUDED.exec(localpart)?.[0];
  if (excluded === undefined) return localpart as Localpart;
  const reason = `it cannot have ${shown(excluded)} (§3.3.1)`;
  return new AddressFault('localpart', 'excluded-character', reason);
}

/**
 * RFC 7622 §3.4: 1 to 1,023 bytes. It does not begin with a space: the profile would take that, but
 * example 18 of §3.5 says that it is no JID.
 */
function enforceResourcepart(text: string): Resourcepart | AddressFault {
  const resourcepart = enforcePart('resourcepart', text);
  if (resourcepart instanceof AddressFault) return resourcepart;
  if (!resourcepart.startsWith(' ')) return resourcepart as Resourcepart;
  const reason = 'it begins with a space (§3.5, example 18)';
  return new AddressFault('resourcepart', 'excluded-character', reason);
}

/** The same address without its resourcepart. */
export function withoutResource(jid: Jid): Jid {
  return jidOf(jid.localpart, jid.domainpart, undefined);
}

/** The same address with this resourcepart, which is prepared first. */
export function withResource(jid: Jid, resourcepart: string): Jid | AddressFault {
  const enforced = enforceResourcepart(resourcepart);
  if (enforced instanceof AddressFault) return enforced;
  return jidOf(jid.localpart, jid.domainpart, enforced);
}

/** Octet by octet, RFC 7622 §3.2.3, §3.3, §3.4; for bare JIDs compare `bare`. */
export function isSameJid(a: Jid, b: Jid): boolean {
  return a.text === b.text;
}

function enforcePart(part: 'localpart' | 'resourcepart', text: string) {
  if (text.length > INPUT_LENGTH_MAX) return tooLong(part);
  const profile = part === 'localpart' ? usernameCaseMapped : opaqueString;
  const enforced = enforce<string>(profile, text);
  if (enforced instanceof PrecisFault) {
    return new AddressFault(part, enforced.rule, enforced.reason);
  }
  return Buffer.byteLength(enforced) > PART_BYTES_MAX ? tooLong(part) : enforced;
}

function jidOf(
  localpart: Localpart | undefined,
  domainpart: Domainpart,
  resourcepart: Resourcepart | undefined,
): Jid {
  const bare = (localpart === undefined ? domainpart : `${localpart}@${domainpart}`) as BareJid;
  const text = resourcepart === undefined ? bare : `${bare}/${resourcepart}`;
  return { localpart, domainpart, resourcepart, bare, text } as Jid;
}

function tooLong(part: AddressPart): AddressFault {
  return new AddressFault(part, 'too-long', `it has over ${PART_BYTES_MAX} bytes`);
}

/** Bytes of UTF-8 — RFC 7622 §3.3, §3.4. */
const PART_BYTES_MAX = 1_023;
/** UTF-16 code units; no longer text becomes PART_BYTES_MAX by normalization. */
const INPUT_LENGTH_MAX = 2 * PART_BYTES_MAX;
const EXCLUDED = /["&'/:<>@]/;
