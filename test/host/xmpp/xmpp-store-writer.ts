/**
 * A process whose client sends messages until it is killed; every line on stdout is a message that
 * was acknowledged before. `node --import tsx xmpp-store-writer.ts STATE`
 */
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { XmppStore } from '../../../src/host/xmpp/xmpp-store.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import { StanzaRouter } from '../../../src/xmpp/routing/stanza-router.ts';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

const [, , statePath = ''] = argv;
const user = parseJid('romeo@montague.lit');
if (user instanceof AddressFault) throw new Error(user.describe());

const environment = new XmppEnvironment(seededRandom(Date.now()));
const store = await XmppStore.open(
  statePath,
  {
    persisted: (ticket) => turn(() => environment.persisted(ticket)),
    persistFailed: (ticket, reason) => turn(() => environment.persistFailed(ticket, reason)),
  },
  (damage) => {
    throw new Error(damage.reason);
  },
);
let handled = 0;
const router = new StanzaRouter({
  environment,
  user: user.bare,
  nodeId: '1'.repeat(32) as NodeId,
  sessions: {
    send: () => undefined,
    hasRoom: () => true,
    handled: () => {
      handled += 1;
      writeSync(1, `handled ${handled}\n`);
    },
    end: () => undefined,
  },
  streams: {
    reach: () => undefined,
    release: () => undefined,
    devicesOf: () => [],
    send: () => undefined,
    handled: () => undefined,
  },
  records: store.records(),
});
turn(() => {
  router.start();
  router.sessionBinding(1, 'orchard');
});
let sent = 0;
for (;;) {
  turn(() => {
    for (let i = 0; i < 7; i++) {
      sent += 1;
      const from = 'romeo@montague.lit/orchard';
      const text = element('body', 'jabber:client', {}, [`message ${sent}`]);
      const attributes = { from, to: 'juliet@capulet.lit', type: 'chat' };
      router.stanzaFromSession(1, element('message', 'jabber:client', attributes, [text]));
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 2));
}

function turn(what: () => void): void {
  environment.now = { monotonicMs: performance.now(), unixMs: Date.now() };
  what();
  environment.runDueDeadlines();
  for (const output of environment.takeOutputs()) {
    if (output.type === 'persist') store.write(output.ticket, output.records);
  }
}
