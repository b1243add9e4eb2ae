/** Clock, chance and timers of whoever asks a server from time to time. */
export interface ClientTime {
  unixMs(): number;
  /** From 0 to 1. */
  random(): number;
  /** Calls back once after `delayMs`, unless the returned function was called before. */
  after(delayMs: number, callback: () => void): () => void;
}

export const machineTime: ClientTime = {
  unixMs: () => Date.now(),
  random: () => Math.random(),
  after(delayMs, callback) {
    // The next check alone must not keep a process alive.
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
