import { type Command, Option } from 'commander';
import type { XmppJoinOptions } from '../host/join-options.ts';
import type { XmppListening } from '../host/peer-commands.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import type { AccountJoinOptions } from '../host/xmpp/account/open-account.ts';
import { readBareAddress, readNumber, readSocketAddress } from './option-readers.ts';

/** What `xor peer` takes for XMPP over the overlay. */
export interface XmppOptions {
  readonly gateway?: SocketAddress;
  readonly gatewayWs?: SocketAddress;
  readonly gatewayOrigin?: readonly string[];
  readonly xmppListen?: SocketAddress;
  readonly xmppAdvertise?: SocketAddress;
  readonly xmppOrder: 'parallel' | 'sequential';
  readonly clientCertificates: 'registered' | 'authority';
  readonly forwardTo?: string;
  readonly xmppPriority?: number;
}

export function withXmppOptions(command: Command): Command {
  return command
    .option('--gateway <host:port>', 'your own XMPP clients log in here', readSocketAddress)
    .option('--gateway-ws <host:port>', 'the same over WebSocket', readSocketAddress)
    .option('--gateway-origin <url...>', 'web pages that may connect there (default: none)')
    .option(
      '--xmpp-listen <host:port>',
      'where devices of other users connect for XMPP (default: any port of --listen)',
      readSocketAddress,
    )
    .option(
      '--xmpp-advertise <host:port>',
      'where they reach that, if a router forwards another port',
      readSocketAddress,
    )
    .addOption(
      new Option('--xmpp-order <order>', 'connect to the devices of a user at once or by priority')
        .choices(['parallel', 'sequential'])
        .default('parallel'),
    )
    .addOption(
      new Option(
        '--client-certificates <policy>',
        'clients log in with all certificates that you registered, or of an authority alone',
      )
        .choices(['registered', 'authority'])
        .default('registered'),
    )
    .option(
      '--xmpp-priority <number>',
      'which of your devices others try first, 0 to 255, the smallest first (default: 0)',
      readNumber(0, 255),
    )
    .option('--forward-to <jid>', 'be found at another address instead of here', readBareAddress);
}

/**
 * XMPP runs where somebody is to use it: clients, devices on a port that was named, or an account
 * beside it.
 */
export function xmppJoinOptions(
  options: XmppOptions,
  account: AccountJoinOptions | undefined,
): {
  xmpp?: XmppJoinOptions;
  forwardTo?: string;
  locationPriority?: number;
} {
  const { gateway, gatewayWs, gatewayOrigin, xmppListen, xmppAdvertise, forwardTo } = options;
  const published = {
    ...(forwardTo === undefined ? {} : { forwardTo }),
    ...(options.xmppPriority === undefined ? {} : { locationPriority: options.xmppPriority }),
  };
  const isUsed = [gateway, gatewayWs, xmppListen, account].some((use) => use !== undefined);
  if (!isUsed) return published;
  const xmpp = {
    attachOrder: options.xmppOrder,
    certificatePolicy: options.clientCertificates,
    ...(account === undefined ? {} : { account }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(gatewayWs === undefined ? {} : { gatewayWebSocket: gatewayWs }),
    ...(gatewayOrigin === undefined ? {} : { origins: gatewayOrigin }),
    ...(xmppListen === undefined ? {} : { listen: xmppListen }),
    ...(xmppAdvertise === undefined ? {} : { advertise: xmppAdvertise }),
  };
  return { xmpp, ...published };
}

/** What the JSON line of a joined peer says of XMPP. */
export function xmppReport(listening: XmppListening | undefined): Record<string, string> {
  if (listening === undefined) return {};
  const { direct, gateway, gatewayWebSocket } = listening;
  return {
    xmpp: formatSocketAddress(direct),
    ...(gateway === undefined ? {} : { gateway: formatSocketAddress(gateway) }),
    ...(gatewayWebSocket === undefined ? {} : { gatewayWs: webSocketUrl(gatewayWebSocket) }),
  };
}

export function webSocketUrl(address: SocketAddress): string {
  return `wss://${formatSocketAddress(address)}/xmpp-websocket`;
}
