/**
 * Where the entry of each certificate stands in a list, found by the number of its issuer and its
 * serial number: an open hash table over the bytes of the list itself, so that 100,000 entries are
 * some numbers each and no strings. `seed` must be such that whoever chose the serial numbers could
 * not choose it, too: else he could choose them to collide.
 */
export class SerialTable {
  /** The bytes that offsets count in. */
  private readonly der: Uint8Array;
  private readonly seed: number;
  /** Places in `offsets`, from 1; 0 is free. Its length is a power of two. */
  private slots: Int32Array;
  /** Where the SEQUENCE of an entry begins. */
  private readonly offsets: number[] = [];
  private readonly issuers: number[] = [];

  constructor(der: Uint8Array, seed: number, expectedSize: number) {
    this.der = der;
    this.seed = seed;
    let length = SLOTS_MIN;
    while (length < 2 * expectedSize) length *= 2;
    this.slots = new Int32Array(length);
  }

  get size(): number {
    return this.offsets.length;
  }

  /**
   * Puts the entry at `offset`, which was read strictly. Where there is one of the same certificate
   * it takes its place only if `replaces` says so.
   */
  put(issuer: number, offset: number, replaces: boolean): void {
    const serial = serialAt(this.der, offset);
    const end = serial + lengthAt(this.der, serial - 1);
    const mask = this.slots.length - 1;
    let slot = this.hashOfBytes(issuer, serial, end) & mask;
    for (;;) {
      const place = this.slots[slot] ?? 0;
      if (place === 0) break;
      if (this.issuers[place - 1] === issuer && this.hasSerial(place, serial, end)) {
        if (replaces) this.offsets[place - 1] = offset;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.offsets.push(offset);
    this.issuers.push(issuer);
    this.slots[slot] = this.offsets.length;
    if (2 * this.offsets.length > this.slots.length) this.grow();
  }

  /** Where the SEQUENCE of the entry begins; `serialNumber` in lower-case hex. */
  find(issuer: number, serialNumber: string): number | undefined {
    const mask = this.slots.length - 1;
    let slot = this.hashOfHex(issuer, serialNumber) & mask;
    for (;;) {
      const place = this.slots[slot] ?? 0;
      if (place === 0) return undefined;
      const offset = this.offsets[place - 1] ?? 0;
      if (this.issuers[place - 1] === issuer && this.isSerial(offset, serialNumber)) return offset;
      slot = (slot + 1) & mask;
    }
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let place = 1; place <= this.offsets.length; place++) {
      const serial = serialAt(this.der, this.offsets[place - 1] ?? 0);
      const end = serial + lengthAt(this.der, serial - 1);
      let slot = this.hashOfBytes(this.issuers[place - 1] ?? 0, serial, end) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = place;
    }
  }

  private hashOfBytes(issuer: number, start: number, end: number): number {
    let hash = this.seed ^ issuer;
    for (let at = start; at < end; at++) hash = mixed(hash, this.der[at] ?? 0);
    return finished(hash);
  }

  private hashOfHex(issuer: number, hex: string): number {
    let hash = this.seed ^ issuer;
    for (let at = 0; at < hex.length; at += 2) hash = mixed(hash, octetOf(hex, at));
    return finished(hash);
  }

  private hasSerial(place: number, start: number, end: number): boolean {
    const { der } = this;
    const serial = serialAt(der, this.offsets[place - 1] ?? 0);
    if (lengthAt(der, serial - 1) !== end - start) return false;
    for (let at = start; at < end; at++) {
      if (der[at] !== der[serial + at - start]) return false;
    }
    return true;
  }

  private isSerial(offset: number, hex: string): boolean {
    const { der } = this;
    const serial = serialAt(der, offset);
    if (2 * lengthAt(der, serial - 1) !== hex.length) return false;
    for (let at = 0; at < hex.length; at += 2) {
      if (der[serial + at / 2] !== octetOf(hex, at)) return false;
    }
    return true;
  }
}

/** Octets of a serial number: only in the short form of a length is it one octet. */
export const SERIAL_LENGTH_MAX = 127;

/** Where the contents of the serial number begin: after two headers, the second one short. */
function serialAt(der: Uint8Array, offset: number): number {
  const first = der[offset + 1] ?? 0;
  return offset + (first < 0x80 ? 2 : 2 + (first & 0x7f)) + 2;
}

function lengthAt(der: Uint8Array, offset: number): number {
  return der[offset] ?? 0;
}

function octetOf(hex: string, at: number): number {
  return (nibble(hex.charCodeAt(at)) << 4) | nibble(hex.charCodeAt(at + 1));
}

/** Of `0` to `9` and `a` to `f`. */
function nibble(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x57;
}

/** A step of FNV-1a. */
function mixed(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, 0x0100_0193);
}

/** So that every bit of the input counts in the lower bits of the hash. */
function finished(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return once ^ (once >>> 13);
}

const SLOTS_MIN = 16;
