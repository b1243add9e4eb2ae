import { join } from 'node:path';
import { open } from 'lmdb';
import type {
  LedgerEntry,
  LedgerHead,
} from '../../../../src/host/authority/ledger/ledger-entry.ts';
import type { LedgerPlace } from './ledger-stores.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

/** What somebody can do who can write to the disk or the database. */
export interface LedgerTampering {
  put(entry: LedgerEntry): Promise<void>;
  remove(sequence: number): Promise<void>;
  setHead(head: LedgerHead): Promise<void>;
}

export function tamperingWith(place: LedgerPlace, cluster: () => PostgresCluster): LedgerTampering {
  const { database, directory } = place;
  return database === undefined ? withFile(directory) : withDatabase(cluster(), database);
}

function withFile(directory: string): LedgerTampering {
  const write = async (key: string, value: object | undefined) => {
    const database = open<Buffer, string>({
      path: join(directory, 'ledger.mdb'),
      encoding: 'binary',
    });
    if (value === undefined) await database.remove(key);
    else await database.put(key, Buffer.from(JSON.stringify(value)));
    await database.close();
  };
  const keyOf = (sequence: number) => `entry/${String(sequence).padStart(16, '0')}`;
  return {
    put: ({ sequence, text, hash }) => write(keyOf(sequence), { text, hash }),
    remove: (sequence) => write(keyOf(sequence), undefined),
    setHead: (head) => write('head', { format: 1, ...head }),
  };
}

function withDatabase(cluster: PostgresCluster, database: string): LedgerTampering {
  const change = async (statement: string) => {
    await cluster.query(
      database,
      `ALTER TABLE xor_ca.ledger_entries DISABLE TRIGGER ALL; ${statement};
       ALTER TABLE xor_ca.ledger_entries ENABLE TRIGGER ALL`,
    );
  };
  return {
    put: ({ sequence, text, hash }) =>
      change(
        `DELETE FROM xor_ca.ledger_entries WHERE sequence = ${sequence};
         INSERT INTO xor_ca.ledger_entries VALUES (${sequence}, '${hash}', '${text}')`,
      ),
    remove: (sequence) => change(`DELETE FROM xor_ca.ledger_entries WHERE sequence = ${sequence}`),
    setHead: ({ sequence, hash }) =>
      change(`UPDATE xor_ca.ledger_head SET sequence = ${sequence}, hash = '${hash}'`),
  };
}
