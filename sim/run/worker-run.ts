import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';
import { MemoryTooSmall } from './memory-forecast.ts';
import type { RunProgress, RunRequest, RunResources, RunResult } from './run-request.ts';
import type { WorkerMessage, WorkerSetup } from './simulation-worker.ts';

/** A run ended with a bug of the simulator or of a Peer; the message is its stack. */
export class RunFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RunFailed';
  }
}

export interface RunWorkerOptions extends RunResources {
  /** Limit of its heap, in MB. */
  readonly heapMb: number;
  /** It is the only one of the process. */
  readonly isAlone: boolean;
}

/**
 * A thread for runs. It has its own heap, whose limit the command need not take from the command
 * line of node, and leaves this thread free for signals and progress.
 */
export class RunWorker {
  private readonly worker: Worker;
  private readonly stop = new Int32Array(new SharedArrayBuffer(4));
  private waiting: Waiting | undefined;
  private failure: Error | undefined;

  constructor(options: RunWorkerOptions) {
    const { heapMb, ...rest } = options;
    const setup: WorkerSetup = { ...rest, stop: this.stop };
    // A run makes garbage as long as it lasts: a large young generation lets it die there. The
    // flag counts for heaps that are made after it.
    const semiSpaceMb = heapMb < LARGE_HEAP_MB ? SEMI_SPACE_MB : SEMI_SPACE_OF_LARGE_HEAP_MB;
    v8.setFlagsFromString(`--max-semi-space-size=${semiSpaceMb}`);
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.worker = new Worker(new URL(`./simulation-worker.${extension}`, import.meta.url), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    this.worker.on('message', (message: WorkerMessage) => this.received(message));
    this.worker.on('error', (error) => this.failed(failureOf(error, heapMb)));
    this.worker.on('exit', () => this.failed(new RunFailed('the thread of the run ended')));
  }

  /** Makes one run; one at a time. Aborting `signal` makes it end with `stopped`. */
  run(
    request: RunRequest,
    onProgress: (progress: RunProgress) => void = () => undefined,
    signal?: AbortSignal,
  ): Promise<RunResult> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const ask = () => Atomics.store(this.stop, 0, 1);
    Atomics.store(this.stop, 0, signal?.aborted === true ? 1 : 0);
    signal?.addEventListener('abort', ask, { once: true });
    return new Promise<RunResult>((resolve, reject) => {
      this.waiting = { resolve, reject, onProgress };
      this.worker.postMessage(request);
    }).finally(() => signal?.removeEventListener('abort', ask));
  }

  async close(): Promise<void> {
    this.waiting = undefined;
    await this.worker.terminate();
  }

  private received(message: WorkerMessage): void {
    if (message.type === 'progress') {
      this.waiting?.onProgress(message.progress);
      return;
    }
    const waiting = this.waiting;
    this.waiting = undefined;
    if (message.type === 'result') waiting?.resolve(message.result);
    else waiting?.reject(new RunFailed(message.reason));
  }

  private failed(failure: Error): void {
    this.failure ??= failure;
    this.waiting?.reject(this.failure);
    this.waiting = undefined;
  }
}

interface Waiting {
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (progress: RunProgress) => void;
}

function failureOf(error: unknown, heapMb: number): Error {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  return code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new MemoryTooSmall(`the run needed more memory than the ${heapMb} MB that it was given`)
    : new RunFailed(stack ?? message);
}

/** Of two. 256 took a seventh less processor time than 64 with 300 peers. */
const SEMI_SPACE_MB = 128;
const SEMI_SPACE_OF_LARGE_HEAP_MB = 256;
const LARGE_HEAP_MB = 4_000;
