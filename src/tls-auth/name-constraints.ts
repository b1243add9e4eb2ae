import type { Certificate } from './certificate.ts';
import type { GeneralSubtree, NameConstraints } from './certificate-extension.ts';
import { type GeneralName, generalNameText } from './general-name.ts';
import { EMAIL_ADDRESS_OID } from './object-identifier.ts';
import { domainKey } from './xmpp-address.ts';

/**
 * The permitted_subtrees and excluded_subtrees of RFC 5280 §6.1.2. Each certificate's permitted
 * list stays a list of its own: a name must lie in every one of them, which is their intersection.
 */
export class NameSpace {
  private readonly permittedLists: (readonly GeneralSubtree[])[] = [];
  private readonly excluded: GeneralSubtree[] = [];
  private readonly work: NameWork;

  /** `work` is what may be spent, and is spent: one search shares it among its paths. */
  constructor(work: NameWork = nameWork()) {
    this.work = work;
  }

  /** RFC 5280 §6.1.4 (g). Returns what is wrong with the constraints themselves. */
  restrict(constraints: NameConstraints): string | undefined {
    for (const subtree of [...constraints.permitted, ...constraints.excluded]) {
      const fault = baseFault(subtree.base);
      if (fault !== undefined) return fault;
    }
    if (constraints.permitted.length > 0) this.permittedLists.push(constraints.permitted);
    this.excluded.push(...constraints.excluded);
    return undefined;
  }

