import type { SignedConfiguration } from './parsed-configuration.ts';

/**
 * - `malformed`: not XML, or not an overlay configuration document;
 * - `invalid`: an element or attribute breaks RFC 6940 §11.1;
 * - `unsupported`: right by the RFC, but it demands what this program does not do.
 */
export type ConfigurationFaultCode = 'malformed' | 'invalid' | 'unsupported';

/**
 * Why a document is no configuration for us. Inside `overlay-config/` it is thrown; the public
 * functions return it as a value.
 */
export class ConfigurationFault extends Error {
  readonly code: ConfigurationFaultCode;
  /** Local name of the element, with `/@name` behind it for an attribute. */
  readonly element: string;
  /** From 1, in the document. */
  readonly line: number;
  readonly expected: string;
  readonly actual: string;
  /**
   * The signed part of a document that is `unsupported`. A node that cannot do what a rightful new
   * configuration demands MUST leave the overlay (RFC 6940 §11.1); `checkSuccession` in
   * `configuration-trust.ts` tells whether this one is rightful.
   */
  signed: SignedConfiguration | undefined;

  constructor(code: ConfigurationFaultCode, place: Place, expected: string, actual: string) {
    super(
      `configuration document, line ${place.line}, <${place.element}>: ` +
        `expected ${expected}, got ${actual}`,
    );
    this.name = 'ConfigurationFault';
    this.code = code;
    this.element = place.element;
    this.line = place.line;
    this.expected = expected;
    this.actual = actual;
  }

  /** `configuration document, line 9, <node-id-length>: expected 16 …, got "20"` */
  describe(): string {
    return this.message;
  }
}

/** An element or attribute of the document. */
export interface Place {
  readonly element: string;
  readonly line: number;
}

/** `text` for an error message: quoted, and cut when it is long. */
export function quoted(text: string): string {
  const shown = text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text;
  return JSON.stringify(shown);
}

const QUOTED_LENGTH_MAX = 80;
