/**
 * One GET over HTTPS, or HTTP for what is signed, within limits: redirects, bytes and time are
 * capped, and the server's certificate must match the name in the URL (RFC 2818), whatever address
 * was connected to.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';

export interface HttpsFetchOptions {
  readonly url: string;
  /** PEM of authorities that are trusted beside the system's: the content of `--trust` files. */
  readonly trustAnchorsPem?: readonly string[];
  /** Connect here instead of to the URL's host; redirects go where they say. */
  readonly connectTo?: { readonly host: string; readonly port: number };
  /** The Last-Modified of the copy at hand. */
  readonly ifModifiedSince?: string | undefined;
  readonly accept?: string;
  /** http, too: only for what proves by a signature of its own who made it. Default: false. */
  readonly isHttpAllowed?: boolean;
  /** Where to connect, of the addresses of a host; throws for those that must not be asked. */
  readonly resolver?: HostResolver;
  readonly limits?: Partial<HttpsFetchLimits>;
  /** Aborting it ends the fetch with the code `stopped`. */
  readonly signal?: AbortSignal;
}

export interface HostResolver {
  /** Throws when this host is an IP address that must not be connected to. */
  checkLiteral(url: URL): void;
  /** Finds only addresses that may be connected to; fails when there is none. */
  lookupFor(url: URL): LookupFunction;
}

export interface HttpsFetchLimits {
  readonly redirectsMax: number;
  readonly bodyBytesMax: number;
  /** From the first connection to the last byte, redirects included. */
  readonly durationMsMax: number;
}

export const HTTPS_FETCH_LIMITS_DEFAULT: HttpsFetchLimits = {
  redirectsMax: 5,
  bodyBytesMax: 1_048_576,
  durationMsMax: 20_000,
};

export type HttpsAnswer =
  | {
      readonly type: 'fetched';
      readonly body: Uint8Array;
      readonly lastModified: string | undefined;
      /** Where the redirects led. */
      readonly url: string;
    }
  | { readonly type: 'notModified' };

export type HttpsFetchErrorCode =
  | 'bad-url'
  | 'redirect-refused'
  | 'wrong-name'
  | 'untrusted'
  | 'unreachable'
  | 'address-refused'
  | 'too-slow'
  | 'too-large'
  | 'bad-status'
  | 'stopped';

/** Why nothing was fetched: one sentence that says what and what to do. */
export class HttpsFetchError extends Error {
  readonly code: HttpsFetchErrorCode;

  constructor(code: HttpsFetchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HttpsFetchError';
    this.code = code;
  }
}

/** Throws HttpsFetchError. */
export async function fetchHttps(options: HttpsFetchOptions): Promise<HttpsAnswer> {
  const limits = { ...HTTPS_FETCH_LIMITS_DEFAULT, ...options.limits };
  const tooSlow = AbortSignal.timeout(limits.durationMsMax);
  const signal =
    options.signal === undefined ? tooSlow : AbortSignal.any([tooSlow, options.signal]);
  let url = httpsUrl(options.url, undefined, options);
  try {
    for (let redirects = 0; redirects <= limits.redirectsMax; redirects += 1) {
      const response = await get(url, options, redirects === 0, signal);
      const target = redirectTarget(response, url, options);
      if (target === undefined) return await answerOf(response, url, limits);
      response.destroy();
      url = target;
    }
  } catch (error) {
    if (options.signal?.aborted === true) {
      throw new HttpsFetchError('stopped', `the fetch of ${url} was stopped`, { cause: error });
    }
    throw failure(error, url, tooSlow, limits);
  }
  const what = `the server redirects more than ${limits.redirectsMax} times`;
  const message = `cannot fetch ${options.url}: ${what}; ask its operator for the final URL`;
  throw new HttpsFetchError('redirect-refused', message);
}

function get(
  url: URL,
  options: HttpsFetchOptions,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHttp = url.protocol === 'http:';
  const port = url.port === '' ? (isHttp ? HTTP_PORT : HTTPS_PORT) : Number(url.port);
  const { trustAnchorsPem = [], ifModifiedSince, accept = '*/*', resolver } = options;
  if (isIP(host) !== 0) resolver?.checkLiteral(url);
  const target = (isFirst ? options.connectTo : undefined) ?? { host, port };
  const settings: RequestOptions = {
    ...target,
    path: `${url.pathname}${url.search}`,
    // The certificate must match the URL, also where SRV or a test leads to another host.
    ...(isIP(host) === 0 && !isHttp ? { servername: host } : {}),
    ...(resolver === undefined ? {} : { lookup: resolver.lookupFor(url) }),
    // Without extra anchors Node's own default stays, which NODE_EXTRA_CA_CERTS can widen.
    ...(trustAnchorsPem.length === 0 ? {} : { ca: [...rootCertificates, ...trustAnchorsPem] }),
    agent: false,
    signal,
    headers: {
      host: url.host,
      accept,
      'accept-encoding': 'identity',
      ...(ifModifiedSince === undefined ? {} : { 'if-modified-since': ifModifiedSince }),
    },
  };
  return new Promise((resolve, reject) => {
    const send = isHttp ? httpRequest : httpsRequest;
    send(settings, resolve).on('error', reject).end();
  });
}

