import type { RunRecord } from '../simulation/run-record.ts';
import { successAim } from './aims.ts';
import type { Plot } from './plot.ts';
import { attackPlots, peersPlot, seriesPlots } from './plot-lines.ts';
import { hopsPlot, latencyPlot, successPlot } from './plot-lookups.ts';
import { replicasPlot, trafficPlot } from './plot-traffic.ts';

/** The plots for which the record has something to show, in the order of the report. */
export function reportPlots(record: RunRecord): Plot[] {
  const plots = [
    successPlot(record, successAim(record)),
    hopsPlot(record),
    latencyPlot(record),
    peersPlot(record),
    replicasPlot(record),
    trafficPlot(record),
    ...attackPlots(record),
    ...seriesPlots(record),
  ];
  return plots.filter((plot) => plot !== undefined);
}
