import { fromBase64 } from './base64.ts';
import { SCRAM_FOREIGN_NONCE_MAX, SCRAM_MESSAGE_LENGTH_MAX } from './sasl-limits.ts';

/** A message that is none of RFC 5802 §7; thrown inside this folder alone. */
export class MalformedScram extends Error {}

export interface ClientFirst {
  /** With both commas, as it came: what `c=` has to begin with. */
  readonly gs2Header: string;
  readonly bindingFlag: 'n' | 'y' | 'p';
  /** The name of the channel binding with the flag `p`. */
  readonly bindingName: string | undefined;
  readonly authorizationIdentity: string | undefined;
  /** As it came: part of what is signed. */
  readonly bare: string;
  readonly username: string;
  readonly nonce: string;
}

export interface ClientFinal {
  readonly channelBinding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** As it came: part of what is signed. */
  readonly withoutProof: string;
}

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

export function readClientFirst(data: Uint8Array): ClientFirst {
  const text = textOf(data);
  const header = /^(?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]*))?,/.exec(text);
  if (header === null) throw new MalformedScram('expected a GS2 header');
  const [gs2Header, flag, bindingName, authorizationIdentity] = header;
  const bare = text.slice(gs2Header.length);
  const [username, nonce, ...extensions] = bare.split(',');
  checkExtensions(extensions);
  return {
    gs2Header,
    bindingFlag: flag === 'n' || flag === 'y' ? flag : 'p',
    bindingName,
    authorizationIdentity:
      authorizationIdentity === undefined ? undefined : nameOf(authorizationIdentity),
    bare,
    username: nameOf(attributeOf('n', username)),
    nonce: nonceOf(nonce),
  };
}

export function readClientFinal(data: Uint8Array): ClientFinal {
  const text = textOf(data);
  const end = text.lastIndexOf(',');
  const [binding, nonce, ...extensions] = text.slice(0, Math.max(0, end)).split(',');
  checkExtensions(extensions);
  return {
    channelBinding: bytesOf(attributeOf('c', binding)),
    nonce: nonceOf(nonce),
    proof: bytesOf(attributeOf('p', text.slice(end + 1))),
    withoutProof: text.slice(0, end),
  };
}

export function readServerFirst(data: Uint8Array): ServerFirst {
  const [nonce, salt, iterations, ...extensions] = textOf(data).split(',');
  checkExtensions(extensions);
  const count = attributeOf('i', iterations);
  if (!/^[1-9]\d{0,8}$/.test(count)) throw new MalformedScram('expected a positive number');
  return {
    nonce: nonceOf(nonce),
    salt: bytesOf(attributeOf('s', salt)),
    iterations: Number(count),
  };
}

/** The signature in a server's last message, or the error that it names. */
export function readServerFinal(data: Uint8Array): Uint8Array | { readonly error: string } {
  const [first, ...extensions] = textOf(data).split(',');
  checkExtensions(extensions);
  if (first?.startsWith('e=')) return { error: first.slice(2) };
  return bytesOf(attributeOf('v', first));
}

/** RFC 5802 §5.1: `,` and `=` of a name. */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function nameOf(text: string): string {
  const isName = /^(?:[^=,\0]|=2C|=3D)+$/.test(text);
  if (!isName) throw new MalformedScram('expected a name, "=" and "," written as =3D and =2C');
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function nonceOf(text: string | undefined): string {
  const nonce = attributeOf('r', text);
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce) || nonce.length > SCRAM_FOREIGN_NONCE_MAX) {
    throw new MalformedScram(`expected a nonce of 1 to ${SCRAM_FOREIGN_NONCE_MAX} characters`);
  }
  return nonce;
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new MalformedScram('expected canonical base64');
  return bytes;
}

function attributeOf(name: string, attribute: string | undefined): string {
  if (!attribute?.startsWith(`${name}=`)) throw new MalformedScram(`expected "${name}="`);
  return attribute.slice(2);
}

/** RFC 5802 §5.1: unknown ones are passed over, but `m` is none that may be. */
function checkExtensions(extensions: readonly string[]): void {
  for (const extension of extensions) {
    if (!/^[A-Za-ln-z]=[^\0]+$/.test(extension)) {
      throw new MalformedScram('expected an extension that may be passed over');
    }
  }
}

function textOf(data: Uint8Array): string {
  if (data.length > SCRAM_MESSAGE_LENGTH_MAX) {
    throw new MalformedScram(`expected at most ${SCRAM_MESSAGE_LENGTH_MAX} bytes`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new MalformedScram('expected UTF-8');
  }
}
