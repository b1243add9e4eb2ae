import type { Codec } from './codec.ts';
import {
  checked,
  encode,
  inField,
  opaque,
  sequence,
  struct,
  type TypeOf,
  uint8,
  uint16,
  uint32,
  uint64,
} from './codec.ts';
import { type Destination, destination } from './destination.ts';

export const RELO_TOKEN = 0xd2454c4f;
export const RELOAD_VERSION = 0x0a;

/** Sequence that no document has; only a ConfigUpdate may carry it (RFC 6940 §6.3.2.1). */
export const CONFIGURATION_SEQUENCE_ANY = 65535;

export const ForwardingOptionFlag = {
  forwardCritical: 0x01,
  destinationCritical: 0x02,
  responseCopy: 0x04,
} as const;

/** ForwardingOption — RFC 6940 §6.3.2.3. */
export const ForwardingOption = struct('ForwardingOption', {
  type: uint8, //           ForwardingOptionType type;
  flags: uint8, //          uint8                flags;
  value: opaque(uint16), // uint16               length; … option;
});
export type ForwardingOption = TypeOf<typeof ForwardingOption>;

/** The fixed part of the ForwardingHeader — RFC 6940 §6.3.2. */
export const FixedHeader = struct('ForwardingHeader', {
  reloToken: checked(uint32, (token) =>
    token === RELO_TOKEN ? undefined : `expected the token d2454c4f, got ${token.toString(16)}`,
  ), //                           uint32 relo_token;
  overlay: uint32, //               uint32 overlay;
  configurationSequence: uint16, // uint16 configuration_sequence;
  version: uint8, //                uint8  version;
  ttl: uint8, //                    uint8  ttl;
  fragment: uint32, //              uint32 fragment;
  length: uint32, //                uint32 length;
  transactionId: uint64, //         uint64 transaction_id;
  maxResponseLength: uint32, //     uint32 max_response_length;
  viaListLength: uint16, //         uint16 via_list_length;
  destinationListLength: uint16, // uint16 destination_list_length;
  optionsLength: uint16, //         uint16 options_length;
});

/**
 * ForwardingHeader — RFC 6940 §6.3.2. `length` is that of the whole message, header included; the
 * three list lengths are not stated twice: they follow from the lists.
 */
export interface ForwardingHeader {
  overlay: number;
  configurationSequence: number;
  version: number;
  ttl: number;
  fragment: number;
  length: number;
  transactionId: bigint;
  maxResponseLength: number;
  viaList: Destination[];
  destinationList: Destination[];
  options: ForwardingOption[];
}

export const ForwardingHeader: Codec<ForwardingHeader> = {
  read(reader) {
    const fixed = FixedHeader.read(reader);
    const list = <T>(field: string, length: number, values: Codec<T[]>): T[] =>
      inField('ForwardingHeader', field, () =>
        reader.bounded(length, (inner) => values.read(inner)),
      );
    return {
      overlay: fixed.overlay,
      configurationSequence: fixed.configurationSequence,
      version: fixed.version,
      ttl: fixed.ttl,
      fragment: fixed.fragment,
      length: fixed.length,
      transactionId: fixed.transactionId,
      maxResponseLength: fixed.maxResponseLength,
      viaList: list('viaList', fixed.viaListLength, destinations),
      destinationList: list('destinationList', fixed.destinationListLength, destinations),
      options: list('options', fixed.optionsLength, forwardingOptions),
    };
  },
  write(writer, header) {
    const viaList = listBytes(destinations, header.viaList);
    const destinationList = listBytes(destinations, header.destinationList);
    const options = listBytes(forwardingOptions, header.options);
    FixedHeader.write(writer, {
      ...header,
      reloToken: RELO_TOKEN,
      viaListLength: viaList.length,
      destinationListLength: destinationList.length,
      optionsLength: options.length,
    });
    writer.raw(viaList);
    writer.raw(destinationList);
    writer.raw(options);
  },
};

/** The `fragment` word — RFC 6940 §6.7: bit 31 set, bit 30 "last", low 24 bits the offset. */
export function fragmentWord(offset: number, last: boolean): number {
  return (0x80000000 + (last ? 0x40000000 : 0) + offset) >>> 0;
}

function listBytes<T>(list: Codec<T[]>, values: T[]): Uint8Array {
  return values.length === 0 ? NO_BYTES : encode(list, values);
}

const NO_BYTES = new Uint8Array(0);
export const UNFRAGMENTED = fragmentWord(0, true);
export const FIXED_HEADER_LENGTH = 38;

const destinations = sequence(destination);
const forwardingOptions = sequence(ForwardingOption);
