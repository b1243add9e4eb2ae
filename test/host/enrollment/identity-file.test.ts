import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatePrivateKey } from '../../../src/host/enrollment/enrollment-key.ts';
import {
  dropPendingKey,
  IdentityFileDamaged,
  loadIdentity,
  pendingPrivateKey,
  saveIdentity,
} from '../../../src/host/identity-file.ts';
import {
  enrollJuliet,
  sharedAuthority,
  temporaryDirectory,
} from '../authority/authority-fixture.ts';

const shared = sharedAuthority();

describe('the identity of a peer on disk', () => {
  it('comes back as it was saved, in a file for its owner alone', async () => {
    const directory = await temporaryDirectory();
    expect(await loadIdentity(directory)).toBeUndefined();
    const identity = await enrollJuliet(shared());
    await saveIdentity(directory, identity);
    const loaded = await loadIdentity(directory);
    expect(loaded?.chain).toEqual([new Uint8Array(identity.certificateDer)]);
    expect(loaded?.certificateDer).toEqual(new Uint8Array(identity.certificateDer));
    expect(loaded?.privateKey.equals(identity.privateKey)).toBe(true);
    expect((await stat(join(directory, 'identity.pem'))).mode & 0o777).toBe(0o600);
  });

  it('remembers where it was certified', async () => {
    const directory = await temporaryDirectory();
    const identity = await enrollJuliet(shared());
    const { enrollmentUrl } = shared();
    await saveIdentity(directory, { ...identity, enrollmentUrl });
    const loaded = await loadIdentity(directory);
    expect(loaded?.enrollmentUrl).toBe(enrollmentUrl);
    expect(loaded?.chain).toEqual([new Uint8Array(identity.certificateDer)]);
    await saveIdentity(directory, identity);
    expect((await loadIdentity(directory))?.enrollmentUrl).toBeUndefined();
  });

  it.each([
    ['cut', (text: string) => text.slice(0, 300)],
    ['empty', () => ''],
    ['without its key', (text: string) => text.slice(text.indexOf('-----BEGIN CERT'))],
    ['without its certificate', (text: string) => text.slice(0, text.indexOf('-----BEGIN CERT'))],
  ])('is refused when it is %s', async (_what, damage) => {
    const directory = await temporaryDirectory();
    await saveIdentity(directory, await enrollJuliet(shared()));
    const path = join(directory, 'identity.pem');
    await writeFile(path, damage(await readFile(path, 'utf8')));
    await expect(loadIdentity(directory)).rejects.toThrow(IdentityFileDamaged);
    await expect(loadIdentity(directory)).rejects.toThrow('enroll anew');
  });

  it('is refused with the key of another', async () => {
    const directory = await temporaryDirectory();
    const { chain } = await enrollJuliet(shared());
    await saveIdentity(directory, { chain, privateKey: await generatePrivateKey('p256') });
    await expect(loadIdentity(directory)).rejects.toThrow('do not belong together');
  });

  it('has its key before the request leaves, until the certificate is there', async () => {
    const directory = await temporaryDirectory();
    const key = await pendingPrivateKey(directory, 'p256');
    expect((await pendingPrivateKey(directory, 'p256')).equals(key)).toBe(true);
    const identity = await enrollJuliet(shared(), { privateKey: key });
    await saveIdentity(directory, identity);
    expect((await pendingPrivateKey(directory, 'p256')).equals(key)).toBe(false);
  });

  it('makes another key when the one before was refused', async () => {
    const directory = await temporaryDirectory();
    const key = await pendingPrivateKey(directory, 'p256');
    await dropPendingKey(directory);
    expect((await pendingPrivateKey(directory, 'p256')).equals(key)).toBe(false);
  });
});
