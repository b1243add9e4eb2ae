import type { RunProgress } from '../../sim/run/run-request.ts';
import type { RunSummary } from '../../sim/run/run-summary.ts';
import type { RunRecord, ViolationRecord } from '../../sim/simulation/run-record.ts';
import { printLine, printTable } from './terminal-output.ts';

/** How runs of the simulator look on a terminal. */

/** One run: a short table and the command that gives it again. */
export function printRun(summary: RunSummary, description: string): void {
  const { hops, lookupMs } = summary;
  printLine(`${summary.scenario}: ${description}`);
  printLine(
    `${summary.peers} peers, ${summary.virtualHours} virtual hours, seed ${summary.seed}, ` +
      `${summary.signatures} signatures; round-trip times: ${summary.latencySource}`,
  );
  printLine();
  printFields([
    ['lookups', `${count(summary.lookups)}, ${percent(summary.lookupSuccess)} succeeded`],
    ['hops', `mean ${hops.mean}, p99 ${hops.p99}, max ${hops.max}`],
    ['lookup time', `p50 ${lookupMs.p50} ms, p95 ${lookupMs.p95} ms`],
    ['stores', storesOf(summary)],
    ['unauthorized writes', count(summary.unauthorizedWrites)],
    ['traffic', `${summary.bytesPerPeerPerSecond} bytes a second sent by each peer`],
    ['events', eventsOf(summary)],
    ['peak memory', `${(summary.peakMemoryBytes / 1e6).toFixed(0)} MB`],
    ['ring', ringOf(summary.converged)],
    ['trace hash', summary.traceHash],
    ['outcome', summary.outcome],
  ]);
  printLine();
  printViolations(summary.violations);
  printLine(`again: ${summary.command}`);
}

/** The series of a study, one table each. */
export function printSeries(record: RunRecord): void {
  for (const { title, xLabel, lines } of record.series) {
    printLine(title);
    const places = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))];
    printTable(
      [xLabel, ...lines.map(({ label }) => label)],
      places.map((place) => [
        String(place),
        ...lines.map(({ points }) => {
          const point = points.find(({ x }) => x === place);
          return point === undefined ? '' : String(Number(point.y.toPrecision(5)));
        }),
      ]),
    );
    printLine();
  }
}

/** What is seen of a run while it lasts. */
export function progressText(progress: RunProgress, wallSeconds: number): string {
  const { phase, virtualMs, observedShare, peersJoined, events } = progress;
  const share = phase === 'observing' ? ` ${(observedShare * 100).toFixed(0)} %` : '';
  const rate = count(Math.round(events / Math.max(wallSeconds, 0.001)));
  return (
    `${phase}${share}, virtual time ${clock(virtualMs / 1000)}, ${peersJoined} peers joined, ` +
    `${count(events)} events, ${rate} a second, ${clock(wallSeconds)} on the wall`
  );
}

/** How far a run got that was stopped. */
export function stoppedText(progress: RunProgress): string {
  const { phase, virtualMs, observedShare, events } = progress;
  return (
    `stopped while ${phase}, after ${clock(virtualMs / 1000)} of virtual time and ` +
    `${count(events)} events; ${(observedShare * 100).toFixed(0)} % was observed`
  );
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 1 && share > 0.99 ? 3 : 2)} %`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function eventsOf({ events, wallSeconds, eventsPerSecond }: RunSummary): string {
  return `${count(events)} in ${wallSeconds} s, ${count(eventsPerSecond)} a second`;
}

function storesOf(summary: RunSummary): string {
  const { ackedStores, lostStores, excusedStores, excusedStoresExpected } = summary;
  return (
    `${count(ackedStores)} acknowledged, ${count(lostStores)} lost, ${count(excusedStores)} more ` +
    `with all their holders (expected: ${excusedStoresExpected})`
  );
}

function ringOf(converged: boolean | null): string {
  if (converged === null) return 'not asked for';
  return converged ? 'whole at the end' : 'not whole at the end';
}

function printViolations(violations: readonly ViolationRecord[]): void {
  if (violations.length === 0) return;
  printTable(
    ['VIOLATION', 'KIND', 'MINUTE', 'EVENT', 'NODES', 'WHAT'],
    violations
      .slice(0, VIOLATIONS_SHOWN_MAX)
      .map((one) => [
        one.checker,
        one.kind,
        one.atMinutes.toFixed(2),
        String(one.event),
        one.nodes.slice(0, 4).join(' '),
        one.detail.split('\n')[0] ?? '',
      ]),
  );
  const more = violations.length - VIOLATIONS_SHOWN_MAX;
  if (more > 0) printLine(`and ${more} more`);
  printLine();
}

function printFields(fields: readonly (readonly [string, string])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) printLine(`${name.padEnd(width)}  ${value}`);
}

/** `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}:${rest}`;
}

const VIOLATIONS_SHOWN_MAX = 20;
