/**
 * Round-trip times between 490 PlanetLab sites, in ms: the percentiles 0, 5, …, 100 of the measured
 * matrix. `generatedMatrix` makes one like it where the measured one is not at hand.
 */
export const PLANETLAB_PERCENTILES_MS: readonly number[] = [
  0.09, 19.31, 31.63, 40.38, 49.15, 59.28, 74.95, 92.6, 108.4, 121.95, 135.01, 147.98, 161.07,
  174.4, 188.24, 201.76, 220.49, 249.27, 290.72, 324.91, 2984.1,
];

/** Sites of the measured matrix. */
export const PLANETLAB_SITES = 490;
