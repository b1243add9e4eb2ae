/**
 * `xor message decode`: one line of hex, a RELOAD message or a frame with one inside, to what it
 * says, and back.
 */
import { createHash } from 'node:crypto';
import { formatIpAddress } from '../overlay-config/ip-address-text.ts';
import { REGISTERED_KINDS } from '../overlay-config/registered-kinds.ts';
import { type Codec, decode, encode, readWhole } from '../wire/codec.ts';
import { errorName } from '../wire/error-response.ts';
import type { ForwardingHeader } from '../wire/forwarding-header.ts';
import { FramedMessage, FrameType } from '../wire/framed-message.ts';
import { fromHex, toHex } from '../wire/hex.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { decodeHeader, encodeFragment, encodeMessage } from '../wire/message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import { SecurityBlock } from '../wire/security-block.ts';
import { openedContents } from './opened-contents.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Where a line is not what RFC 6940 says; `offset` in bytes from the start of the line. */
export interface DissectionFault {
  readonly error: {
    /** Innermost struct, e.g. `StoreReq`; empty for a line that is no hex. */
    readonly struct: string;
    readonly field: string;
    readonly offset: number;
    readonly detail: string;
  };
}

export interface DissectionOptions {
  /** Bytes of a Node-ID in the overlay of the message; 16 unless stated. */
  readonly nodeIdLength?: number | undefined;
}

/**
 * What a line says: `frame` for a FramedMessage, then `header`, `contents` and `securityBlock`, or
 * `header` and `fragment` (RFC 6940 §6.7). Bytes are hex, 64-bit numbers decimal text, except the
 * transaction ID, which is hex like every other identifier.
 */
export function dissectLine(
  line: string,
  options: DissectionOptions = {},
): JsonObject | DissectionFault {
  const parts = partsOf(line, options.nodeIdLength);
  return isFault(parts) ? parts : { ...frameJson(parts.frame), ...messageJson(parts.message) };
}

/** The line decoded to the fields of its innermost structs and encoded again from them, as hex. */
export function reencodeLine(
  line: string,
  options: DissectionOptions = {},
): string | DissectionFault {
  const parts = partsOf(line, options.nodeIdLength);
  if (isFault(parts)) return parts;
  const { frame, message } = parts;
  const bytes = message === undefined ? new Uint8Array(0) : messageBytes(message);
  if (frame === undefined) return toHex(bytes);
  const again: FramedMessage = frame.type === 'data' ? { ...frame, message: bytes } : frame;
  return toHex(encode(FramedMessage, again));
}

export function isFault(result: object | string): result is DissectionFault {
  return typeof result === 'object' && 'error' in result;
}

interface LineParts {
  readonly frame?: FramedMessage;
  readonly message?: MessageParts;
}

type MessageParts =
  | { readonly header: ForwardingHeader; readonly chunk: Uint8Array }
  | {
      readonly header: ForwardingHeader;
      readonly contents: unknown;
      readonly securityBlock: SecurityBlock;
    };

function partsOf(line: string, nodeIdLength: number | undefined): LineParts | DissectionFault {
  const bytes = lineBytes(line);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const first = bytes[0];
  if (first !== FrameType.data && first !== FrameType.ack) {
    const message = messageParts(bytes, nodeIdLength);
    return message instanceof MalformedMessage ? faultOf(message, 0) : { message };
  }
  const frame = decode(FramedMessage, bytes);
  if (frame instanceof MalformedMessage) return faultOf(frame, 0);
  if (frame.type === 'ack') return { frame };
  const message = messageParts(frame.message, nodeIdLength);
  const start = frame.message.byteOffset - bytes.byteOffset;
  return message instanceof MalformedMessage ? faultOf(message, start) : { frame, message };
}

function lineBytes(line: string): Uint8Array | DissectionFault {
  const hex = line.trim();
  const wrongDigit = hex.search(/[^0-9a-fA-F]/);
  if (wrongDigit < 0 && hex.length % 2 === 0) return fromHex(hex);
  const detail =
    wrongDigit < 0 ? 'expected an even number of hex digits' : 'expected hex digits alone';
  const offset = Math.floor((wrongDigit < 0 ? hex.length : wrongDigit) / 2);
  return { error: { struct: '', field: '', offset, detail } };
}

