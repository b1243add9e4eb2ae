import type { RunRecord } from '../simulation/run-record.ts';
import { figure, percent, roundFigure } from './figures.ts';

/** One line of the comparison with what the project wants to reach. */
export interface AimLine {
  readonly what: string;
  readonly measured: string;
  readonly aim: string;
  /** Undefined: nothing is aimed at under these conditions, or it says what is expected. */
  readonly isMet: boolean | undefined;
}

export function aimLines(record: RunRecord): AimLine[] {
  return [
    ...lookupAims(record),
    ...trafficAim(record),
    ...storeAims(record),
    ...ringAim(record),
    ...speedAim(record),
  ];
}

/** Percent of lookups that shall succeed; undefined where faults or attackers are at work. */
export function successAim({ scenario }: RunRecord): number | undefined {
  if (scenario.attack !== undefined || scenario.faults.length > 0) return undefined;
  if (scenario.churn.model === 'none') return 100;
  const session = scenario.churn.medianSessionMinutes;
  return SUCCESS_AIMS.find(({ minutes }) => session >= minutes)?.percent;
}

function lookupAims(record: RunRecord): AimLine[] {
  const { lookups, scenario } = record;
  if (lookups.started === 0) return [];
  const aim = successAim(record);
  const share = (100 * lookups.succeeded) / lookups.started;
  const expected = 0.5 * Math.log2(scenario.peers);
  const isHopAim = scenario.churn.model === 'none' && aim !== undefined;
  return [
    {
      what: 'Lookups that succeed',
      measured: `${percent(lookups.succeeded, lookups.started)} %`,
      aim: aim === undefined ? 'none under these conditions' : `${aim === 100 ? '' : '≥ '}${aim} %`,
      isMet: aim === undefined ? undefined : share >= aim,
    },
    {
      what: 'Mean hops',
      measured: figure(lookups.hops.mean, 2),
      aim: `≤ 0.5·log₂ ${scenario.peers} = ${figure(expected, 2)}`,
      isMet: isHopAim ? lookups.hops.mean <= expected : undefined,
    },
  ];
}

/** 500 B/s is aimed at for sessions of an hour; the traffic of an attack is the attacker's. */
function trafficAim({ traffic, scenario }: RunRecord): AimLine[] {
  const { churn } = scenario;
  const isCalm = churn.model === 'none' || churn.medianSessionMinutes >= 60;
  const rate = traffic.bytesPerPeerPerSecond;
  if (rate === 0) return [];
  return [
    {
      what: 'Traffic of a peer',
      measured: `${roundFigure(rate)} B/s`,
      aim: '≤ 500 B/s at sessions of 60 min',
      isMet: isCalm && scenario.attack === undefined ? rate <= 500 : undefined,
    },
  ];
}

function storeAims({ stores }: RunRecord): AimLine[] {
  if (stores.acknowledged === 0) return [];
  return [
    {
      what: 'Acknowledged values lost against the promise',
      measured: `${figure(stores.lost)} of ${figure(stores.acknowledged)}`,
      aim: '0',
      isMet: stores.lost === 0,
    },
    {
      what: 'Lost as all holders died at once',
      measured: figure(stores.excused),
      aim: `${figure(stores.excusedExpected, 2)} expected by arithmetic`,
      isMet: undefined,
    },
    {
      what: 'Unauthorised writes',
      measured: figure(stores.unauthorized),
      aim: '0',
      isMet: stores.unauthorized === 0,
    },
  ];
}

function ringAim({ converged, scenario }: RunRecord): AimLine[] {
  if (converged === undefined) return [];
  const measured = converged ? 'whole' : 'not whole';
  const aim = `whole within ${figure(scenario.convergeMinutes, 1)} min`;
  return [{ what: 'The ring after churn and faults have ended', measured, aim, isMet: converged }];
}

/** Of one run; by its processor time where that is known, since others may use the machine too. */
function speedAim(record: RunRecord): AimLine[] {
  const { virtualHours, observedWallSeconds, observedCpuSeconds, scenario, series } = record;
  if (observedWallSeconds === 0 || series.length > 0) return [];
  const onWall = (virtualHours * 3600) / observedWallSeconds;
  const ofProcessor = (virtualHours * 3600) / (observedCpuSeconds ?? observedWallSeconds);
  const measured =
    observedCpuSeconds === undefined
      ? `${roundFigure(onWall)}×`
      : `${roundFigure(ofProcessor)}× (on the wall ${roundFigure(onWall)}×)`;
  const isMet = scenario.peers >= 1000 ? ofProcessor > 1 : undefined;
  return [{ what: 'Speed beside real time, once built', measured, aim: '> 1×', isMet }];
}

/** Longest sessions first. */
const SUCCESS_AIMS = [
  { minutes: 60, percent: 99.9 },
  { minutes: 15, percent: 99 },
  { minutes: 5, percent: 95 },
];
