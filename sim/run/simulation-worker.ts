import { parentPort, workerData } from 'node:worker_threads';
import type { RunProgress, RunRequest, RunResources, RunResult } from './run-request.ts';
import { runSimulation } from './run-simulation.ts';

/** The thread that makes runs, one after another. `worker-run.ts` starts it. */

/** What it is given at its start. */
export interface WorkerSetup extends RunResources {
  readonly isAlone: boolean;
  /** One number in shared memory: not 0 asks the present run to stop. */
  readonly stop: Int32Array;
}

export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: RunProgress }
  | { readonly type: 'result'; readonly result: RunResult }
  /** A bug of the simulator. */
  | { readonly type: 'failed'; readonly reason: string };

const { isAlone, stop, ...resources } = workerData as WorkerSetup;

parentPort?.on('message', (request: RunRequest) => {
  try {
    const result = runSimulation(request, resources, { isAlone, onProgress, shouldStop });
    post({ type: 'result', result });
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    post({ type: 'failed', reason });
  }
});

function onProgress(progress: RunProgress): void {
  post({ type: 'progress', progress });
}

function shouldStop(): boolean {
  return Atomics.load(stop, 0) !== 0;
}

function post(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
