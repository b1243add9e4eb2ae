import { readFileSync } from 'node:fs';

/**
 * Processor time that this thread has taken since it began, in seconds, without what other threads
 * do for it (part of the collection of garbage); undefined where the system does not tell.
 */
export function threadCpuSeconds(): number | undefined {
  try {
    const [onCpuNanoseconds] = readFileSync(SCHEDULER_FILE, 'latin1').split(' ');
    const seconds = Number(onCpuNanoseconds) / 1e9;
    return Number.isFinite(seconds) ? seconds : undefined;
  } catch {
    return undefined;
  }
}

/** Linux: time on the processor, time waiting for one, in ns; and how often it got one. */
const SCHEDULER_FILE = '/proc/thread-self/schedstat';
