import { readFile } from 'node:fs/promises';
import { OperatorError } from './operator-error.ts';

/** The text of the file that this option names, such as `--trust`. Throws OperatorError. */
export async function readOptionFile(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new OperatorError(`cannot read ${path} (${code}), which ${option} names`);
  }
}
