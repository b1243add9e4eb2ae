import { describe, expect, it } from 'vitest';
import { readDatabaseUrl } from '../../../../src/host/authority/ledger/database-url.ts';

describe('a database URL', () => {
  it.each([
    ['postgres://ca@localhost/ledger', { host: 'localhost', port: 5432, database: 'ledger' }],
    ['postgresql://ca@127.0.0.1:5433/ledger', { host: '127.0.0.1', port: 5433 }],
    ['postgres://ca@[::1]/ledger', { host: '::1' }],
    ['postgres:///ledger?host=/run/postgresql', { host: '/run/postgresql', user: undefined }],
    ['postgres://ca:p%40ss@localhost/ledger', { user: 'ca', password: 'p@ss' }],
  ])('%s needs no TLS', async (url, expected) => {
    expect(await readDatabaseUrl(url)).toMatchObject({ ...expected, tls: undefined });
  });

  it.each([
    'postgres://ca@db.example.org/ledger',
    'postgres://ca@192.0.2.1/ledger',
    'postgres://ca@localhost/ledger?sslmode=verify-full',
  ])('%s means TLS that proves who answers', async (url) => {
    expect((await readDatabaseUrl(url)).tls).toEqual({ trustedCertificates: undefined });
  });

  it.each([
    ['mysql://ca@localhost/ledger', 'is named by postgres://'],
    ['no URL at all', 'is named by postgres://'],
    ['postgres://ca:50%@localhost/ledger', 'is named by postgres://'],
    ['postgres://ca@localhost/%zz', 'is named by postgres://'],
    ['postgres://ca@db.example.org/ledger?sslmode=disable', 'leave out sslmode=disable'],
    ['postgres://ca@db.example.org/ledger?sslmode=require', 'does not prove who answers'],
    ['postgres://ca@localhost/ledger?options=-c', 'has "options"'],
  ])('%s is refused with what to do', async (url, reason) => {
    await expect(readDatabaseUrl(url)).rejects.toThrow(reason);
  });

  it('is shown without its password, also where it is refused', async () => {
    const { place } = await readDatabaseUrl('postgres://ca:secret@localhost/ledger');
    expect(place).toBe('the PostgreSQL database ledger at localhost:5432');
    const bad = ['secret://ca:secret@h/l', 'postgres://ca:secret@db.example.org/l?sslmode=prefer'];
    for (const url of bad) {
      const refusal = await readDatabaseUrl(url).catch((error: Error) => error.message);
      expect(refusal).not.toContain('secret');
    }
  });
});
