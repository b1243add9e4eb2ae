import { availableParallelism } from 'node:os';
import type { Scenario } from '../scenario/scenario.ts';
import { keyPool } from './key-pool.ts';
import { loadLatencySource } from './latency-source.ts';
import {
  forecastMemory,
  heapLimitMb,
  type MemoryForecast,
  requireMemory,
} from './memory-forecast.ts';
import type { RunProgress, RunRequest, RunResources, RunResult } from './run-request.ts';
import { keysNeeded } from './run-simulation.ts';
import { RunFailed, RunWorker } from './worker-run.ts';

export interface ResourceOptions {
  readonly latencyMatrix?: string | undefined;
  readonly onKeys?: (made: number, missing: number) => void;
  readonly onNotice?: (sentence: string) => void;
}

/** What runs of these scenarios need from outside; made once for all of them. */
export function prepareResources(
  scenarios: readonly Scenario[],
  options: ResourceOptions,
): RunResources {
  const { onKeys, onNotice } = options;
  requireMemory(largestOf(scenarios));
  const source = loadLatencySource(options.latencyMatrix);
  const keys = keyPool({
    count: Math.max(...scenarios.map(keysNeeded)),
    ...(onKeys === undefined ? {} : { onProgress: onKeys }),
    ...(onNotice === undefined ? {} : { onNotice }),
  });
  return { keys, matrix: source.matrix, matrixDescription: source.description };
}

export interface RunAllOptions {
  readonly resources: RunResources;
  /** Threads; each makes one run at a time. */
  readonly workers: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (index: number, progress: RunProgress) => void;
  /** Called in the order in which runs end. What it throws ends them all. */
  readonly onResult: (index: number, result: RunResult | Error) => void;
}

/**
 * Makes runs in threads, each in its turn. A thread that breaks is replaced. When `signal` aborts,
 * the present runs end with `stopped` and the others are not begun.
 */
export async function runAll(
  requests: readonly RunRequest[],
  options: RunAllOptions,
): Promise<void> {
  if (requests.length === 0) return;
  const { signal } = options;
  const largest = largestOf(requests.map(({ scenario }) => scenario));
  const threads = Math.min(options.workers, requests.length);
  requireMemory(largest, threads);
  const heapMb = heapLimitMb(largest);
  let next = 0;
  const work = async () => {
    const newWorker = () => new RunWorker({ ...options.resources, heapMb, isAlone: threads === 1 });
    let worker = newWorker();
    try {
      for (let index = next++; index < requests.length; index = next++) {
        if (signal?.aborted === true) return;
        const request = requests[index] as RunRequest;
        const onProgress = (progress: RunProgress) => options.onProgress?.(index, progress);
        const result = await worker.run(request, onProgress, signal).catch(asError);
        if (result instanceof Error) {
          await worker.close();
          worker = newWorker();
        }
        options.onResult(index, result);
      }
    } finally {
      await worker.close();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}

/** Makes one run in a thread of its own. */
export async function runOne(
  request: RunRequest,
  options: Pick<RunAllOptions, 'resources' | 'signal'> & {
    readonly onProgress?: (progress: RunProgress) => void;
  },
): Promise<RunResult> {
  const { onProgress, ...rest } = options;
  let ended: RunResult | Error | undefined;
  await runAll([request], {
    ...rest,
    workers: 1,
    onProgress: (_, progress) => onProgress?.(progress),
    onResult: (_, result) => {
      ended = result;
    },
  });
  if (ended === undefined) throw new RunFailed('the run was stopped before it began');
  if (ended instanceof Error) throw ended;
  return ended;
}

/** As many threads as there are processors. */
export function defaultWorkers(): number {
  return availableParallelism();
}

function largestOf(scenarios: readonly Scenario[]): MemoryForecast {
  const forecasts = scenarios.map((scenario) => forecastMemory(scenario));
  return forecasts.reduce((a, b) => (b.bytes > a.bytes ? b : a));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new RunFailed(String(error));
}
