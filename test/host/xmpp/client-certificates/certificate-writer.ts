/**
 * A process that adds, disables and revokes client certificates until it is killed; every line on
 * stdout is a change that was answered before. `node --import tsx certificate-writer.ts STATE`
 */
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { makeRoot } from '../../../../sim/certificates/certificate-maker.ts';
import { XmppStore } from '../../../../src/host/xmpp/xmpp-store.ts';
import { trustSettingsOf } from '../../../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../../../src/tls-auth/authenticator.ts';
import type { NodeId } from '../../../../src/wire/node-id.ts';
import type { CertificateCommand } from '../../../../src/xmpp/client-certificates/certificate-command.ts';
import type { XmppInput } from '../../../../src/xmpp/xmpp-input.ts';
import { XmppUsage } from '../../../../src/xmpp/xmpp-usage.ts';
import { AddressFault } from '../../../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../../reload/seeded-random.ts';
import { testConfiguration } from '../../../reload/virtual-configuration.ts';
import { selfSigned } from '../../../xmpp/client-certificates/certificate-desk.ts';

const [, , statePath = ''] = argv;
const user = parseJid('romeo@montague.lit');
if (user instanceof AddressFault) throw new Error(user.describe());

const store = await XmppStore.open(
  statePath,
  {
    persisted: (ticket) => deliver({ type: 'persisted', ticket }),
    persistFailed: (ticket, reason) => deliver({ type: 'persistFailed', ticket, reason }),
  },
  (damage) => {
    throw new Error(damage.reason);
  },
);
const usage = new XmppUsage({
  user,
  nodeId: '1'.repeat(32) as NodeId,
  authenticator: new Authenticator(trustSettingsOf(testConfiguration(makeRoot()))),
  random: seededRandom(Date.now()),
  records: store.records(),
  credential: undefined,
});
const said = new Map<number, string>();
let management = 0;
deliver({ type: 'start' });
for (let round = 0; ; round++) {
  const end = `by ${process.pid} in round ${round}`;
  for (const name of [`kept ${end}`, `disabled ${end}`, `revoked ${end}`]) {
    const certificate = Buffer.from(selfSigned()).toString('base64');
    manage({ type: 'add', name, certificate, mayManage: true }, `added ${name}`);
  }
  const [disabled, revoked] = [`disabled ${end}`, `revoked ${end}`];
  manage({ type: 'disable', which: { name: disabled } }, `disabled ${disabled}`);
  manage({ type: 'revoke', which: { name: revoked } }, `revoked ${revoked}`);
  await new Promise((resolve) => setTimeout(resolve, 2));
}

function manage(what: CertificateCommand, line: string): void {
  management += 1;
  said.set(management, line);
  deliver({ type: 'manageCertificates', management, what });
}

function deliver(input: XmppInput): void {
  const now = { monotonicMs: performance.now(), unixMs: Date.now() };
  for (const output of usage.handle(input, now)) {
    if (output.type === 'persist') store.write(output.ticket, output.records);
    else if (output.type === 'certificatesManaged' && output.outcome.ok) {
      writeSync(1, `${said.get(output.management)}\n`);
    }
  }
}
