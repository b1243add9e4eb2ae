import { join } from 'node:path';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import type { Now } from '../../storage/now.ts';
import { ResourceStore } from '../../storage/resource-store.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { Log } from '../log.ts';
import { openStoreFile, type StoreFile } from '../state/store-file.ts';

/** What a peer stores for the overlay, and the file in which it survives. */
export interface StoredValues {
  readonly store: ResourceStore;
  readonly file: StoreFile;
}

/**
 * Opens the store file of a state directory and restores what is in it. A value whose signature no
 * longer counts is not served but kept: a root may come back.
 */
export async function openStoredValues(
  stateDirectory: string,
  configuration: VerifiedConfiguration,
  authenticator: Authenticator,
  now: Now,
  log: Log,
): Promise<StoredValues> {
  const file = await openStoreFile(join(stateDirectory, 'store'), (damage) =>
    log.error(damage, 'the store file was damaged; it was moved away and an empty one made'),
  );
  try {
    const store = new ResourceStore({ kinds: configuration.kinds });
    const result = store.restore(file.load(), authenticator, now);
    await file.write(result.records);
    const { restored, expired, damaged, refused } = result;
    if (restored + expired > 0) log.info({ restored, expired }, 'stored values are back');
    for (const { key, reason } of damaged) log.warn({ key, reason }, 'a damaged value is dropped');
    for (const { key, reason } of refused) log.warn({ key, reason }, 'a value is not served');
    return { store, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}
