/** A long run has more samples than a plot has pixels: neighbours are drawn as one. */
export function inGroups<T>(samples: readonly T[]): T[][] {
  const size = Math.ceil(samples.length / POINTS_MAX);
  const groups: T[][] = [];
  for (let at = 0; at < samples.length; at += size) groups.push(samples.slice(at, at + size));
  return groups;
}

const POINTS_MAX = 240;
