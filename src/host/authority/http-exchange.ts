import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** One HTTP request whose body is here, within the limit. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  readonly socket: TLSSocket;
  readonly remoteAddress: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

/** Bytes that are served until there are newer ones. */
export interface HttpDocument {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly changedUnixMs: number;
}

/** A sentence for people, or a token of RFC 6940 §11.3. */
export function textAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
    body: text,
  };
}

/** "Come back later": too many requests, or the authority is busy. */
export function laterAnswer(status: 429 | 503, text: string, seconds: number): HttpAnswer {
  return textAnswer(status, `${text}\n`, {
    'Retry-After': String(Math.max(1, Math.ceil(seconds))),
  });
}

/**
 * Answers GET and HEAD for a document, with 304 for those who have it (RFC 9110 §13.1). A document
 * can change twice in one second, so Last-Modified, which counts in seconds, is sent only once the
 * second of the last change is over.
 */
export function documentAnswer(
  document: HttpDocument,
  headers: IncomingHttpHeaders,
  unixMs: number,
): HttpAnswer {
  const changedSecond = Math.floor(document.changedUnixMs / 1000);
  const isSettled = Math.floor(unixMs / 1000) > changedSecond;
  const etag = `"${createHash('sha256').update(document.bytes).digest('base64url')}"`;
  const answerHeaders: Record<string, string> = {
    'Content-Type': document.contentType,
    'Cache-Control': 'no-cache',
    ETag: etag,
  };
  if (isSettled) answerHeaders['Last-Modified'] = new Date(changedSecond * 1000).toUTCString();
  if (isNotModified(headers, etag, changedSecond)) {
    return { status: 304, headers: answerHeaders, body: '' };
  }
  return { status: 200, headers: answerHeaders, body: document.bytes };
}

/** If-None-Match decides where it is given, else If-Modified-Since — RFC 9110 §13.2.2. */
function isNotModified(headers: IncomingHttpHeaders, etag: string, changedSecond: number): boolean {
  const wanted = headers['if-none-match'];
  if (wanted !== undefined) {
    return wanted.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim()));
  }
  const sinceUnixMs = Date.parse(headers['if-modified-since'] ?? '');
  return Number.isFinite(sinceUnixMs) && Math.floor(sinceUnixMs / 1000) >= changedSecond;
}

/** The body of a request, or undefined when it is longer than `bytesMax`: the rest is not read. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        request.pause();
        resolve(undefined);
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection closed within a request')));
  });
}
