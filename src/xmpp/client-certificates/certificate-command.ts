import type { StanzaErrorCondition } from '../stanza/stanza.ts';
import type { CertificateSelector } from './certificate-register.ts';
import type { RegisteredCertificate } from './registered-certificate.ts';

/** What can be asked of the register, by whichever interface. */
export type CertificateCommand =
  | { readonly type: 'list' }
  /** `certificate` in base64, white space inside or not. */
  | {
      readonly type: 'add';
      readonly name: string;
      readonly certificate: string;
      readonly mayManage: boolean;
    }
  /** The peer's own issuer certifies the key of a PKCS #10 request, in base64 like the above. */
  | {
      readonly type: 'issue';
      readonly name: string;
      readonly signingRequest: string;
      readonly mayManage: boolean;
    }
  | { readonly type: 'disable'; readonly which: CertificateSelector }
  | { readonly type: 'revoke'; readonly which: CertificateSelector };

/** One certificate as it is listed. */
export interface ListedCertificate extends RegisteredCertificate {
  readonly isExpired: boolean;
  /** Resources of the sessions that came with it. */
  readonly users: readonly string[];
}

export type CertificateOutcome =
  | { readonly ok: true; readonly certificates: readonly ListedCertificate[] }
  | CertificateRefused;

/** A condition of RFC 6120 §8.3.3, and what to do, in a sentence. */
export interface CertificateRefused {
  readonly ok: false;
  readonly condition: StanzaErrorCondition;
  readonly reason: string;
}

export function refused(condition: StanzaErrorCondition, reason: string): CertificateRefused {
  return { ok: false, condition, reason };
}

/** What the host's issuer made of a request: DER, or why there is none. */
export type IssueOutcome =
  | { readonly ok: true; readonly certificate: Uint8Array }
  | CertificateRefused;
