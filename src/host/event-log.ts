import type { PeerEvent } from '../reload/peer-event.ts';
import type { Log } from './log.ts';

/** Logs what a Peer tells of itself, at the level that its weight asks for. */
export function logEvent(log: Log, event: PeerEvent): void {
  switch (event.type) {
    case 'stateChanged':
      log.info({ state: event.state }, `peer ${event.state}`);
      return;
    case 'ownDataFailed':
      log.warn(event, 'an own record is not stored');
      return;
    case 'mustLeave':
      log.error(event, 'this peer can no longer be part of the overlay and leaves it');
      return;
    case 'renewed':
      log.info(event, 'a renewed certificate is in force');
      return;
    case 'renewalRefused':
      log.error(event, 'the renewed certificate is refused');
      return;
    default:
      log.debug(event, event.type);
  }
}
