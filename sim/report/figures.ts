/** Numbers as people read them, the same on every machine. */

/** `12,345.6`; at most so many digits after the point. */
export function figure(value: number, decimalsMax = 0): string {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { maximumFractionDigits: decimalsMax });
}

/** Three significant digits, or all of those before the point. */
export function roundFigure(value: number): string {
  const digits = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
  return figure(value, Math.max(0, Math.min(6, 3 - digits)));
}

/** A share in percent, without the sign. Never `100` for less than all, or `0` for something. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const share = (100 * part) / whole;
  if (part === whole || part === 0) return figure(share);
  for (const decimals of [2, 3, 4]) {
    const text = share.toFixed(decimals);
    if (Number(text) < 100 && Number(text) > 0) return text;
  }
  return share > 50 ? '> 99.99' : '< 0.01';
}

/** `1.5 GB`, in powers of 1,000. */
export function byteFigure(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${roundFigure(bytes / 1000 ** power)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}

/** Moments of a run: `12.5 min`, from three hours on `3 h 20 min`. */
export function momentFigure(minutes: number): string {
  if (minutes < 180) return `${figure(minutes, 1)} min`;
  const whole = Math.round(minutes);
  const hours = `${figure(Math.floor(whole / 60))} h`;
  return whole % 60 === 0 ? hours : `${hours} ${whole % 60} min`;
}
