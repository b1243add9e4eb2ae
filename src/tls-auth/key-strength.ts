import type { SubjectPublicKeyInfo } from './certificate.ts';
import { DerReader, DerTag, MalformedDer } from './der-reader.ts';
import { derIntegerHex, derObjectIdentifier } from './der-value.ts';
import { KeyOid } from './object-identifier.ts';

/**
 * What is wrong with a key; undefined when it may be used: RSA of 2048 to 8192 bits, or a named
 * curve P-256, P-384 or secp256k1. The upper limits keep a hostile key from costing seconds.
 */
export function keyFault(info: SubjectPublicKeyInfo): string | undefined {
  try {
    switch (info.algorithm.oid) {
      case KeyOid.rsa:
        return rsaParametersFault(info.algorithm.parameters) ?? rsaFault(info.key);
      case KeyOid.ec:
        return curveFault(info.algorithm.parameters, info.key);
      default:
        return `expected an RSA or elliptic-curve key, got algorithm ${info.algorithm.oid}`;
    }
  } catch (error) {
    if (error instanceof MalformedDer) return `the key is not DER: ${error.message}`;
    throw error;
  }
}

/** RFC 3279 §2.3.1: "The parameters field MUST have ASN.1 type NULL". */
function rsaParametersFault(parameters: Uint8Array | undefined): string | undefined {
  const [tag, length] = parameters ?? [];
  return tag === DerTag.null && length === 0
    ? undefined
    : 'an RSA key whose parameters are no NULL';
}

/** RSAPublicKey — RFC 3279 §2.3.1. */
function rsaFault(key: Uint8Array): string | undefined {
  const outer = new DerReader(key);
  const inner = outer.enter(DerTag.sequence);
  outer.expectEnd();
  const modulus = derIntegerHex(inner.element(DerTag.integer));
  const exponentHex = derIntegerHex(inner.element(DerTag.integer));
  inner.expectEnd();
  if (isNegative(modulus) || isNegative(exponentHex)) return 'an RSA number below zero';
  const bits = bitLength(modulus);
  if (bits < rsaModulusBitsMin || bits > rsaModulusBitsMax) {
    return `expected RSA of ${rsaModulusBitsMin} to ${rsaModulusBitsMax} bits, got ${bits}`;
  }
  const exponent = exponentHex.length > EXPONENT_DIGITS_MAX ? 0n : BigInt(`0x${exponentHex}`);
  if (exponent < 3n || exponent > rsaExponentMax || exponent % 2n === 0n) {
    return `expected an odd RSA exponent from 3 to ${rsaExponentMax}`;
  }
  return undefined;
}

/** Of the content octets of an INTEGER, in hex. */
function isNegative(hex: string): boolean {
  return Number.parseInt(hex.slice(0, 2), 16) >= 0x80;
}

/** Of a number that is not negative, without making a number of it: it may be a long one. */
function bitLength(hex: string): number {
  const digits = hex.replace(/^0+/, '');
  const first = Number.parseInt(digits.slice(0, 1) || '0', 16);
  return digits === '' ? 0 : 4 * (digits.length - 1) + first.toString(2).length;
}

/** RFC 5480 §2.1.1: a named curve; explicit parameters could hide a weak one. */
function curveFault(parameters: Uint8Array | undefined, point: Uint8Array): string | undefined {
  if (parameters === undefined) return 'an elliptic-curve key without its curve';
  const reader = new DerReader(parameters);
  if (reader.peekTag() !== DerTag.objectIdentifier) return 'expected a named curve';
  const curve = derObjectIdentifier(reader.any());
  const coordinateLength = COORDINATE_LENGTHS.get(curve);
  if (coordinateLength === undefined) {
    return `expected P-256, P-384 or secp256k1, got curve ${curve}`;
  }
  return pointFault(point, coordinateLength);
}

/** RFC 5480 §2.2: uncompressed or compressed. "The hybrid form … MUST NOT be used". */
function pointFault(point: Uint8Array, coordinateLength: number): string | undefined {
  const [form] = point;
  const isCompressed = form === 2 || form === 3;
  const coordinates = isCompressed ? 1 : form === 4 ? 2 : 0;
  if (coordinates > 0 && point.length === 1 + coordinates * coordinateLength) return undefined;
  return 'expected an elliptic-curve point, uncompressed or compressed';
}

/** Octets of a coordinate by curve: the curves that are taken. */
const COORDINATE_LENGTHS: ReadonlyMap<string, number> = new Map([
  [KeyOid.p256, 32],
  [KeyOid.p384, 48],
  [KeyOid.secp256k1, 32],
]);

const rsaModulusBitsMin = 2048;
const rsaModulusBitsMax = 8192;
const rsaExponentMax = 2n ** 32n;

/** The hex digits of `rsaExponentMax`, with a leading octet. */
const EXPONENT_DIGITS_MAX = 12;
