import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import pg from 'pg';
import type { CertificateIssued } from '../../../ca/register-event.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import { type DatabaseAddress, readDatabaseUrl } from './database-url.ts';
import { EMPTY_LEDGER_HEAD, type LedgerEntry, type LedgerHead } from './ledger-entry.ts';
import {
  type LedgerAddition,
  type LedgerContents,
  type LedgerStore,
  LedgerUnavailable,
  type LedgerView,
} from './ledger-store.ts';
import { migrateSchema } from './postgres-schema.ts';

/**
 * Opens the ledger in a PostgreSQL database, which several processes may use at once, and makes or
 * migrates its tables. Throws AuthorityFailure when the database is not there or not for us.
 */
export function openPostgresLedger(databaseUrl: string): Promise<LedgerStore> {
  return openedLedger(databaseUrl);
}

/** Puts a whole ledger into an empty database, in one transaction. Throws AuthorityFailure. */
export async function fillPostgresLedger(
  databaseUrl: string,
  contents: LedgerContents,
): Promise<void> {
  const ledger = await openedLedger(databaseUrl);
  try {
    await ledger.fill(contents);
  } finally {
    await ledger.close();
  }
}

async function openedLedger(databaseUrl: string): Promise<PostgresLedger> {
  const address = await readDatabaseUrl(databaseUrl);
  const ledger = new PostgresLedger(address);
  try {
    await ledger.migrate();
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

/**
 * A change holds the one row of `ledger_head` from its first statement to its commit, so changes of
 * all processes come one after the other, and each sees what the one before left. That row is the
 * end of the chain: entries cannot be appended side by side in any case.
 */
class PostgresLedger implements LedgerStore {
  readonly isShared = true;
  readonly place: string;
  private readonly pool: pg.Pool;

  constructor(address: DatabaseAddress) {
    this.place = address.place;
    this.pool = new pg.Pool({
      host: address.host,
      port: address.port,
      user: address.user,
      password: address.password,
      database: address.database,
      ssl: tlsOptions(address),
      application_name: 'xor ca',
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      lock_timeout: LOCK_MS_MAX,
      statement_timeout: STATEMENT_MS_MAX,
      // Where the net swallows the answer, nobody else ends the wait.
      query_timeout: ANSWER_MS_MAX,
      // A process that hangs must not keep the others from issuing.
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS_MAX,
      keepAlive: true,
    });
    // A connection that breaks while nobody uses it; the next query makes a new one.
    this.pool.on('error', () => undefined);
  }

  migrate(): Promise<void> {
    return this.withClient((client) => migrateSchema(client, this.place));
  }

  transact(change: (view: LedgerView) => Promise<LedgerAddition>): Promise<void> {
    return this.withClient(async (client) => {
      await client.query('BEGIN');
      const head = headOf(await client.query<HeadRow>(LOCK_HEAD));
      await appendAll(client, await change(viewOf(client, head)));
      await client.query('COMMIT');
    });
  }

  fill(contents: LedgerContents): Promise<void> {
    return this.withClient(async (client) => {
      await client.query('BEGIN');
      const head = headOf(await client.query<HeadRow>(LOCK_HEAD));
      if (head.sequence > 0) throw new AuthorityFailure(`${this.place} is not empty`);
      for await (const part of contents) await appendAll(client, part);
      await client.query('COMMIT');
    });
  }

  view<Result>(look: (view: LedgerView) => Promise<Result>): Promise<Result> {
    return this.withClient(async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const head = headOf(await client.query<HeadRow>(READ_HEAD));
      const result = await look(viewOf(client, head));
      await client.query('COMMIT');
      return result;
    });
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  /** A connection on which anything failed is closed; the database then rolls back by itself. */
  private async withClient<Result>(
    use: (client: pg.PoolClient) => Promise<Result>,
  ): Promise<Result> {
    let client: pg.PoolClient | undefined;
    const broken = (): void => undefined;
    try {
      client = await this.pool.connect();
      // Without a listener, a connection that breaks between two queries would end the process.
      client.on('error', broken);
      const result = await use(client);
      client.off('error', broken);
      client.release();
      return result;
    } catch (error) {
      client?.release(true);
      if (error instanceof AuthorityFailure) throw error;
      if (error instanceof Error) throw this.unavailable(error);
      throw error;
    }
  }

  private unavailable(cause: Error): LedgerUnavailable {
    const reason = cause.message === '' ? cause.name : cause.message;
    return new LedgerUnavailable(`${this.place} does not work: ${reason}`, { cause });
  }
}

/** The host of the URL is who must answer, whether that is a name or an address. */
function tlsOptions({ host, tls }: DatabaseAddress): ConnectionOptions | false {
  if (tls === undefined) return false;
  return {
    ca: tls.trustedCertificates,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}

function viewOf(client: pg.PoolClient, head: LedgerHead): LedgerView {
  return {
    head,
    read: async (after, countMax) => {
      const { rows } = await client.query<EntryRow>(READ_ENTRIES, [after, countMax]);
      return rows.map(({ sequence, hash, body }) => ({
        sequence: Number(sequence),
        text: body,
        hash,
      }));
    },
    documents: async (after) => {
      const { rows } = await client.query<DocumentRow>(READ_DOCUMENTS, [after]);
      return new Map(rows.map(({ name, body }) => [name, body]));
    },
  };
}

async function appendAll(
  client: pg.PoolClient,
  { entries, documents }: LedgerAddition,
): Promise<void> {
  const last = entries.at(-1);
  if (last === undefined) return;
  await append(client, entries);
  for (const [name, text] of documents) {
    await client.query(PUT_DOCUMENT, [name, last.sequence, text]);
  }
  await client.query(MOVE_HEAD, [last.sequence, last.hash]);
}

async function append(client: pg.PoolClient, entries: readonly LedgerEntry[]): Promise<void> {
  await client.query(APPEND, [
    entries.map(({ sequence }) => sequence),
    entries.map(({ hash }) => hash),
    entries.map(({ text }) => text),
  ]);
  const issued = entries.flatMap(issuedBy);
  if (issued.length === 0) return;
  const nodes = issued.flatMap(({ userName, nodeIds }) =>
    nodeIds.map((nodeId) => ({ nodeId, userName })),
  );
  await client.query(CLAIM_NODE_IDS, [
    nodes.map(({ nodeId }) => nodeId),
    nodes.map(({ userName }) => userName),
  ]);
  await client.query(CLAIM_KEYS, [
    issued.map(({ publicKeySha256 }) => publicKeySha256),
    issued.map(({ userName }) => userName),
  ]);
}

/** The certificate that an entry tells of; none: it tells of something else. */
function issuedBy({ text }: LedgerEntry): CertificateIssued[] {
  const event: unknown = JSON.parse(text);
  const isIssued = (event as { readonly type?: unknown }).type === 'certificateIssued';
  return isIssued ? [event as CertificateIssued] : [];
}

function headOf({ rows }: pg.QueryResult<HeadRow>): LedgerHead {
  const [row] = rows;
  if (row === undefined) throw new AuthorityFailure('the ledger in the database has no head');
  if (row.hash === EMPTY_LEDGER_HEAD.hash) return EMPTY_LEDGER_HEAD;
  return { sequence: Number(row.sequence), hash: row.hash };
}

/** `pg` gives a bigint as text. */
interface HeadRow {
  readonly sequence: string;
  readonly hash: string;
}

interface EntryRow extends HeadRow {
  readonly body: string;
}

interface DocumentRow {
  readonly name: string;
  readonly body: string;
}

/** Also sees to it that the commit waits for the disk where the database is set up not to. */
const LOCK_HEAD = `
  SELECT sequence, hash, set_config('synchronous_commit',
    CASE current_setting('synchronous_commit')
      WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)
  FROM xor_ca.ledger_head FOR UPDATE`;
const READ_HEAD = 'SELECT sequence, hash FROM xor_ca.ledger_head';
const MOVE_HEAD = 'UPDATE xor_ca.ledger_head SET sequence = $1, hash = $2';
const READ_ENTRIES =
  'SELECT sequence, hash, body FROM xor_ca.ledger_entries WHERE sequence > $1 ' +
  'ORDER BY sequence LIMIT $2';
const READ_DOCUMENTS = 'SELECT name, body FROM xor_ca.documents WHERE sequence > $1';
const PUT_DOCUMENT = `
  INSERT INTO xor_ca.documents (name, sequence, body) VALUES ($1, $2, $3)
  ON CONFLICT (name) DO UPDATE SET sequence = EXCLUDED.sequence, body = EXCLUDED.body`;
const APPEND = `
  INSERT INTO xor_ca.ledger_entries (sequence, hash, body)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])`;
/** A Node-ID that another user has breaks the primary key, and with it the whole change. */
const CLAIM_NODE_IDS = `
  INSERT INTO xor_ca.node_ids (node_id, user_name)
  SELECT DISTINCT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (node_id, user_name) DO NOTHING`;
const CLAIM_KEYS = `
  INSERT INTO xor_ca.public_keys (public_key_sha256, user_name)
  SELECT DISTINCT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT (public_key_sha256, user_name) DO NOTHING`;

/** One changes, the others look. */
const CONNECTIONS_MAX = 4;
const CONNECT_MS_MAX = 10_000;
const LOCK_MS_MAX = 30_000;
const STATEMENT_MS_MAX = 60_000;
const ANSWER_MS_MAX = STATEMENT_MS_MAX + 5_000;
const IDLE_IN_TRANSACTION_MS_MAX = 30_000;
