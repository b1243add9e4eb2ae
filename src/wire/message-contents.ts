import {
  boolean,
  type Codec,
  opaque,
  struct,
  type TypeOf,
  uint16,
  uint32,
  vector,
} from './codec.ts';

/** Message codes — RFC 6940 §14.8. Requests are odd, the answer is the next number. */
export const MessageCode = {
  probeReq: 0x01,
  probeAns: 0x02,
  attachReq: 0x03,
  attachAns: 0x04,
  storeReq: 0x07,
  storeAns: 0x08,
  fetchReq: 0x09,
  fetchAns: 0x0a,
  findReq: 0x0d,
  findAns: 0x0e,
  joinReq: 0x0f,
  joinAns: 0x10,
  leaveReq: 0x11,
  leaveAns: 0x12,
  updateReq: 0x13,
  updateAns: 0x14,
  routeQueryReq: 0x15,
  routeQueryAns: 0x16,
  pingReq: 0x17,
  pingAns: 0x18,
  statReq: 0x19,
  statAns: 0x1a,
  appAttachReq: 0x1d,
  appAttachAns: 0x1e,
  configUpdateReq: 0x21,
  configUpdateAns: 0x22,
  error: 0xffff,
} as const;
export type MessageCode = (typeof MessageCode)[keyof typeof MessageCode];

/** MessageExtension — RFC 6940 §6.3.3. */
export const MessageExtension = struct('MessageExtension', {
  type: uint16, //             MessageExtensionType type;
  critical: boolean, //        Boolean              critical;
  contents: opaque(uint32), // opaque extension_contents<0..2^32-1>;
});
export type MessageExtension = TypeOf<typeof MessageExtension>;

/** MessageContents — RFC 6940 §6.3.3. The body stays bytes: its struct depends on the code. */
export const MessageContents = struct('MessageContents', {
  code: uint16, //                                uint16 message_code;
  body: opaque(uint32), //                        opaque message_body<0..2^32-1>;
  extensions: vector(uint32, MessageExtension), // MessageExtensions extensions<0..2^32-1>;
});
export type MessageContents = TypeOf<typeof MessageContents>;

/** Requests have odd codes below the reserved range (RFC 6940 §6.3.3). */
export function isRequestCode(code: number): boolean {
  return code % 2 === 1 && code < 0x8000;
}

/** A body of no bytes: LeaveAns, UpdateAns, ConfigUpdateAns. */
export const emptyBody: Codec<Record<string, never>> = struct('Empty', {});
