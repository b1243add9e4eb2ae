/**
 * Why a document does not follow the configuration held:
 * - `other-overlay`: its instance-name is another;
 * - `not-newer`: its sequence is the same or older (a peer answers with Error_Config_Too_Old);
 * - `expired`: its expiration has passed;
 * - `namespace`: its signed bytes leave a prefix open that the document around them binds anew;
 * - `unsigned`, `signature`: no signature that is true;
 * - `signer`: a true signature by someone who may not sign configurations;
 * - `kinds`: one of its kind-blocks is not signed by a kind-signer of its own.
 */
export type SuccessionRefusalCode =
  | 'other-overlay'
  | 'not-newer'
  | 'expired'
  | 'namespace'
  | 'unsigned'
  | 'signature'
  | 'signer'
  | 'kinds';

/** The answer "no" to a new configuration: a value, never thrown. */
export class SuccessionRefusal {
  readonly code: SuccessionRefusalCode;
  /** What was expected and what came. */
  readonly detail: string;

  constructor(code: SuccessionRefusalCode, detail: string) {
    this.code = code;
    this.detail = detail;
  }

  describe(): string {
    return `the new configuration is refused (${this.code}): ${this.detail}`;
  }
}
