/** First in, first out; every item keeps the index that it got, counted from 0 and never reused. */
export class DoubleEndedQueue<Item> {
  private items: (Item | undefined)[] = [];
  /** Index of `items[0]`. */
  private base = 0;
  /** Places at the beginning of `items` that are empty already. */
  private emptied = 0;

  get length(): number {
    return this.items.length - this.emptied;
  }

  /** Index of the first item, also when there is none yet. */
  get firstIndex(): number {
    return this.base + this.emptied;
  }

  /** The index that the next item will get. */
  get endIndex(): number {
    return this.base + this.items.length;
  }

  push(item: Item): void {
    this.items.push(item);
  }

  first(): Item | undefined {
    return this.items[this.emptied];
  }

  last(): Item | undefined {
    return this.items.at(-1);
  }

  /** The item of this index; undefined when it has left or is not there yet. */
  at(index: number): Item | undefined {
    return this.items[index - this.base];
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.items[this.emptied];
    this.items[this.emptied] = undefined;
    this.emptied += 1;
    this.compact();
    return item;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.firstIndex; index < this.endIndex; index++) {
      const item = this.at(index);
      if (item !== undefined) yield item;
    }
  }

  /** Empty places are cut off in large pieces, so that each costs little. */
  private compact(): void {
    if (this.emptied < PIECE || this.emptied * 2 < this.items.length) return;
    this.items = this.items.slice(this.emptied);
    this.base += this.emptied;
    this.emptied = 0;
  }
}

const PIECE = 64;
