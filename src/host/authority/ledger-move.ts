import { X509Certificate } from 'node:crypto';
import { publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { readHierarchy } from './authority-hierarchy.ts';
import { hasAuthority, kindOf, readSettings } from './authority-state.ts';
import { auditLedger } from './ledger/ledger-audit.ts';
import { EMPTY_LEDGER_HEAD, type LedgerHead, nextEntry, readEntry } from './ledger/ledger-entry.ts';
import { ARRIVING_DOCUMENT, assertInForce, MOVED_DOCUMENT } from './ledger/ledger-standing.ts';
import type { LedgerAddition, LedgerStore, LedgerView } from './ledger/ledger-store.ts';
import {
  fillLedgerStore,
  hasLedgerStore,
  OWNER_DOCUMENT,
  openLedgerStore,
} from './ledger/open-ledger-store.ts';

/** How many entries are copied or verified, and of how many; at last, that the old one is left. */
export type MoveProgress = (step: 'copied' | 'verified' | 'left', done: number, of: number) => void;

/** From which store to which; undefined is the one in the state directory. */
export interface MoveLedgerOptions {
  readonly stateDirectory: string;
  /** `postgres://…` */
  readonly from: string | undefined;
  /** `postgres://…` */
  readonly to: string | undefined;
  readonly onProgress?: MoveProgress | undefined;
  /** The clock; tests set it. */
  readonly nowUnixMs?: (() => number) | undefined;
}

/** A ledger in its new place. */
export interface MovedLedger {
  readonly from: string;
  readonly to: string;
  /** The last entry that both have. */
  readonly head: LedgerHead;
}

/**
 * Moves the ledger of the authority in `stateDirectory`, which does not run, to another store that
 * has none. At any moment exactly one of the two is in force, or neither for as long as it takes to
 * call this again after a crash:
 *
 * 1. The new store gets all entries and documents, whole or not at all, marked as arriving. Its
 *    chain is verified.
 * 2. The old one gets a last entry, and is marked as moved.
 * 3. The mark of the new one goes.
 *
 * Throws AuthorityFailure, and the old ledger stays in force.
 */
export async function moveLedger(options: MoveLedgerOptions): Promise<MovedLedger> {
  const { stateDirectory, from, to } = options;
  if (from === to) throw new AuthorityFailure('the ledger is there already; name another place');
  if (!(await hasAuthority(stateDirectory))) {
    throw new AuthorityFailure(`there is no authority in ${stateDirectory}; name another --state`);
  }
  const directory = await openStateDirectory(stateDirectory);
  try {
    const owner = await ownerOf(stateDirectory);
    const source = await openLedgerStore(stateDirectory, from, 'existing');
    try {
      return await moveFrom(source, owner, options);
    } finally {
      await source.close();
    }
  } finally {
    await directory.close();
  }
}

async function moveFrom(
  source: LedgerStore,
  owner: string,
  options: MoveLedgerOptions,
): Promise<MovedLedger> {
  const { stateDirectory, to } = options;
  const held = await source.view(lookAt);
  refuseForeign(source.place, held, owner);
  if (held.movedTo === '' && (await isToFill(options, held.head))) {
    await fill(source, owner, options);
  }
  const target = await openLedgerStore(stateDirectory, to, 'existing');
  try {
    if (held.movedTo !== '') return await resumed(source, target, held, options);
    await verify(source, target, held, options);
    await retire(source, held.head, target.place, options);
    options.onProgress?.('left', held.head.sequence, held.head.sequence);
    await arrive(target, source.place, options);
    return { from: source.place, to: target.place, head: held.head };
  } finally {
    await target.close();
  }
}

/** After a crash between the second step and the third, or after them all. */
async function resumed(
  source: LedgerStore,
  target: LedgerStore,
  held: Held,
  options: MoveLedgerOptions,
): Promise<MovedLedger> {
  if (held.movedTo !== target.place) assertInForce(source.place, held.documents);
  const there = await target.view(lookAt);
  const isOurs = there.arrivingFrom === '' || there.head.hash === held.headBefore.hash;
  if (!isOurs || there.head.sequence < held.headBefore.sequence) {
    throw new AuthorityFailure(
      `${source.place} says that it was moved to ${target.place}, which has another ledger; ` +
        'restore that from a backup',
    );
  }
  await arrive(target, source.place, options);
  return { from: source.place, to: target.place, head: held.headBefore };
}

/** What a store has, without its entries. */
interface Held {
  readonly head: LedgerHead;
  /** Of the entry before the last one. */
  readonly headBefore: LedgerHead;
  readonly documents: ReadonlyMap<string, string>;
  /** Empty: it was not. */
  readonly movedTo: string;
  /** Empty: it is not on its way. */
  readonly arrivingFrom: string;
}

async function lookAt(view: LedgerView): Promise<Held> {
  const documents = await view.documents(0);
  const [before] = view.head.sequence < 2 ? [] : await view.read(view.head.sequence - 2, 1);
  return {
    head: view.head,
    headBefore:
      before === undefined ? EMPTY_LEDGER_HEAD : { sequence: before.sequence, hash: before.hash },
    documents,
    movedTo: documents.get(MOVED_DOCUMENT) ?? '',
    arrivingFrom: documents.get(ARRIVING_DOCUMENT) ?? '',
  };
}

function refuseForeign(place: string, held: Held, owner: string): void {
  if (held.head.sequence === 0) throw new AuthorityFailure(`${place} is empty; nothing is moved`);
  if (held.movedTo === '') assertInForce(place, held.documents);
  const heldOwner = held.documents.get(OWNER_DOCUMENT);
  if (heldOwner !== undefined && heldOwner !== owner) {
    throw new AuthorityFailure(`${place} holds the ledger of another authority`);
  }
}

/** false: an earlier attempt has copied all. Throws AuthorityFailure where something else is. */
async function isToFill(options: MoveLedgerOptions, copied: LedgerHead): Promise<boolean> {
  const { stateDirectory, to } = options;
  if (!hasLedgerStore(stateDirectory, to)) return true;
  const store = await openLedgerStore(stateDirectory, to, 'existing');
  try {
    const { head, movedTo, arrivingFrom } = await store.view(lookAt);
    if (head.sequence === 0) return true;
    if (arrivingFrom !== '' && movedTo === '' && head.hash === copied.hash) return false;
    // What never was in force, or no longer is: a file is replaced, a database only appended to.
    if ((arrivingFrom !== '' || movedTo !== '') && !store.isShared) return true;
    const todo = to === undefined ? 'it is in use without --database' : 'name a new database';
    throw new AuthorityFailure(`${store.place} is not empty; ${todo}`);
  } finally {
    await store.close();
  }
}

async function fill(
  source: LedgerStore,
  owner: string,
  { stateDirectory, to, onProgress }: MoveLedgerOptions,
): Promise<void> {
  await source.view(async (view) => {
    const documents = new Map(await view.documents(0));
    documents.set(OWNER_DOCUMENT, owner);
    documents.set(ARRIVING_DOCUMENT, source.place);
    documents.delete(MOVED_DOCUMENT);
    const contents = checkedContents(view, documents, source.place, (done) =>
      onProgress?.('copied', done, view.head.sequence),
    );
    await fillLedgerStore(stateDirectory, to, contents);
  });
}

/** All entries, each checked to follow from the one before. */
async function* checkedContents(
  view: LedgerView,
  documents: ReadonlyMap<string, string>,
  place: string,
  onPage: (done: number) => void,
): AsyncGenerator<LedgerAddition> {
  const damaged = (reason: string) =>
    new AuthorityFailure(`${place} is damaged (${reason}); restore it from a backup`);
  let head = EMPTY_LEDGER_HEAD;
  while (head.sequence < view.head.sequence) {
    const entries = await view.read(head.sequence, ENTRIES_TOGETHER_MAX);
    if (entries.length === 0) throw damaged(`entry ${head.sequence + 1} is missing`);
    for (const entry of entries) {
      const event = readEntry(head, entry);
      if (typeof event === 'string') throw damaged(event);
      head = { sequence: entry.sequence, hash: entry.hash };
    }
    const isLast = head.sequence >= view.head.sequence;
    if (isLast && head.hash !== view.head.hash) throw damaged('another entry was last');
    yield { entries, documents: isLast ? documents : new Map() };
    onPage(head.sequence);
  }
}

async function verify(
  source: LedgerStore,
  target: LedgerStore,
  held: Held,
  { onProgress }: MoveLedgerOptions,
): Promise<void> {
  const verdict = await auditLedger(target, held.head, (done) =>
    onProgress?.('verified', done, held.head.sequence),
  );
  if (verdict.type === 'broken') {
    const { sequence, reason } = verdict;
    throw new AuthorityFailure(
      `the copy in ${target.place} is broken at entry ${sequence} (${reason}); ` +
        `the ledger in ${source.place} stays in force`,
    );
  }
  const copied = await target.view((view) => view.documents(0));
  for (const [name, text] of held.documents) {
    if (copied.get(name) === text || STANDING_DOCUMENTS.has(name)) continue;
    throw new AuthorityFailure(`the copy in ${target.place} lacks what is published as ${name}`);
  }
}

async function retire(
  source: LedgerStore,
  copied: LedgerHead,
  place: string,
  options: MoveLedgerOptions,
): Promise<void> {
  await source.transact(async ({ head }) => {
    if (head.hash !== copied.hash) {
      throw new AuthorityFailure(
        `another process wrote to ${source.place} while it was copied; stop all processes of ` +
          'this authority, then move it to an empty place',
      );
    }
    return {
      entries: [nextEntry(head, operatorActed(`the ledger is moved to ${place}`, options))],
      documents: new Map([[MOVED_DOCUMENT, place]]),
    };
  });
}

async function arrive(
  target: LedgerStore,
  place: string,
  options: MoveLedgerOptions,
): Promise<void> {
  await target.transact(async (view) => {
    const { head, arrivingFrom } = await lookAt(view);
    if (arrivingFrom === '') return { entries: [], documents: new Map() };
    return {
      entries: [nextEntry(head, operatorActed(`the ledger has come from ${place}`, options))],
      documents: new Map([[ARRIVING_DOCUMENT, '']]),
    };
  });
}

function operatorActed(operation: string, { nowUnixMs = Date.now }: MoveLedgerOptions) {
  return { type: 'operatorActed', unixMs: nowUnixMs(), operation } as const;
}

/** The name of the authority's key in its ledger. */
async function ownerOf(stateDirectory: string): Promise<string> {
  const kind = await kindOf(stateDirectory, await readSettings(stateDirectory));
  const { chain, root } = await readHierarchy(stateDirectory, kind);
  const { publicKey } = new X509Certificate(chain[0] ?? root);
  return publicKeySha256(publicKey.export({ type: 'spki', format: 'der' }));
}

const STANDING_DOCUMENTS: ReadonlySet<string> = new Set([MOVED_DOCUMENT, ARRIVING_DOCUMENT]);
const ENTRIES_TOGETHER_MAX = 1_000;
