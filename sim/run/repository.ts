import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Where package.json lies: two folders above sim/run, three above dist/sim/run. */
export function repositoryRoot(): URL {
  const fromSource = new URL('../../', import.meta.url);
  const isSource = existsSync(new URL('package.json', fromSource));
  return isSource ? fromSource : new URL('../../../', import.meta.url);
}

/**
 * What a run belongs to: the commit, with `-dirty` after it where files are changed, or the version
 * of the package where it is no clone.
 */
export function commitName(): string {
  const root = repositoryRoot();
  if (existsSync(new URL('.git', root))) {
    try {
      const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
      return execFileSync('git', args, {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: GIT_MS,
      }).trim();
    } catch {
      // Without git, or in a clone of somebody else: the version must do.
    }
  }
  const text = readFileSync(new URL('package.json', root), 'utf8');
  return `v${(JSON.parse(text) as { version: string }).version}`;
}

const GIT_MS = 5_000;
