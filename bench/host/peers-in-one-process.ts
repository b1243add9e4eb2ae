/**
 * Run by memory.bench.ts in a process of its own with `--expose-gc`: a ring of as many peers as its
 * argument says. Prints the resident bytes before the first peer and with all of them.
 */
import { LoopbackRing } from './loopback-ring.ts';

const peers = Number(process.argv[2]);
const ring = await LoopbackRing.create();
const beforeBytes = residentBytes();
await ring.grow(peers);
await ring.untilStored();
console.log(JSON.stringify({ beforeBytes, afterBytes: residentBytes() }));
process.exit();

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
