import type { ChurnPlan, FaultPlan, Scenario } from './scenario.ts';
import { ScenarioFault, unexpected } from './scenario-fault.ts';
import { PEERS_MAX } from './scenario-fields.ts';

/** What must hold between the fields of a scenario; the first thing that does not. */
export function combinationFault(scenario: Scenario): ScenarioFault | undefined {
  for (const check of CHECKS) {
    const fault = check(scenario);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

type Check = (scenario: Scenario) => ScenarioFault | undefined;

const CHECKS: readonly Check[] = [
  ({ bootstrapNodes, peers }) =>
    bootstrapNodes > peers
      ? unexpected('bootstrapNodes', `at most ${peers}, the number of peers`, bootstrapNodes)
      : undefined,
  ({ peers, clients }) =>
    peers + clients > PEERS_MAX
      ? unexpected('clients', `at most ${PEERS_MAX} peers and clients together`, clients)
      : undefined,
  ({ network: { latency } }) =>
    latency.model === 'uniform' && latency.highMs < latency.lowMs
      ? unexpected('network.latency.highMs', `at least lowMs (${latency.lowMs})`, latency.highMs)
      : undefined,
  ({ disk }) =>
    disk.writeHighMs < disk.writeLowMs
      ? unexpected('disk.writeHighMs', `at least writeLowMs (${disk.writeLowMs})`, disk.writeHighMs)
      : undefined,
  ({ disk }) => sharesFault('disk.fullShare', disk.fullShare, disk.slowShare, 'slowShare'),
  churnFault,
  ({ faults, hours }) => first(faults, (fault, i) => faultFault(fault, `faults[${i}]`, hours)),
  workloadFault,
  attackFault,
];

function churnFault({
  churn,
  peers,
  clients,
  bootstrapNodes,
  hours,
}: Scenario): ScenarioFault | undefined {
  if (churn.model === 'pareto' && churn.shape <= PARETO_SHAPE_MIN) {
    const expected = `more than ${PARETO_SHAPE_MIN} (a Pareto session has a mean only then)`;
    return unexpected('churn.shape', expected, churn.shape);
  }
  if (churn.model === 'trace' && churn.trace.length === 0) {
    return new ScenarioFault('churn.trace', 'expected at least one entry for the model trace');
  }
  if (churn.model !== 'trace' && churn.trace.length > 0) {
    return new ScenarioFault('churn.trace', 'a trace needs the churn.model "trace"');
  }
  return traceFault(churn.trace, peers + clients - bootstrapNodes, hours * 3600);
}

/** `present`: nodes that are there at the beginning and may go; others must join first. */
function traceFault(
  trace: ChurnPlan['trace'],
  present: number,
  endSeconds: number,
): ScenarioFault | undefined {
  const joinedAt = new Map<number, number>();
  for (const { node, event, atSeconds } of trace) {
    if (event === 'join') joinedAt.set(node, Math.min(atSeconds, joinedAt.get(node) ?? endSeconds));
  }
  return first(trace, ({ atSeconds, node }, i) => {
    const path = `churn.trace[${i}]`;
    if (atSeconds > endSeconds) {
      return unexpected(
        `${path}.atSeconds`,
        `at most ${endSeconds}, the hours observed`,
        atSeconds,
      );
    }
    const isThere = node < present || atSeconds >= (joinedAt.get(node) ?? Infinity);
    const expected = `a node below ${present}, which are there, or one that joins before`;
    return isThere ? undefined : unexpected(`${path}.node`, expected, node);
  });
}

function faultFault(fault: FaultPlan, path: string, hours: number): ScenarioFault | undefined {
  const observedMinutes = hours * 60;
  if (fault.atMinutes > observedMinutes) {
    const expected = `at most ${observedMinutes}, the hours observed`;
    return unexpected(`${path}.atMinutes`, expected, fault.atMinutes);
  }
  if ('minutes' in fault && fault.atMinutes + fault.minutes > observedMinutes) {
    const expected = `at most ${observedMinutes - fault.atMinutes}, the rest of the hours observed`;
    return unexpected(`${path}.minutes`, expected, fault.minutes);
  }
  return undefined;
}

function workloadFault({ workload }: Scenario): ScenarioFault | undefined {
  const { byNodeId, byUserName, locate, lookupsPerMinute } = workload;
  return lookupsPerMinute > 0 && byNodeId + byUserName + locate === 0
    ? new ScenarioFault(
        'workload.byNodeId',
        'expected a weight above 0 for byNodeId, byUserName or locate, as there are lookups',
      )
    : undefined;
}

function attackFault({ attack, peers, bootstrapNodes }: Scenario): ScenarioFault | undefined {
  if (attack === undefined) return undefined;
  const shareMax = Math.floor(((peers - bootstrapNodes) / peers) * 1000) / 1000;
  return attack.share > shareMax
    ? unexpected('attack.share', `at most ${shareMax}: bootstrap nodes are honest`, attack.share)
    : undefined;
}

function sharesFault(
  path: string,
  value: number,
  other: number,
  otherName: string,
): ScenarioFault | undefined {
  return value + other > 1
    ? unexpected(path, `at most ${1 - other}, what ${otherName} leaves`, value)
    : undefined;
}

function first<T>(
  items: readonly T[],
  faultOf: (item: T, index: number) => ScenarioFault | undefined,
): ScenarioFault | undefined {
  for (const [i, item] of items.entries()) {
    const fault = faultOf(item, i);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A network that loses more is none. */
/** At or below it a Pareto distribution has no mean. */
const PARETO_SHAPE_MIN = 1;
