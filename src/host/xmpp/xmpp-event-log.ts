import type { XmppEvent } from '../../xmpp/xmpp-event.ts';
import type { Log } from '../log.ts';

/** Logs what the XMPP usage tells of itself, at the level that its weight asks for. */
export function logXmppEvent(log: Log, event: XmppEvent): void {
  switch (event.type) {
    case 'clientBound':
      log.info({ address: event.address }, 'a client is logged in');
      return;
    case 'clientEnded':
      log.info({ address: event.address, reason: event.reason }, 'a client is gone');
      return;
    case 'clientRefused':
      log.warn({ condition: event.condition, reason: event.reason }, 'a client was refused');
      return;
    case 'accountOnline': {
      const { address, mechanism, isResumed } = event;
      log.info({ address, mechanism, isResumed }, 'logged in at the server of the account');
      return;
    }
    case 'accountOffline': {
      const { code, reason, pauseMs } = event;
      log.warn({ code, reason, pauseMs }, 'not logged in at the server of the account');
      return;
    }
    case 'accountWithoutCarbons':
      log.warn({ reason: event.reason }, 'other clients of the account see less');
      return;
    case 'deviceConnected':
      log.info({ nodeId: event.nodeId, address: event.address }, 'a device is connected');
      return;
    case 'stanzaRefused':
      log.warn(
        { from: event.from, condition: event.condition, reason: event.reason },
        'a stanza was refused',
      );
      return;
    case 'clientCertificate':
      log.info(
        { change: event.change, name: event.name, fingerprint: event.fingerprint },
        'the client certificates have changed',
      );
      return;
    case 'messageGivenUp':
      log.warn({ to: event.to, reason: event.reason }, 'a message was given up');
      return;
    case 'recordsNotWritten':
      log.error({ reason: event.reason }, 'messages cannot be written to disk');
      return;
    case 'recordDropped':
      log.error({ key: event.key }, 'a damaged record of a former run is left out');
      return;
    default:
      log.debug(event, event.type);
  }
}
