/**
 * Moves a ledger and kills itself at the N-th report of progress:
 * `moving-process.ts STATE N FROM TO`, an empty FROM or TO for the state directory.
 */
import { moveLedger } from '../../../src/host/authority/ledger-move.ts';

const [, , stateDirectory = '', lastReport = '', from = '', to = ''] = process.argv;
let reports = 0;
await moveLedger({
  stateDirectory,
  from: from === '' ? undefined : from,
  to: to === '' ? undefined : to,
  onProgress: () => {
    reports++;
    if (reports === Number(lastReport)) process.kill(process.pid, 'SIGKILL');
  },
});
