import type { PoolClient } from 'pg';
import { AuthorityFailure } from '../authority-failure.ts';

/**
 * Brings the tables of the schema `xor_ca` to the version of this program. Processes that start at
 * the same time wait for each other. Throws AuthorityFailure when a newer program was here before.
 */
export async function migrateSchema(client: PoolClient, place: string): Promise<void> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await client.query('CREATE SCHEMA IF NOT EXISTS xor_ca');
  await client.query(
    'CREATE TABLE IF NOT EXISTS xor_ca.schema_version (version integer PRIMARY KEY, ' +
      'applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const { rows } = await client.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM xor_ca.schema_version',
  );
  const version = rows[0]?.version ?? 0;
  if (version > MIGRATIONS.length) {
    throw new AuthorityFailure(
      `${place} has version ${version} of the tables and this program knows ` +
        `${MIGRATIONS.length}; install the newer xor`,
    );
  }
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < version) continue;
    await client.query(statements);
    await client.query('INSERT INTO xor_ca.schema_version (version) VALUES ($1)', [index + 1]);
  }
  await client.query('COMMIT');
}

/**
 * What version N adds to version N - 1; a published one is never changed. The entries decide; the
 * tables of Node-IDs and keys are there so that the database itself refuses to have one twice.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE xor_ca.ledger_head (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    sequence bigint NOT NULL,
    hash text NOT NULL
  );
  INSERT INTO xor_ca.ledger_head (sequence, hash) VALUES (0, repeat('0', 64));

  CREATE TABLE xor_ca.ledger_entries (
    sequence bigint PRIMARY KEY,
    hash text NOT NULL UNIQUE,
    body text NOT NULL
  );
  CREATE UNIQUE INDEX ledger_serial_numbers
    ON xor_ca.ledger_entries ((body::jsonb ->> 'serialNumber'))
    WHERE body::jsonb ->> 'type' = 'certificateIssued';

  CREATE TABLE xor_ca.node_ids (
    node_id text PRIMARY KEY,
    user_name text NOT NULL,
    UNIQUE (node_id, user_name)
  );
  CREATE TABLE xor_ca.public_keys (
    public_key_sha256 text PRIMARY KEY,
    user_name text NOT NULL,
    UNIQUE (public_key_sha256, user_name)
  );
  CREATE TABLE xor_ca.documents (
    name text PRIMARY KEY,
    sequence bigint NOT NULL,
    body text NOT NULL
  );

  CREATE FUNCTION xor_ca.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'the ledger of an authority is only appended to';
  END
  $$;
  CREATE TRIGGER ledger_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON xor_ca.ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION xor_ca.refuse_change();
  `,
  // jsonb holds neither U+0000 nor half a surrogate pair, and a stranger may have sent either. In
  // the text of an event no string contains an unescaped quotation mark.
  `
  DROP INDEX xor_ca.ledger_serial_numbers;
  CREATE UNIQUE INDEX ledger_serial_numbers
    ON xor_ca.ledger_entries ((substring(body FROM '"serialNumber":"([0-9a-f]*)"')))
    WHERE body LIKE '%"type":"certificateIssued"%';
  `,
];

/** Any number that no other program uses for an advisory lock in this database. */
const MIGRATION_LOCK = 6_940_0416;
