import { struct, type TypeOf, uint8 } from './codec.ts';
import { IpAddressPort } from './ip-address-port.ts';

/** TurnServer — RFC 6940 §9: the value of the Kind TURN-SERVICE. */
export const TurnServer = struct('TurnServer', {
  iteration: uint8, //             uint8         iteration;
  serverAddress: IpAddressPort, // IpAddressPort server_address;
});
export type TurnServer = TypeOf<typeof TurnServer>;
