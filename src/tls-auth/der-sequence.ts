import { type DerReader, DerTag } from './der-reader.ts';

/** `SEQUENCE SIZE (1..MAX) OF …`, or the same under another tag, of at most `elementsMax`. */
export function derSequenceOf<T>(
  reader: DerReader,
  one: (reader: DerReader) => T,
  tag: number = DerTag.sequence,
): T[] {
  const inner = reader.enter(tag);
  const values: T[] = [];
  do {
    if (values.length >= elementsMax) throw inner.beyond('elementsMax', elementsMax, 'elements');
    values.push(one(inner));
  } while (!inner.atEnd);
  return values;
}

const elementsMax = 256;