  /** RFC 5280 §6.1.3 (b) and (c). Returns what is wrong with a name of the certificate. */
  fault(certificate: Certificate): string | undefined {
    if (this.permittedLists.length === 0 && this.excluded.length === 0) return undefined;
    for (const name of constrainedNames(certificate)) {
      const fault = this.excludedFault(name) ?? this.permittedFault(name);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private excludedFault(name: GeneralName): string | undefined {
    for (const subtree of this.excluded) {
      const relation = this.relation(name, subtree, 'excluded');
      if (relation === 'outside') continue;
      const reason = relation === 'inside' ? 'is excluded' : relation;
      return `${generalNameText(name)}: ${reason}`;
    }
    return undefined;
  }

  private permittedFault(name: GeneralName): string | undefined {
    for (const list of this.permittedLists) {
      const sameForm = list.filter((subtree) => isSameForm(subtree.base, name));
      if (sameForm.length === 0) continue;
      let isInside = false;
      for (const subtree of sameForm) {
        const relation = this.relation(name, subtree, 'permitted');
        if (relation === 'inside') isInside = true;
        else if (relation !== 'outside') return `${generalNameText(name)}: ${relation}`;
      }
      if (!isInside) return `${generalNameText(name)}: is in no permitted subtree`;
    }
    return undefined;
  }

  /** Whether the name lies in the subtree, or why that cannot be said. */
  private relation(
    name: GeneralName,
    subtree: GeneralSubtree,
    list: SubtreeList,
  ): 'inside' | 'outside' | string {
    if (!isSameForm(subtree.base, name)) return 'outside';
    this.work.comparisonsLeft -= 1 + Math.floor(lengthOf(name) / COMPARED_LENGTH);
    if (this.work.comparisonsLeft < 0) return `more than ${nameComparisonsMax} comparisons`;
    if (!subtree.isPlain) return 'is constrained by a minimum or maximum';
    return relationToBase(name, subtree.base, list, (domain) => this.keyOf(domain));
  }

  /** `domainKey`, once for each domain: it costs more than all the rest of a comparison. */
  private keyOf(domain: string): string {
    const { domainKeys } = this.work;
    let key = domainKeys.get(domain);
    if (key === undefined) {
      key = domainKey(domain);
      domainKeys.set(domain, key);
    }
    return key;
  }
}

/** Below zero: spent, and nothing that was said then is an answer. */
export interface NameWork {
  comparisonsLeft: number;
  /** Of the domains that were compared so far. */
  readonly domainKeys: Map<string, string>;
}

/** What one search may spend. */
export function nameWork(): NameWork {
  return { comparisonsLeft: nameComparisonsMax, domainKeys: new Map() };
}

/** Characters that a comparison of this name looks at. */
function lengthOf(name: GeneralName): number {
  if ('text' in name) return name.text.length;
  return name.form === 'directoryName' ? name.name.der.length : 0;
}

type SubtreeList = 'permitted' | 'excluded';

/**
 * The names that constraints apply to: the subject unless it is empty, every subjectAltName, and
 * where there is none the emailAddress attributes of the subject — RFC 5280 §4.2.1.10.
 */
function constrainedNames(certificate: Certificate): GeneralName[] {
  const names: GeneralName[] = [...(certificate.extensions.subjectAltName?.all ?? [])];
  const { subject } = certificate;
  if (!subject.isEmpty) names.push({ form: 'directoryName', name: subject });
  if (certificate.extensions.subjectAltName === undefined) {
    for (const { oid, text } of subject.relativeNames.flat()) {
      // What is no text is no mailbox, and must not slip through for that.
      if (oid === EMAIL_ADDRESS_OID) names.push({ form: 'rfc822Name', text: text ?? '' });
    }
  }
  return names;
}

function isSameForm(base: GeneralName, name: GeneralName): boolean {
  if (base.form !== name.form) return false;
  return base.form !== 'otherName' || name.form !== 'otherName' || base.typeId === name.typeId;
}

function relationToBase(
  name: GeneralName,
  base: GeneralName,
  list: SubtreeList,
  keyOf: (domain: string) => string,
): 'inside' | 'outside' | string {
  const decided = (isInside: boolean) => (isInside ? 'inside' : 'outside');
  if (name.form === 'directoryName' && base.form === 'directoryName') {
    return decided(name.name.isWithin(base.name));
  }
  if (name.form === 'ipAddress' && base.form === 'ipAddress') {
    return decided(isAddressInside(name.octets, base.octets));
  }
  if (!('text' in name) || !('text' in base)) return UNSUPPORTED_FORM;
  switch (name.form) {
    case 'dnsName':
      if (!isDnsName(name.text.replace(/^\*\./, ''))) return 'is no DNS name';
      return decided(isDnsNameInside(name.text, base.text, list));
    case 'rfc822Name':
      if (!isMailbox(name.text)) return NO_MAILBOX;
      return mailboxRelation(name.text, base.text, (host) => host.toLowerCase(), 'permitted');
    case 'xmppAddr':
      return mailboxRelation(bareJid(name.text), base.text, keyOf, list);
    case 'uri': {
      const host = uriHost(name.text);
      if (host === undefined) return 'has no host that is a domain name';
      return decided(base.text === '' || isHostInside(host, base.text.toLowerCase(), 'permitted'));
    }
    default:
      return UNSUPPORTED_FORM;
  }
}

/** A wildcard stands for every name with one more label, so it may be what is excluded. */
function isDnsNameInside(text: string, baseText: string, list: SubtreeList): boolean {
  const name = text.toLowerCase();
  const base = baseText.toLowerCase();
  if (base === '' || name === base || name.endsWith(`.${base}`)) return true;
  const isWildcard = list === 'excluded' && name.startsWith('*.');
  return isWildcard && base.slice(base.indexOf('.')) === name.slice(1);
}

/**
 * A mailbox, a host or with a leading period a domain — RFC 5280 §4.2.1.10. No document defines
 * constraints on XmppAddr: we read them in the same way, except that an excluded host also takes
 * its subdomains along, the wider reading of what its author may have meant.
 */
function mailboxRelation(
  text: string,
  base: string,
  key: (host: string) => string,
  list: SubtreeList,
): 'inside' | 'outside' | string {
  const at = text.lastIndexOf('@');
  if (at < 1 || at === text.length - 1 || text.indexOf('@') !== at) return NO_MAILBOX;
  const host = key(text.slice(at + 1));
  if (base === '') return 'inside';
  const baseAt = base.lastIndexOf('@');
  if (baseAt >= 0) {
    const isSame =
      base.slice(0, baseAt) === text.slice(0, at) && key(base.slice(baseAt + 1)) === host;
    return isSame ? 'inside' : 'outside';
  }
  const baseHost = base.startsWith('.') ? `.${key(base.slice(1))}` : key(base);
  return isHostInside(host, baseHost, list) ? 'inside' : 'outside';
}

/** Mailbox as RFC 5280 §4.2.1.6 has it from RFC 2821 §4.1.2, but for hosts that are addresses. */
function isMailbox(text: string): boolean {
  const at = text.lastIndexOf('@');
  return LOCAL_PART.test(text.slice(0, at)) && isDnsName(text.slice(at + 1));
}

function isHostInside(host: string, base: string, list: SubtreeList): boolean {
  if (base.startsWith('.')) return host.endsWith(base) && host.length > base.length;
  return host === base || (list === 'excluded' && host.endsWith(`.${base}`));
}

function isAddressInside(address: Uint8Array, base: Uint8Array): boolean {
  const { length } = address;
  if (base.length !== 2 * length) return false;
  return address.every((octet, index) => {
    const mask = base[length + index] ?? 0xff;
    return (octet & mask) === ((base[index] ?? 0) & mask);
  });
}

/** What is wrong with the base of a constraint. */
function baseFault(base: GeneralName): string | undefined {
  const fault = (expected: string) => `${generalNameText(base)}: expected ${expected}`;
  switch (base.form) {
    case 'dnsName':
      return base.text === '' || isDnsName(base.text) ? undefined : fault('a DNS name');
    case 'uri':
      return base.text === '' || isDnsName(base.text.replace(/^\./, ''))
        ? undefined
        : fault('a host or a domain after a period');
    case 'rfc822Name':
      return isMailboxBase(base.text, isDnsName) ? undefined : fault('a mailbox, host or domain');
    case 'xmppAddr':
      return isMailboxBase(base.text, (host) => host !== '' && !/[/@]/.test(host))
        ? undefined
        : fault('a bare JID, a domain or a domain after a period');
    case 'ipAddress':
      return isAddressRange(base.octets) ? undefined : fault('an address and a mask');
    default:
      return undefined;
  }
}

function isMailboxBase(text: string, isHost: (host: string) => boolean): boolean {
  if (text === '') return true;
  const at = text.indexOf('@');
  return at < 0 ? isHost(text.replace(/^\./, '')) : at > 0 && isHost(text.slice(at + 1));
}

/** 8 or 32 bytes whose second half is ones followed by zeros. */
function isAddressRange(octets: Uint8Array): boolean {
  if (octets.length !== 8 && octets.length !== 32) return false;
  const mask = octets.subarray(octets.length / 2);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits);
}

function isDnsName(text: string): boolean {
  return (
    text.length <= 253 && /^([a-z0-9_]([a-z0-9_-]{0,62})\.)*[a-z0-9_][a-z0-9_-]{0,62}$/i.test(text)
  );
}

/** The host of a URI with authority, lower-case; undefined where it is none or an address. */
function uriHost(uri: string): string | undefined {
  const host = URI_AUTHORITY.exec(uri)?.[1]?.toLowerCase();
  if (host === undefined || !isDnsName(host) || /^[0-9.]+$/.test(host)) return undefined;
  return host;
}

function bareJid(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? jid : jid.slice(0, slash);
}

/** RFC 3986 §3.2: what it does not allow in userinfo some readers take for the end of the host. */
const URI_AUTHORITY =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._~!$&'()*+,;=:%-]*@)?([^/?#:@]+)(?::\d*)?(?:[/?#]|$)/i;

/** Dot-string or Quoted-string. */
const LOCAL_PART =
  /^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"[ -~]*")$/i;

const NO_MAILBOX = 'is no local@domain';
const UNSUPPORTED_FORM = 'is of a form whose constraints are not supported';

/** Comparisons of long names count several times, one for each so many characters. */
const COMPARED_LENGTH = 64;

/** Names times subtrees in one search. */
export const nameComparisonsMax = 100_000;
