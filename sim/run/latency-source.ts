import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NetworkPlan } from '../scenario/scenario.ts';
import {
  constantLatency,
  generatedMatrix,
  type LatencyModel,
  matrixLatency,
  parseMatrix,
  type RoundTripMatrix,
  uniformLatency,
} from '../world/latency-model.ts';
import { PLANETLAB_PERCENTILES_MS, PLANETLAB_SITES } from '../world/planetlab-percentiles.ts';
import { repositoryRoot } from './repository.ts';

/** The round-trip times of a run and where they are from. */
export interface LatencySource {
  readonly matrix: RoundTripMatrix;
  /** For the report and the output. */
  readonly description: string;
}

/** A file of round-trip times cannot be used; the message is one sentence. */
export class LatencyMatrixUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LatencyMatrixUnusable';
  }
}

/**
 * The measured matrix: of `given`, of `$XOR_PLANETLAB_MATRIX`, or where the project's data lies
 * beside the repository. Where there is none, one with the same percentiles is generated.
 */
export function loadLatencySource(given: string | undefined): LatencySource {
  const { XOR_PLANETLAB_MATRIX: fromEnvironment = '' } = process.env;
  const named = given ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  const beside = fileURLToPath(new URL(`../${DATA_FILE}`, repositoryRoot()));
  const file = named ?? (existsSync(beside) ? beside : undefined);
  if (file === undefined) {
    const matrix = generatedMatrix(GENERATED_SEED, PLANETLAB_SITES, PLANETLAB_PERCENTILES_MS);
    return {
      matrix: sharedMatrix(matrix),
      description: `generated with the percentiles of PlanetLab, ${matrix.sites} sites`,
    };
  }
  const matrix = readMatrix(resolve(file));
  const from = named === undefined ? 'measured on PlanetLab' : `from ${file}`;
  return { matrix: sharedMatrix(matrix), description: `${from}, ${matrix.sites} sites` };
}

/** The latencies that a scenario asks for; `matrix` is used by the model `planetlab` alone. */
export function latencyModelOf(
  plan: NetworkPlan['latency'],
  seed: number,
  matrix: RoundTripMatrix,
): LatencyModel {
  switch (plan.model) {
    case 'constant':
      return constantLatency(plan.oneWayMs);
    case 'uniform':
      return uniformLatency(seed, plan.lowMs, plan.highMs);
    case 'planetlab':
      return matrixLatency(seed, matrix);
  }
}

/** What the record of a run says of its latencies. */
export function latencyDescription(plan: NetworkPlan['latency'], source: LatencySource): string {
  switch (plan.model) {
    case 'constant':
      return `${plan.oneWayMs} ms one way`;
    case 'uniform':
      return `${plan.lowMs} to ${plan.highMs} ms one way`;
    case 'planetlab':
      return source.description;
  }
}

function readMatrix(file: string): RoundTripMatrix {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw new LatencyMatrixUnusable(`cannot read the round-trip times in ${file}: ${why}`);
  }
  const matrix = parseMatrix(text);
  if (typeof matrix !== 'string') return matrix;
  const expected = 'expected as many lines as tab-separated times in each';
  throw new LatencyMatrixUnusable(
    `${file} has no matrix of round-trip times: ${matrix}; ${expected}`,
  );
}

/** In memory that threads share. */
function sharedMatrix({ sites, values }: RoundTripMatrix): RoundTripMatrix {
  const copy = new Float64Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return { sites, values: copy };
}

/** From the root of the repository. */
const DATA_FILE = 'shared/data/planetlab-rtt-490x490.tsv';
/** All runs without the measured matrix have the same generated one. */
const GENERATED_SEED = 1;
