import { STATUS_CODES } from 'node:http';
import type { Revocation } from '../../tls-auth/certificate-refusal.ts';
import { formatUnixMs } from '../../tls-auth/der-time.ts';
import { errorName } from '../../wire/error-response.ts';
import { CommandError } from '../command-error.ts';

/** An error answer — RFC 9457, `application/problem+json`. Thrown inside the HTTP API alone. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  private readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    detail: string,
    fields: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = 'HttpProblem';
    this.status = status;
    this.fields = fields;
    this.headers = headers;
  }

  /** The body; `title` says what the status says, `detail` what happened here. */
  body(): Record<string, unknown> {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      ...this.fields,
    };
  }
}

/** What a failed command means to an HTTP client; other errors are bugs and are thrown on. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (!(error instanceof CommandError)) throw error;
  const { code, errorCode } = error;
  const named = errorCode === undefined ? {} : { errorCode, errorName: errorName(errorCode) };
  return new HttpProblem(STATUS_OF_FAILURE[code], error.message, {
    code,
    ...named,
    ...(error.revocation === undefined ? {} : revocationJson(error.revocation)),
  });
}

function revocationJson({ sinceUnixMs, reason }: Revocation) {
  return { revoked: true, revokedSince: formatUnixMs(sinceUnixMs), revocationReason: reason };
}

const STATUS_OF_FAILURE: Readonly<Record<CommandError['code'], number>> = {
  'not-joined': 503,
  timeout: 504,
  'no-route': 503,
  'not-found': 404,
  'not-verified': 502,
  revoked: 410,
  refused: 502,
  'malformed-answer': 502,
  'too-busy': 503,
  'bad-request': 400,
  stopped: 503,
};
