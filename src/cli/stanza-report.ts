import { formatUtcTime } from '../overlay-config/date-time.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import type { CertificateChain } from '../xmpp/signed-stanzas/certificate-chain.ts';
import { readSignedContent, type SignedContent } from '../xmpp/signed-stanzas/signed-content.ts';
import { FRESH_WITHIN_MS } from '../xmpp/signed-stanzas/signed-limits.ts';
import { formatTimestamp } from '../xmpp/signed-stanzas/signed-timestamp.ts';
import { StanzaRefusal } from '../xmpp/signed-stanzas/stanza-refusal.ts';
import { stanzaSigner } from '../xmpp/signed-stanzas/stanza-signer.ts';
import {
  addresseeRefusal,
  kindRefusal,
  senderRefusal,
} from '../xmpp/signed-stanzas/verify-stanza.ts';
import { writeElement, type XmppElement } from '../xmpp/stanza/xmpp-element.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../xmpp-address/jid.ts';

/** One check of `xor verify`; `passed` is null for one that an earlier one made impossible. */
export interface StanzaCheck {
  readonly name: string;
  readonly passed: boolean | null;
  readonly detail: string;
}

/** What `xor verify --json` prints. */
export interface StanzaReport {
  /** Every check has passed. What a running peer knows beyond that is not looked at. */
  readonly valid: boolean;
  /** The code of the first check that failed. */
  readonly reason: string | null;
  readonly signer: {
    readonly jid: string;
    readonly nodeId: string;
    readonly fingerprintSha256: string;
    readonly notAfter: string;
  } | null;
  readonly from: string | null;
  readonly to: string | null;
  /** As the signer says. */
  readonly signedAt: string | null;
  readonly algorithm: string | null;
  readonly checks: readonly StanzaCheck[];
  /** XML text of what was signed; only where every check has passed. */
  readonly stanza: string | null;
}

export interface StanzaReportFacts {
  readonly authenticator: Authenticator;
  readonly chains: readonly CertificateChain[];
  /** Undefined: whoever the stanza came to. */
  readonly receiver: BareJid | undefined;
  readonly unixMs: number;
}

/** Who signed a stanza, and whether that is true: each check by name. */
export function stanzaReport(outer: XmppElement, facts: StanzaReportFacts): StanzaReport {
  const content = readSignedContent(outer);
  if (content instanceof StanzaRefusal) {
    const others = CHECK_NAMES.slice(1).map(impossible);
    return reportOf(undefined, undefined, [failed('form', content), ...others], content.code);
  }
  const checks = new Map<string, StanzaCheck>();
  const refusals: StanzaRefusal[] = [];
  const note = (name: string, result: StanzaRefusal | undefined, detail: string) => {
    if (result !== undefined) refusals.push(result);
    checks.set(name, result === undefined ? passed(name, detail) : failed(name, result));
  };
  note('form', undefined, `XEP-0285, ${content.algorithm.name}`);
  note('sender', senderRefusal(outer, content), `from ${content.from.bare}, inside and outside`);
  const signer = stanzaSigner(content, facts.chains, facts.authenticator, facts.unixMs);
  noteSigner(signer, checks, note);
  const receiver = facts.receiver ?? receiverOf(outer) ?? content.to.bare;
  note('addressee', addresseeRefusal(content, receiver), `to ${content.to.bare}`);
  note('kind', kindRefusal(outer, content), 'the same kind and type, inside and outside');
  note('timestamp', futureRefusal(content, facts.unixMs), ageText(content, facts.unixMs));
  const inOrder = CHECK_NAMES.map((name) => checks.get(name) ?? impossible(name));
  const node = signer instanceof StanzaRefusal ? undefined : signer;
  return reportOf(content, node, inOrder, refusals[0]?.code);
}

