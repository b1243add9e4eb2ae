import { join } from 'node:path';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { StoredRecord } from '../../xmpp/routing/routing-records.ts';
import type { XmppTicket } from '../../xmpp/xmpp-input.ts';
import { type PersistOutcome, PersistQueue } from '../state/persist-queue.ts';
import { openStoreFile, type StoreFile, type StoreFileDamage } from '../state/store-file.ts';

/**
 * What the XMPP usage of a peer keeps on disk, beside the peer's own store and apart from it: the
 * messages of a user are no values of the overlay. Batches that come while one is being written go
 * to disk together.
 */
export class XmppStore {
  private readonly file: StoreFile;
  private readonly queue: PersistQueue;

  private constructor(file: StoreFile, outcome: PersistOutcome) {
    this.file = file;
    this.queue = new PersistQueue((records) => file.write(records), outcome);
  }

  /** Opens the store in the state directory `statePath`, which this process has for itself. */
  static async open(
    statePath: string,
    outcome: PersistOutcome,
    onDamage: (damage: StoreFileDamage) => void,
  ): Promise<XmppStore> {
    return new XmppStore(await openStoreFile(join(statePath, DIRECTORY), onDamage), outcome);
  }

  /** Everything that a former run has left, for the usage to begin with. */
  records(): Iterable<StoredRecord> {
    return this.file.load();
  }

  /** Writes a batch; `outcome` hears when it survives a crash, or why it does not. */
  write(ticket: XmppTicket, records: readonly PersistRecord[]): void {
    this.queue.add(ticket, records);
  }

  /** Waits for the writes under way. */
  async close(): Promise<void> {
    await this.queue.settled();
    await this.file.close();
  }
}

const DIRECTORY = 'xmpp';
