import { opaque, struct, type TypeOf, uint8, uint16, uint32, vector } from './codec.ts';

/** Error codes — RFC 6940 §14.9 and RFC 7851. */
export const ErrorCode = {
  Error_Forbidden: 0x02,
  Error_Not_Found: 0x03,
  Error_Request_Timeout: 0x04,
  Error_Generation_Counter_Too_Low: 0x05,
  Error_Incompatible_with_Overlay: 0x06,
  Error_Unsupported_Forwarding_Option: 0x07,
  Error_Data_Too_Large: 0x08,
  Error_Data_Too_Old: 0x09,
  Error_TTL_Exceeded: 0x0a,
  Error_Message_Too_Large: 0x0b,
  Error_Unknown_Kind: 0x0c,
  Error_Unknown_Extension: 0x0d,
  Error_Response_Too_Large: 0x0e,
  Error_Config_Too_Old: 0x0f,
  Error_Config_Too_New: 0x10,
  Error_In_Progress: 0x11,
  Error_Exp_A: 0x12,
  Error_Exp_B: 0x13,
  Error_Invalid_Message: 0x14,
  Error_Underlay_Destination_Unreachable: 0x15,
  Error_Underlay_Time_Exceeded: 0x16,
  Error_Message_Expired: 0x17,
  Error_Upstream_Misrouting: 0x18,
  Error_Loop_Detected: 0x19,
  Error_TTL_Hops_Exceeded: 0x1a,
} as const;
export type ErrorName = keyof typeof ErrorCode;
export type ErrorCode = (typeof ErrorCode)[ErrorName];

/** ErrorResponse — RFC 6940 §6.3.3.1. */
export const ErrorResponse = struct('ErrorResponse', {
  errorCode: uint16, //         uint16 error_code;
  errorInfo: opaque(uint16), // opaque error_info<0..2^16-1>;
});
export type ErrorResponse = TypeOf<typeof ErrorResponse>;

/** The error_info of Error_Unknown_Kind — RFC 6940 §7.4.1.2: `KindId unknown_kinds<0..2^8-1>`. */
export const UnknownKinds = struct('UnknownKinds', {
  kinds: vector(uint8, uint32), // KindId unknown_kinds<0..2^8-1>;
});

/** `Error_Not_Found`, or `Error_0x1234` for a code that has no name. */
export function errorName(code: number): string {
  const named = Object.entries(ErrorCode).find(([, value]) => value === code);
  return named === undefined ? `Error_0x${code.toString(16)}` : named[0];
}
