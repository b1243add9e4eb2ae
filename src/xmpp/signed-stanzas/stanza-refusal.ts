import type { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';

/** Why a signed stanza does not count; docs/signed-stanzas.md explains each. */
export const STANZA_REFUSAL_CODES = [
  /** No form of XEP-0285, or over a limit. */
  'malformed',
  'several-signatures',
  'nested-signature',
  'unsupported-algorithm',
  /** The sender inside and outside are not the same, or none. */
  'wrong-sender',
  'certificate-missing',
  'certificate-refused',
  'signature-invalid',
  /** Made before the certificate was valid. */
  'signed-too-early',
  'wrong-addressee',
  'wrong-kind',
  'future-timestamp',
  'old-timestamp',
  'delay-disagrees',
  'withheld',
  'too-old',
  'before-replay-guard',
  'replayed',
  'out-of-order',
  'replay-guard-full',
  /** Not signed, where it would have to be. */
  'unsigned',
  'too-busy',
] as const;
export type StanzaRefusalCode = (typeof STANZA_REFUSAL_CODES)[number];

/** The answer "no" about a stanza that came over servers: a value, never thrown. */
export class StanzaRefusal {
  readonly code: StanzaRefusalCode;
  /** What was expected and what came, and what its sender can do. */
  readonly detail: string;
  /** What is wrong with the certificate, for the code `certificate-refused`. */
  readonly certificateRefusal: CertificateRefusal | undefined;

  constructor(code: StanzaRefusalCode, detail: string, certificateRefusal?: CertificateRefusal) {
    this.code = code;
    this.detail = detail;
    this.certificateRefusal = certificateRefusal;
  }

  describe(): string {
    return `${this.code}: ${this.detail}`;
  }
}
