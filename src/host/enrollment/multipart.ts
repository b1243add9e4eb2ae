/** One field of a form — RFC 2388 §3. */
export interface FormPart {
  readonly name: string;
  /** Lower-case media type without parameters; `text/plain` where none is given. */
  readonly contentType: string;
  readonly value: Uint8Array;
}

/** Bytes that are not the form that was expected; `detail` is half a sentence. */
export interface FormFault {
  readonly detail: string;
}

/** The media type for a form whose parts are divided by `boundary`. */
export function formContentType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`;
}

/**
 * A form as multipart/form-data (RFC 2388). Throws RangeError where the boundary occurs in a value:
 * the caller draws random ones, so that is a bug.
 */
export function encodeForm(parts: readonly FormPart[], boundary: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (const part of parts) {
    if (Buffer.from(part.value).includes(boundary)) {
      throw new RangeError('the boundary occurs in a value of the form');
    }
    const head =
      `--${boundary}\r\nContent-Disposition: form-data; name="${part.name}"\r\n` +
      `Content-Type: ${part.contentType}\r\n\r\n`;
    chunks.push(Buffer.from(head), part.value, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Reads a form (RFC 2388, RFC 2046 §5.1) of few, small parts. Fields are told apart by their
 * names, so a name that occurs twice is a fault, and so is a content-transfer-encoding that changes
 * bytes: nobody who posts an enrollment request over HTTP needs one.
 */
export function parseForm(contentType: string, body: Uint8Array): FormPart[] | FormFault {
  const boundary = boundaryOf(contentType);
  if (typeof boundary !== 'string') return boundary;
  const sections = cutAtDelimiters(Buffer.from(body), `--${boundary}`);
  if ('detail' in sections) return sections;
  const parts: FormPart[] = [];
  for (const section of sections) {
    const part = parsePart(section);
    if ('detail' in part) return part;
    if (parts.some((other) => other.name === part.name)) {
      return { detail: `the field "${part.name}" occurs twice` };
    }
    parts.push(part);
  }
  return parts;
}

function boundaryOf(contentType: string): string | FormFault {
  if (contentType.length > HEADER_BYTES_MAX) return { detail: 'the Content-Type is too long' };
  const header = parseHeaderValue(contentType);
  if (header?.value !== 'multipart/form-data') {
    return { detail: 'the Content-Type is not multipart/form-data' };
  }
  const boundary = header.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    return { detail: 'the Content-Type has no boundary of 1 to 70 permitted characters' };
  }
  return boundary;
}

/** What stands between the delimiter lines, without their line breaks. */
function cutAtDelimiters(body: Buffer, delimiter: string): Buffer[] | FormFault {
  const sections: Buffer[] = [];
  let start: number | undefined;
  let from = 0;
  for (;;) {
    const at = body.indexOf(delimiter, from);
    if (at === -1) return { detail: 'the closing delimiter is missing' };
    from = at + 1;
    const atLineStart = at === 0 || (body[at - 2] === CR && body[at - 1] === LF);
    if (!atLineStart) continue;
    const end = endOfDelimiterLine(body, at + delimiter.length);
    if (end === undefined) continue;
    if (start !== undefined) {
      if (at - 2 < start) return { detail: 'a part has no header' };
      sections.push(body.subarray(start, at - 2));
    }
    if (end === 'closed') return sections;
    if (sections.length === PARTS_MAX) return { detail: `more than ${PARTS_MAX} fields` };
    start = end;
    from = end;
  }
}

/** Where the part begins; `closed` for the last delimiter; undefined when it is none at all. */
function endOfDelimiterLine(body: Buffer, after: number): number | 'closed' | undefined {
  if (body[after] === DASH && body[after + 1] === DASH) return 'closed';
  let at = after;
  while (body[at] === SPACE || body[at] === TAB) at++;
  return body[at] === CR && body[at + 1] === LF ? at + 2 : undefined;
}

function parsePart(section: Buffer): FormPart | FormFault {
  const headerEnd = section.indexOf('\r\n\r\n');
  if (headerEnd === -1) return { detail: 'a part has no empty line after its header' };
  if (headerEnd > HEADER_BYTES_MAX) return { detail: 'the header of a part is too long' };
  const headers = new Map<string, string>();
  for (const line of section.toString('utf8', 0, headerEnd).split('\r\n')) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || headers.has(name)) {
      return { detail: 'the header of a part has a line that is not "Name: value", or one twice' };
    }
    headers.set(name, match?.[2] ?? '');
  }
  const disposition = parseHeaderValue(headers.get('content-disposition') ?? '');
  const name = disposition?.parameters.get('name');
  if (disposition?.value !== 'form-data' || name === undefined || name === '') {
    return { detail: 'a part has no Content-Disposition: form-data with a name' };
  }
  const encoding = (headers.get('content-transfer-encoding') ?? 'binary').trim().toLowerCase();
  if (!PLAIN_ENCODINGS.has(encoding)) {
    return { detail: `the field "${name}" has a content-transfer-encoding; send plain bytes` };
  }
  const type = parseHeaderValue(headers.get('content-type') ?? 'text/plain');
  if (type === undefined) return { detail: `the field "${name}" has no valid Content-Type` };
  return { name, contentType: type.value, value: new Uint8Array(section.subarray(headerEnd + 4)) };
}

interface HeaderValue {
  /** Lower-case. */
  readonly value: string;
  /** Names lower-case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `value; name=token; other="quoted \" string"` — RFC 2045 §5.1. */
function parseHeaderValue(text: string): HeaderValue | undefined {
  const head = /^\s*([^\s;"]+)\s*/.exec(text);
  if (head?.[1] === undefined) return undefined;
  const parameters = new Map<string, string>();
  let at = head[0].length;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  return { value: head[1].toLowerCase(), parameters };
}

const PARAMETER = /;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*/y;
/** RFC 2046 §5.1.1: bchars, not ending in a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
const PLAIN_ENCODINGS = new Set(['7bit', '8bit', 'binary']);
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
/** An enrollment request has four fields — RFC 6940 §11.3. */
const PARTS_MAX = 16;
const HEADER_BYTES_MAX = 1_024;
