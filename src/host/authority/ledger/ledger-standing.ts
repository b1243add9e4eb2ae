import { LedgerUnavailable } from './ledger-store.ts';

/** The document that says where a ledger has gone; nothing is appended to one that has. */
export const MOVED_DOCUMENT = 'ledger-moved-to';
/** The document that says whence a ledger comes while that one may still be in force. */
export const ARRIVING_DOCUMENT = 'ledger-arriving-from';

/** This is not, or not yet, the ledger that the authority goes on with. */
export class LedgerNotInForce extends LedgerUnavailable {}

/** Throws LedgerNotInForce for a ledger that was moved, or whose move was cut short. */
export function assertInForce(place: string, documents: ReadonlyMap<string, string>): void {
  const movedTo = documents.get(MOVED_DOCUMENT) ?? '';
  if (movedTo !== '') {
    throw new LedgerNotInForce(`the ledger ${place} was moved: it is ${movedTo} now`);
  }
  const arrivingFrom = documents.get(ARRIVING_DOCUMENT) ?? '';
  if (arrivingFrom !== '') {
    throw new LedgerNotInForce(
      `the move of the ledger from ${arrivingFrom} to ${place} was cut short; ` +
        'run the same xor ca ledger move again',
    );
  }
}
