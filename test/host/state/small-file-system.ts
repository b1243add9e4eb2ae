import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Mounts a file system of 1 MB; undefined where this process may not. */
export function mountSmallFileSystem(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'store-tmpfs-'));
  const { status } = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path]);
  if (status === 0) return path;
  rmSync(path, { recursive: true });
  return undefined;
}

export function unmountSmallFileSystem(path: string): void {
  execFileSync('/bin/umount', ['--lazy', path]);
  rmSync(path, { recursive: true });
}