/** Where a 3xx answer leads; undefined for answers that are no redirect. */
function redirectTarget(
  response: IncomingMessage,
  from: URL,
  options: HttpsFetchOptions,
): URL | undefined {
  if (!REDIRECTS.has(response.statusCode ?? 0)) return undefined;
  const { location } = response.headers;
  if (location !== undefined) return httpsUrl(location, from, options);
  response.destroy();
  const what = 'the server redirects without saying where';
  const message = `cannot fetch ${from}: ${what}; ask its operator`;
  throw new HttpsFetchError('redirect-refused', message);
}

async function answerOf(
  response: IncomingMessage,
  url: URL,
  limits: HttpsFetchLimits,
): Promise<HttpsAnswer> {
  const status = response.statusCode ?? 0;
  if (status === 304) {
    response.destroy();
    return { type: 'notModified' };
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (status !== 200 || encoding !== 'identity') {
    response.destroy();
    const got = status === 200 ? `content-encoding ${encoding}, unasked` : `status ${status}`;
    const message = `cannot fetch ${url}: the server answered with ${got}; check the URL`;
    throw new HttpsFetchError('bad-status', message);
  }
  const lastModified = response.headers['last-modified'];
  return {
    type: 'fetched',
    body: await readBody(response, url, limits),
    lastModified,
    url: url.href,
  };
}

async function readBody(
  response: IncomingMessage,
  url: URL,
  limits: HttpsFetchLimits,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limits.bodyBytesMax) {
      response.destroy();
      const what = `it has more than ${limits.bodyBytesMax} bytes`;
      throw new HttpsFetchError('too-large', `cannot fetch ${url}: ${what}; check the URL`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function httpsUrl(text: string, from: URL | undefined, options: HttpsFetchOptions): URL {
  const { isHttpAllowed = false } = options;
  const isRedirect = from !== undefined;
  const url = URL.canParse(text, from?.href) ? new URL(text, from?.href) : undefined;
  const isRight = url?.protocol === 'https:' || (isHttpAllowed && url?.protocol === 'http:');
  if (url !== undefined && isRight && url.username === '' && url.password === '') return url;
  const shown = JSON.stringify(text.slice(0, URL_SHOWN_MAX));
  const scheme = isHttpAllowed ? 'http or https' : 'https';
  const message = isRedirect
    ? `cannot fetch ${from}: it redirects to ${shown}, which is not ${scheme}; ask its operator`
    : `cannot fetch ${shown}: expected an ${scheme} URL without a user name; correct the URL`;
  throw new HttpsFetchError(isRedirect ? 'redirect-refused' : 'bad-url', message);
}

/** What an error of the connection means to whoever reads it. */
function failure(
  error: unknown,
  url: URL,
  tooSlow: AbortSignal,
  limits: HttpsFetchLimits,
): HttpsFetchError {
  if (error instanceof HttpsFetchError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const fail = (kind: HttpsFetchErrorCode, what: string) =>
    new HttpsFetchError(kind, `cannot fetch ${url}: ${what}`, { cause: error });
  if (tooSlow.aborted) {
    return fail('too-slow', `it took more than ${limits.durationMsMax} ms; try again later`);
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const expected = `the server's certificate is not for ${url.hostname}`;
    return fail('wrong-name', `${expected}; check the URL, or the certificate of the server`);
  }
  if (code !== undefined && UNTRUSTED.test(code)) {
    const todo = "pass its authority's certificate with --trust FILE, if you trust it";
    return fail('untrusted', `the server's certificate is not accepted (${code}); ${todo}`);
  }
  const reason = code ?? message;
  return fail('unreachable', `no answer from ${url.host} (${reason}); check that the server runs`);
}

/** OpenSSL's verdicts on a chain, as Node names them. */
const UNTRUSTED = /CERT|^UNABLE_TO_|^INVALID_(?:CA|PURPOSE)|^PATH_LENGTH_|^HOSTNAME_MISMATCH/;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
const URL_SHOWN_MAX = 200;