/** For people. */
export function formatStanzaReport(report: StanzaReport): string {
  const { signer } = report;
  const head =
    signer !== null && report.valid
      ? [
          `signed by ${signer.jid}, node ${signer.nodeId}, at ${report.signedAt}`,
          `certificate SHA-256 ${signer.fingerprintSha256}, valid until ${signer.notAfter}`,
          `from ${report.from} to ${report.to}`,
        ]
      : [`not authentic: ${report.reason}`];
  const lines = report.checks.map(({ name, passed: result, detail }) => {
    const mark = result === null ? '-' : result ? 'ok' : 'FAILED';
    return `  ${name.padEnd(NAME_WIDTH)} ${mark.padEnd(MARK_WIDTH)} ${detail}`;
  });
  const note = 'whether it was sent twice or held back, only the peer that received it knows';
  return [...head, ...lines, ...(report.valid ? [note] : [])].map(oneLine).join('\n');
}

/** One refusal is either about certificates, the signature, or the two together. */
function noteSigner(
  signer: AuthenticatedNode | StanzaRefusal,
  checks: Map<string, StanzaCheck>,
  note: (name: string, result: StanzaRefusal | undefined, detail: string) => void,
): void {
  const code = signer instanceof StanzaRefusal ? signer.code : undefined;
  if (signer instanceof StanzaRefusal && code?.startsWith('certificate-') === true) {
    note('certificate', signer, '');
    checks.set('signature', impossible('signature'));
    return;
  }
  const whose =
    signer instanceof StanzaRefusal
      ? 'the sender has one that leads to a trusted root'
      : `${signer.certificate.describe()} leads to a trusted root`;
  if (signer instanceof StanzaRefusal && code === 'signed-too-early')
    note('certificate', signer, '');
  else note('certificate', undefined, whose);
  if (signer instanceof StanzaRefusal && code === 'signature-invalid')
    note('signature', signer, '');
  else note('signature', undefined, 'true over these bytes');
}

function futureRefusal(
  { timestampUnixMs }: SignedContent,
  unixMs: number,
): StanzaRefusal | undefined {
  if (timestampUnixMs <= unixMs + FRESH_WITHIN_MS) return undefined;
  const detail = `signed at ${formatTimestamp(timestampUnixMs)}, which is yet to come`;
  return new StanzaRefusal('future-timestamp', detail);
}

function ageText({ timestampUnixMs }: SignedContent, unixMs: number): string {
  const seconds = Math.max(0, Math.round((unixMs - timestampUnixMs) / 1000));
  return `${formatTimestamp(timestampUnixMs)}, ${seconds} s ago`;
}

function receiverOf(outer: XmppElement): BareJid | undefined {
  const to = outer.attributes.get('to');
  const address = to === undefined ? undefined : parseJid(to);
  return address instanceof AddressFault ? undefined : address?.bare;
}

function reportOf(
  content: SignedContent | undefined,
  signer: AuthenticatedNode | undefined,
  checks: readonly StanzaCheck[],
  reason: string | undefined,
): StanzaReport {
  return {
    valid: reason === undefined,
    reason: reason ?? null,
    signer:
      signer === undefined
        ? null
        : {
            jid: signer.userName,
            nodeId: signer.nodeId,
            fingerprintSha256: signer.certificate.sha256,
            notAfter: formatUtcTime(signer.certificate.notAfterUnixMs),
          },
    from: content?.from.text ?? null,
    to: content?.to.text ?? null,
    signedAt: content === undefined ? null : formatTimestamp(content.timestampUnixMs),
    algorithm: content?.algorithm.name ?? null,
    checks,
    stanza: reason === undefined && content !== undefined ? writeElement(content.stanza) : null,
  };
}

function passed(name: string, detail: string): StanzaCheck {
  return { name, passed: true, detail };
}

function failed(name: string, refusal: StanzaRefusal): StanzaCheck {
  return { name, passed: false, detail: refusal.describe() };
}

function impossible(name: string): StanzaCheck {
  return { name, passed: null, detail: 'not checked, because of what failed before' };
}

/** What a stanza says reaches a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

const CHECK_NAMES = [
  'form',
  'sender',
  'certificate',
  'signature',
  'addressee',
  'kind',
  'timestamp',
] as const;
const NAME_WIDTH = 11;
const MARK_WIDTH = 6;
