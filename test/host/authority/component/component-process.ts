/**
 * An authority that is a component, in a process of its own, to be killed:
 * `component-process.ts STATE PORT SECRET`. Once a line has come to its stdin it opens its state,
 * serves and attaches to the XMPP server at PORT, which it trusts.
 */
import { once } from 'node:events';
import { startAuthority } from '../../../../src/host/authority/authority-server.ts';

const [, , stateDirectory = '', port = '', secret = ''] = process.argv;
await once(process.stdin, 'data');
const server = { host: '127.0.0.1', port: Number(port) };
await startAuthority({
  stateDirectory,
  listen: { host: '127.0.0.1', port: 0 },
  component: { jid: 'ca.capulet.lit', server, secret, trustsServer: true },
});
