import {
  boolean,
  type Codec,
  inField,
  opaque,
  struct,
  type TypeOf,
  text,
  uint8,
  uint16,
  uint32,
  vector,
} from './codec.ts';
import { IpAddressPort } from './ip-address-port.ts';

/** OverlayLinkType — RFC 6940 §14.10. */
export const OverlayLinkType = {
  dtlsUdpSr: 1,
  dtlsUdpSrNoIce: 3,
  tlsTcpFhNoIce: 4,
} as const;

/** CandType — RFC 6940 §6.5.1.1. */
export const CandType = { host: 1, srflx: 2, relay: 4 } as const;

/** IceExtension — RFC 6940 §6.5.1.1. */
export const IceExtension = struct('IceExtension', {
  name: opaque(uint16), //  opaque name<0..2^16-1>;
  value: opaque(uint16), // opaque value<0..2^16-1>;
});
export type IceExtension = TypeOf<typeof IceExtension>;

/** IceCandidate — RFC 6940 §6.5.1.1. `relatedAddress` stands for srflx and relay candidates. */
export interface IceCandidate {
  address: IpAddressPort; //          IpAddressPort   addr_port;
  overlayLink: number; //             OverlayLinkType overlay_link;
  foundation: Uint8Array; //          opaque          foundation<0..255>;
  priority: number; //                uint32          priority;
  type: number; //                    CandType        type;
  relatedAddress?: IpAddressPort; //  IpAddressPort   rel_addr_port;
  extensions: IceExtension[]; //      IceExtension    extensions<0..2^16-1>;
}

const CandidateHead = struct('IceCandidate', {
  address: IpAddressPort,
  overlayLink: uint8,
  foundation: opaque(uint8),
  priority: uint32,
});
const extensionList = vector(uint16, IceExtension);

export const IceCandidate: Codec<IceCandidate> = {
  read(reader) {
    const head = CandidateHead.read(reader);
    const at = reader.offset;
    const type = inField('IceCandidate', 'type', () => reader.uint8());
    let related: { relatedAddress?: IpAddressPort } = {};
    if (type === CandType.srflx || type === CandType.relay) {
      related = { relatedAddress: IpAddressPort.read(reader) };
    } else if (type !== CandType.host) {
      inField('IceCandidate', 'type', () => {
        throw reader.fault(`expected a candidate type 1, 2 or 4, got ${type}`, at);
      });
    }
    const extensions = inField('IceCandidate', 'extensions', () => extensionList.read(reader));
    return { ...head, type, ...related, extensions };
  },
  write(writer, value) {
    const related = value.type === CandType.srflx || value.type === CandType.relay;
    if (related !== (value.relatedAddress !== undefined)) {
      throw new RangeError(`a candidate of type ${value.type} with or without related address`);
    }
    CandidateHead.write(writer, value);
    writer.uint8(value.type);
    if (value.relatedAddress !== undefined) IpAddressPort.write(writer, value.relatedAddress);
    extensionList.write(writer, value.extensions);
  },
};

/** AttachReqAns — RFC 6940 §6.5.1.1: one body for request and answer. */
export const AttachReqAns = struct('AttachReqAns', {
  ufrag: opaque(uint8), //                    opaque       ufrag<0..2^8-1>;
  password: opaque(uint8), //                 opaque       password<0..2^8-1>;
  role: text(uint8), //                       opaque       role<0..2^8-1>;
  candidates: vector(uint16, IceCandidate), // IceCandidate candidates<0..2^16-1>;
  sendUpdate: boolean, //                     Boolean      send_update;
});
export type AttachReqAns = TypeOf<typeof AttachReqAns>;

/** AppAttachReq and AppAttachAns — RFC 6940 §6.5.2.1: one body. */
export const AppAttachReqAns = struct('AppAttachReqAns', {
  ufrag: opaque(uint8), //                    opaque       ufrag<0..2^8-1>;
  password: opaque(uint8), //                 opaque       password<0..2^8-1>;
  application: uint16, //                     uint16       application;
  role: text(uint8), //                       opaque       role<0..2^8-1>;
  candidates: vector(uint16, IceCandidate), // IceCandidate candidates<0..2^16-1>;
});
export type AppAttachReqAns = TypeOf<typeof AppAttachReqAns>;
