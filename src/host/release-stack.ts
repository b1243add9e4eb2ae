/** What was opened on the way and must be closed again, the last one first. */
export class ReleaseStack {
  private readonly releases: (() => Promise<unknown>)[] = [];

  add(release: () => Promise<unknown>): void {
    this.releases.push(release);
  }

  /** Closes everything, whatever fails among it; throws the first failure at the end. */
  async releaseAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let next = this.releases.pop(); next !== undefined; next = this.releases.pop()) {
      try {
        await next();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
