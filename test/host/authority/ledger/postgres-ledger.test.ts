import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { AuthorityLedger } from '../../../../src/host/authority/ledger/authority-ledger.ts';
import { LedgerUnavailable } from '../../../../src/host/authority/ledger/ledger-store.ts';
import { openPostgresLedger } from '../../../../src/host/authority/ledger/postgres-ledger.ts';
import { accountAdded, certificateIssued } from '../../../ca/register-events.ts';
import { sharedCluster } from './ledger-stores.ts';
import { isOpensslMissing, newTlsFiles, type TlsFiles } from './openssl-tls-files.ts';
import { isPostgresMissing, type PostgresCluster, startPostgres } from './postgres-cluster.ts';

const JULIET = 'juliet@capulet.lit';
const ROMEO = 'romeo@montague.lit';

async function ledgerAt(url: string): Promise<AuthorityLedger> {
  const ledger = await AuthorityLedger.open(await openPostgresLedger(url));
  onTestFinished(() => ledger.close());
  return ledger;
}

describe.skipIf(isPostgresMissing)('two processes on one ledger', () => {
  const cluster = sharedCluster();

  it('make the tables once when they start at the same time', async () => {
    const url = await cluster().newDatabase();
    const ledgers = await Promise.all([1, 2, 3].map(() => ledgerAt(url)));
    for (const ledger of ledgers) expect(ledger.head.sequence).toBe(0);
    const versions = await cluster().query(url, 'SELECT version FROM xor_ca.schema_version');
    expect(versions).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it('bring tables of version 1 up to date, and keep what is in them', async () => {
    const url = await cluster().newDatabase();
    const issued = certificateIssued(JULIET);
    const first = await ledgerAt(url);
    await first.change(async () => {
      first.record(accountAdded(JULIET));
      first.record(issued);
    });
    await cluster().query(
      url,
      `DROP INDEX xor_ca.ledger_serial_numbers;
       CREATE UNIQUE INDEX ledger_serial_numbers
         ON xor_ca.ledger_entries ((body::jsonb ->> 'serialNumber'))
         WHERE body::jsonb ->> 'type' = 'certificateIssued';
       DELETE FROM xor_ca.schema_version WHERE version > 1`,
    );
    const later = await ledgerAt(url);
    expect(later.register.certificate(issued.serialNumber)).toBeDefined();
    const detail = 'a\u0000b';
    const token = 'bad_CSR' as const;
    await later.change(async () =>
      later.record({ type: 'enrollmentRefused', unixMs: 1, userName: JULIET, token, detail }),
    );
    expect(later.head.sequence).toBe(3);
  });

  it('refuse tables that a newer program made', async () => {
    const url = await cluster().newDatabase();
    await (await ledgerAt(url)).synchronize();
    await cluster().query(url, 'INSERT INTO xor_ca.schema_version (version) VALUES (99)');
    await expect(openPostgresLedger(url)).rejects.toThrow('version 99 of the tables');
  });

  it('decide on what the other one did, without a look between', async () => {
    const url = await cluster().newDatabase();
    const ledgers = [await ledgerAt(url), await ledgerAt(url)];
    const attempts = Array.from({ length: 40 }, (_, index) => {
      const ledger = ledgers[index % 2] as AuthorityLedger;
      return ledger.change(async () => {
        const { accountCount } = ledger.register;
        if (accountCount >= 7) return false;
        ledger.record(accountAdded(`user-${accountCount}@x.example`));
        return true;
      });
    });
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((isAdded) => isAdded)).toHaveLength(7);
    for (const ledger of ledgers) {
      await ledger.synchronize();
      expect(ledger.register.accountCount).toBe(7);
    }
  });

  it('see the documents of each other', async () => {
    const url = await cluster().newDatabase();
    const [first, second] = [await ledgerAt(url), await ledgerAt(url)];
    await first.change(async () => {
      first.record(accountAdded(JULIET));
      first.publish('list', 'the first list');
    });
    expect(second.document('list')).toBeUndefined();
    await second.synchronize();
    expect(second.document('list')).toBe('the first list');
  });

  it('cannot give a Node-ID, a key or a serial number twice, says the database itself', async () => {
    const url = await cluster().newDatabase();
    const issued = certificateIssued(JULIET);
    const append = async (event: object) => {
      const body = JSON.stringify(event).replaceAll("'", "''");
      const { nodeIds } = event as typeof issued;
      await cluster().query(
        url,
        `INSERT INTO xor_ca.ledger_entries
           SELECT count(*) + 1, md5(random()::text), '${body}' FROM xor_ca.ledger_entries;
         INSERT INTO xor_ca.node_ids VALUES ('${nodeIds[0]}', '${issued.userName}')
           ON CONFLICT (node_id, user_name) DO NOTHING`,
      );
    };
    await (await ledgerAt(url)).synchronize();
    await append(issued);
    await expect(append(issued)).rejects.toThrow('ledger_serial_numbers');
    const theirs = cluster().query(
      url,
      `INSERT INTO xor_ca.node_ids VALUES ('${issued.nodeIds[0]}', '${ROMEO}')
         ON CONFLICT (node_id, user_name) DO NOTHING`,
    );
    await expect(theirs).rejects.toThrow('duplicate key');
  });

  it('go on after the database was away', async () => {
    const url = await cluster().newDatabase();
    const ledger = await ledgerAt(url);
    await ledger.change(async () => ledger.record(accountAdded(JULIET)));
    const cut =
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()';
    const failed = ledger.change(async () => {
      ledger.record(accountAdded(ROMEO));
      await cluster().query(url, `${cut} AND datname = current_database()`);
    });
    await expect(failed).rejects.toBeInstanceOf(LedgerUnavailable);
    await ledger.synchronize();
    expect(ledger.register.account(ROMEO)).toBeUndefined();
    await ledger.change(async () => ledger.record(accountAdded(ROMEO)));
    expect(ledger.register.account(ROMEO)).toBeDefined();
    expect(ledger.head.sequence).toBe(2);
  });
});

describe.skipIf(isPostgresMissing || isOpensslMissing)('TLS to the database', () => {
  let cluster: PostgresCluster | undefined;
  let files: TlsFiles | undefined;
  let directory = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'xor-test-'));
    files = await newTlsFiles(directory, 'localhost');
    cluster = await startPostgres(files);
  }, 60_000);

  afterAll(async () => {
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  function urlOf(host: string, rootFile: string): string {
    const { user, password, port } = cluster as PostgresCluster;
    const mode = `sslmode=verify-full&sslrootcert=${encodeURIComponent(rootFile)}`;
    return `postgres://${user}:${password}@${host}:${port}/postgres?${mode}`;
  }

  it('is used, and the certificate must be the one of the host', async () => {
    const ledger = await ledgerAt(urlOf('localhost', join(directory, 'root.pem')));
    expect(ledger.head.sequence).toBe(0);
    const other = openPostgresLedger(urlOf('127.0.0.1', join(directory, 'root.pem')));
    await expect(other).rejects.toThrow(/127\.0\.0\.1/);
  });

  it('does not go on with a server that nobody vouches for, and says no password', async () => {
    await newTlsFiles(directory, 'localhost', 'stranger');
    const refused = openPostgresLedger(urlOf('localhost', join(directory, 'stranger-root.pem')));
    const reason = await refused.catch((error: Error) => error.message);
    expect(reason).toMatch(/does not work: .*(certificate|signature)/);
    expect(reason).not.toContain((cluster as PostgresCluster).password);
  });
});