function messageParts(
  bytes: Uint8Array,
  nodeIdLength: number | undefined,
): MessageParts | MalformedMessage {
  const decoded = decodeHeader(bytes, nodeIdLength);
  if (decoded instanceof MalformedMessage) return decoded;
  const { header, headerLength } = decoded;
  if (isFragment(header)) return { header, chunk: bytes.subarray(headerLength) };
  return readWhole(bytes, nodeIdLength, (reader) => {
    reader.offset = headerLength;
    const contents = openedContents.read(reader);
    return { header, contents, securityBlock: SecurityBlock.read(reader) };
  });
}

/** RFC 6940 §6.3.2: without its highest bit the word must not be taken for a fragment's. */
function isFragment({ fragment }: ForwardingHeader): boolean {
  const word = fragmentFields(fragment);
  return fragment >= 0x80000000 && (word.offset !== 0 || !word.isLast);
}

function fragmentFields(fragment: number): { offset: number; isLast: boolean } {
  return { offset: fragment & 0xffffff, isLast: (fragment & 0x40000000) !== 0 };
}

function messageBytes(message: MessageParts): Uint8Array {
  if ('chunk' in message) return encodeFragment(message.header, message.chunk);
  const { header, contents, securityBlock } = message;
  return encodeMessage(header, encode(openedContents, contents), blockBytes(securityBlock));
}

function blockBytes(block: SecurityBlock): Uint8Array {
  return encode(SecurityBlock as Codec<SecurityBlock>, block);
}

function faultOf(malformed: MalformedMessage, start: number): DissectionFault {
  const { struct, field, offset, detail } = malformed;
  return { error: { struct, field, offset: start + offset, detail } };
}

function frameJson(frame: FramedMessage | undefined): JsonObject {
  if (frame === undefined) return {};
  if (frame.type === 'data') return { frame: { type: 'data', sequence: frame.sequence } };
  return { frame: { ...frame } };
}

function messageJson(message: MessageParts | undefined): JsonObject {
  if (message === undefined) return {};
  const { offset, isLast } = fragmentFields(message.header.fragment);
  const header = {
    ...(toJson(message.header) as JsonObject),
    overlay: message.header.overlay.toString(16).padStart(8, '0'),
    transactionId: message.header.transactionId.toString(16).padStart(16, '0'),
  };
  if ('chunk' in message)
    return { header, fragment: { offset, isLast, data: toHex(message.chunk) } };
  return {
    header,
    contents: toJson(message.contents),
    securityBlock: toJson(message.securityBlock),
  };
}

function toJson(value: unknown): JsonValue {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(toJson);
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : objectJson(value as Record<string, unknown>);
    default:
      throw new TypeError(`expected a decoded value, got ${typeof value}`);
  }
}

/** The fields of a struct, and beside some of them what a person would look up. */
function objectJson(fields: Record<string, unknown>): JsonObject {
  const json: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(fields)) {
    const isIpAddress = key === 'address' && 'port' in fields && value instanceof Uint8Array;
    json[key] = isIpAddress ? formatIpAddress(value) : toJson(value);
    if (key === 'kind') json.kindName = kindNames.get(value as number) ?? null;
    if (key === 'code' && 'body' in fields) json.codeName = codeNames.get(value as number) ?? null;
    if (key === 'errorCode') json.errorName = errorName(value as number);
    if (key === 'certificate') json.sha256 = sha256(value as Uint8Array);
  }
  return json;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const kindNames = new Map([...REGISTERED_KINDS.values()].map((kind) => [kind.kindId, kind.name]));

/** `store_req` and so on, as RFC 6940 §14.8 spells them. */
const codeNames = new Map<number, string>(
  Object.entries(MessageCode).map(([name, code]) => [
    code,
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);
