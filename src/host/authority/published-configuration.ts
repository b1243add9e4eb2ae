import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';

/** A document of the ledger; in version 0.1 it was the file `configuration.json`. */
export interface PublishedConfiguration {
  readonly sequence: number;
  readonly changedUnixMs: number;
  /** XML. */
  readonly document: string;
  /** SHA-256 over the signers' certificates that it was made with. */
  readonly certificates?: string;
  /** The authority's own, as it was when it published last; it may since be elsewhere. */
  readonly ownEnrollmentServer?: string;
  /** Another authority signed it, and makes the next one. */
  readonly isOfOthers?: boolean;
}

/** The configuration as it was published last, by this or another process. */
export class PublishedConfigurations {
  private readonly state: AuthorityState;
  /** From before the ledger had it. */
  private readonly fromFile: PublishedConfiguration | undefined;
  private parsed: { readonly text: string; readonly value: PublishedConfiguration } | undefined;

  private constructor(state: AuthorityState, fromFile: PublishedConfiguration | undefined) {
    this.state = state;
    this.fromFile = fromFile;
  }

  /** Throws AuthorityFailure when it is damaged. */
  static async open(state: AuthorityState): Promise<PublishedConfigurations> {
    return new PublishedConfigurations(state, await readFromFile(state));
  }

  /**
   * `decided`, within `state.exclusive`: it may not be durable yet. Throws AuthorityFailure when it
   * is damaged.
   */
  last(when: 'durable' | 'decided'): PublishedConfiguration | undefined {
    const text = this.state.published(CONFIGURATION_DOCUMENT, when);
    if (text === undefined) return this.fromFile;
    if (this.parsed?.text === text) return this.parsed.value;
    const value = parsePublished(text);
    if (value === undefined) throw damaged('the configuration in the ledger');
    this.parsed = { text, value };
    return value;
  }

  /** Within `state.exclusive`. */
  replace(published: PublishedConfiguration): void {
    this.state.publish(CONFIGURATION_DOCUMENT, JSON.stringify(published));
  }
}

async function readFromFile(state: AuthorityState): Promise<PublishedConfiguration | undefined> {
  const path = join(state.directory.path, CONFIGURATION_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const published = parsePublished(text);
  if (published !== undefined) return published;
  throw damaged(path);
}

function damaged(what: string): AuthorityFailure {
  return new AuthorityFailure(
    `${what} is damaged; restore it from a backup, since peers take newer sequences only`,
  );
}

function parsePublished(text: string): PublishedConfiguration | undefined {
  try {
    const value = JSON.parse(text) as Partial<PublishedConfiguration>;
    const { sequence, changedUnixMs, document } = value;
    const isWhole =
      Number.isSafeInteger(sequence) &&
      Number.isSafeInteger(changedUnixMs) &&
      typeof document === 'string';
    return isWhole ? (value as PublishedConfiguration) : undefined;
  } catch {
    return undefined;
  }
}

const CONFIGURATION_DOCUMENT = 'configuration';
const CONFIGURATION_FILE = 'configuration.json';
