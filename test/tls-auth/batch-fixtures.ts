import {
  type ContentChange,
  makeIntermediate,
  makeLeaf,
  makeRoot,
} from '../../sim/certificates/certificate-maker.ts';
import type { TestExtension } from '../../sim/certificates/extension-maker.ts';
import { type BatchVerdict, verifyBatch } from '../../src/cli/certificate-batch.ts';

export const root = makeRoot();

export interface Made {
  readonly certificate: Uint8Array;
}

/** What `xor cert verify --batch` says of a chain, the leaf first. */
export function verdictOf(
  chain: readonly Made[],
  others: Readonly<Record<string, unknown>> = {},
  anchor: Made = root,
): BatchVerdict {
  const base64 = ({ certificate }: Made) => Buffer.from(certificate).toString('base64');
  const document = {
    cases: [
      {
        id: 'one',
        anchors: [base64(anchor)],
        chain: chain.map(base64),
        time: '2026-01-01T00:00:00Z',
        revocation: 'off',
        profile: 'pkix',
        ...others,
      },
    ],
  };
  const verdicts = verifyBatch(JSON.stringify(document), 0);
  const [verdict] = typeof verdicts === 'string' ? [] : verdicts;
  if (verdict === undefined) throw new Error(String(verdicts));
  return verdict;
}

/** A change that puts in or, with undefined, leaves out extensions. */
export function having(
  changes: Readonly<Record<string, TestExtension | undefined>>,
): ContentChange {
  return ({ extensions }) => ({ extensions: { ...extensions, ...changes } });
}

export const leafWith = (change: ContentChange) => verdictOf([makeLeaf(root, { change })]).reason;

export function belowCa(change: ContentChange): string {
  const changed = makeIntermediate(root, { change });
  return verdictOf([makeLeaf(changed), changed]).reason;
}

export function belowRoot(change: ContentChange): string {
  const changed = makeRoot({ change });
  return verdictOf([makeLeaf(changed)], {}, changed).reason;
}
