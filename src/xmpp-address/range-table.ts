/**
 * Which of several sets a code point is in. Each set is given as ranges in hexadecimal,
 * `5be 5c0-5c3`; no two sets share a code point.
 */
export class RangeTable<Name extends string> {
  private readonly ranges: readonly NamedRange<Name>[];

  constructor(sets: Readonly<Record<Name, string>>) {
    const names = Object.keys(sets) as Name[];
    this.ranges = names
      .flatMap((name) => sets[name].split(' ').map((range) => namedRange(name, range)))
      .sort((a, b) => a.first - b.first);
  }

  /** The set that has `point`, or undefined. */
  find(point: number): Name | undefined {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.ranges[middle];
      if (range === undefined) return undefined;
      if (point < range.first) high = middle - 1;
      else if (point > range.last) low = middle + 1;
      else return range.name;
    }
    return undefined;
  }
}

interface NamedRange<Name> {
  readonly name: Name;
  readonly first: number;
  readonly last: number;
}

function namedRange<Name>(name: Name, range: string): NamedRange<Name> {
  const [first = '', last = first] = range.split('-');
  return { name, first: Number.parseInt(first, 16), last: Number.parseInt(last, 16) };
}
