import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AccountOptions,
  accountJoinOptions,
  withAccountOptions,
} from '../../src/cli/account-options.ts';
import { openAccount } from '../../src/host/xmpp/account/open-account.ts';
import { AddressFault } from '../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../src/xmpp-address/jid.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'xor-account-options-'));
  await writeFile(join(directory, 'password'), 'wherefore\nnot this\n');
  await writeFile(join(directory, 'empty'), '\n');
  await writeFile(join(directory, 'ca.pem'), 'PEM');
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function read(...words: readonly string[]) {
  const command = withAccountOptions(new Command('peer')).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse([...words], { from: 'user' });
  return accountJoinOptions(command.opts<AccountOptions>());
}

describe('xor peer --account', () => {
  it('without an account there is none', async () => {
    expect(await read()).toBeUndefined();
  });

  it('reads the address, the place and the files', async () => {
    const options = await read(
      ...['--account', 'Romeo@montague.lit', '--server', '[::1]:5269', '--primary', 'server'],
      ...['--account-password-file', join(directory, 'password')],
      ...['--account-ca', join(directory, 'ca.pem'), '--account-direct-tls'],
    );
    expect(options).toEqual({
      jid: 'romeo@montague.lit',
      server: '::1',
      port: 5269,
      tls: 'direct',
      password: 'wherefore',
      caCertificates: 'PEM',
      primary: 'server',
    });
  });

  it('the other options need the account', async () => {
    await expect(read('--server', 'chat.example')).rejects.toThrow('name the account');
    await expect(read('--primary', 'server')).rejects.toThrow('name the account');
  });

  it('names the file that is not there, or that holds no password', async () => {
    const account = ['--account', 'romeo@montague.lit', '--account-password-file'];
    const missing = join(directory, 'missing');
    await expect(read(...account, missing)).rejects.toThrow('ENOENT');
    const empty = join(directory, 'empty');
    await expect(read(...account, empty)).rejects.toThrow('holds no password');
  });

  it('XEP-0415 §8: the account has the address that the certificate names', () => {
    const user = parseJid('romeo@montague.lit');
    if (user instanceof AddressFault) throw new Error(user.describe());
    expect(openAccount({ jid: 'romeo@montague.lit' }, user).own.primary).toBe('overlay');
    expect(() => openAccount({ jid: 'romeo@gmail.example' }, user)).toThrow(
      'the account romeo@gmail.example is not of romeo@montague.lit',
    );
  });
});
