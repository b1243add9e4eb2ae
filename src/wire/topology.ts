/** Join, Leave, RouteQuery, Probe and Ping: RFC 6940 §6.4.2 and §6.5.3. */
import {
  boolean,
  type Codec,
  inField,
  opaque,
  struct,
  type TypeOf,
  uint8,
  uint16,
  uint64,
  vector,
} from './codec.ts';
import { destination } from './destination.ts';
import { nodeId } from './node-id.ts';

/** JoinReq — RFC 6940 §6.4.2.1. */
export const JoinReq = struct('JoinReq', {
  joiningPeerId: nodeId, //               NodeId joining_peer_id;
  overlaySpecificData: opaque(uint16), // opaque overlay_specific_data<0..2^16-1>;
});
export type JoinReq = TypeOf<typeof JoinReq>;

/** JoinAns — RFC 6940 §6.4.2.1. */
export const JoinAns = struct('JoinAns', {
  overlaySpecificData: opaque(uint16), // opaque overlay_specific_data<0..2^16-1>;
});
export type JoinAns = TypeOf<typeof JoinAns>;

/** LeaveReq — RFC 6940 §6.4.2.2. */
export const LeaveReq = struct('LeaveReq', {
  leavingPeerId: nodeId, //               NodeId leaving_peer_id;
  overlaySpecificData: opaque(uint16), // opaque overlay_specific_data<0..2^16-1>;
});
export type LeaveReq = TypeOf<typeof LeaveReq>;

/** RouteQueryReq — RFC 6940 §6.4.2.4.1. */
export const RouteQueryReq = struct('RouteQueryReq', {
  sendUpdate: boolean, //                 Boolean     send_update;
  destination: destination, //            Destination destination;
  overlaySpecificData: opaque(uint16), // opaque      overlay_specific_data<0..2^16-1>;
});
export type RouteQueryReq = TypeOf<typeof RouteQueryReq>;

/** ProbeInformationType — RFC 6940 §6.4.2.5.1. */
export const ProbeInformationType = { responsibleSet: 1, numResources: 2, uptime: 3 } as const;

/** ProbeReq — RFC 6940 §6.4.2.5.1. */
export const ProbeReq = struct('ProbeReq', {
  requestedInfo: vector(uint8, uint8), // ProbeInformationType requested_info<0..2^8-1>;
});
export type ProbeReq = TypeOf<typeof ProbeReq>;

/**
 * ProbeInformation — RFC 6940 §6.4.2.5.2. `value` is responsible_ppb (parts per billion),
 * num_resources (Resource-IDs) or uptime (seconds); of types that we do not know, the bytes.
 */
export type ProbeInformation =
  | { readonly type: number; readonly value: number }
  | { readonly type: number; readonly data: Uint8Array };

const knownProbeTypes = new Set<number>(Object.values(ProbeInformationType));

export const ProbeInformation: Codec<ProbeInformation> = {
  read: (reader) =>
    inField('ProbeInformation', 'value', () => {
      const type = reader.uint8();
      const length = reader.uint8();
      return reader.bounded(
        length,
        (inner): ProbeInformation =>
          knownProbeTypes.has(type)
            ? { type, value: inner.uint32() }
            : { type, data: inner.take(inner.remaining) },
      );
    }),
  write(writer, info) {
    writer.uint8(info.type);
    writer.prefixed(1, (inner) => {
      if ('value' in info) inner.uint32(info.value);
      else inner.raw(info.data);
    });
  },
};

/** ProbeAns — RFC 6940 §6.4.2.5.2. */
export const ProbeAns = struct('ProbeAns', {
  probeInfo: vector(uint16, ProbeInformation), // ProbeInformation probe_info<0..2^16-1>;
});
export type ProbeAns = TypeOf<typeof ProbeAns>;

/** PingReq — RFC 6940 §6.5.3.1. */
export const PingReq = struct('PingReq', {
  padding: opaque(uint16), // opaque padding<0..2^16-1>;
});
export type PingReq = TypeOf<typeof PingReq>;

/** PingAns — RFC 6940 §6.5.3.2. `time` is in ms since 1970-01-01 UTC. */
export const PingAns = struct('PingAns', {
  responseId: uint64, // uint64 response_id;
  time: uint64, //       uint64 time;
});
export type PingAns = TypeOf<typeof PingAns>;

/** The number of ppb in the whole ring: what responsible_ppb is a share of. */
export const RESPONSIBLE_PPB_MAX = 1_000_000_000;
